"""Turns of the schedule: of all the ticks for one moment, one carries the job out. Rows decide, not who ticks.

Ticks may be missed, doubled or late, and any number of beats may run. Moments are the multiples of a job's interval
by the database's clock. A job asks the database what is due, so that one turn makes up for all that were missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.base import database_now
from models.clock import database_time
from models.job import Job

KEPT = timedelta(days=7)
"""How long the rows of past moments are kept."""

UNFINISHED = timedelta(seconds=120)
"""After this time a turn that nobody finished is given to the next tick: twice the longest time of a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One moment of one job, for whoever took it."""

    id: int
    due: datetime
    missed: int
    """Moments before it that passed without a turn, because nothing ticked."""


def take_turn(session: Session, job: str, *, every: int) -> Turn | None:
    """Take the present moment of a job that is due each `every` seconds; None when somebody else has it."""
    now = database_time(session)
    due = datetime.fromtimestamp(int(now.timestamp()) // every * every, UTC)
    before = session.scalar(select(func.max(Job.due)).where(Job.job == job, Job.due < due))
    missed = max(round((due - before).total_seconds() / every) - 1, 0) if before is not None else 0
    build = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row_id = session.scalar(
        build(cast("Table", Job.__table__))
        .values(job=job, due=due, missed=missed)
        .on_conflict_do_nothing(index_elements=["job", "due"])
        .returning(Job.id)
    )
    if row_id is None:
        # Its worker may have died of it.
        row_id = session.scalar(
            update(Job)
            .where(Job.job == job, Job.due == due, Job.done_at.is_(None), Job.taken_at < now - UNFINISHED)
            .values(taken_at=database_now())
            .returning(Job.id),
            execution_options={"synchronize_session": False},
        )
    if row_id is None:
        return None
    session.execute(
        delete(Job).where(Job.job == job, Job.due < due - KEPT),
        execution_options={"synchronize_session": False},
    )
    return Turn(id=row_id, due=due, missed=missed)


def finish_turn(session: Session, turn: Turn) -> None:
    """Note that the job was carried out."""
    session.execute(
        update(Job).where(Job.id == turn.id).values(done_at=database_now()),
        execution_options={"synchronize_session": False},
    )


def give_turn_back(session: Session, turn: Turn) -> None:
    """Let the next tick have the moment, because the job failed."""
    session.execute(
        delete(Job).where(Job.id == turn.id, Job.done_at.is_(None)),
        execution_options={"synchronize_session": False},
    )
