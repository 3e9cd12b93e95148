"""Prints: which paper of which packet or manifest, by whom and when. Never changed, deleted only when archived."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, OfficeCode, word


class Paper(StrEnum):
    """The papers of a packet, and from `manifest` on those of a manifest."""

    LABEL = "label"
    RECEIPT = "receipt"
    SLIP = "slip"
    NOTICE = "notice"
    REFUSAL = "refusal"
    REFERRAL = "referral"
    CERTIFICATE = "certificate"
    CONTROL = "control"
    MANIFEST = "manifest"
    DISCREPANCY = "discrepancy"
    BATCH_REFUSAL = "batch_refusal"
    BAG_LABEL = "bag_label"


OF_MANIFEST = frozenset({Paper.MANIFEST, Paper.DISCREPANCY, Paper.BATCH_REFUSAL, Paper.BAG_LABEL})


class Print(Base):
    """One print of one paper."""

    __tablename__ = "prints"
    __table_args__ = (
        CheckConstraint("(packet_id IS NULL) != (manifest_id IS NULL)", name="of_one_thing"),
        CheckConstraint("copy >= 1", name="copies_from_one"),
        # Two people who print at once get different copy numbers.
        UniqueConstraint("packet_id", "paper", "copy"),
        UniqueConstraint("manifest_id", "paper", "copy"),
        Index("ix_prints_office_printed_at", "office", "printed_at"),
    )

    id: Mapped[Id]
    paper: Mapped[Paper] = mapped_column(word(Paper, "paper"))
    packet_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("packets.id"))
    manifest_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("manifests.id"))
    copy: Mapped[int] = mapped_column(Integer, comment="1, and 1 more for each reprint, which carries it")
    printed_at: Mapped[datetime]
    printed_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    office: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"), comment="office of who printed it")
