"""The control sheet: each step of a packet's route beside what its clocks and events say about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from barcodes.papers.control import Control, Step, control
from barcodes.papers.facts import Asked, Both, Copy, Place
from config.clock import local
from config.offices import office
from config.services import Step as RouteStep
from config.services import service
from models.deadline import Deadline, Ending
from models.event import Event
from models.packet import Leg, Packet, State
from models.staff import Staff
from workflow.moves import Move, leg_of

ENDS: dict[str, tuple[Move, ...]] = {
    "accept": (Move.ACCEPT,),
    "collect": (Move.COLLECT,),
    "carry": (Move.RECEIVE,),
    "register": (Move.REGISTER,),
    "pass_to_head": (Move.PASS_ON,),
    "resolve": (Move.RESOLVE, Move.REASSIGN),
    "examine": (Move.DRAFT,),
    "prepare": (Move.DRAFT,),
    "sign": (Move.SIGN, Move.SEND_BACK),
    # Only a clock tells a completion from a first draft.
    "complete": (),
    "send": (Move.COLLECT,),
    "carry_result": (Move.RECEIVE,),
    "take_over": (Move.RECEIVE,),
    "hand_over": (Move.HAND_OVER,),
}
"""Step → the moves with which it is done."""

_ON_THE_WAY_BACK = frozenset({"send", "carry_result", "take_over"})
_MINUTES_OF_AN_HOUR = 60


def control_sheet(
    session: Session, packet: Packet, *, origin: Place, department: Place, asked: Asked, copy: Copy
) -> bytes:
    """Return the control sheet of a packet as a PDF."""
    return control(
        Control(
            number=packet.number,
            applicant=packet.applicant_name,
            service=asked,
            origin=origin,
            department=department,
            accepted_at=local(packet.accepted_at),
            promised_at=_local(packet.promised_at),
            steps=tuple(steps(session, packet)),
            copy=copy,
        )
    )


def steps(session: Session, packet: Packet) -> Iterator[Step]:
    """Yield the steps of the route of `packet` as they were taken: one for each clock, one where none ran."""
    route = service(packet.service).routes.get(packet.channel.value)
    if route is None:
        return
    events = session.execute(
        select(Event.seq, Event.at, Event.move, Event.from_state, Event.office, Event.staff_id, Staff.name)
        .join(Staff, Staff.id == Event.staff_id)
        .where(Event.packet_id == packet.id)
        .order_by(Event.seq)
    ).all()
    clocks: dict[str, list[Deadline]] = {}
    for clock in session.scalars(
        select(Deadline).where(Deadline.packet_id == packet.id).order_by(Deadline.id)
    ):
        if clock.ending is not Ending.UNDONE:
            clocks.setdefault(clock.step, []).append(clock)
    for step in route.steps:
        for clock in clocks.get(step.code, []):
            yield _by_clock(step, clock, events)
        if step.code not in clocks:
            yield _by_events(step, events)


def _by_clock(step: RouteStep, clock: Deadline, events: Sequence[Any]) -> Step:
    # The accepting event opens and closes the first clock; elsewhere a later event closes what one has opened.
    closing = [event for event in events if event.seq >= clock.seq and event.at == clock.closed_at]
    closing.sort(key=lambda event: event.move not in _ended_by(step))
    return _step(
        step,
        who=closing[0].name if closing else "",
        office_code=clock.office,
        due_at=_local(clock.due_at),
        begun_at=_local(clock.opened_at),
        done_at=_local(clock.closed_at),
        late=_lateness(clock.late_minutes),
        reason=clock.reason or "",
    )


def _by_events(step: RouteStep, events: Sequence[Any]) -> Step:
    """Return a step that no clock measured: what begins it is the event before the one that ends it."""
    for before, event in zip((None, *events), events, strict=False):
        if event.move in _ended_by(step) and _same_way(step.code, event):
            return _step(
                step,
                who=event.name,
                office_code=event.office,
                begun_at=_local(before.at) if before else None,
                done_at=_local(event.at),
            )
    return _step(step)


def _ended_by(step: RouteStep) -> frozenset[str]:
    return frozenset(move.value for move in ENDS[step.code])


def _same_way(code: str, event: Any) -> bool:  # noqa: ANN401 - a row
    """Tell whether a collecting or receiving belongs to the way of the step: out, or back."""
    if event.move not in {Move.COLLECT.value, Move.RECEIVE.value}:
        return True
    back = leg_of(State(event.from_state)) is Leg.BACK
    return back is (code in _ON_THE_WAY_BACK)


def _step(
    step: RouteStep,
    *,
    who: str = "",
    office_code: str = "",
    due_at: datetime | None = None,
    begun_at: datetime | None = None,
    done_at: datetime | None = None,
    late: str = "",
    reason: str = "",
) -> Step:
    return Step(
        what=Both(step.what_kk or step.what_ru, step.what_ru if step.what_kk else ""),
        who=who,
        office=office(office_code).name_kk if office_code else "",
        limit=step.limit_printed,
        due_at=due_at,
        begun_at=begun_at,
        done_at=done_at,
        late=late,
        reason=reason,
    )


def _lateness(minutes: int | None) -> str:
    """Say how late a step was, in working time: `2 сағ / ч 05 мин`."""
    if not minutes:
        return ""
    hours, rest = divmod(minutes, _MINUTES_OF_AN_HOUR)
    return f"{hours} сағ/ч {rest:02d} мин" if hours else f"{rest} мин"


def _local(moment: datetime | None) -> datetime | None:
    return None if moment is None else local(moment)
