"""Changes: what operators and administrators changed about people and offices. Never changed, never deleted."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, word


class ChangeOf(StrEnum):
    """What was changed."""

    PERSON = "person"
    OFFICE = "office"


class Change(Base):
    """One field of one person or office: what it was, what it is, by whom and when."""

    __tablename__ = "changes"
    __table_args__ = (Index("ix_changes_subject", "kind", "subject"),)

    id: Mapped[Id]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64), comment="login, or the system user at the command line")
    kind: Mapped[ChangeOf] = mapped_column(word(ChangeOf, "kind"))
    subject: Mapped[str] = mapped_column(String(64), comment="login of the person, code of the office")
    field: Mapped[str] = mapped_column(String(40), comment="name of what was changed")
    before: Mapped[Any] = mapped_column(
        JSON(none_as_null=True), nullable=True, comment="empty where there was nothing, or a secret"
    )
    after: Mapped[Any] = mapped_column(
        JSON(none_as_null=True), nullable=True, comment="empty where nothing is left, or a secret is"
    )
