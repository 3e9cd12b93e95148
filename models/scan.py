"""Scans: every reading of every code, also refused ones. Never changed, and deleted only when they are archived."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, OfficeCode, word


class Station(StrEnum):
    """What the person who scans is doing."""

    COLLECT = "collect"
    DEPART = "depart"
    RECEIVE = "receive"
    REGISTER = "register"
    PASS = "pass"  # noqa: S105 - passing papers to the head
    RESULT = "result"
    HAND_OVER = "hand_over"
    LOOK_UP = "look_up"


class Verdict(StrEnum):
    """What became of a scan; a closed list."""

    TAKEN = "taken"
    ALREADY = "already"
    UNEXPECTED = "unexpected"
    ELSEWHERE = "elsewhere"
    WRONG_STATE = "wrong_state"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    BAD_CHECK = "bad_check"
    NOT_ALLOWED = "not_allowed"
    COMMAND = "command"


class Scan(Base):
    """One reading of one code by one person; the same id gets the same answer as long as its row is here."""

    __tablename__ = "scans"
    __table_args__ = (
        Index("ix_scans_office_received_at", "office", "received_at"),
        # Rows come in the order of this column: a few bytes for each megabyte are enough.
        Index("ix_scans_received_at", "received_at", postgresql_using="brin"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True, comment="made by the client")
    raw: Mapped[str] = mapped_column(String(200), comment="what arrived, before any repair")
    digest: Mapped[str] = mapped_column(
        String(16), comment="of the text as it came, to tell a repeat from another scan under the same id"
    )
    code: Mapped[str | None] = mapped_column(
        String(16), index=True, comment="canonical digits, where it is one of ours"
    )
    station: Mapped[Station] = mapped_column(word(Station, "station"))
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
    office: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"))
    device: Mapped[str] = mapped_column(String(100), comment="scanner, camera, keyboard, handheld …")
    scanned_at: Mapped[datetime] = mapped_column(comment="the client's time of the scan")
    received_at: Mapped[datetime] = mapped_column(comment="our time of arrival")
    verdict: Mapped[Verdict] = mapped_column(word(Verdict, "verdict"))
    answer: Mapped[dict[str, Any]] = mapped_column(comment="message id, facts and what the client may show")
