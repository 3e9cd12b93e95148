"""Deadlines: telling who is near or late, once for each threshold and in working hours only; and explaining.

The sweep asks the database what is due. A missed, late or doubled sweep does no harm: the clock keeps
what it told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from config.clock import ALMATY
from config.errors import ConflictError, NotAllowedError, NotFoundError
from config.language import Text
from models import Deadline, OfficeDay, Packet
from models.packet import FINAL
from models.staff import Role
from workflow import alarms, clocks
from workflow.alarms import People, Person
from workflow.clocks import DEADLINES, clock_of
from workflow.deciding import ReasonMissingError
from workflow.people import Actor
from workflow.timing import Clock, Entered, Timing

AT_ONCE = 500
"""Most clocks that one transaction of the sweep looks at."""

NEAR, MISSED, HEAD, OPERATOR = range(4)
"""Thresholds: near and missed are told to the holder, a missed one later to the head, and then to operators."""

MOST_NAMED = 50
"""Packets that a message about many names; the others are counted."""

RECENT = timedelta(minutes=15)
"""How long after a correction of the calendar the sweep looks for clocks that opened while it was made."""

NOT_ON_THE_MANIFEST = "not_on_the_manifest"
"""Why a packet was left behind by its run: nobody had collected it."""


class NotLateError(ConflictError):
    """There is no late step to be explained."""

    code = "not_late"
    text = Text("Packet {number} has no late step that you held and that is still to be explained.")


class NotYourDelayError(NotAllowedError):
    """Somebody else was late."""

    code = "not_your_delay"
    text = Text("Somebody else held packet {number} when it became late. Who was late explains it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One threshold of one clock that is passed."""

    clock: Clock
    number: str
    service: str
    level: int


def check(session: Session, *, now: datetime) -> int:
    """Tell everybody of thresholds that are passed; return how many clocks were looked at, at most AT_ONCE."""
    _catch_up(session, now=now)
    rows = session.execute(
        select(*DEADLINES.c, Packet.number, Packet.service)
        .join(Packet, Packet.id == DEADLINES.c.packet_id)
        .where(DEADLINES.c.next_at <= now)
        .order_by(DEADLINES.c.next_at, DEADLINES.c.id)
        .limit(AT_ONCE)
        .with_for_update(of=DEADLINES, skip_locked=True)
    ).all()
    if not rows:
        return 0
    rules, people = clocks.timing(session), People(session)
    told: defaultdict[tuple[str, Person], list[_Told]] = defaultdict(list)
    changed = []
    for row in rows:
        clock = clock_of(row._asdict())
        changed.append(clock)
        for level, person in _passed(clock, rules, people, now=now):
            type_ = "deadline.near" if level == NEAR else "deadline.missed"
            told[type_, person].append(
                _Told(clock=clock, number=row.number, service=row.service, level=level)
            )
    clocks.write(session, changed)
    messages: list[dict[str, Any]] = []
    for (type_, person), many in told.items():
        if len(many) > rules.settings.bulk_deadlines:
            messages.append(_of_many(person, type_, many, now=now))
        else:
            messages += [_of_one(person, type_, one, now=now) for one in many]
    alarms.send(session, messages)
    return len(rows)


def _passed(clock: Clock, rules: Timing, people: People, *, now: datetime) -> list[tuple[int, Person]]:
    """Count the thresholds that are passed now, and return whom to tell of which.

    Outside the working hours of those who would be told, nothing is counted, and the clock asks again when they open.
    """
    found: list[tuple[int, Person]] = []
    clock.next_at = rules.threshold(clock)
    while clock.next_at is not None and clock.next_at <= now:
        level = clock.told
        whom = _whom(clock, level, people)
        there = [person for person in whom if rules.hours(person.office).is_open(now)]
        if whom and not there:
            clock.next_at = min(rules.hours(person.office).next_open(now) for person in whom)
            break
        found += [(level, person) for person in there]
        clock.told += 1
        if level == MISSED and clock.step == "collect":
            left = {"at": now.isoformat(), "why": NOT_ON_THE_MANIFEST, "run": clock.due_at.isoformat()}
            clock.changes = [*clock.changes, left]
        clock.next_at = rules.threshold(clock)
    if any(level != NEAR for level, _ in found):
        # After a pause of the sweep: what is missed is no longer near.
        found = [(level, person) for level, person in found if level != NEAR]
    return found


