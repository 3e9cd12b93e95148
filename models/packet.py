"""The packet: one number, one row, one holder at any minute."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, OfficeCode, word
from models.staff import Role


class State(StrEnum):
    """Where a packet is in its life (regulation of service 7, item 11 and annex 7)."""

    ACCEPTED = "accepted"
    COLLECTED = "collected"
    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    REGISTERED = "registered"
    WITH_HEAD = "with_head"
    WITH_EXECUTOR = "with_executor"
    FOR_SIGNATURE = "for_signature"
    SIGNED = "signed"
    RESULT_COLLECTED = "result_collected"
    RESULT_IN_TRANSIT = "result_in_transit"
    READY = "ready"
    MISSING = "missing"
    HANDED_OVER = "handed_over"
    WITHDRAWN = "withdrawn"
    LOST = "lost"


FINAL = frozenset({State.HANDED_OVER, State.WITHDRAWN, State.LOST})
ON_MANIFEST = frozenset({State.COLLECTED, State.IN_TRANSIT, State.RESULT_COLLECTED, State.RESULT_IN_TRANSIT})


class Channel(StrEnum):
    """Where the applicant brought the papers, and where the result is fetched."""

    CENTRE = "centre"
    DEPARTMENT = "department"
    AKIMAT = "akimat"


class Outcome(StrEnum):
    """What the executor decided."""

    ASSIGNED = "assigned"
    REFUSED = "refused"


def _listed(states: frozenset[State]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


class Packet(Base):
    """The papers of one application, from acceptance to hand-over."""

    __tablename__ = "packets"
    __table_args__ = (
        CheckConstraint(f"(state IN ({_listed(FINAL)})) = (holder_role IS NULL)", name="one_holder"),
        CheckConstraint(
            f"manifest_id IS NULL OR state IN ({_listed(ON_MANIFEST)})", name="manifest_only_on_the_way"
        ),
        CheckConstraint(
            "manifest_id IS NOT NULL OR state NOT IN ('collected', 'result_collected', 'result_in_transit')",
            name="on_the_way_by_manifest",
        ),
        CheckConstraint(
            "outcome IS NULL OR outcome != 'refused' OR reason IS NOT NULL", name="refusal_states_the_reason"
        ),
        CheckConstraint("version >= 1", name="has_an_event"),
        CheckConstraint("archived_at IS NULL OR archive_id IS NOT NULL", name="archived_somewhere"),
        Index("ix_packets_holder", "holder_office", "state", "state_since"),
        # Results that wait for their applicants are few, and looked for every minute.
        Index(
            "ix_packets_ready",
            "state_since",
            postgresql_where=text("state = 'ready'"),
            sqlite_where=text("state = 'ready'"),
        ),
        # What the next archive may take, the oldest first.
        Index(
            "ix_packets_ended",
            "state_since",
            postgresql_where=text(f"state IN ({_listed(FINAL)}) AND archive_id IS NULL"),
            sqlite_where=text(f"state IN ({_listed(FINAL)}) AND archive_id IS NULL"),
        ),
        Index(
            "ix_packets_archive",
            "archive_id",
            "id",
            postgresql_where=text("archive_id IS NOT NULL"),
            sqlite_where=text("archive_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(14), unique=True, comment="14 digits, ISO/IEC 7064 MOD 97-10")
    request_id: Mapped[str | None] = mapped_column(
        String(64), unique=True, comment="made by the client, so that the same request accepts once"
    )
    service: Mapped[str] = mapped_column(String(40), comment="code of the service")
    channel: Mapped[Channel] = mapped_column(word(Channel, "channel"))
    origin: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"), comment="office that accepted it")
    department: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"), comment="office that decides")
    state: Mapped[State] = mapped_column(word(State, "state"))
    state_since: Mapped[datetime]
    moved_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"), comment="who made the last move")
    holder_office: Mapped[str | None] = mapped_column(String(4), ForeignKey("offices.code"))
    holder_role: Mapped[Role | None] = mapped_column(word(Role, "holder_role"))
    holder_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("staff.id"), comment="the person, where one is known by name"
    )
    version: Mapped[int] = mapped_column(Integer, comment="sequence number of the last event")
    manifest_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("manifests.id"), index=True, comment="the manifest it is live on"
    )
    register_number: Mapped[str | None] = mapped_column(
        String(40), comment="number in the department's register"
    )
    executor_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("staff.id"), comment="named by the head"
    )
    outcome: Mapped[Outcome | None] = mapped_column(word(Outcome, "outcome"))
    reason: Mapped[str | None] = mapped_column(Text, comment="why it was refused, as the notice states it")
    round: Mapped[int] = mapped_column(Integer, default=1, comment="1, and 1 more for each sending back")
    details: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default="{}", comment="fields of the result's paper: employer, quarter …"
    )
    postal_number: Mapped[str | None] = mapped_column(
        String(13), comment="S10 number, where the result was posted"
    )
    remark: Mapped[str | None] = mapped_column(Text, comment="what was wrong with it when it was taken over")
    accepted_at: Mapped[datetime]
    accepted_by: Mapped[int] = mapped_column(
        BigId, ForeignKey("staff.id"), comment="who is told of the result"
    )
    promised_at: Mapped[datetime | None] = mapped_column(
        comment="when the result is promised for, as the receipt prints it"
    )
    status_code: Mapped[str] = mapped_column(
        String(32), unique=True, comment="unguessable, on the receipt, for the applicant's own look-up"
    )
    applicant_name: Mapped[str] = mapped_column(String(200))
    applicant_iin: Mapped[str | None] = mapped_column(String(12), index=True)
    applicant_phone: Mapped[str | None] = mapped_column(String(40))
    residence: Mapped[str] = mapped_column(String(300), comment="place of residence as the applicant said it")
    residence_akimat: Mapped[str | None] = mapped_column(
        String(4), ForeignKey("offices.code"), comment="rural district of the residence, where there is one"
    )
    enclosures: Mapped[list[Any]] = mapped_column(comment="list of {name, count}")
    archive_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("archives.id"), comment="the archive that takes its history; no move follows"
    )
    archived_at: Mapped[datetime | None] = mapped_column(
        comment="when its history went into that archive; nothing of it changes any more"
    )


class Leg(StrEnum):
    """Which way papers travel."""

    OUT = "out"
    BACK = "back"
