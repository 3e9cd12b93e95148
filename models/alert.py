"""Alerts: what operators were told about messages that died, once for each office and reason a day."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, database_now


class Alert(Base):
    """One office, one reason, one day: the first death is told, the further ones are counted."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("office", "reason", "day"),)

    id: Mapped[Id]
    office: Mapped[str] = mapped_column(
        String(60), comment="code of the office that was not told; else the queue"
    )
    reason: Mapped[str] = mapped_column(String(80), comment="code or kind of the error")
    day: Mapped[date] = mapped_column(comment="date of Almaty")
    message_id: Mapped[int | None] = mapped_column(
        BigId,
        ForeignKey("messages.id", ondelete="SET NULL"),
        comment="the first of that day; empty once it is archived and others died as well",
    )
    deaths: Mapped[int] = mapped_column(Integer, comment="messages that died of it on that day")
    raised_at: Mapped[datetime] = mapped_column(server_default=database_now())
