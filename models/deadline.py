"""Deadlines: the clock of each step that a packet goes through, and whether it was kept."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, OfficeCode, word
from models.staff import Role


class Ending(StrEnum):
    """How a clock came to its end."""

    DONE = "done"
    """The step is done: the packet went on."""
    UNDONE = "undone"
    """The move that opened it was taken back."""
    LEFT = "left"
    """The packet left the way before the step was done: missing, withdrawn, turned up elsewhere."""


class Deadline(Base):
    """The clock of one step of one packet, in the working time of the office that holds it."""

    __tablename__ = "deadlines"
    __table_args__ = (
        CheckConstraint("(closed_at IS NULL) = (ending IS NULL)", name="closed_with_an_ending"),
        CheckConstraint("closed_at IS NULL OR next_at IS NULL", name="nobody_told_after_closing"),
        CheckConstraint(
            "late_minutes IS NULL OR late_minutes >= 0 AND closed_at > due_at", name="late_when_closed_late"
        ),
        CheckConstraint("(reason IS NULL) = (reason_by IS NULL)", name="reason_by_somebody"),
        CheckConstraint("(reason IS NULL) = (reason_at IS NULL)", name="reason_at_a_time"),
        # A packet is in one step at a time.
        Index(
            "uq_deadlines_one_open",
            "packet_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
            sqlite_where=text("closed_at IS NULL"),
        ),
        Index("ix_deadlines_packet_id", "packet_id"),
        # What the sweep of every minute asks.
        Index(
            "ix_deadlines_next_at",
            "next_at",
            postgresql_where=text("next_at IS NOT NULL"),
            sqlite_where=text("next_at IS NOT NULL"),
        ),
        Index(
            "ix_deadlines_open",
            "office",
            "due_at",
            postgresql_where=text("closed_at IS NULL"),
            sqlite_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    packet_id: Mapped[int] = mapped_column(BigId, ForeignKey("packets.id"))
    seq: Mapped[int] = mapped_column(Integer, comment="event that opened it")
    step: Mapped[str] = mapped_column(String(20), comment="code of the step in the regulation")
    round: Mapped[int] = mapped_column(Integer, comment="round of the packet, 1 before any sending back")
    office: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"), comment="office that holds it")
    holder_role: Mapped[Role] = mapped_column(word(Role, "holder_role"))
    holder_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    limits: Mapped[list[Any]] = mapped_column(comment="what the due time is counted from, in order")
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(comment="may be before opened_at where a used-up clock runs on")
    told: Mapped[int] = mapped_column(Integer, default=0, comment="thresholds told so far")
    next_at: Mapped[datetime | None] = mapped_column(comment="when the next threshold may be told")
    closed_at: Mapped[datetime | None]
    ending: Mapped[Ending | None] = mapped_column(word(Ending, "ending"))
    late_minutes: Mapped[int | None] = mapped_column(
        Integer, comment="working minutes after the due time; empty when it was kept"
    )
    reason: Mapped[str | None] = mapped_column(Text, comment="why it was late, as who was late explains it")
    reason_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    reason_at: Mapped[datetime | None]
    changes: Mapped[list[Any]] = mapped_column(
        default=list, comment="what moved the due time or the run, when and why"
    )
