"""The table of dates: seeded by year, corrected by an operator who names a source, confirmed before the year begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from config.calendar import today
from config.errors import BadInputError
from config.language import Text
from config.offices import office, offices
from config.public_days import DayKind, PublicDay, public_days
from config.working_time import parse_spans, written_spans
from models.office import OfficeKind
from models.office_day import CalendarYear, OfficeDay
from workflow import alarms
from workflow.alarms import People
from workflow.deadlines import move_later
from workflow.hours import calendar, calendar_changed

CONFIRM_BY = (12, 1)
"""Month and day from which on operators are warned of an unconfirmed next year."""

SEED = "seed"

LONGEST = 31
"""Most dates in one correction."""


class DateError(BadInputError):
    """A date cannot be read. Fact: `text`."""

    code = "date"
    text = Text("“{text}” is no date. Write 2027-03-22, or 2027-03-22..2027-03-24 for up to a month.")


class NoSourceError(BadInputError):
    """A correction without a source cannot be checked by anybody."""

    code = "no_source"
    text = Text("Say which decree or order sets the date: --source.")


class HoursError(BadInputError):
    """The hours do not fit the kind of the date. Fact: `reason`."""

    code = "hours"
    text = Text("The hours cannot be used: {reason}. Write them as 09:00-13:00,14:00-17:00.")


class UnseededError(BadInputError):
    """The year has no dates yet. Fact: `year`."""

    code = "unseeded"
    text = Text("The year {year} is not in the table of dates yet; it comes a year before it begins.")


def seed(session: Session, *, now: datetime) -> list[int]:
    """Fill in the public days of this year and the next where that was not done yet; return the new years."""
    build = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    year = today(now).year
    statement = (
        build(CalendarYear)
        .values([{"year": wanted, "seeded_at": now} for wanted in (year, year + 1)])
        # Who inserts the year seeds it; another machine waits for that, and has nothing left to do.
        .on_conflict_do_nothing()
        .returning(CalendarYear.year)
    )
    calendar_changed(session)
    new = sorted(session.scalars(statement))
    for fresh in new:
        rows = _seed_rows(fresh, already=_set_before(session, fresh), now=now)
        session.execute(insert(OfficeDay), rows)
    return new


def _set_before(session: Session, year: int) -> set[tuple[date, str | None, OfficeKind]]:
    rows = session.execute(
        select(OfficeDay.day, OfficeDay.office, OfficeDay.office_kind).where(
            OfficeDay.day >= date(year, 1, 1), OfficeDay.day <= date(year, 12, 31)
        )
    )
    return {(row.day, row.office, row.office_kind) for row in rows}


def _seed_rows(
    year: int, *, already: set[tuple[date, str | None, OfficeKind]], now: datetime
) -> list[dict[str, Any]]:
    rows, source = [], f"{SEED}: holidays {version('holidays')}"
    for kind in OfficeKind:
        held = offices(kind.value)
        week = Counter(one.hours.week for one in held).most_common(1)[0][0]
        usual = public_days(year, week=week)
        rows += [_seed_row(day, found, kind, None, source=source, now=now) for day, found in usual.items()]
        for other in held:
            if other.hours.week != week:
                own = public_days(year, week=other.hours.week)
                rows += [
                    _seed_row(day, own.get(day), kind, other.code, source=source, now=now)
                    for day in sorted(own.keys() | usual.keys())
                    if own.get(day) != usual.get(day)
                ]
    return [row for row in rows if (row["day"], row["office"], row["office_kind"]) not in already]


def _seed_row(
    day: date, found: PublicDay | None, kind: OfficeKind, code: str | None, *, source: str, now: datetime
) -> dict[str, Any]:
    return {
        "day": day,
        "office_kind": kind,
        "office": code,
        "kind": found.kind if found else DayKind.ORDINARY,
        "hours": None,
        "name_kk": found.name_kk if found else "",
        "name_ru": found.name_ru if found else "",
        "source": source,
        "estimated": bool(found and found.estimated),
        "set_at": now,
        "set_by": "",
    }


def set_days(
    session: Session,
    days: Sequence[date],
    *,
    kind: DayKind,
    kinds: Collection[OfficeKind] = (),
    codes: Collection[str] = (),
    hours: Sequence[str] = (),
    name_kk: str = "",
    name_ru: str = "",
    source: str,
    by: str,
    now: datetime,
) -> int:
    """Set dates for all offices of some `kinds`, or for the offices with these `codes`; return the deadlines moved.

    `source` is the decree or order, `by` who sets it. Open deadlines go later where time is lost, and stay where time
    is won. Raises NoSourceError, HoursError, UnknownOfficeError.
    """
    if not source.strip():
        raise NoSourceError
    spans = _spans(kind, hours)
    scopes: list[tuple[OfficeKind, str | None]] = [(wanted, None) for wanted in kinds]
    scopes += [(OfficeKind(office(code).kind), code) for code in codes]
    calendar_changed(session)
    session.execute(
        insert(OfficeDay),
        [
            {
                "day": day,
                "office_kind": office_kind,
                "office": scope,
                "kind": kind,
                "hours": spans,
                "name_kk": name_kk.strip(),
                "name_ru": name_ru.strip(),
                "source": source.strip(),
                "estimated": False,
                "set_at": now,
                "set_by": by,
            }
            for day in days
            for office_kind, scope in scopes
        ],
    )
    return move_later(
        session, first=min(days), last=max(days), why=kind.value, source=source.strip(), now=now
    )


def _spans(kind: DayKind, hours: Sequence[str]) -> list[str] | None:
    if not hours:
        if kind is DayKind.HOURS:
            raise HoursError(reason="they are missing")
        return None
    if kind not in {DayKind.HOURS, DayKind.WORKING}:
        raise HoursError(reason=f"a date of the kind {kind.value} has none")
    try:
        return written_spans(parse_spans(list(hours)))
    except ValueError as error:
        raise HoursError(reason=str(error)) from error


def confirm(session: Session, year: int, *, source: str, by: str, now: datetime) -> None:
    """Confirm that the dates of a year are those of the decree; raise NoSourceError or UnseededError."""
    if not source.strip():
        raise NoSourceError
    row = session.get(CalendarYear, year, with_for_update=True)
    if row is None:
        raise UnseededError(year=year)
    row.confirmed_at, row.confirmed_by, row.source = now, by, source.strip()


def warn(session: Session, *, now: datetime) -> int | None:
    """Warn operators, once a working day, while the next year is not confirmed after 1 December; return that year."""
    day = today(now)
    if (day.month, day.day) < CONFIRM_BY:
        return None
    row = session.get(CalendarYear, day.year + 1, with_for_update=True)
    if row is None or row.confirmed_at is not None or row.warned_on == day:
        return None
    dates, operators = calendar(session), People(session).operators
    there = [person for person in operators if dates.of(person.office).is_open(now)]
    if operators and not there:
        return None
    alarms.send(
        session,
        [
            alarms.alarm(
                person,
                "calendar.unconfirmed",
                subject=str(row.year),
                cause=f"calendar:{row.year}:{day.isoformat()}",
                at=now,
                data={"office": person.office},
            )
            for person in there
        ],
    )
    row.warned_on = day
    return row.year


def listed(session: Session, year: int, *, code: str | None = None) -> list[OfficeDay]:
    """Return the rows that count in a year, by date: of every scope, or those that touch one office."""
    rows = session.scalars(
        select(OfficeDay)
        .where(OfficeDay.day >= date(year, 1, 1), OfficeDay.day <= date(year, 12, 31))
        .order_by(OfficeDay.id)
    )
    newest = {(row.day, row.office_kind, row.office): row for row in rows}
    wanted = list(newest.values())
    if code is not None:
        kind = office(code).kind
        wanted = [
            row for row in wanted if row.office == code or (row.office is None and row.office_kind == kind)
        ]
    return sorted(wanted, key=lambda row: (row.day, row.office_kind, row.office or ""))


def dates(written: str) -> list[date]:
    """Return the dates of 2027-03-22 or 2027-03-22..2027-03-24; raise DateError."""
    first, _, last = written.partition("..")
    try:
        begin = date.fromisoformat(first.strip())
        end = date.fromisoformat(last.strip()) if last else begin
    except ValueError:
        raise DateError(text=written) from None
    if not begin <= end < begin + timedelta(days=LONGEST):
        raise DateError(text=written)
    return [begin + timedelta(days=number) for number in range((end - begin).days + 1)]