def _whom(clock: Clock, level: int, people: People) -> list[Person]:
    if level in {NEAR, MISSED}:
        return [Person(office=clock.office, role=clock.holder_role, id=clock.holder_id)]
    if level == HEAD:
        # A head who is late has been told already.
        return [] if clock.holder_role in {Role.HEAD, Role.AKIM} else people.heads(clock.office)
    return people.operators


def _of_one(person: Person, type_: str, one: _Told, *, now: datetime) -> dict[str, Any]:
    clock = one.clock
    return alarms.alarm(
        person,
        type_,
        subject=one.number,
        # A clock whose due time was moved may become near or late again.
        cause=f"clock:{clock.id}:{one.level}:{int(clock.due_at.timestamp())}",
        at=now,
        data={
            "office": clock.office,
            "service": one.service,
            "step": clock.step,
            "due_at": clock.due_at.isoformat(),
            "reason": NOT_ON_THE_MANIFEST if clock.step == "collect" and type_ == "deadline.missed" else None,
        },
    )


def _of_many(person: Person, type_: str, many: Sequence[_Told], *, now: datetime) -> dict[str, Any]:
    parts = ",".join(
        f"{one.clock.id}:{one.level}:{int(one.clock.due_at.timestamp())}"
        for one in sorted(many, key=lambda one: (one.clock.id or 0, one.level))
    )
    numbers = sorted({one.number for one in many})
    return alarms.alarm(
        person,
        type_,
        subject=numbers[0],
        cause=f"clocks:{sha256(parts.encode()).hexdigest()[:24]}",
        at=now,
        data={
            "office": many[0].clock.office,
            "count": len(numbers),
            "numbers": numbers[:MOST_NAMED],
            "due_at": min(one.clock.due_at for one in many).isoformat(),
        },
    )


def explain(
    session: Session, number: str, *, reason: str, by: Actor, now: datetime, step: str | None = None
) -> str:
    """Explain why a step of a packet is, or was, late, as who was late; return the step.

    Without `step` it is the last late one that `by` held. Raises NotLateError, NotFoundError for an
    office that was not late, NotYourDelayError, ReasonMissingError.
    """
    if not reason.strip():
        raise ReasonMissingError
    late = session.scalars(
        select(Deadline)
        .join(Packet, Packet.id == Deadline.packet_id)
        .where(
            Packet.number == number,
            Deadline.reason.is_(None),
            or_(
                Deadline.late_minutes.is_not(None), and_(Deadline.closed_at.is_(None), Deadline.due_at < now)
            ),
            *([Deadline.step == step] if step else []),
        )
        .order_by(Deadline.id.desc())
        .with_for_update(of=Deadline)
    ).all()
    if not late:
        raise NotLateError(number=number)
    own = next((clock for clock in late if was_late(clock, by)), None)
    if own is None and by.office not in {clock.office for clock in late}:
        raise NotFoundError(what=number)
    if own is None:
        raise NotYourDelayError(number=number)
    own.reason, own.reason_by, own.reason_at = reason.strip(), by.id, now
    return own.step


def was_late(clock: Deadline, by: Actor) -> bool:
    """Tell whether `by` held the step: by name, or by the role in the office where nobody is named."""
    if clock.holder_id is not None:
        return clock.holder_id == by.id
    return clock.office == by.office and clock.holder_role in by.roles


