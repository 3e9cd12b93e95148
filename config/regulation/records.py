"""The records of the register: district, office and what an office consists of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

KINDS = ("centre", "department", "akimat")
PLACE_KINDS = ("okrug", "settlement", "city")
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A name by which people say where they live, without its type word; `kind` is one of `PLACE_KINDS`."""

    kind: str
    kk: str
    ru: str


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """A district or a city with a department of its own; `number` is its row in annex 1."""

    code: str
    number: int
    name_kk: str
    name_ru: str
    centre: Place
    spellings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A telephone as `printed`, and as +7 and ten digits in `number`, None where the printed one cannot be dialled."""

    number: str | None
    printed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Working time in Asia/Almaty: per weekday from Monday the spans (from, to), none on a day off."""

    weekly: tuple[tuple[tuple[time, time], ...], ...]
    open_on_public_holidays: bool
    printed: str
    week: int = 5
    """Working days of the week, 5 or 6: with six, days off are not moved for a Saturday (Labour Code, article 84)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """The cells of the office's row in the source, line by line; `hours` is empty where a cell spans several rows."""

    name: str
    address: str
    phone: str
    hours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """An office of the register; `code` is four digits and never changes, `row` is its row in the annex."""

    code: str
    kind: str
    district: str
    row: int
    name_kk: str
    name_ru: str
    address: str
    phones: tuple[Phone, ...]
    emails: tuple[str, ...]
    sites: tuple[str, ...]
    hours: Hours
    places: tuple[Place, ...]
    spellings: tuple[str, ...]
    printed: Printed


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """All districts in the order of annex 1, and all offices by code, in the order departments, centres, akimats."""

    districts: dict[str, District]
    offices: dict[str, Office]
