"""How long each step took, beside its limit: from the clocks, and from the events where there is no limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.language import Text
from config.services import STEPS, Step, service
from models import Deadline, Event, Packet
from models.deadline import Ending
from workers.simulation.outcome import between
from workers.simulation.pace import TOGETHER
from workflow.moves import Move
from workflow.timing import Entered, Timing, route_of, steps_of


class Key(NamedTuple):
    """Which step of which way."""

    service: str
    channel: str
    step: str
    again: bool
    """After the head sent the draft back."""


@dataclass(slots=True, kw_only=True)
class StepTime:
    """What one step of one service by one channel took, in minutes of the working time of the office that held it."""

    key: Key
    steps: tuple[str, ...]
    """The steps that are timed together."""
    limit: list[dict[str, int | str]]
    """What limits them, one after the other; none where the text sets no limit, `left_of` for what a step had left."""
    minutes: list[float] = field(default_factory=list)
    late: int = 0
    explained: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return one row of the report."""
        return {
            "service": self.key.service,
            "channel": self.key.channel,
            "step": self.key.step,
            "together": list(self.steps),
            "again": self.key.again,
            "limit": self.limit,
            "count": len(self.minutes),
            "median_minutes": round(median(self.minutes), 1),
            "longest_minutes": round(max(self.minutes), 1),
            "late": self.late,
            "share_late": round(self.late / len(self.minutes), 4),
            "explained": self.explained,
        }


def step_times(session: Session, timing: Timing, numbers: Collection[str]) -> list[StepTime]:
    """Return what the steps of these packets took, in the order of services, channels and steps."""
    found: dict[Key, StepTime] = {}
    for key, opened_at, closed_at, office, late, reason in (
        *_timed(session, numbers),
        *_untimed(session, numbers),
    ):
        row = found.get(key)
        if row is None:
            row = found[key] = _row(key)
        row.minutes.append(timing.hours(office).between(opened_at, closed_at).total_seconds() / 60)
        row.late += late is not None
        row.explained += reason is not None
    return [found[key] for key in sorted(found, key=_place)]


def _place(key: Key) -> tuple[int, int, int, bool]:
    held = service(key.service)
    return held.number, held.channels.index(key.channel), STEPS.index(key.step), key.again


def _row(key: Key) -> StepTime:
    route = route_of(key.service, key.channel)
    wanted = TOGETHER.get(key.step, (key.step,)) if not key.again else (key.step,)
    held = [step for step in route.steps if step.code in wanted] if route else []
    limit = [step.limit.as_json() for step in held if step.limit is not None]
    if key.again and route is not None and route.sent_back != "restarts":
        limit = [{"left_of": key.step}]
    return StepTime(key=key, steps=tuple(step.code for step in held), limit=limit)


Measured = tuple[Key, datetime, datetime, str, int | None, str | None]


def _timed(session: Session, numbers: Collection[str]) -> Iterator[Measured]:
    """Yield every step that was done by its clock."""
    rows = session.execute(
        select(
            Packet.number, Packet.service, Packet.channel, Deadline.step, Deadline.round, Deadline.office,
            Deadline.opened_at, Deadline.closed_at, Deadline.late_minutes, Deadline.reason,
        )
        .join(Packet, Packet.id == Deadline.packet_id)
        .where(between(Packet.number, numbers), Deadline.ending == Ending.DONE)
        .order_by(Deadline.id)
    )  # fmt: skip
    ours = set(numbers)
    for row in rows:
        if row.number in ours:
            again = row.round > 1 and row.step in {"complete", "prepare"}
            key = Key(row.service, row.channel.value, row.step, again)
            yield key, row.opened_at, row.closed_at, row.office, row.late_minutes, row.reason


def _untimed(session: Session, numbers: Collection[str]) -> Iterator[Measured]:
    """Yield every step that has no limit, from one event of its packet to that with which it went on."""
    rows = session.execute(
        select(
            Packet.number, Packet.service, Packet.channel, Packet.origin, Packet.department,
            Event.packet_id, Event.seq, Event.move, Event.at, Event.to_state,
            Event.holder_office, Event.holder_role,
        )
        .join(Packet, Packet.id == Event.packet_id)
        .where(between(Packet.number, numbers))
        .order_by(Event.packet_id, Event.seq)
    )  # fmt: skip
    ours = set(numbers)
    by_packet: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        if row.number in ours:
            by_packet[row.packet_id].append(row)
    for events in by_packet.values():
        begun: tuple[Key, datetime, str] | None = None
        for event in events:
            steps = _without_limit(event)
            key = Key(event.service, event.channel.value, steps[-1].code, again=False) if steps else None
            if begun is not None and (key is None or key != begun[0]):
                yield (begun[0], begun[1], event.at, begun[2], None, None)
                begun = None
            if key is not None and begun is None:
                begun = key, event.at, event.holder_office


def _without_limit(event: Any) -> Sequence[Step]:  # noqa: ANN401 - a row of the question above
    if event.holder_office is None:
        return ()
    steps = steps_of(
        Entered(
            packet_id=event.packet_id,
            seq=event.seq,
            move=Move(event.move),
            state=event.to_state,
            at=event.at,
            service=event.service,
            channel=event.channel.value,
            origin=event.origin,
            department=event.department,
            office=event.holder_office,
            role=event.holder_role,
            holder_id=None,
            round=1,
        )
    )
    return () if any(step.limit for step in steps) else steps


UNITS: Mapping[str, Text] = {
    "minutes": Text("{amount} min"),
    "working_days": Text("{amount} working days"),
    "days": Text("{amount} days"),
    "runs_per_day": Text("next run"),
    "within": Text("within the day"),
    "left_of": Text("what was left"),
}


def limit_in_words(limit: Sequence[Mapping[str, int | str]], language: str) -> str:
    """Return a limit as the table shows it; a dash where there is none."""
    parts = [UNITS[unit].render(language, amount=amount) for one in limit for unit, amount in one.items()]
    return " + ".join(parts) or "–"


def in_hours(minutes: float) -> str:
    """Return minutes as hours and minutes, `26:05`; short ones with their fraction."""
    return f"{minutes:.1f} min" if minutes < 60 else f"{int(minutes // 60)}:{int(minutes % 60):02d} h"