def move_later(session: Session, *, first: date, last: date, why: str, source: str, now: datetime) -> int:
    """Move open deadlines later that the calendar of the dates from `first` to `last` touches; return how many.

    None is ever moved earlier than it was promised. Each keeps what was promised before, and why it was moved.
    """
    begin = datetime.combine(first, time.min, tzinfo=ALMATY)
    end = datetime.combine(last + timedelta(days=1), time.min, tzinfo=ALMATY)
    rules = clocks.timing(session)
    moved, after = 0, 0
    while True:
        rows = session.execute(
            select(*DEADLINES.c)
            .where(
                DEADLINES.c.closed_at.is_(None),
                DEADLINES.c.due_at >= begin,
                DEADLINES.c.opened_at < end,
                DEADLINES.c.id > after,
            )
            .order_by(DEADLINES.c.id)
            .limit(AT_ONCE)
            .with_for_update()
        ).all()
        if not rows:
            return moved
        after = rows[-1].id
        changed = [
            clock
            for clock in (clock_of(row._asdict()) for row in rows)
            if _moved(clock, rules, why=why, source=source, now=now)
        ]
        clocks.write(session, changed)
        moved += len(changed)


def _moved(clock: Clock, rules: Timing, *, why: str, source: str, now: datetime) -> bool:
    due_at = rules.due(clock.limits, clock.opened_at, office=clock.office)
    if due_at <= clock.due_at:
        return False
    change = {
        "at": now.isoformat(),
        "from": clock.due_at.isoformat(),
        "to": due_at.isoformat(),
        "why": why,
        "source": source,
    }
    clock.due_at, clock.changes = due_at, [*clock.changes, change]
    if due_at > now:
        clock.told = min(clock.told, MISSED)
    clock.next_at = rules.threshold(clock)
    return True


def _catch_up(session: Session, *, now: datetime) -> None:
    """Move what opened by the old calendar while somebody was correcting it."""
    recent = session.execute(
        select(OfficeDay.day, OfficeDay.kind, OfficeDay.source).where(
            OfficeDay.set_at > now - RECENT, OfficeDay.set_by != ""
        )
    )
    for day, kind, source in recent.all():
        move_later(session, first=day, last=day, why=kind.value, source=source, now=now)


def adopt(session: Session, *, now: datetime) -> int:
    """Open the clocks of packets that were on their way before there were clocks; return how many opened."""
    bare = (
        select(Packet)
        .outerjoin(Deadline, Deadline.packet_id == Packet.id)
        .where(Deadline.id.is_(None), Packet.state.not_in(list(FINAL)))
        .order_by(Packet.id)
        .limit(AT_ONCE)
    )
    rules, opened, after = clocks.timing(session), 0, 0
    while True:
        packets = session.scalars(bare.where(Packet.id > after)).all()
        if not packets:
            return opened
        after = packets[-1].id
        for packet in packets:
            clock = rules.follow((), _as_it_stands(packet, now=now))
            if clock is not None:
                session.execute(DEADLINES.insert().values(clocks.row_of(clock)))
                opened += 1


def _as_it_stands(packet: Packet, *, now: datetime) -> Entered:
    # From now on: nobody may be late by a clock that nobody could see.
    return Entered(
        packet_id=packet.id,
        seq=packet.version,
        move=clocks.ADOPTED,
        state=packet.state,
        at=now,
        service=packet.service,
        channel=packet.channel.value,
        origin=packet.origin,
        department=packet.department,
        office=packet.holder_office,
        role=packet.holder_role,
        holder_id=packet.holder_id,
        round=packet.round,
    )


def late_for(session: Session, packet_id: int, *, now: datetime) -> list[Deadline]:
    """Return the clocks of a packet, the newest first, that are or were late."""
    rows = session.scalars(
        select(Deadline).where(Deadline.packet_id == packet_id).order_by(Deadline.id.desc())
    )
    return [
        clock
        for clock in rows
        if clock.late_minutes is not None or (clock.closed_at is None and clock.due_at < now)
    ]
