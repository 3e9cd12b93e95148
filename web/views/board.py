"""The board: what waits, what is late and what stands still, of every office; each number with its packets behind it.

Set-based questions that partial indexes answer, so that their time does not grow with what is finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.clock import local
from config.settings import settings
from models import Deadline, Discrepancy, Job, Line, Manifest, Message, Notice, Packet, Run
from models.manifest import ManifestState
from models.message import MessageState
from models.packet import FINAL, State
from workflow import outbox
from workflow.heartbeats import Pulse, pulses

ON_THE_WAY = frozenset({State.IN_TRANSIT, State.RESULT_IN_TRANSIT})
IN_WORK = frozenset({State.WITH_EXECUTOR})
WAITING = frozenset(State) - FINAL - ON_THE_WAY - IN_WORK - {State.MISSING}
"""States in which a packet waits for somebody of the office that holds it; what is missing counts as a difference."""

RUN_STATES = ("planned", "gone", "late", "empty", "cancelled")
"""What may be said of a run of today; `empty` left with nothing to carry."""

PAGE = 100
"""Rows of one page of a list."""

TICKS_SEEN = timedelta(hours=1)


@dataclass(slots=True, kw_only=True)
class OfficeRow:
    """What one office has before it."""

    code: str
    waiting: int = 0
    oldest: datetime | None = None
    in_work: int = 0
    on_the_way: int = 0
    late: int = 0
    differences: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One courier run of today."""

    id: int
    centre: str
    departs_at: datetime
    state: str
    """One of RUN_STATES."""
    why: str | None
    """Why it was cancelled."""
    bags: int
    left: int
    """Bags that no courier has taken."""
    gone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything on one page, true at one moment."""

    at: datetime
    offices: list[OfficeRow]
    totals: OfficeRow
    messages: dict[str, int]
    oldest_seconds: float
    processes: list[Pulse]
    runs: list[RunRow]
    ticked_at: datetime | None
    """The last moment of the schedule that somebody took within the last hour."""
    junk: int


def board(session: Session, *, now: datetime) -> Board:
    """Return the whole board."""
    found = offices(session, now=now)
    totals = OfficeRow(code="")
    for name in ("waiting", "in_work", "on_the_way", "late", "unread"):
        setattr(totals, name, sum(getattr(row, name) for row in found))
    # Both sides of a difference see it; it is one all the same.
    totals.differences = (
        session.scalar(select(func.count(Discrepancy.id)).where(Discrepancy.settled_at.is_(None))) or 0
    )
    totals.oldest = min((row.oldest for row in found if row.oldest), default=None)
    return Board(
        at=now,
        offices=found,
        totals=totals,
        messages=outbox.unfinished(session),
        oldest_seconds=outbox.oldest_seconds(session),
        processes=pulses(session),
        runs=runs_of_day(session, now=now),
        ticked_at=session.scalar(select(func.max(Job.due)).where(Job.due > now - TICKS_SEEN)),
        junk=outbox.count_junk(session),
    )


def offices(session: Session, *, now: datetime) -> list[OfficeRow]:
    """Return every office that has anything before it, the latest first."""
    rows: dict[str, OfficeRow] = {}

    def of(code: str) -> OfficeRow:
        return rows.setdefault(code, OfficeRow(code=code))

    waits = Packet.state.in_(sorted(WAITING))
    for code, waiting, oldest, in_work, on_the_way in session.execute(
        select(
            Packet.holder_office,
            func.count().filter(waits),
            func.min(case((waits, Packet.state_since))),
            func.count().filter(Packet.state.in_(sorted(IN_WORK))),
            func.count().filter(Packet.state.in_(sorted(ON_THE_WAY))),
        )
        .where(Packet.holder_office.is_not(None))
        .group_by(Packet.holder_office)
    ):
        row = of(code)
        row.waiting, row.oldest, row.in_work, row.on_the_way = waiting, oldest, in_work, on_the_way
    for name, statement in _counts(now):
        for code, count in session.execute(statement):
            setattr(of(code), name, count)
    return sorted(rows.values(), key=lambda row: (-row.late, -row.differences, -row.waiting, row.code))


def _counts(now: datetime) -> Iterable[tuple[str, Select[*tuple[Any, ...]]]]:
    sides = union_all(
        select(Discrepancy.office.label("office"), Discrepancy.id).where(Discrepancy.settled_at.is_(None)),
        select(Discrepancy.sender, Discrepancy.id).where(
            Discrepancy.settled_at.is_(None), Discrepancy.sender != Discrepancy.office
        ),
    ).subquery()
    yield "late", late_by_office(now)
    yield "differences", select(sides.c.office, func.count()).group_by(sides.c.office)
    yield (
        "unread",
        select(Notice.office, func.count()).where(Notice.read_at.is_(None)).group_by(Notice.office),
    )


def late_by_office(now: datetime) -> Select[*tuple[Any, ...]]:
    """Return the question how many packets each office has whose step is over its time."""
    return (
        select(Deadline.office, func.count())
        .where(Deadline.closed_at.is_(None), Deadline.due_at < now)
        .group_by(Deadline.office)
    )


def runs_of_day(session: Session, *, now: datetime) -> list[RunRow]:
    """Return the courier runs of today (date of Almaty), by departure."""
    begin = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    grace = timedelta(minutes=settings().run_grace_minutes)
    here = Manifest.state.in_([ManifestState.OPEN, ManifestState.SEALED])
    rows = session.execute(
        select(
            Run.id,
            Run.centre,
            Run.departs_at,
            Run.cancelled,
            func.count(Manifest.id).label("bags"),
            func.count(Manifest.id).filter(here).label("left"),
            func.min(Manifest.departed_at).label("gone_at"),
        )
        .outerjoin(Manifest, Manifest.run_id == Run.id)
        .where(Run.departs_at >= begin, Run.departs_at < begin + timedelta(days=1))
        .group_by(Run.id, Run.centre, Run.departs_at, Run.cancelled)
        .order_by(Run.departs_at, Run.centre)
    )
    found = []
    for row in rows:
        if row.cancelled:
            state = "cancelled"
        elif row.gone_at:
            state = "gone"
        elif row.departs_at + grace > now:
            state = "planned"
        else:
            state = "late" if row.bags else "empty"
        found.append(
            RunRow(
                id=row.id,
                centre=row.centre,
                departs_at=row.departs_at,
                state=state,
                why=row.cancelled,
                bags=row.bags,
                left=row.left,
                gone_at=row.gone_at,
            )
        )
    return found


def bags_of(session: Session, run_id: int) -> tuple[Run | None, list[Any]]:
    """Return a run and its manifests, each with the number of its lines."""
    lines = func.count(Line.id).label("lines")
    rows = session.execute(
        select(Manifest, lines)
        .outerjoin(Line, Line.manifest_id == Manifest.id)
        .where(Manifest.run_id == run_id)
        .group_by(Manifest.id)
        .order_by(Manifest.id)
    )
    return session.get(Run, run_id), list(rows)


Key = tuple[datetime, int]
"""Where a page begins: after the row with this moment and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One page of the packets behind a number: `number`, `state`, `office`, `since`, `note`."""

    rows: list[Any]
    after: Key | None
    """Where the next page begins; None on the last one."""


def behind(
    session: Session, what: str, *, office: str | None, now: datetime, after: Key | None = None
) -> Listed:
    """Return the packets behind one number of the board, the oldest first; raise KeyError for an unknown `what`."""
    statement, moment, key = LISTS[what](office, now)
    if after is not None:
        statement = statement.where(tuple_(moment, key) > tuple_(*after))
    rows = list(session.execute(statement.order_by(moment, key).limit(PAGE + 1)))
    more = len(rows) > PAGE
    rows = rows[:PAGE]
    return Listed(rows=rows, after=(rows[-1].since, rows[-1].key) if more else None)


Listing = tuple[Select[*tuple[Any, ...]], InstrumentedAttribute[datetime], InstrumentedAttribute[int]]
"""The question, and the two columns that it is paged by."""


def _columns(moment: Any, key: Any, note: Any) -> Select[*tuple[Any, ...]]:  # noqa: ANN401 - columns
    return select(Packet.number, Packet.state, moment.label("since"), key.label("key"), note.label("note"))


def _held(states: frozenset[State]) -> Callable[[str | None, datetime], Listing]:
    def listing(office: str | None, _now: datetime) -> Listing:
        statement = _columns(Packet.state_since, Packet.id, Packet.holder_role).add_columns(
            Packet.holder_office.label("office")
        )
        here = Packet.holder_office.is_not(None) if office is None else Packet.holder_office == office
        return statement.where(here, Packet.state.in_(sorted(states))), Packet.state_since, Packet.id

    return listing


def _late(office: str | None, now: datetime) -> Listing:
    statement = (
        _columns(Deadline.due_at, Deadline.id, Deadline.step)
        .add_columns(Deadline.office.label("office"))
        .join(Deadline, Deadline.packet_id == Packet.id)
        .where(Deadline.closed_at.is_(None), Deadline.due_at < now)
    )
    if office is not None:
        statement = statement.where(Deadline.office == office)
    return statement, Deadline.due_at, Deadline.id


def _differences(office: str | None, _now: datetime) -> Listing:
    statement = (
        _columns(Discrepancy.opened_at, Discrepancy.id, Discrepancy.kind)
        .add_columns(Discrepancy.office.label("office"))
        .join(Discrepancy, Discrepancy.packet_id == Packet.id)
        .where(Discrepancy.settled_at.is_(None))
    )
    if office is not None:
        statement = statement.where(or_(Discrepancy.office == office, Discrepancy.sender == office))
    return statement, Discrepancy.opened_at, Discrepancy.id


LISTS: dict[str, Callable[[str | None, datetime], Listing]] = {
    "waiting": _held(WAITING),
    "in_work": _held(IN_WORK),
    "on_the_way": _held(ON_THE_WAY),
    "late": _late,
    "differences": _differences,
}
"""Word in the address → the packets behind that number."""


def unread(session: Session, *, office: str | None, after: int = 0) -> list[Notice]:
    """Return a page of notices that nobody has read, the oldest first."""
    here = (
        Notice.read_at.is_(None)
        if office is None
        else and_(Notice.read_at.is_(None), Notice.office == office)
    )
    return list(
        session.scalars(select(Notice).where(here, Notice.id > after).order_by(Notice.id).limit(PAGE))
    )


def open_messages(session: Session, state: MessageState, *, after: int = 0) -> list[Message]:
    """Return a page of messages in one state, the oldest first."""
    return list(
        session.scalars(
            select(Message).where(Message.state == state, Message.id > after).order_by(Message.id).limit(PAGE)
        )
    )
