"""Manifests (реестр): which packets travel together from one office to another on one run."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, OfficeCode, word
from models.packet import Leg


class ManifestState(StrEnum):
    """How far a manifest is."""

    OPEN = "open"
    SEALED = "sealed"
    IN_TRANSIT = "in_transit"
    RECEIVING = "receiving"
    CLOSED = "closed"


class LineState(StrEnum):
    """What became of one packet of a manifest."""

    LISTED = "listed"
    RECEIVED = "received"
    DAMAGED = "damaged"
    REFUSED = "refused"
    MISSING = "missing"
    ELSEWHERE = "elsewhere"
    TAKEN_OUT = "taken_out"
    UNEXPECTED = "unexpected"


class Manifest(Base):
    """One bag: one run, one direction, one pair of offices. After the seal its list never changes."""

    __tablename__ = "manifests"
    __table_args__ = (
        UniqueConstraint("run_id", "leg", "origin", "destination"),
        CheckConstraint("origin != destination", name="goes_somewhere"),
        CheckConstraint("state = 'open' OR seal_number IS NOT NULL", name="sealed_with_a_number"),
        CheckConstraint("(state IN ('open', 'sealed')) = (departed_at IS NULL)", name="departure_is_kept"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closing_is_kept"),
        Index(
            "uq_manifests_one_open",
            "origin",
            "destination",
            "leg",
            unique=True,
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
        Index(
            "ix_manifests_under_way",
            "closed_at",
            postgresql_where=text("closed_at IS NULL"),
            sqlite_where=text("closed_at IS NULL"),
        ),
        # What a courier gave today.
        Index("ix_manifests_courier_id_opened_at", "courier_id", "opened_at"),
        Index("ix_manifests_destination_state", "destination", "state"),
        Index("ix_manifests_origin_state", "origin", "state"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(16), unique=True, comment="16 digits, ISO/IEC 7064 MOD 97-10")
    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("runs.id"))
    leg: Mapped[Leg] = mapped_column(word(Leg, "leg"))
    origin: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"))
    destination: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"))
    state: Mapped[ManifestState] = mapped_column(word(ManifestState, "state"))
    seal_number: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    sealed_at: Mapped[datetime | None]
    sealed_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    departed_at: Mapped[datetime | None]
    courier_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    opened_at: Mapped[datetime | None] = mapped_column(comment="first scan at the destination")
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
    left_behind: Mapped[list[Any]] = mapped_column(
        default=list, server_default="[]", comment="runs that left without it: {departs_at, why}"
    )


class Line(Base):
    """One packet on one manifest."""

    __tablename__ = "manifest_lines"
    __table_args__ = (
        UniqueConstraint("manifest_id", "packet_id"),
        CheckConstraint("NOT live OR state = 'listed'", name="live_until_settled"),
        # A packet is live on one manifest at most.
        Index(
            "uq_manifest_lines_one_live",
            "packet_id",
            unique=True,
            postgresql_where=text("live"),
            sqlite_where=text("live"),
        ),
        Index("ix_manifest_lines_packet_id", "packet_id"),
    )

    id: Mapped[Id]
    manifest_id: Mapped[int] = mapped_column(BigId, ForeignKey("manifests.id"))
    packet_id: Mapped[int] = mapped_column(BigId, ForeignKey("packets.id"))
    position: Mapped[int] = mapped_column(Integer, comment="line number on paper, from 1")
    state: Mapped[LineState] = mapped_column(word(LineState, "state"))
    live: Mapped[bool] = mapped_column(comment="true while the packet travels by this manifest")
    reason: Mapped[str | None] = mapped_column(
        Text, comment="why it is missing, damaged, refused or taken out"
    )
    settled_at: Mapped[datetime | None] = mapped_column(comment="when it left the state listed")
    settled_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
