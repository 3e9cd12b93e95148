"""Events: the unbroken chain of what happened to a packet. Never changed, and deleted only when they are archived."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, OfficeCode, word
from models.packet import State
from models.staff import Role


class Event(Base):
    """One move of one packet: who, when, from which state to which, and who holds it since."""

    __tablename__ = "events"
    __table_args__ = (
        # The chain cannot have a gap: each event but the first points at the one before it.
        CheckConstraint(
            "(seq = 1 AND previous IS NULL) OR (seq > 1 AND previous = seq - 1)", name="contiguous"
        ),
        CheckConstraint("(seq = 1) = (from_state IS NULL)", name="first_from_nothing"),
        ForeignKeyConstraint(
            ["packet_id", "previous"], ["events.packet_id", "events.seq"], name="fk_events_previous"
        ),
    )

    packet_id: Mapped[int] = mapped_column(BigId, ForeignKey("packets.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, comment="1, 2, 3 … without a gap")
    previous: Mapped[int | None] = mapped_column(Integer, comment="seq - 1; empty in the first event")
    at: Mapped[datetime] = mapped_column(comment="when it happened")
    recorded_at: Mapped[datetime] = mapped_column(comment="when the system learned of it")
    move: Mapped[str] = mapped_column(String(32), comment="word of workflow.moves.Move")
    from_state: Mapped[State | None] = mapped_column(word(State, "from_state"))
    to_state: Mapped[State] = mapped_column(word(State, "to_state"))
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    office: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"), comment="office of who did it")
    holder_office: Mapped[str | None] = mapped_column(String(4), comment="holder after the move")
    holder_role: Mapped[Role | None] = mapped_column(word(Role, "holder_role"))
    holder_id: Mapped[int | None] = mapped_column(BigId)
    manifest_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("manifests.id"), comment="where one is involved"
    )
    scan_id: Mapped[str | None] = mapped_column(String(64), comment="the scan that caused it, where one did")
    data: Mapped[dict[str, Any]] = mapped_column(
        comment="what else belongs to the move: reason, register number …"
    )
