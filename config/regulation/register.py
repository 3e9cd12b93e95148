"""Read the register of offices from its files and check every entry."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import time
from pathlib import Path

from config.regulation.reading import Entry, RegulationError, listed, read_json
from config.regulation.records import (
    PLACE_KINDS,
    WEEK,
    District,
    Hours,
    Office,
    Phone,
    Place,
    Printed,
    Register,
)

_FILES = {"department": "departments.json", "centre": "centres.json", "akimat": "akimats.json"}
# The first digit 1-8 keeps a packet number off every other number; 80 opens a manifest number.
_CODE = re.compile(r"(?!80)[1-8]\d{3}")
_SLUG = re.compile(r"[a-z]+")
_PHONE = re.compile(r"\+7\d{10}")
_EMAIL = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def read_register(own: Path | None = None) -> Register:
    """Read the register, files in the folder `own` first; raise `RegulationError` for the first wrong entry."""
    districts = {district.code: district for district in _districts(own)}
    hours = _hours(own)
    offices: dict[str, Office] = {}
    for kind, file in _FILES.items():
        for place, data in enumerate(listed(file, read_json(file, own=own)), start=1):
            entry = Entry(data, file=file, place=f"entry {place}")
            office = _office(entry, kind, districts, hours)
            if office.code in offices:
                raise entry.wrong(f"the code {office.code} is given twice")
            offices[office.code] = office
    for kind in ("department", "centre"):
        held = Counter(office.district for office in offices.values() if office.kind == kind)
        for district in districts:
            if held[district] != 1:
                raise RegulationError(
                    file=_FILES[kind],
                    entry=f"district {district}",
                    reason=f"exactly one {kind} is needed, there are {held[district]}",
                )
    return Register(districts=districts, offices=offices)


def _districts(own: Path | None) -> Iterator[District]:
    file = "districts.json"
    codes: set[str] = set()
    for place, data in enumerate(listed(file, read_json(file, own=own)), start=1):
        entry = Entry(data, file=file, place=f"entry {place}")
        code = entry.text("code")
        if not _SLUG.fullmatch(code):
            raise entry.wrong(f'the code "{code}" must be small Latin letters')
        entry.place += f" ({code})"
        if code in codes:
            raise entry.wrong("the code is given twice")
        codes.add(code)
        if entry.number("number") != place:
            raise entry.wrong(f"the number must be {place}: the order and the numbers follow annex 1")
        yield District(
            code=code,
            number=place,
            name_kk=entry.text("name_kk"),
            name_ru=entry.text("name_ru"),
            centre=_place(entry.entry("centre")),
            spellings=entry.texts("spellings"),
        )
        entry.done()


def _place(entry: Entry) -> Place:
    place = Place(kind=entry.one_of("kind", PLACE_KINDS), kk=entry.text("kk"), ru=entry.text("ru"))
    entry.done()
    return place


def _hours(own: Path | None) -> dict[str, Hours]:
    file = "hours.json"
    whole = Entry(read_json(file, own=own), file=file, place="the file")
    found: dict[str, Hours] = {}
    for name in whole.names():
        entry = whole.entry(name)
        week = entry.entry("weekly")
        weekly = tuple(_spans(week, day) for day in WEEK)
        found[name] = Hours(
            weekly=weekly,
            open_on_public_holidays=entry.yes_or_no("open_on_public_holidays"),
            printed=entry.text("printed"),
            week=_week(entry, weekly),
        )
        week.done()
        entry.done()
    return found


def _week(entry: Entry, weekly: tuple[tuple[tuple[time, time], ...], ...]) -> int:
    """Return the working days of the week: as written, else 6 for an office that works on Saturday."""
    if not entry.has("week"):
        return 6 if weekly[WEEK.index("saturday")] else 5
    week = entry.number("week")
    if week not in {5, 6}:
        raise entry.wrong('the field "week" must be 5 or 6')
    return week


def _spans(week: Entry, day: str) -> tuple[tuple[time, time], ...]:
    if not week.has(day):
        raise week.wrong(f"the day {day} is missing; give an empty list for a day off")
    spans: list[tuple[time, time]] = []
    for written in week.texts(day):
        found = _SPAN.fullmatch(written)
        if found is None:
            raise week.wrong(f'{day}: "{written}" must be written as 09:00-13:00')
        hour, minute, to_hour, to_minute = (int(part) for part in found.groups())
        span = (time(hour, minute), time(to_hour, to_minute))
        if span[0] >= span[1] or (spans and spans[-1][1] > span[0]):
            raise week.wrong(
                f'{day}: "{written}" must begin after what stands before it and end later than it begins'
            )
        spans.append(span)
    return tuple(spans)


def _office(entry: Entry, kind: str, districts: dict[str, District], hours: dict[str, Hours]) -> Office:
    code = entry.text("code")
    entry.place += f" ({code})"
    if not _CODE.fullmatch(code):
        raise entry.wrong("the code must be four digits, the first 1-8, and not begin with 80")
    printed = entry.entry("printed")
    office = Office(
        code=code,
        kind=kind,
        district=entry.one_of("district", tuple(districts)),
        row=entry.number("row"),
        name_kk=entry.text("name_kk"),
        name_ru=entry.text("name_ru"),
        address=entry.text("address"),
        phones=tuple(_phone(phone) for phone in entry.entries("phones")),
        emails=entry.texts("emails"),
        sites=entry.texts("sites"),
        hours=hours[entry.one_of("hours", tuple(hours))],
        places=tuple(_place(place) for place in entry.entries("places")),
        spellings=entry.texts("spellings"),
        printed=Printed(
            name=printed.text("name"),
            address=printed.text("address"),
            phone=printed.text("phone"),
            hours=printed.any_text("hours"),
        ),
    )
    printed.done()
    entry.done()
    if not office.phones:
        raise entry.wrong("a telephone is missing")
    if kind == "akimat" and not office.places:
        raise entry.wrong("the places by which it is found are missing")
    for email in office.emails:
        if not _EMAIL.fullmatch(email):
            raise entry.wrong(f'"{email}" is no e-mail address')
    return office


def _phone(entry: Entry) -> Phone:
    number = entry.text_or_none("number")
    if number is not None and not _PHONE.fullmatch(number):
        raise entry.wrong(
            f'"{number}" must be +7 and ten digits, or null where the printed number cannot be dialled'
        )
    phone = Phone(number=number, printed=entry.text("printed"))
    entry.done()
    return phone
