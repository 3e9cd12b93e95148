"""Which department by the place of residence: the register of akimats is the gazetteer.

A name is never guessed: one that stands in several districts gives all of them, an unknown one an error with the
nearest names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from config import offices
from config.errors import BadInputError
from config.language import Text
from routing.gazetteer import Name, districts_by_key, name_of_district, names_by_key, nearest, suggest
from routing.spelling import type_of, words

__all__ = [
    "AmbiguousPlaceError",
    "Candidate",
    "Match",
    "Name",
    "PlaceElsewhereError",
    "UnknownPlaceError",
    "find",
    "suggest",
]

_ = Text

_CODE = re.compile(r"\s*(\d{4})\s*")
_PARTS = re.compile(r"[,;\n]+")
_WHOLE = frozenset(
    word for name in ("Алматы", "Алматинская", "Қазақстан", "Казахстан") for word in words(name)
)
_LONGEST = 3  # words in the name of a place


class UnknownPlaceError(BadInputError):
    """The place is in no akimat of the register. Facts: `place`, `suggestions` (nearest names), `nearest` (labels)."""

    code = "unknown_place"
    text = _("{place} is no known village, rural district or town. Check the spelling, or give the district.")
    text_with_nearest = _(
        "{place} is no known village, rural district or town. The nearest are: {nearest}. "
        "Take one of them, or give the district."
    )


class AmbiguousPlaceError(BadInputError):
    """The name stands in several districts. Facts: `place`, `districts` (codes), `names`."""

    code = "ambiguous_place"
    text = _("{place} is in several districts: {names}. Ask the applicant, and give the district with it.")


class PlaceElsewhereError(BadInputError):
    """The name is known, but not in the district given with it. Facts: `place`, `district`, `districts` (codes)."""

    code = "place_elsewhere"
    text = _(
        "{place} is not in {district_name}, but in {names}. Give that district, or this one without the place."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A district in which the place may be; `akimats` are the codes of the akimats that have the name."""

    district: str
    akimats: tuple[str, ...]
    names: tuple[Name, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What was found for `place`: one candidate settles it, several must be asked.

    `unregistered` is a place that no akimat of the register has, inside a district that was given with it.
    """

    place: str
    candidates: tuple[Candidate, ...]
    unregistered: str = ""

    @property
    def district(self) -> str | None:
        """The code of the district, or None where it must be asked."""
        return self.candidates[0].district if len(self.candidates) == 1 else None

    def department(self) -> offices.Office:
        """Return the department that the packet goes to; raise `AmbiguousPlaceError` where it must be asked."""
        if self.district is None:
            codes = tuple(candidate.district for candidate in self.candidates)
            raise AmbiguousPlaceError(place=self.place, districts=codes, names=_listed(codes))
        return offices.department_of(self.district)


@dataclass(slots=True)
class _Reading:
    """What an address says: districts by name, and per part of it the places of the register that it may mean."""

    stated: set[str] = field(default_factory=set)
    places: list[tuple[Name, ...]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def find(place: str, *, district: str | None = None) -> Match:
    """Return the district, or the districts, of a place of residence.

    `place` is a name or an address in Kazakh or Russian, with or without type words ("Ақсу ауылы", "с. Аксу",
    "Ұйғыр ауданы, Ақсу ауылы"), or the four-digit code of an office. `district` is the code of the district where it is
    known, for instance after asking, and settles the matter. Raise `UnknownPlaceError`, `PlaceElsewhereError`, and
    `UnknownDistrictError` or `UnknownOfficeError` of `config.offices` for a code that does not exist.
    """
    given = None if district is None else offices.district(district).code
    by_code = _CODE.fullmatch(place)
    reading = _read_code(by_code[1]) if by_code else _read(place)
    names = _agreed(reading.places)
    if given is not None:
        if names and given not in names and given not in reading.stated:
            raise PlaceElsewhereError(
                place=place.strip(),
                district=given,
                district_name=offices.district(given).name_kk,
                districts=tuple(names),
                names=_listed(names),
            )
        wanted = {given}
    elif reading.stated & names.keys():
        wanted = reading.stated & names.keys()
    else:
        # A named district and a place that is known only elsewhere contradict each other: both are asked.
        wanted = reading.stated | names.keys()
    if not wanted:
        raise _unknown(place)
    return Match(
        place=place.strip(),
        candidates=tuple(
            _candidate(held.code, names.get(held.code, ()))
            for held in offices.districts()
            if held.code in wanted
        ),
        unregistered="" if names else ", ".join(reading.unknown),
    )


def _read_code(code: str) -> _Reading:
    office = offices.office(code)
    if not office.places:
        return _Reading(places=[(name_of_district(office.district),)])
    place = office.places[0]
    name = Name(kind=place.kind, kk=place.kk, ru=place.ru, district=office.district, office=office.code)
    return _Reading(places=[(name,)])


def _read(address: str) -> _Reading:
    reading = _Reading()
    for part in _PARTS.split(address):
        said = _without_region(list(words(part)))
        if any(type_of(word) == "street" or word.isdigit() for word in said):
            said = _before_street(said)
        reading.stated |= _take_districts(said)
        spelling = "".join(word for word in said if not type_of(word))
        if not spelling:
            continue
        # The Russian genitive ("посёлок Жансугурова") is tried where the name as written is not known.
        names = names_by_key().get(spelling) or names_by_key().get(spelling.removesuffix("а"), ())
        found = _of_kind(names, {type_of(word) for word in said})
        if found:
            reading.places.append(found)
        else:
            reading.unknown.append(part.strip())
    return reading


def _without_region(said: list[str]) -> list[str]:
    """Return the words without the oblast and the country, which say nothing here."""
    for place in reversed([at for at, word in enumerate(said) if type_of(word) == "region"]):
        for beside in (place - 1, place + 1):
            if 0 <= beside < len(said) and said[beside] in _WHOLE:
                del said[min(place, beside) : max(place, beside) + 1]
                break
        else:
            del said[place]
    return said


def _before_street(said: list[str]) -> list[str]:
    """Return what stands before the street: up to a Kazakh type word, or from a Russian one to the street's."""
    for place, word in enumerate(said):
        if type_of(word) in {"other", "city", "district"}:
            if place:
                return said[: place + 1]
            ends = (at for at, other in enumerate(said) if type_of(other) == "street" or other.isdigit())
            return said[: next(ends)]
    return []


def _take_districts(said: list[str]) -> set[str]:
    """Take the districts and cities that are named with their type word out of `said` and return their codes."""
    taken: set[str] = set()
    place = 0
    while place < len(said):
        if type_of(said[place]) in {"district", "city"}:
            spans = [(place - count, place + 1) for count in range(_LONGEST, 0, -1) if place >= count]
            spans += [(place, place + 1 + count) for count in range(_LONGEST, 0, -1)]
            for start, end in spans:
                spelling = "".join(said[start:place] + said[place + 1 : end])
                code = districts_by_key().get(spelling)
                if code is not None and name_of_district(code).kind == type_of(said[place]):
                    taken.add(code)
                    del said[start:end]
                    place = -1
                    break
        place += 1
    return taken


def _of_kind(names: tuple[Name, ...], said: set[str]) -> tuple[Name, ...]:
    """Return the names that fit the type words, all of them where none fits: people are careless with these words."""
    if "other" in said:
        fitting = tuple(name for name in names if name.kind in {"settlement", "okrug"})
    elif "city" in said:
        fitting = tuple(name for name in names if name.kind == "city")
    else:
        fitting = ()
    return fitting or names


def _agreed(places: list[tuple[Name, ...]]) -> dict[str, tuple[Name, ...]]:
    """Return the names by district: of the districts in which all parts of the address agree, else of all."""
    by_part = [{name.district for name in names} for names in places]
    common = set.intersection(*by_part) if by_part else set()
    kept = common or {code for codes in by_part for code in codes}
    return {code: tuple(name for names in places for name in names if name.district == code) for code in kept}


def _candidate(district: str, names: tuple[Name, ...]) -> Candidate:
    akimats = tuple(sorted({name.office for name in names if name.office}))
    return Candidate(district=district, akimats=akimats, names=names or (name_of_district(district),))


def _listed(districts: Iterable[str]) -> str:
    wanted = set(districts)
    return ", ".join(district.name_kk for district in offices.districts() if district.code in wanted)


def _unknown(place: str) -> UnknownPlaceError:
    near = nearest(place)
    labels = "; ".join(name.label() for name in near)
    text = UnknownPlaceError.text_with_nearest if near else None
    return UnknownPlaceError(text, place=place.strip() or "–", suggestions=near, nearest=labels)
