"""The story of a message that failed: each attempt with its time and error, and what operators decided about it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, database_now, word


class Attempt(Base):
    """One handling of a message that did not succeed. Those that did leave no row: the message is done."""

    __tablename__ = "attempts"
    __table_args__ = (
        # Two workers that tell of the same attempt tell it once.
        UniqueConstraint("message_id", "life", "number"),
    )

    id: Mapped[Id]
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"))
    life: Mapped[int] = mapped_column(Integer, comment="1, and one more after each replay")
    number: Mapped[int] = mapped_column(Integer, comment="which attempt of this life")
    at: Mapped[datetime] = mapped_column(
        server_default=database_now(), comment="when it was known to have failed"
    )
    error: Mapped[str] = mapped_column(Text, comment="what went wrong and where, without anybody's data")


class Settlement(StrEnum):
    """What an operator may do with a dead message."""

    REPLAYED = "replayed"
    DISCARDED = "discarded"


class MessageDecision(Base):
    """What an operator decided about a dead message, and why; kept for ever."""

    __tablename__ = "message_decisions"

    id: Mapped[Id]
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), index=True)
    action: Mapped[Settlement] = mapped_column(word(Settlement, "action"))
    by: Mapped[str] = mapped_column(String(64), comment="login, or the system user at the command line")
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(server_default=database_now())
