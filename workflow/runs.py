"""What becomes of runs: told when they do not depart on time, and what they leave behind goes on the next one."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from config.clock import local
from config.offices import offices
from config.settings import settings
from models import Deadline, Line, Manifest, Packet, Run
from models.manifest import ManifestState
from models.packet import Leg, State
from routing import timetable
from workflow import alarms, clocks, planning
from workflow.alarms import People
from workflow.clocks import DEADLINES, clock_of
from workflow.hours import calendar
from workflow.moves import leg_of
from workflow.timing import UNCLAIMED

STILL_HERE = (ManifestState.OPEN, ManifestState.SEALED)
"""States of a bag that no courier has taken."""

OLDEST = timedelta(days=14)
"""Runs before this are no longer told: nobody could do anything about them."""

NOT_SEALED = "not_sealed"
NOT_TAKEN = "not_taken"
NO_RUN = "run_did_not_depart"
"""Why a bag was left behind: it was open when the courier left, the courier left it, or there was no courier."""


def tell_late(session: Session, *, now: datetime) -> int:
    """Tell operators of runs that should have departed and did not, each once; return how many.

    A run departs with the first bag that its courier scans. One for which there was nothing to carry, neither in a bag
    nor on a desk, is never late.
    """
    wanted = _not_departed(session, now=now)
    if not wanted:
        return 0
    dates, operators = calendar(session), People(session).operators
    there = [person for person in operators if dates.of(person.office).is_open(now)]
    if operators and not there:
        return 0  # The next sweep in working hours tells them.
    late = session.scalars(
        select(Run)
        .where(Run.id.in_(wanted), Run.late_told_at.is_(None))
        .order_by(Run.id)
        .with_for_update(of=Run, skip_locked=True)
    ).all()
    for run in late:
        alarms.send(
            session,
            [
                alarms.alarm(
                    person,
                    "run.late",
                    subject=f"{run.centre} {local(run.departs_at):%d.%m.%Y %H:%M}",
                    cause=f"run:{run.id}",
                    at=now,
                    data={"office": run.centre, "departs_at": run.departs_at.isoformat()},
                )
                for person in there
            ],
        )
        run.late_told_at = now
    return len(late)


def _not_departed(session: Session, *, now: datetime) -> list[int]:
    """Return the ids of runs that left something behind without departing, and of which nobody has been told."""
    bag, gone = aliased(Manifest), aliased(Manifest)
    filled = exists().where(
        bag.run_id == Run.id,
        bag.state.in_(STILL_HERE),
        exists().where(Line.manifest_id == bag.id, Line.live),
    )
    late = select(Run.id, Run.centre, Run.departs_at).where(
        Run.departs_at <= now - timedelta(minutes=settings().run_grace_minutes),
        Run.departs_at > now - OLDEST,
        Run.late_told_at.is_(None),
        Run.cancelled.is_(None),
        ~exists().where(gone.run_id == Run.id, gone.departed_at.is_not(None)),
    )
    found = set(session.scalars(late.where(filled)))
    waiting = _waiting(session)
    if waiting:
        reached = min(waiting.values()) + timetable.cut_off()
        rows = session.execute(late.where(~filled, Run.departs_at >= reached))
        found.update(
            row.id
            for row in rows
            if row.centre in waiting and row.departs_at >= waiting[row.centre] + timetable.cut_off()
        )
    return sorted(found)


def _waiting(session: Session) -> dict[str, datetime]:
    """Return for each centre since when papers wait for its courier that nobody has put into a bag.

    A signed notice waits once the office has had its time to send it.
    """
    since = case((Deadline.step == "send", Deadline.due_at), else_=Packet.state_since)
    rows = session.execute(
        select(
            Packet.state,
            Packet.holder_office,
            Packet.origin,
            Packet.department,
            func.min(since).label("since"),
        )
        .outerjoin(Deadline, and_(Deadline.packet_id == Packet.id, Deadline.closed_at.is_(None)))
        .where(
            # All offices by name: the index begins with them.
            Packet.holder_office.in_([place.code for place in offices()]),
            or_(
                and_(Packet.state.in_((State.ACCEPTED, State.SIGNED)), Packet.origin != Packet.department),
                and_(Packet.state == State.RECEIVED, Packet.holder_office != Packet.department),
            ),
            or_(Packet.remark.is_(None), Packet.remark != UNCLAIMED),
        )
        .group_by(Packet.state, Packet.holder_office, Packet.origin, Packet.department)
    )
    found: dict[str, datetime] = {}
    for row in rows:
        leg = leg_of(row.state)
        to = row.origin if leg is Leg.BACK else row.department
        centre = timetable.carrier(leg=leg, origin=row.holder_office, destination=to)
        found[centre] = min(row.since, found.get(centre, row.since))
    return found


def move_left_behind(session: Session, *, now: datetime) -> int:
    """Put every bag that its run left behind on the next run, and say why; return how many.

    A run that is late may still come: its bags wait for it until the run after it is about to leave.
    """
    gone = aliased(Manifest)
    departed = exists().where(gone.run_id == Run.id, gone.departed_at.is_not(None)).label("departed")
    grace = timedelta(minutes=settings().run_grace_minutes)
    passed: ColumnElement[bool] = Run.departs_at <= now - grace
    rows = session.execute(
        select(Manifest, Run, departed)
        .join(Run, Run.id == Manifest.run_id)
        .where(Manifest.state.in_(STILL_HERE), or_(passed, Run.cancelled.is_not(None)))
        .order_by(Manifest.id)
        .with_for_update(of=Manifest, skip_locked=True)
    )
    moved = 0
    for bag, run, has_left in rows.all():
        why = _why(session, bag, run, has_left=has_left, now=now)
        if why is not None:
            _move(session, bag, run, why=why, now=now)
            moved += 1
    return moved


def _why(session: Session, bag: Manifest, run: Run, *, has_left: bool, now: datetime) -> str | None:
    """Return why the bag was left behind; None while its run may still take it."""
    if run.cancelled is not None:
        return run.cancelled
    if has_left:
        return NOT_SEALED if bag.state is ManifestState.OPEN else NOT_TAKEN
    following = next(timetable.departures(run.departs_at, centre=run.centre, dates=calendar(session)))
    return NO_RUN if now >= following - timetable.cut_off() else None


def _move(session: Session, bag: Manifest, run: Run, *, why: str, now: datetime) -> None:
    following = planning.next_run(
        session, leg=bag.leg, origin=bag.origin, destination=bag.destination, now=now
    )
    left = {"departs_at": run.departs_at.isoformat(), "why": why}
    session.execute(
        update(Manifest)
        .where(Manifest.id == bag.id)
        .values(run_id=following, left_behind=[*bag.left_behind, left]),
        execution_options={"synchronize_session": False},
    )
    rows = session.execute(
        select(*DEADLINES.c)
        .join(Line, Line.packet_id == DEADLINES.c.packet_id)
        .where(Line.manifest_id == bag.id, Line.live, DEADLINES.c.closed_at.is_(None))
        .order_by(DEADLINES.c.id)
        .with_for_update(of=DEADLINES)
    )
    changed = [clock_of(row._asdict()) for row in rows]
    for clock in changed:
        clock.changes = [
            *clock.changes,
            {"at": now.isoformat(), "why": why, "run": run.departs_at.isoformat()},
        ]
    clocks.write(session, changed)
