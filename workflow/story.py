"""The story of a message: each attempt that failed, and what operators decided. Written only when something fails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any, cast

from sqlalchemy import Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.attempt import Attempt, MessageDecision, Settlement

SILENCE = "No word of it: its worker ended, or the database went away."
"""What is written of an attempt that was begun, and whose end nobody told."""


def note_failure(session: Session, message_id: int, *, number: int, error: str) -> None:
    """Keep what went wrong in the attempt `number`; an attempt that has its error already keeps it."""
    replays = (
        select(func.count() + 1)
        .where(MessageDecision.message_id == message_id, MessageDecision.action == Settlement.REPLAYED)
        .scalar_subquery()
    )
    build = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        build(cast("Table", Attempt.__table__))
        .values(message_id=message_id, life=replays, number=number, error=error)
        .on_conflict_do_nothing(index_elements=["message_id", "life", "number"])
    )


def note_decision(
    session: Session, ids: Collection[int], *, action: Settlement, by: str, reason: str
) -> None:
    """Keep who decided about dead messages, and why."""
    session.add_all(
        MessageDecision(message_id=message_id, action=action, by=by[:64], reason=reason) for message_id in ids
    )


def attempts_of(session: Session, ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the failed attempts of messages, the first one first: life, number, at, error."""
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for part in parts(ids):
        for row in session.scalars(select(Attempt).where(Attempt.message_id.in_(part)).order_by(Attempt.id)):
            found[row.message_id].append(
                {"life": row.life, "number": row.number, "at": row.at.isoformat(), "error": row.error}
            )
    return dict(found)


def decisions_about(session: Session, ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Return what was decided about messages, the first one first: action, by, reason, at."""
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for part in parts(ids):
        rows = session.scalars(
            select(MessageDecision).where(MessageDecision.message_id.in_(part)).order_by(MessageDecision.id)
        )
        for row in rows:
            found[row.message_id].append(
                {"action": row.action.value, "by": row.by, "reason": row.reason, "at": row.at.isoformat()}
            )
    return dict(found)


def parts(ids: Collection[int]) -> Iterator[list[int]]:
    """Yield `ids` in parts that one statement of SQLite takes."""
    every = list(ids)
    for start in range(0, len(every), 500):
        yield every[start : start + 500]
