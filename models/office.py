"""Offices that packets move between, and their counters of numbers."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, OfficeCode, word


class OfficeKind(StrEnum):
    """What an office is (annexes 1, 2 and 3 of the regulation of service 7)."""

    CENTRE = "centre"
    DEPARTMENT = "department"
    AKIMAT = "akimat"


class Office(Base):
    """A centre, a department or a village akimat, as seeded from the regulation."""

    __tablename__ = "offices"
    __table_args__ = (
        # One department and one centre serve each district.
        Index(
            "uq_offices_one_per_district",
            "kind",
            "district",
            unique=True,
            postgresql_where=text("kind != 'akimat'"),
            sqlite_where=text("kind != 'akimat'"),
        ),
    )

    code: Mapped[OfficeCode] = mapped_column(
        primary_key=True, comment="four digits, first part of packet numbers"
    )
    kind: Mapped[OfficeKind] = mapped_column(word(OfficeKind, "kind"))
    district: Mapped[str] = mapped_column(String(40), comment="code of the district or city")
    name_kk: Mapped[str] = mapped_column(String(300), comment="name as the regulation prints it")
    name_ru: Mapped[str] = mapped_column(String(300), comment="name in Russian")
    own_register: Mapped[bool] = mapped_column(
        default=False, server_default=false(), comment="it numbers packets in a system of its own"
    )


class Serial(Base):
    """The last number given out per office, year and kind; none is given twice, gaps are allowed."""

    __tablename__ = "serials"
    __table_args__ = (CheckConstraint("last BETWEEN 0 AND 999999", name="six_digits"),)

    office: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True, comment="full year, time of Almaty")
    kind: Mapped[str] = mapped_column(String(12), primary_key=True, comment="packet, manifest or register")
    last: Mapped[int] = mapped_column(Integer, comment="last serial given out")
