"""The states of a message on its way: taken by a relay, begun, done, failed, dead. All moments are the database's own.

A lease says until when the broker has a message. One that runs out makes it due again, so that a killed worker or
a flushed broker costs time and never a message.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    CTE,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from models.base import database_later, database_now
from models.message import Message, MessageState
from models.swift import Question, among, one_of
from models.writes import Writes
from workflow.alerting import raise_alert
from workflow.outbox import IS_OPEN, NOT_ENDED, STILL_OPEN
from workflow.story import SILENCE, note_failure

LONGEST_PAUSE = 3600
"""Seconds; back-offs double up to this."""

_EQUAL_LEASES = 3
"""Publications without an answer that get the same lease: what is lost twice or thrice, because more than one thing is
broken, still comes within a minute."""

_DOUBLINGS_OF_LEASE = 4
_BLIND = {"synchronize_session": False}

_THREAD = (
    Message.subject,
    Message.body["requestid"].as_string().label("request"),
    Message.body["traceparent"].as_string().label("trace"),
)
"""By what logs and traces find what belongs together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A message that waits to be given to the broker."""

    id: int
    type: str
    queue: str
    attempts: int
    publications: int
    subject: str
    request: str | None
    """Id of the request behind it."""
    trace: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that a worker was asked to handle and that is still open."""

    id: int
    type: str
    attempts: int
    subject: str
    request: str | None
    """Id of the request behind it."""
    trace: str | None


class Begun(NamedTuple):
    """A message that was never tried before, and that this worker begins now."""

    id: int
    type: str
    queue: str
    subject: str
    body: dict[str, Any]

    @property
    def request(self) -> str | None:
        """Return the id of the request behind it."""
        return self.body.get("requestid")

    @property
    def trace(self) -> str | None:
        """Return the trace that it belongs to."""
        return self.body.get("traceparent")


