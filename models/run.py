"""Courier runs: twice a day from each centre."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, OfficeCode


class Run(Base):
    """One planned trip of the courier of one centre, to the departments and back."""

    __tablename__ = "runs"
    __table_args__ = (
        # Planning may run any number of times, late, or on two machines.
        UniqueConstraint("centre", "departs_at"),
        Index("ix_runs_departs_at", "departs_at"),
    )

    id: Mapped[Id]
    centre: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"))
    departs_at: Mapped[datetime] = mapped_column(comment="planned departure")
    cancelled: Mapped[str | None] = mapped_column(
        String(40), comment="why it does not take place: kind of the day, or timetable"
    )
    late_told_at: Mapped[datetime | None] = mapped_column(
        comment="when operators were told that it did not depart on time"
    )
