"""Make the Kazakh, the Russian and the careless spelling of a place's name equal, and tell its type words."""

from __future__ import annotations

import re

from config.letters import evened, singled

_WORDS = re.compile(r"[^\W_]+")
_CASE_OF_ADJECTIVE = re.compile(r"([сц]к)(ого|ому|ом|им|ими|ая|ое|ои|ую)$|(н)(ого|ому)$")

_CASES = r"(нин|нда|на|нан|ндаги)?"
# Folded already: и for ы and й, one letter for two, adjectives in the nominative.
_TYPES = {
    "district": rf"аудан(и{_CASES}|дик)?|раион(а|е|у)?",
    "city": rf"кала(си{_CASES}|лик|да|дан)?|город(а|е|у|ски)?|гор|г",
    "other": (
        rf"ауил(и{_CASES}|дик)?|аул(а|е)?|елди|мекен(и{_CASES})?|сел(о|а|е|у|олик|ски)|кент(и{_CASES}|ик)?|"
        rf"посел(ок|ка|ке|ков(и|ого|ом))|пос|пгт|округ(и{_CASES}|а|е|у)?|станци(я|и|ю|яси)|ст|разезд|"
        r"совхоз(и|а)?|с|а|п|к|о|з"
    ),
    "filler": rf"аким(а|и{_CASES}|ат(и|а)?|диги)?|апарат(и|а)?|атиндаги|имени|им",
    "region": r"облис(и|инин|инда)?|област(и)?|обл|республика(си)?|рк",
    "street": (
        r"кош(е|еси|есинде)?|улиц(а|и|е)|ул|дангил(и)?|проспект(е|а)?|пр|переулок|пер|тупик|уи|дом(а|е)?|"
        r"патер(и)?|квартира|кв|молтек|микрораион(е|а)?|мкр"
    ),
}
_TYPE_OF = re.compile("|".join(f"(?P<{name}>{forms})" for name, forms in _TYPES.items()))
# What is cut short with a point, a stroke or a hyphen, before the letters are folded: р-н, с/о, с.о., с/з, қ.
_SHORT = (
    (re.compile(r"\bр-н\w*"), " район "),
    (re.compile(r"\b([са])\s*[./\\]\s*о\b\.?"), " округ "),
    (re.compile(r"\bс\s*[/\\]\s*з\b\.?"), " совхоз "),
    (re.compile(r"\bқ\s*\."), " қала "),
)


def folded(word: str) -> str:
    """Return one word in the spelling under which names are compared."""
    # A doubled letter may hide the дж that stands for ж, and that ж may double the next.
    plain = singled(evened(word).replace("дж", "ж"))
    return _CASE_OF_ADJECTIVE.sub(r"\1\3и", plain)


def words(text: str) -> tuple[str, ...]:
    """Return the folded words of `text` in their order."""
    short = text.casefold()
    for pattern, full in _SHORT:
        short = pattern.sub(full, short)
    return tuple(folded(word) for word in _WORDS.findall(short))


def key(text: str) -> str:
    """Return the spelling of a whole name: its folded words without spaces, hyphens, points and type words."""
    return "".join(
        word for word in words(text) if type_of(word) not in {"district", "city", "other", "filler"}
    )


def type_of(word: str) -> str:
    """Return what a folded word tells about the name beside it: `district`, `city`, `other` …, or an empty text."""
    found = _TYPE_OF.fullmatch(word)
    return next((name for name in _TYPES if found[name] is not None), "") if found else ""