class Held(NamedTuple):
    """A message that is locked, to be handled in this transaction."""

    id: int
    type: str
    queue: str
    subject: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of a message that failed: pending after a pause, or dead."""

    state: MessageState
    told: bool = False
    """Whether it is the first of its office and reason today, so that operators are told."""


MESSAGES = cast("Table", Message.__table__)
_DUE = and_(IS_OPEN, Message.due_at <= database_now())


def _queues() -> CTE:
    """Return the queues that have unfinished messages: one look into the index for each, however long they are."""
    first = select(func.min(MESSAGES.c.queue).label("queue")).where(IS_OPEN).cte("queues", recursive=True)
    following = select(func.min(MESSAGES.c.queue)).where(IS_OPEN, MESSAGES.c.queue > first.c.queue)
    return first.union_all(select(following.scalar_subquery()).where(first.c.queue.is_not(None)))


_QUEUES = _queues()
_FACTS = (
    MESSAGES.c.id,
    MESSAGES.c.type,
    MESSAGES.c.queue,
    MESSAGES.c.attempts,
    MESSAGES.c.publications - 1,
    *_THREAD,
)
_FIRST = (
    select(MESSAGES.c.id, MESSAGES.c.due_at)
    # One moment for the whole statement, so that the index also ends the search.
    .where(IS_OPEN, MESSAGES.c.due_at <= func.statement_timestamp(), MESSAGES.c.queue == _QUEUES.c.queue)
    .order_by(MESSAGES.c.due_at)
    .limit(bindparam("most_of_queue"))
    .with_for_update(skip_locked=True)
    .lateral("first")
)


# A slow worker is not to be buried in repeats.
_UNANSWERED = MESSAGES.c.publications - MESSAGES.c.attempts
_LEASE_SECONDS = case(
    (MESSAGES.c.type == bindparam("patient_type"), bindparam("patient_seconds", type_=Integer)),
    else_=bindparam("seconds", type_=Integer),
) * case(
    *((_EQUAL_LEASES + doublings > _UNANSWERED, 2**doublings) for doublings in range(_DOUBLINGS_OF_LEASE)),
    else_=2**_DOUBLINGS_OF_LEASE,
)


def _taking(chosen: Select[Any]) -> Question:
    """Return what leases the messages that `chosen` finds, which are locked first of all, in one statement."""
    until = database_later(_LEASE_SECONDS)
    return Question(
        update(MESSAGES)
        .where(one_of(MESSAGES.c.id, chosen))
        .values(
            state=MessageState.PUBLISHED,
            publications=MESSAGES.c.publications + 1,
            lease_until=until,
            due_at=until,
        )
        .returning(*_FACTS)
    )


_TAKE = {
    "postgresql": _taking(
        select(_FIRST.c.id)
        .select_from(_QUEUES.join(_FIRST, true()))
        .where(not_(among(_QUEUES.c.queue, "not_from")))
        .order_by(_FIRST.c.due_at)
        .limit(bindparam("most"))
    ),
    # SQLite is for one machine, whose queues do not grow so long; it has no LATERAL.
    "sqlite": _taking(
        select(MESSAGES.c.id)
        .where(_DUE, not_(among(MESSAGES.c.queue, "not_from")))
        .order_by(MESSAGES.c.due_at)
        .limit(bindparam("most"))
    ),
}
_ANY = Question(
    select(_QUEUES.c.queue)
    .where(
        not_(among(_QUEUES.c.queue, "not_from")),
        exists().where(_DUE, MESSAGES.c.queue == _QUEUES.c.queue),
    )
    .limit(1)
)
_WAITING = Question(
    select(
        Message.id,
        Message.type,
        Message.attempts,
        *_THREAD,
        or_(Message.state == MessageState.PUBLISHED, _DUE),
    ).where(among(MESSAGES.c.id, "ids"))
)
_BEGIN_FRESH = Question(
    update(Message)
    .where(
        among(MESSAGES.c.id, "ids"),
        STILL_OPEN,
        MESSAGES.c.attempts == 0,
        or_(MESSAGES.c.lease_until.is_not(None), MESSAGES.c.due_at <= database_now()),
        MESSAGES.c.type != bindparam("but_not"),
    )
    .values(attempts=Message.attempts + 1)
    .returning(
        MESSAGES.c.id,
        MESSAGES.c.type,
        MESSAGES.c.queue,
        MESSAGES.c.subject,
        MESSAGES.c.body,
    )
)
_BEGIN = Question(
    update(Message)
    .where(among(MESSAGES.c.id, "ids"), STILL_OPEN)
    .values(attempts=Message.attempts + 1)
    .returning(Message.id)
)
_LOCK = Question(
    select(Message.id, Message.type, Message.queue, Message.subject, Message.body)
    .where(among(MESSAGES.c.id, "ids"), STILL_OPEN)
    .order_by(Message.id)
    .with_for_update()
)
_FINISH = Question(
    update(Message)
    .where(among(MESSAGES.c.id, "ids"), STILL_OPEN)
    .values(state=MessageState.DONE, done_at=database_now(), lease_until=None, last_error=None)
    .returning(Message.id)
)


def any_due(session: Session, *, not_from: Collection[str] = ()) -> bool:
    """Tell whether anything waits for a relay, the queues `not_from` left out, without locking a row."""
    return bool(_ANY.ask(session, not_from=not_from))


def take_due(
    session: Session,
    *,
    limit: int,
    seconds: int,
    longer: tuple[str, int] = ("", 0),
    of_queue: int | None = None,
    not_from: Collection[str] = (),
) -> list[Due]:
    """Lease the up to `limit` messages that are due longest, leaving out the queues `not_from`.

    A lease lasts `seconds`, for one type so long as `longer` says, for each of the first three publications without an
    answer, then doubled for each further one. It is written before they are published: a crash in between costs a
    lease. On PostgreSQL it takes no more than `of_queue` from each queue, and costs the same however many wait in one.
    Several relays at once get different rows. One statement: it needs no transaction around it.
    """
    names = tuple(Due.__slots__)
    dialect = session.get_bind().dialect.name
    each = {"most_of_queue": limit if of_queue is None else of_queue} if dialect == "postgresql" else {}
    patient = {"patient_type": longer[0], "patient_seconds": longer[1]}
    rows = _TAKE[dialect].ask(session, not_from=not_from, most=limit, seconds=seconds, **patient, **each)
    return sorted((Due(**dict(zip(names, row, strict=True))) for row in rows), key=lambda due: due.id)


def give_back(session: Session, ids: Collection[int], *, seconds: int) -> None:
    """Undo the lease of messages whose publication failed; they are due again in `seconds`.

    A failed publication may have been published all the same: what was handled meanwhile stays done.
    """
    now = session.scalars(select(database_now())).one()
    session.execute(
        update(Message)
        .where(Message.id.in_(list(ids)), Message.state == MessageState.PUBLISHED)
        .values(
            state=MessageState.PENDING,
            publications=Message.publications - 1,
            lease_until=None,
            due_at=now + timedelta(seconds=seconds),
        ),
        execution_options=_BLIND,
    )


def call_back_all(session: Session) -> int:
    """Make everything that the broker had due now, because it lost its memory; return how many that were."""
    return len(
        session.execute(
            update(Message)
            .where(Message.state == MessageState.PUBLISHED)
            .values(
                state=MessageState.PENDING,
                # It is no fault of the message: the next lease is a short one again.
                publications=Message.attempts,
                lease_until=None,
                due_at=database_now(),
            )
            .returning(Message.id),
            execution_options=_BLIND,
        ).all()
    )


def waiting(session: Session, ids: Collection[int]) -> tuple[list[Waiting], int]:
    """Return those of `ids` that may be handled now, and how many of `ids` do not exist at all.

    A message that pauses after a failure is left alone until it is due, whoever asks for it.
    """
    found = _WAITING.ask(session, ids=ids)
    names = tuple(Waiting.__slots__)
    open_ones = [Waiting(**dict(zip(names, row, strict=False))) for row in found if row[-1]]
    return open_ones, len(set(ids)) - len(found)


def begin_fresh(session: Session, ids: Collection[int], *, but_not: str) -> list[Begun]:
    """Begin those of `ids` that may be handled now and were never tried, except the type `but_not`; return them.

    One statement, committed before the effect, as with `begin`.
    """
    begun = [Begun(*row) for row in _BEGIN_FRESH.ask(session, ids=ids, but_not=but_not)]
    return sorted(begun, key=lambda one: one.id)


def begin(session: Session, ids: Collection[int]) -> list[int]:
    """Count one attempt of each message that is still open and return their ids.

    Committed before the effect: a message that kills its worker is counted all the same.
    """
    return sorted(id_ for (id_,) in _BEGIN.ask(session, ids=ids))


def begin_again(session: Session, message_id: int, *, attempts: int) -> bool:
    """Begin a message that was begun `attempts` times before, and tell whether it is still open.

    Where nobody told how the attempt before ended, that is noted.
    """
    if not begin(session, [message_id]):
        return False
    note_failure(session, message_id, number=attempts, error=SILENCE)
    return True


def claim(session: Session, message_id: int) -> bool:
    """Count one attempt of a message whose effect is outside the database, and tell whether the caller may go on.

    One publication allows one attempt, so that two workers with the same task never act both.
    """
    attempts = session.scalar(
        update(Message)
        .where(
            Message.id == message_id,
            # Published is what has a lease; said by the state, it could be looked for in the index of the unfinished.
            Message.lease_until.is_not(None),
            Message.attempts < Message.publications,
        )
        .values(attempts=Message.attempts + 1)
        .returning(Message.attempts),
        execution_options=_BLIND,
    )
    if attempts is not None and attempts > 1:
        note_failure(session, message_id, number=attempts - 1, error=SILENCE)
    return attempts is not None


def locked(session: Session, ids: Collection[int]) -> list[Held]:
    """Lock and return those of `ids` that are still open; in the order of ids, so that two handlers never deadlock."""
    return [Held(*row) for row in _LOCK.ask(session, ids=ids)]


def finish(session: Session, ids: Collection[int]) -> None:
    """Mark open messages as done, in the transaction of their effects."""
    _FINISH.ask(session, ids=ids)


def finish_with(writes: Writes, begun: Sequence[Begun]) -> None:
    """Let `writes` mark messages as done together with their effects; all of them must still be open then."""
    writes.update(
        MESSAGES,
        [
            {
                "id": one.id,
                "state": MessageState.DONE,
                "lease_until": None,
                "last_error": None,
            }
            for one in begun
        ],
        only=NOT_ENDED,
        sure=True,
        now=("done_at",),
    )


def fail(
    session: Session, message_id: int, *, error: str, reason: str, attempts: int, pause: int
) -> Fate | None:
    """Write what failed, and return what follows: pending after a pause, or dead after the last of `attempts`.

    The pause is `pause` seconds, doubled with each attempt. `error` says what went wrong, `reason` is its code or
    kind. None when the message was finished by somebody else.
    """
    row = session.execute(
        select(Message.attempts, database_now()).where(Message.id == message_id, STILL_OPEN).with_for_update()
    ).one_or_none()
    if row is None:
        return None
    tries, now = row
    state = MessageState.DEAD if tries >= attempts else MessageState.PENDING
    seconds = min(pause * 2 ** max(tries - 1, 0), LONGEST_PAUSE)
    session.execute(
        update(Message)
        .where(Message.id == message_id)
        .values(
            state=state,
            last_error=error,
            reason=reason[:80],
            lease_until=None,
            due_at=now + timedelta(seconds=seconds),
        ),
        execution_options=_BLIND,
    )
    note_failure(session, message_id, number=tries, error=error)
    told = state is MessageState.DEAD and raise_alert(session, message_id, reason=reason)
    return Fate(state=state, told=told)
