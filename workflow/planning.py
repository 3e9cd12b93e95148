"""Courier runs: planning them from settings and calendar, and finding the next one for a bag."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from config.calendar import BY_SEED, Calendar, today
from config.offices import centre_of, department_of, districts, office
from config.public_days import DayKind
from models.manifest import Manifest
from models.packet import Leg
from models.run import Run
from routing import timetable
from workflow.hours import calendar

DAYS_AHEAD = 7
"""How far ahead, in days, the sweep plans."""

OUT_OF_TIMETABLE = "timetable"
"""Why a run is cancelled that the settings no longer have."""


def departures(after: datetime, *, centre: str | None = None) -> Iterable[datetime]:
    """Yield the departures of a centre's courier after a moment, before anybody corrected the calendar."""
    code = centre or centre_of(districts()[0].code).code
    return timetable.departures(after, centre=code, dates=BY_SEED)


def next_run(session: Session, *, leg: Leg, origin: str, destination: str, now: datetime) -> int:
    """Return the id of the next run for papers from `origin` to `destination` that has no bag of theirs yet.

    A run whose cut-off has passed takes no new bag.
    """
    centre = timetable.carrier(leg=leg, origin=origin, destination=destination)
    taken = set(
        session.scalars(
            select(Run.departs_at)
            .join(Manifest, Manifest.run_id == Run.id)
            .where(
                Run.centre == centre,
                Run.departs_at > now,
                Manifest.leg == leg,
                Manifest.origin == origin,
                Manifest.destination == destination,
            )
        )
    )
    found = timetable.departures(now + timetable.cut_off(), centre=centre, dates=calendar(session))
    departs_at = next(departs for departs in found if departs not in taken)
    plan(session, [(centre, departs_at)])
    return session.scalars(select(Run.id).where(Run.centre == centre, Run.departs_at == departs_at)).one()


def plan(session: Session, wanted: list[tuple[str, datetime]]) -> int:
    """Insert the runs (centre, departure) that are not planned yet; return how many were new."""
    if not wanted:
        return 0
    build = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    rows = [{"centre": centre, "departs_at": departs_at} for centre, departs_at in wanted]
    new = session.scalars(build(Run).values(rows).on_conflict_do_nothing().returning(Run.id))
    return len(new.all())


def plan_runs(session: Session, *, now: datetime) -> int:
    """Plan every centre's runs of the coming days; safe to run late, twice, or on two machines.

    Runs that the calendar or the settings no longer have are cancelled, and taken up again when they come back.
    Returns how many runs are new.
    """
    horizon = now + timedelta(days=DAYS_AHEAD)
    dates = calendar(session)
    wanted = {
        (centre, departs_at)
        for centre in (centre_of(district.code).code for district in districts())
        for departs_at in _until(horizon, now, centre, dates)
    }
    rows = session.execute(
        select(Run.id, Run.centre, Run.departs_at, Run.cancelled).where(
            Run.departs_at > now, Run.departs_at <= horizon
        )
    ).all()
    back = [row.id for row in rows if row.cancelled and (row.centre, row.departs_at) in wanted]
    if back:
        session.execute(update(Run).where(Run.id.in_(back)).values(cancelled=None))
    for row in rows:
        if not row.cancelled and (row.centre, row.departs_at) not in wanted:
            session.execute(
                update(Run)
                .where(Run.id == row.id)
                .values(cancelled=_why_not(dates, row.centre, row.departs_at))
            )
    missing = wanted - {(row.centre, row.departs_at) for row in rows}
    return plan(session, sorted(missing))


def _until(horizon: datetime, now: datetime, centre: str, dates: Calendar) -> Iterable[datetime]:
    for departs_at in timetable.departures(now, centre=centre, dates=dates):
        if departs_at > horizon:
            return
        yield departs_at


def _why_not(dates: Calendar, centre: str, departs_at: datetime) -> str:
    """Return why a run does not take place: the kind of the day, or the timetable."""
    day = today(departs_at)
    for code in (centre, department_of(office(centre).district).code):
        kind = dates.kind_of(code, day)
        if kind is not DayKind.ORDINARY:
            return kind.value
    return OUT_OF_TIMETABLE
