"""Notices: what the people of an office have been told."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, OfficeCode, database_now


class Notice(Base):
    """One message as one office (and, where known, one person in it) sees it."""

    __tablename__ = "notices"
    __table_args__ = (
        # A message handled twice tells once.
        UniqueConstraint("message_id", "office"),
        Index(
            "ix_notices_unread",
            "office",
            "id",
            postgresql_where=text("read_at IS NULL"),
            sqlite_where=text("read_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"))
    office: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"))
    staff_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("staff.id"), comment="who is told by name, besides the counter"
    )
    type: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(40), comment="number of the packet or manifest")
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=database_now())
    read_at: Mapped[datetime | None]
    read_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("staff.id"))
