"""What operators see of the messages and of junk, and the two things they may do with a dead message."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select, text, update
from sqlalchemy.orm import Session

from config.errors import BadInputError, NotFoundError
from config.language import Text
from models.attempt import Settlement
from models.base import database_now
from models.message import DeadLetter, Message, MessageState
from workflow.story import attempts_of, decisions_about, note_decision, parts

OPEN = (MessageState.PENDING, MessageState.PUBLISHED)
"""States of a message that is still to be handled."""

# As words, so that the server sees that its small indexes of unfinished messages serve, whatever the other facts are.
IS_OPEN = text(f"messages.state IN ({', '.join(map(repr, map(str, OPEN)))})")
"""Tells that a message is still to be handled, in SQL."""

# By what it is not: the server cannot take an index of the unfinished for this. While little is unfinished that seems
# cheaper than the key, and in a backlog whoever looks for one message would read all of them.
NOT_ENDED = f"state NOT IN ({', '.join(repr(str(state)) for state in MessageState if state not in OPEN)})"
STILL_OPEN = text(f"messages.{NOT_ENDED}")
"""Tells the same of messages that are found by their ids."""


class NotDeadError(NotFoundError):
    """Some of the named messages are no dead letters, and nothing was changed. Fact: `ids`."""

    code = "not_dead"
    text = Text(
        "No dead message has the number {ids}. Nothing was changed; `shabarman messages --dead` lists them."
    )


class NoNoteError(BadInputError):
    """A decision about a dead message does not say whose it is, or why."""

    code = "no_note"
    text = Text("Say in a note who decides about the message, and why.")


def counts(session: Session) -> dict[str, int]:
    """Return how many messages are in each state, also the states with none; reads the whole table."""
    found = session.execute(select(Message.state, func.count()).group_by(Message.state))
    return {state.value: 0 for state in MessageState} | {state.value: count for state, count in found}


def unfinished(session: Session) -> dict[str, int]:
    """Return how many messages are pending, published and dead; by index, so cheap enough for metrics."""
    wanted = (*OPEN, MessageState.DEAD)
    found = session.execute(select(Message.state, func.count()).where(IS_OPEN).group_by(Message.state))
    dead = session.scalar(select(func.count()).where(Message.state == MessageState.DEAD)) or 0
    return (
        {state.value: 0 for state in wanted}
        | {state.value: count for state, count in found}
        | {MessageState.DEAD.value: dead}
    )


def by_queue(session: Session) -> dict[str, int]:
    """Return how many unfinished messages each queue has that has any; what workers are added by."""
    return dict(
        session.execute(select(Message.queue, func.count()).where(IS_OPEN).group_by(Message.queue)).all()
    )


def oldest_seconds(session: Session) -> float:
    """Return the age, in seconds by the database's clock, of the oldest unfinished message; 0 when there is none.

    The one figure to watch: it grows when anything between the commit and the notice stands still.
    """
    row = session.execute(select(func.min(Message.created_at), database_now()).where(IS_OPEN)).one()
    oldest: datetime | None = row[0]
    now: datetime = row[1]
    return max((now - oldest).total_seconds(), 0.0) if oldest else 0.0


def reasons(session: Session) -> dict[str, int]:
    """Return how many dead messages there are of each reason, the most frequent first; by index."""
    dead_ones = func.count()
    rows = session.execute(
        select(Message.reason, dead_ones)
        .where(Message.state == MessageState.DEAD)
        .group_by(Message.reason)
        .order_by(dead_ones.desc(), Message.reason)
    )
    return {reason or "": count for reason, count in rows}


def listed(
    session: Session,
    *,
    states: Collection[MessageState],
    limit: int = 100,
    after: int = 0,
    died_of: str | None = None,
) -> list[dict[str, Any]]:
    """Return messages in any of `states`, oldest first, as plain values: what `shabarman messages --json` prints.

    Only those with a number over `after`, and with `died_of` only those whose last error was that.
    """
    of_reason = () if died_of is None else (func.coalesce(Message.reason, "") == died_of,)
    rows = session.execute(
        select(
            Message.id,
            Message.type,
            Message.queue,
            Message.subject,
            Message.state,
            Message.attempts,
            Message.publications,
            Message.created_at,
            Message.due_at,
            Message.last_error,
            Message.reason,
            Message.note,
        )
        .where(Message.state.in_(list(states)), Message.id > after, *of_reason)
        .order_by(Message.id)
        .limit(limit)
    ).mappings()
    return [
        {
            name: value.isoformat() if isinstance(value, datetime) else getattr(value, "value", value)
            for name, value in row.items()
        }
        for row in rows
    ]


def dead(session: Session, *, limit: int = 100) -> list[dict[str, Any]]:
    """Return the dead messages, oldest first; each is kept until an operator replays or discards it."""
    return listed(session, states=(MessageState.DEAD,), limit=limit)


def with_story(session: Session, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return listed messages with their whole story: `story`, each failed attempt, `decisions`, and the `body`."""
    ids = [row["id"] for row in rows]
    attempts, decisions = attempts_of(session, ids), decisions_about(session, ids)
    bodies = {
        row.id: row.body
        for part in parts(ids)
        for row in session.execute(select(Message.id, Message.body).where(Message.id.in_(part)))
    }
    return [
        row
        | {
            "story": attempts.get(row["id"], []),
            "decisions": decisions.get(row["id"], []),
            "body": bodies[row["id"]],
        }
        for row in rows
    ]


