"""Messages to be told, and the junk that somebody put into a queue."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, database_now, word


class MessageState(StrEnum):
    """How far the news has come."""

    PENDING = "pending"
    PUBLISHED = "published"
    DONE = "done"
    DEAD = "dead"
    DISCARDED = "discarded"


class Message(Base):
    """One piece of news for one queue. The row is the truth; the broker only carries its id."""

    __tablename__ = "messages"
    __table_args__ = (
        # One cause tells one queue one thing once.
        UniqueConstraint("cause", "type", "queue"),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done_at_a_time"),
        CheckConstraint("(state = 'published') = (lease_until IS NOT NULL)", name="published_by_lease"),
        # What relays ask: each queue has its own beginning, however long the others are.
        Index(
            "ix_messages_unfinished_by_queue",
            "queue",
            "due_at",
            postgresql_where=text("state IN ('pending', 'published')"),
            sqlite_where=text("state IN ('pending', 'published')"),
        ),
        Index(
            "ix_messages_dead",
            "id",
            postgresql_where=text("state = 'dead'"),
            sqlite_where=text("state = 'dead'"),
        ),
    )

    id: Mapped[Id]
    type: Mapped[str] = mapped_column(String(40), comment="what happened, in the past tense")
    queue: Mapped[str] = mapped_column(String(60), comment="queue of the office that must know")
    subject: Mapped[str] = mapped_column(String(40), comment="number of the packet or manifest")
    cause: Mapped[str] = mapped_column(String(80), comment="the move that made it; part of its uniqueness")
    body: Mapped[dict[str, Any]] = mapped_column(comment="CloudEvents 1.0 attributes and data")
    state: Mapped[MessageState] = mapped_column(word(MessageState, "state"), default=MessageState.PENDING)
    attempts: Mapped[int] = mapped_column(
        Integer, default=0, comment="handlings begun; counted before the effect"
    )
    publications: Mapped[int] = mapped_column(Integer, default=0, comment="times given to the broker")
    created_at: Mapped[datetime] = mapped_column(
        server_default=database_now(), comment="by the database's clock"
    )
    due_at: Mapped[datetime] = mapped_column(
        server_default=database_now(), comment="not before; while published, when the lease runs out"
    )
    lease_until: Mapped[datetime | None] = mapped_column(
        comment="while published: until when the broker has it"
    )
    done_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(String(80), comment="code or kind of the last error")
    note: Mapped[str | None] = mapped_column(Text, comment="who replayed or discarded it, and why")


class DeadLetter(Base):
    """An envelope that no worker could use: not ours, or broken. Nothing of a person is kept of it."""

    __tablename__ = "dead_letters"

    id: Mapped[Id]
    queue: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(Integer, comment="bytes")
    digest: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the body, hex")
    received_at: Mapped[datetime] = mapped_column(server_default=database_now())
