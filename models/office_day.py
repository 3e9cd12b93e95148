"""The table of dates: which office works otherwise than the week says, and who says so. Rows are only added."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from config.public_days import DayKind
from models.base import Base, Id, word
from models.office import OfficeKind


class OfficeDay(Base):
    """One date of one office, or of all offices of a kind. The newest row of a date and scope counts."""

    __tablename__ = "office_days"
    __table_args__ = (
        CheckConstraint("kind != 'hours' OR hours IS NOT NULL", name="own_hours_are_given"),
        Index("ix_office_days_day", "day"),
    )

    id: Mapped[Id]
    day: Mapped[date] = mapped_column(Date, comment="date of Almaty")
    office_kind: Mapped[OfficeKind] = mapped_column(word(OfficeKind, "office_kind"))
    office: Mapped[str | None] = mapped_column(
        String(4), ForeignKey("offices.code"), comment="empty: all offices of the kind"
    )
    kind: Mapped[DayKind] = mapped_column(word(DayKind, "kind"))
    hours: Mapped[list[Any] | None] = mapped_column(
        # An SQL NULL and not JSON's, so that the check above sees it.
        JSON(none_as_null=True),
        comment="spans such as 09:00-13:00, where the date has its own",
    )
    name_kk: Mapped[str] = mapped_column(String(200), comment="name of the holiday or the reason, in Kazakh")
    name_ru: Mapped[str] = mapped_column(String(200), comment="the same in Russian")
    source: Mapped[str] = mapped_column(Text, comment="decree, order or seed that says so")
    estimated: Mapped[bool] = mapped_column(default=False, comment="the date is not decreed yet")
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(
        String(64), comment="operator at the command line; empty for the seed"
    )


class CalendarYear(Base):
    """One year of the table of dates: when it was seeded, and who confirmed it."""

    __tablename__ = "calendar_years"
    __table_args__ = (
        CheckConstraint("(confirmed_at IS NULL) = (source IS NULL)", name="confirmed_by_a_source"),
    )

    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seeded_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None] = mapped_column(String(64))
    source: Mapped[str | None] = mapped_column(Text, comment="decree on the transfer of days off")
    warned_on: Mapped[date | None] = mapped_column(Date, comment="last day on which operators were told")
