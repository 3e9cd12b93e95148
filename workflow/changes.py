"""Who changed what about people and offices, and when: written with the change itself, and never afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.change import Change, ChangeOf

MOST_LISTED = 50


def note_changes(
    session: Session,
    kind: ChangeOf,
    subject: str,
    *,
    changed: Mapping[str, tuple[Any, Any]],
    by: str,
    now: datetime,
) -> None:
    """Keep what was changed: name of the field → what it was, what it is. The same value twice is no change."""
    rows = [
        {
            "at": now,
            "by": by[:64],
            "kind": kind,
            "subject": subject,
            "field": field,
            "before": _plain(before),
            "after": _plain(after),
        }
        for field, (before, after) in changed.items()
        if before != after
    ]
    if rows:
        session.execute(insert(Change), rows)


def changes_of(session: Session, kind: ChangeOf, subject: str) -> list[Change]:
    """Return what was changed about one person or office, the newest first."""
    return list(
        session.scalars(
            select(Change)
            .where(Change.kind == kind, Change.subject == subject)
            .order_by(Change.id.desc())
            .limit(MOST_LISTED)
        )
    )


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
