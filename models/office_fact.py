"""What operators know better of an office than the regulation. Rows are only added; the newest one counts."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, OfficeCode, word


class Fact(StrEnum):
    """What may be known better."""

    PHONES = "phones"
    EMAILS = "emails"
    HOURS = "hours"


class OfficeFact(Base):
    """One fact about one office, and where it is known from; the printed regulation stays as it is."""

    __tablename__ = "office_facts"
    __table_args__ = (Index("ix_office_facts_office", "office"),)

    id: Mapped[Id]
    office: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"))
    fact: Mapped[Fact] = mapped_column(word(Fact, "fact"))
    value: Mapped[list[Any] | None] = mapped_column(
        JSON(none_as_null=True),
        comment="list of texts, for hours seven lists of spans from Monday; empty: as printed",
    )
    source: Mapped[str] = mapped_column(Text, comment="order, letter or call that says so")
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(String(64), comment="login of the operator")
