"""The calendar of this database, kept by the process until somebody changes the table of dates or run times."""

from __future__ import annotations

from datetime import time
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from config.calendar import Calendar, SpecialDay
from config.working_time import parse_spans
from models.office_day import CalendarYear, OfficeDay
from models.office_fact import Fact, OfficeFact
from models.run_times import RunTimes

Version = tuple[int, ...]

_held: WeakKeyDictionary[Engine, tuple[Version, Calendar]] = WeakKeyDictionary()


# The count as well: on PostgreSQL a smaller id may be committed after a larger one. Rows are never deleted.
_ASKED = tuple(
    select(asked).scalar_subquery()
    for table in (OfficeDay, RunTimes, OfficeFact)
    for asked in (func.count(table.id), func.coalesce(func.max(table.id), 0))
)

VERSION = tuple(asked.label(f"calendar_{number}") for number, asked in enumerate(_ASKED))
"""Columns for another question, which then asks for the version of the calendar by the way."""


def calendar(session: Session, *, version: Version | None = None) -> Calendar:
    """Return when each office works, as the table of dates says in this transaction.

    `version` is what VERSION answered in this transaction; without it, it is asked for.
    """
    if session.info.get(_CHANGED):
        return _read(session)
    engine = session.get_bind().engine
    if version is None:
        version = tuple(session.execute(select(*_ASKED)).one())
    held = _held.get(engine)
    if held is None or held[0] != version:
        held = _held[engine] = (version, _read(session))
    return held[1]


_CHANGED = "calendar_changed"


def calendar_changed(session: Session) -> None:
    """Say that this transaction changes what the calendar is made of.

    It then sees its own calendar, and the process keeps none of it: what is rolled back must not stay in mind, and on
    SQLite the next row would even have the same id.
    """
    session.info[_CHANGED] = True


def _read(session: Session) -> Calendar:
    rows = session.execute(
        select(
            OfficeDay.day, OfficeDay.kind, OfficeDay.office_kind, OfficeDay.office, OfficeDay.hours
        ).order_by(OfficeDay.id)
    )
    return Calendar(
        [
            SpecialDay(
                day=row.day,
                kind=row.kind,
                office_kind=row.office_kind.value,
                office=row.office,
                hours=parse_spans(row.hours) if row.hours else None,
            )
            for row in rows
        ],
        seeded=frozenset(session.scalars(select(CalendarYear.year))),
        run_times={
            row.centre: tuple(sorted(time.fromisoformat(at) for at in row.times or ()))
            for row in session.execute(select(RunTimes.centre, RunTimes.times).order_by(RunTimes.id))
        },
        weekly={
            row.office: tuple(parse_spans(spans) for spans in row.value or ())
            for row in session.execute(
                select(OfficeFact.office, OfficeFact.value)
                .where(OfficeFact.fact == Fact.HOURS)
                .order_by(OfficeFact.id)
            )
        },
    )