def count_junk(session: Session) -> int:
    """Return how many envelopes were put aside."""
    return session.scalar(select(func.count(DeadLetter.id))) or 0


def junk(session: Session, *, limit: int) -> list[dict[str, Any]]:
    """Return up to `limit` envelopes that were put aside because no worker could use them, the newest first."""
    found = session.scalars(select(DeadLetter).order_by(DeadLetter.id.desc()).limit(limit))
    return [
        {
            "id": letter.id,
            "queue": letter.queue,
            "reason": letter.reason,
            "bytes": letter.size,
            "sha256": letter.digest,
            "received_at": letter.received_at.isoformat(),
        }
        for letter in found
    ]


def replay(
    session: Session, *, ids: Collection[int] | None, by: str, reason: str, died_of: str | None = None
) -> int:
    """Make dead messages due again with all their attempts, and return how many; None as `ids` means all of them.

    With `died_of` only those that died of this error count. `by` decides it, `reason` says why; both are kept. Raises
    NotDeadError when one of `ids` is not dead; then nothing is changed.
    """
    changed = _settle(
        session,
        _dead(ids, died_of),
        ids,
        Settlement.REPLAYED,
        {"state": MessageState.PENDING, "attempts": 0, "publications": 0, "due_at": database_now()},
        by=by,
        reason=reason,
    )
    if changed:
        session.info["told"] = True  # Wakes the relay after the commit.
    return changed


def discard(
    session: Session, *, ids: Collection[int] | None, by: str, reason: str, died_of: str | None = None
) -> int:
    """Give dead messages up for good, and return how many; the rows stay. Arguments and errors as in `replay`."""
    return _settle(
        session,
        _dead(ids, died_of),
        ids,
        Settlement.DISCARDED,
        {"state": MessageState.DISCARDED},
        by=by,
        reason=reason,
    )


def _dead(ids: Collection[int] | None, died_of: str | None) -> Select[int]:
    found = select(Message.id).where(Message.state == MessageState.DEAD)
    if ids is not None:
        found = found.where(Message.id.in_(list(ids)))
    if died_of is not None:
        found = found.where(func.coalesce(Message.reason, "") == died_of)
    return found


def _settle(
    session: Session,
    dead_ones: Select[int],
    ids: Collection[int] | None,
    action: Settlement,
    values: dict[str, Any],
    *,
    by: str,
    reason: str,
) -> int:
    if not by.strip() or not reason.strip():
        raise NoNoteError
    chosen = list(session.scalars(dead_ones.with_for_update()))
    if ids is not None and (others := sorted(set(ids) - set(chosen))):
        raise NotDeadError(ids=", ".join(map(str, others)))
    note_decision(session, chosen, action=action, by=by, reason=reason)
    # What was noted before stays: a message may die, be replayed, and die again.
    note = f"{by}: {reason}"
    kept = case((Message.note.is_(None), note), else_=Message.note + "\n" + note)
    for part in parts(chosen):
        session.execute(
            update(Message).where(Message.id.in_(part)).values(note=kept, **values),
            execution_options={"synchronize_session": False},
        )
    return len(chosen)
