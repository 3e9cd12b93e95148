"""Differences between a manifest and what was in the bag; both sides see them until they are settled."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, OfficeCode, word


class DiscrepancyKind(StrEnum):
    """What differs."""

    MISSING = "missing"
    UNEXPECTED = "unexpected"
    DAMAGED = "damaged"
    REFUSED = "refused"
    MISROUTED = "misrouted"


class Discrepancy(Base):
    """One difference of one packet."""

    __tablename__ = "discrepancies"
    __table_args__ = (
        CheckConstraint("(settled_at IS NULL) = (settlement IS NULL)", name="settled_with_a_word"),
        # A packet is missing, or refused at the door, once at a time.
        Index(
            "uq_discrepancies_one_open",
            "packet_id",
            "kind",
            unique=True,
            postgresql_where=text("settled_at IS NULL AND kind IN ('missing', 'refused')"),
            sqlite_where=text("settled_at IS NULL AND kind IN ('missing', 'refused')"),
        ),
        # What the board counts; those that are settled are the most by far.
        *(
            Index(
                f"ix_discrepancies_open_{side}",
                side,
                postgresql_where=text("settled_at IS NULL"),
                sqlite_where=text("settled_at IS NULL"),
            )
            for side in ("office", "sender")
        ),
    )

    id: Mapped[Id]
    kind: Mapped[DiscrepancyKind] = mapped_column(word(DiscrepancyKind, "kind"))
    packet_id: Mapped[int] = mapped_column(BigId, ForeignKey("packets.id"))
    manifest_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("manifests.id"), index=True)
    office: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"), comment="office that found it")
    sender: Mapped[OfficeCode] = mapped_column(
        ForeignKey("offices.code"), comment="office that sent the papers"
    )
    reason: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[datetime]
    opened_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    settlement: Mapped[str | None] = mapped_column(String(32), comment="found, lost, never_sent, noted …")
