"""Heartbeats: which relays and workers are there. The database's clock decides, and rows outlive a restart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.base import database_now
from models.heartbeat import Heartbeat, ProcessRole

EVERY_SECONDS = 10.0
"""Between two signs of life of one process."""

SILENT_AFTER = timedelta(seconds=45)
"""Without a sign of life for so long a process is held to be gone: four were missed."""

FORGOTTEN_AFTER = timedelta(days=1)
"""A process that is gone for so long will not come back under its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """One process and how long ago it was heard of."""

    role: ProcessRole
    name: str
    host: str
    queues: tuple[str, ...]
    started_at: datetime
    seen_at: datetime
    age: timedelta

    @property
    def alive(self) -> bool:
        """Whether it was heard of lately."""
        return self.age < SILENT_AFTER


def beat(
    session: Session,
    role: ProcessRole,
    *,
    host: str,
    process: int,
    name: str,
    queues: Sequence[str] = (),
) -> None:
    """Write a sign of life of a process; forget those that nobody heard of for a day."""
    build = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = build(cast("Table", Heartbeat.__table__)).values(
        role=role, host=host[:100], process=process, name=name[:200], queues=list(queues)
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["role", "host", "process"], set_={"seen_at": database_now()}
        )
    )
    now = session.scalars(select(database_now())).one()
    session.execute(
        delete(Heartbeat).where(Heartbeat.seen_at < now - FORGOTTEN_AFTER),
        execution_options={"synchronize_session": False},
    )


def of_host(session: Session, role: ProcessRole, *, host: str) -> list[int]:
    """Return the ids of the processes of one kind that are, or were, on a machine."""
    return list(
        session.scalars(select(Heartbeat.process).where(Heartbeat.role == role, Heartbeat.host == host[:100]))
    )


def end(session: Session, role: ProcessRole, *, host: str, processes: Collection[int]) -> None:
    """Forget processes that ended."""
    session.execute(
        delete(Heartbeat).where(
            Heartbeat.role == role, Heartbeat.host == host[:100], Heartbeat.process.in_(list(processes))
        ),
        execution_options={"synchronize_session": False},
    )


def pulses(session: Session) -> list[Pulse]:
    """Return all processes that were heard of within a day, the relays first."""
    rows = session.execute(
        select(Heartbeat, database_now().label("now")).order_by(
            Heartbeat.role, Heartbeat.name, Heartbeat.process
        )
    )
    return [
        Pulse(
            role=row.role,
            name=row.name,
            host=row.host,
            queues=tuple(row.queues),
            started_at=row.started_at,
            seen_at=row.seen_at,
            age=max(now - row.seen_at, timedelta()),
        )
        for row, now in rows
        if now - row.seen_at < FORGOTTEN_AFTER
    ]
