"""The catalogues of translations: collects the sentences of the whole tree, and holds them complete.

`python -m config.catalogues extract` brings new sentences into `config/locale/*.po` and drops those that are gone;
`python -m config.catalogues check` fails while one is missing, untranslated, or has other places than the English.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Formatter
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("barcodes", "config", "models", "routing", "tasks", "web", "workers", "workflow")
TRANSLATED = ("kk", "ru")
"""English is the language of the message ids."""

_METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
_SENTENCE, _ONE_AND_MANY = (1,), (1, 2)
_KEYWORDS: Any = {
    # One sentence; or one and many, then the place that decides: two to four with a comma at the end.
    "Text": {None: _SENTENCE} | dict.fromkeys((2, 3, 4), _ONE_AND_MANY),
    "_": None,
    "counted": _ONE_AND_MANY,
}
_NO_SENTENCES = frozenset({"say", "{advice}"})
"""What the extractor takes for sentences: the key in `Text(answer["say"], …)`, and a place for a whole sentence."""
_HEADER = """\
# Sentences of Shabarman in {name}. The words of the field follow the regulation (docs/glossary.md).
msgid ""
msgstr ""
"Project-Id-Version: shabarman\\n"
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""
_NAMES = {"kk": "Kazakh", "ru": "Russian"}


def file_of(language: str, *, root: Path = ROOT) -> Path:
    """Return the catalogue of one language."""
    return root / "config" / "locale" / f"{language}.po"


def collected(root: Path = ROOT) -> Catalog:
    """Return every sentence of the tree under `root`, with the files in which it stands."""
    found = Catalog()
    for floor in FLOORS:
        rows = extract_from_dir(root / floor, _METHODS, keywords=_KEYWORDS, directory_filter=_is_source)
        for name, _line, message, comments, context in rows:
            if message in _NO_SENTENCES:
                continue
            # Without line numbers: a catalogue that changes with every edit is never looked at.
            found.add(message, locations=[(f"{floor}/{name}", 0)], auto_comments=comments, context=context)
    return found


def extract(*, root: Path = ROOT) -> dict[str, int]:
    """Bring the catalogues up to the tree, and return how many sentences each still lacks."""
    template = collected(root)
    lacking = {}
    for language in TRANSLATED:
        catalogue = _read(language, root)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        file = file_of(language, root=root)
        file.parent.mkdir(exist_ok=True)
        with file.open("wb") as written:
            header = _HEADER.format(language=language, name=_NAMES[language], plurals=catalogue.plural_forms)
            written.write(header.encode())
            write_po(written, catalogue, width=100, omit_header=True, include_lineno=False, sort_output=True)
        lacking[language] = sum(1 for message in catalogue if message.id and not all(_forms(message.string)))
    return lacking


def faults(*, root: Path = ROOT) -> list[str]:
    """Return what is wrong with the catalogues, one line each; none when they are complete."""
    template = collected(root)
    return [fault for language in TRANSLATED for fault in _faults(language, template, _read(language, root))]


def _faults(language: str, template: Catalog, catalogue: Catalog) -> Iterator[str]:
    for message in template:
        if not message.id:
            continue
        sentence, *many = _forms(message.id)
        kept = catalogue.get(sentence)
        if kept is None:
            yield f"{language}: missing: {sentence!r}"
            continue
        forms = _forms(kept.string)
        if not all(forms) or kept.fuzzy:
            yield f"{language}: not translated: {sentence!r}"
        elif len(forms) != (catalogue.num_plurals if many else 1):
            yield f"{language}: other count of forms than the language has: {sentence!r}"
        elif any(places(form) != places(sentence) for form in forms):
            yield f"{language}: other places than in English: {sentence!r}"


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the forms of a sentence: one, or those for one and for many; an empty one where it has none yet."""
    if isinstance(text, str):
        return (text,)
    return tuple(text or ("",))


def places(sentence: str) -> set[str]:
    """Return the names of the places in a sentence."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def _read(language: str, root: Path) -> Catalog:
    file = file_of(language, root=root)
    if not file.is_file():
        return Catalog(locale=language)
    with file.open("rb") as text:
        return read_po(text, locale=language)


def _is_source(folder: str) -> bool:
    return not Path(folder).name.startswith((".", "_"))


def main(arguments: list[str]) -> int:
    """Do what the command line asks for, and return the exit code."""
    match arguments:
        case ["extract"]:
            for language, count in extract().items():
                print(f"{language}: {count} to translate")  # noqa: T201 - this is a command
            return 0
        case ["check"]:
            found = faults()
            print("\n".join(found) or "The catalogues are complete.")  # noqa: T201
            return 1 if found else 0
        case _:
            print("Usage: python -m config.catalogues extract|check", file=sys.stderr)  # noqa: T201
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
