"""Lists of packets that wait in an office: one question each for packets, clocks and names, page by page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from models import Deadline, Event, Packet, Staff
from models.base import UtcDateTime
from models.packet import State
from web.views import deadlines
from web.views.deadlines import Shown
from web.views.slices import beyond, place, read_place
from workflow.handing import UNCLAIMED
from workflow.hours import calendar
from workflow.moves import Move
from workflow.people import Actor

PAGE = 200
"""Packets on one page."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Due time of what has no clock: it comes last."""

OPEN_CLOCK = and_(Deadline.packet_id == Packet.id, Deadline.closed_at.is_(None))

TO_PASS = or_(
    Packet.state == State.REGISTERED,
    and_(Packet.state == State.ACCEPTED, Packet.origin == Packet.department),
)
"""What goes to the head next: registered, or accepted where it is decided."""

TO_HAND_OUT = or_(
    Packet.state == State.READY,
    and_(
        Packet.state == State.SIGNED,
        or_(Packet.origin == Packet.department, Packet.remark == UNCLAIMED),
    ),
)
"""What waits for its applicant: come back, decided where it was accepted, or not fetched in time."""


class Order(StrEnum):
    """By what a list is sorted."""

    DUE = "due"
    """What is due first comes first."""
    SINCE = "since"
    """What waits longest comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One packet in a list."""

    packet: Packet
    clock: Shown | None
    """The clock that runs; None where the step has no limit."""
    holder_name: str | None
    executor_name: str | None
    sent_back: str | None
    """Why the head sent the draft back, where that was the last that happened to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list."""

    rows: tuple[Listed, ...]
    count: int
    """Packets on all pages."""
    order: Order
    next: str | None
    """Where the next page begins; None on the last one."""


def held(
    session: Session,
    *,
    by: Actor,
    now: datetime,
    language: str,
    states: Collection[State] = (),
    executor: int | None = None,
    where: ColumnElement[bool] | None = None,
    order: str = "",
    after: str = "",
) -> Page:
    """Return a page of what the office of `by` holds, all or in some states, all or of one executor, or by `where`.

    `after` is the `next` of the page before; what cannot be read as one gives the first page.
    """
    by_what = Order(order) if order in set(Order) else Order.DUE
    chosen = [Packet.holder_office == by.office]
    if states:
        chosen.append(Packet.state.in_(list(states)))
    if executor is not None:
        chosen.append(Packet.executor_id == executor)
    if where is not None:
        chosen.append(where)
    begin = read_place(after)
    rows = session.execute(_page(chosen, by_what, begin=begin, limit=PAGE + 1)).all()
    more = len(rows) > PAGE
    rows = rows[:PAGE]
    count = len(rows)
    if more or begin is not None:
        count = session.scalar(select(func.count()).select_from(Packet).where(*chosen)) or 0
    dates = calendar(session)
    returned = _returned(session, [row.Packet for row in rows])
    return Page(
        rows=tuple(
            Listed(
                packet=row.Packet,
                clock=row.Deadline
                and deadlines.shown(row.Deadline, dates, by=by, now=now, language=language),
                holder_name=row.holder,
                executor_name=row.executor,
                sent_back=returned.get(row.Packet.id),
            )
            for row in rows
        ),
        count=count,
        order=by_what,
        next=place(rows[-1].at, rows[-1].Packet.id) if more else None,
    )


def _page(
    chosen: Sequence[ColumnElement[bool]], order: Order, *, begin: tuple[datetime, int] | None, limit: int
) -> Select[Packet, Deadline, str, str, datetime]:
    holder, executor = aliased(Staff), aliased(Staff)
    at: ColumnElement[datetime] = (
        func.coalesce(Deadline.due_at, literal(NEVER, UtcDateTime()))
        if order is Order.DUE
        else Packet.__table__.c.state_since
    )
    statement = (
        select(Packet, Deadline, holder.name.label("holder"), executor.name.label("executor"), at.label("at"))
        .outerjoin(Deadline, OPEN_CLOCK)
        .outerjoin(holder, holder.id == Packet.holder_id)
        .outerjoin(executor, executor.id == Packet.executor_id)
        .where(*chosen)
        .order_by(at, Packet.id)
        .limit(limit)
    )
    return statement if begin is None else statement.where(beyond(at, Packet.id, begin))


def _returned(session: Session, packets: Sequence[Packet]) -> dict[int, str]:
    """Return why drafts were sent back, by id of the packet: of those that lie with their executor again."""
    ids = [packet.id for packet in packets if packet.round > 1 and packet.state is State.WITH_EXECUTOR]
    if not ids:
        return {}
    rows = session.execute(
        select(Event.packet_id, Event.data)
        .where(Event.packet_id.in_(ids), Event.move == Move.SEND_BACK.value)
        .order_by(Event.packet_id, Event.seq)
    )
    return {row.packet_id: str(row.data.get("reason") or "") for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pile:
    """The packets of one state that an office holds."""

    state: State
    direct: bool
    """Whether the office that accepted them decides itself."""
    ours: bool
    """Whether the office that holds them decides."""
    count: int
    late: int
    due_at: datetime | None
    """When the first of them is due that is not late yet."""


def piles(session: Session, *, by: Actor, now: datetime, mine: bool = False) -> list[Pile]:
    """Return what the office of `by` holds; with `mine` only what `by` is to work on as an executor."""
    moment = literal(now, UtcDateTime())
    direct = case((Packet.origin == Packet.department, 1), else_=0).label("direct")
    ours = case((Packet.department == Packet.holder_office, 1), else_=0).label("ours")
    statement = (
        select(
            Packet.state,
            direct,
            ours,
            func.count().label("packets"),
            func.count().filter(Deadline.due_at < moment).label("late"),
            func.min(Deadline.due_at).filter(Deadline.due_at >= moment).label("due_at"),
        )
        .outerjoin(Deadline, OPEN_CLOCK)
        .where(Packet.holder_office == by.office)
        .group_by(Packet.state, direct, ours)
    )
    if mine:
        statement = statement.where(Packet.executor_id == by.id)
    return [
        Pile(
            state=row.state,
            direct=bool(row.direct),
            ours=bool(row.ours),
            count=row.packets,
            late=row.late,
            due_at=row.due_at,
        )
        for row in session.execute(statement)
    ]
