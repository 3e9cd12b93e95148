"""The names of places in the register: who has which, under every spelling of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from config import offices
from routing.spelling import key, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One name: `office` is the code of the akimat that has it, empty for a district and its centre.

    `kind` is `district`, `city`, `settlement` or `okrug`; a city with a department of its own is a `city`.
    """

    kind: str
    kk: str
    ru: str
    district: str
    office: str = ""

    def label(self, language: str = "kk") -> str:
        """Return the name with its district: in Kazakh for `kk`, else in Russian."""
        district = offices.district(self.district)
        own, whole = (self.kk, district.name_kk) if language == "kk" else (self.ru, district.name_ru)
        if own == whole:
            return whole
        if self.kind == "okrug" and language == "kk":
            own += " округі"
        elif self.kind == "okrug":
            own = f"{own} округ" if own.endswith(("ий", "ый")) else f"округ {own}"
        return f"{own}, {whole}"


@cache
def names_by_key() -> Mapping[str, tuple[Name, ...]]:
    """Return all names under the keys of their spellings (`routing.spelling.key`)."""
    found: dict[str, dict[Name, None]] = {}

    def add(name: Name, *spellings: str) -> None:
        for spelling in (name.kk, name.ru, *spellings):
            found.setdefault(key(spelling), {})[name] = None

    for district in offices.districts():
        place = district.centre
        add(name_of_district(district.code), *district.spellings)
        if key(place.kk) != key(district.name_kk):
            add(Name(kind=place.kind, kk=place.kk, ru=place.ru, district=district.code))
        elif district.name_kk.endswith("ауданы"):  # Талғар and Сарқан: the town has the name of the district
            add(Name(kind="city", kk=place.kk, ru=place.ru, district=district.code))
    for akimat in offices.offices("akimat"):
        for place in akimat.places:
            name = Name(
                kind=place.kind, kk=place.kk, ru=place.ru, district=akimat.district, office=akimat.code
            )
            # "Б.Сырттанов" is said without the initial too.
            bare = [own.partition(".")[2] for own in (place.kk, place.ru) if own[1:2] == "."]
            add(name, *(akimat.spellings if place is akimat.places[0] else ()), *bare)
    return {spelling: tuple(names) for spelling, names in found.items()}


def name_of_district(code: str) -> Name:
    """Return the name of a district or a city itself."""
    district = offices.district(code)
    kind = "district" if district.name_kk.endswith("ауданы") else "city"
    return Name(kind=kind, kk=district.name_kk, ru=district.name_ru, district=code)


@cache
def districts_by_key() -> Mapping[str, str]:
    """Return the code of a district or a city with its own department under each spelling of its name."""
    return {
        key(spelling): district.code
        for district in offices.districts()
        for spelling in (district.name_kk, district.name_ru, *district.spellings)
    }


def nearest(text: str, *, limit: int = 5) -> tuple[Name, ...]:
    """Return the names whose spelling is nearest to `text`, the nearest first; none where nothing is near."""
    return _names_of(get_close_matches(key(text), names_by_key(), n=limit, cutoff=0.6))[:limit]


def suggest(prefix: str, *, limit: int = 10) -> tuple[Name, ...]:
    """Return names for a type-ahead field: first those that begin with `prefix`, then those that contain it."""
    wanted = key(prefix) or "".join(words(prefix))  # "а" and "с" may be type words, and may begin a name
    spelt = [spelling for spelling in names_by_key() if wanted in spelling] if wanted else []
    return _names_of(sorted(spelt, key=lambda spelling: (not spelling.startswith(wanted), spelling)))[:limit]


def _names_of(spellings: list[str]) -> tuple[Name, ...]:
    """Return the names in the order of `spellings`: the village, not the rural district that is called the same."""
    found: dict[tuple[str, str], Name] = {}
    for spelling in spellings:
        for name in names_by_key()[spelling]:
            same = (name.district, key(name.kk))
            if same not in found or (found[same].kind == "okrug" and name.kind != "okrug"):
                found[same] = name
    return tuple(found.values())
