"""Public holidays and the days off that move with them: a seed from `holidays`, with our own names for people.

The seed is what is known in advance. Decrees move days off, and the date of Kurban ait is estimated years ahead, so an
operator corrects and confirms each year (`shabarman calendar`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache

import holidays


class DayKind(StrEnum):
    """Why the hours of a date differ from those of the week."""

    HOLIDAY = "holiday"
    """A public holiday."""
    MOVED = "moved"
    """Off, because a holiday fell on a day off."""
    TRANSFERRED = "transferred"
    """Off, in exchange for a day off that was worked."""
    WORKING = "working"
    """Worked like an ordinary working day, although it usually is a day off or a short one."""
    HOURS = "hours"
    """Worked in hours of its own."""
    CLOSED = "closed"
    """The office does not work: repairs, an emergency, a holiday of the place."""
    ORDINARY = "ordinary"
    """The week holds; takes back what stood there before."""


PUBLIC = frozenset({DayKind.HOLIDAY, DayKind.MOVED, DayKind.TRANSFERRED})
"""Days off of everybody, but for offices that are open on public holidays."""

OFF = PUBLIC | {DayKind.CLOSED}
"""Days without work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicDay:
    """One date that is special all over the country."""

    kind: DayKind
    name_kk: str
    name_ru: str
    estimated: bool = False
    """The date follows the moon and is not decreed yet."""


_NAMES = {
    "New Year's Day": ("Жаңа жыл", "Новый год"),
    "Orthodox Christmas": ("Православиелік Рождество", "Православное Рождество"),
    "International Women's Day": ("Халықаралық әйелдер күні", "Международный женский день"),
    "Nowruz Holiday": ("Наурыз мейрамы", "Наурыз мейрамы"),
    "Kazakhstan's People Solidarity Holiday": (
        "Қазақстан халқының бірлігі мерекесі",
        "Праздник единства народа Казахстана",
    ),
    "Defender of the Fatherland Day": ("Отан қорғаушы күні", "День защитника Отечества"),
    "Victory Day": ("Жеңіс күні", "День Победы"),
    "Capital Day": ("Астана күні", "День столицы"),
    "Constitution Day": ("Конституция күні", "День Конституции"),
    "Republic Day": ("Республика күні", "День Республики"),
    "Independence Day": ("Тәуелсіздік күні", "День Независимости"),
    "First President Day": ("Тұңғыш Президент күні", "День Первого Президента"),
    "Eid al-Adha": ("Құрбан айттың бірінші күні", "Первый день Курбан айта"),
}
_DAY_OFF = ("Ауыстырылған демалыс күні", "Перенесённый выходной")
_WORKED = ("Демалыс орнына жұмыс күні", "Рабочий день вместо выходного")
_NEVER_MOVED = frozenset({"Orthodox Christmas", "Eid al-Adha"})
"""Days off by the law on holidays that are no holidays: nothing is given for them when they fall on a day off."""

_REMARK = re.compile(r" \((?P<words>[a-z, ]+)\)$")

SATURDAY, SUNDAY = 5, 6


@cache
def public_days(year: int, *, week: int) -> dict[date, PublicDay]:
    """Return the special dates of a year for offices with a `week` of 5 or 6 working days.

    Days off are transferred, and moved for a Saturday, for the week of five days only (Labour Code of Kazakhstan,
    articles 84 and 85): with six, Saturday is a working day.
    """
    known = holidays.country_holidays("KZ", years=year, language="en_US", expand=False)
    found: dict[date, PublicDay] = {}
    to_move: list[tuple[date, str]] = []
    for day, text in sorted(known.items()):
        names = [_read(name) for name in text.split("; ")]
        name, words = next((named for named in names if "observed" not in named[1]), names[0])
        if name.startswith("Day off"):
            if week == 5:
                found[day] = _day(DayKind.TRANSFERRED, *_DAY_OFF)
        elif "observed" in words:
            if week == 5:
                found[day] = _named(DayKind.MOVED, name, words)
        else:
            found[day] = _named(DayKind.HOLIDAY, name, words)
            if day.weekday() == SUNDAY and name not in _NEVER_MOVED:
                to_move.append((day, name))
    if week == 5:
        for day in known.weekend_workdays:
            if day.year == year:
                found[day] = _day(DayKind.WORKING, *_WORKED)
    else:
        for day, name in to_move:
            free = day
            while free in found or free.weekday() == SUNDAY:
                free += timedelta(days=1)
            found[free] = _named(DayKind.MOVED, name, "")
    return dict(sorted(found.items()))


def _read(name: str) -> tuple[str, str]:
    """Split the library's name into the day and its remarks, as in `Victory Day (observed)`."""
    remark = _REMARK.search(name)
    return (name[: remark.start()], remark["words"]) if remark else (name, "")


def _named(kind: DayKind, name: str, words: str) -> PublicDay:
    kk, ru = _NAMES.get(name, (name, name))
    return _day(kind, kk, ru, estimated="estimated" in words)


def _day(kind: DayKind, kk: str, ru: str, *, estimated: bool = False) -> PublicDay:
    return PublicDay(kind=kind, name_kk=kk, name_ru=ru, estimated=estimated)
