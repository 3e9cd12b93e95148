"""Reading notices: who read one, and when; the only thing about notices that pages write."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from models import Notice
from workflow.people import Actor


def mark_read(session: Session, ids: Collection[int], *, by: Actor, now: datetime) -> int:
    """Mark notices of the office of `by` as read, and return how many were unread."""
    changed = session.execute(
        update(Notice)
        .where(Notice.id.in_(list(ids)), Notice.office == by.office, Notice.read_at.is_(None))
        .values(read_at=now, read_by=by.id)
        .returning(Notice.id),
        execution_options={"synchronize_session": False},
    )
    return len(changed.all())
