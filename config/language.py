"""Words for people in Kazakh, Russian and English.

The catalogues are plain `config/locale/<language>.po` files, read and compiled in memory on first use, so that
no build step can be forgotten. English is the language of the message ids.
"""

from __future__ import annotations

import gettext
import os
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO

LANGUAGES = ("kk", "ru", "en")
DEFAULT_LANGUAGE = "kk"


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the translations of `language`; English and unknown languages give the message ids themselves."""
    source = files("config") / "locale" / f"{language}.po"
    if not source.is_file():
        return gettext.NullTranslations()
    # Babel is imported here because the command line answers `--help` without it.
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = BytesIO()
    with source.open("rb") as text:
        write_mo(compiled, read_po(text, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence for people: an English message id with named places, translated when it is shown.

    Where a number decides the form of the words, `plural` is the English sentence for many and `number` names the
    place that decides: `Text("{count} packet", "{count} packets")`.
    """

    message: str
    plural: str = ""
    number: str = "count"

    def render(self, language: str = "en", /, **facts: object) -> str:
        """Return the sentence in `language` with `facts` in its places; a `Text` among the facts is rendered too."""
        shown = {
            name: value.render(language) if isinstance(value, Text) else value
            for name, value in facts.items()
        }
        if self.plural:
            said = translate(self.message, language, plural=self.plural, count=_whole(facts.get(self.number)))
        else:
            said = translate(self.message, language)
        return said.format_map(shown)


def translate(message: str, language: str, *, plural: str = "", count: int = 1) -> str:
    """Return `message` in `language`, or the message itself where the catalogue lacks it.

    With `plural` it is the form that fits `count`: one of two in Kazakh and English, one of three in Russian.
    """
    if plural:
        return catalogue(language).ngettext(message, plural, count)
    return catalogue(language).gettext(message) if message else ""


def _whole(number: object) -> int:
    # An old notice may lack its count: then many are meant.
    return abs(number) if isinstance(number, int) else 2


def language_of_environment() -> str:
    """Return the language for the command line: `SHABARMAN_LANGUAGE`, else that of the locale, else English."""
    for name in ("SHABARMAN_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        wanted = os.environ.get(name, "")[:2].lower()
        if wanted in LANGUAGES:
            return wanted
    return "en"


def best_language(accepted: str) -> str:
    """Return the first of our languages in an `Accept-Language` header, Kazakh where none is named."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        weighed.append((-quality, place, tag[:2].lower()))
    return next((tag for _, _, tag in sorted(weighed) if tag in LANGUAGES), DEFAULT_LANGUAGE)
