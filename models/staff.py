"""People who work with packets, their sign-ins and their API tokens."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, OfficeCode


class Role(StrEnum):
    """What a person does (regulation, items 1 and 14; operators and administrators are ours)."""

    INSPECTOR = "inspector"
    ACCUMULATOR = "accumulator"
    COURIER = "courier"
    REGISTRAR = "registrar"
    HEAD = "head"
    EXECUTOR = "executor"
    CLERK = "clerk"
    AKIM = "akim"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


class Staff(Base):
    """One person in one office, with one role or, in a small office, several."""

    __tablename__ = "staff"

    id: Mapped[Id]
    login: Mapped[str] = mapped_column(String(64), unique=True, comment="name at sign-in, lower case")
    name: Mapped[str] = mapped_column(String(200), comment="name as printed on receipts")
    office: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"), index=True)
    roles: Mapped[list[Any]] = mapped_column(comment="words of Role")
    email: Mapped[str | None] = mapped_column(String(254), comment="where notices go, besides the pages")
    language: Mapped[str] = mapped_column(String(2), default="kk", comment="kk, ru or en")
    password_hash: Mapped[str | None] = mapped_column(String(200), comment="argon2; empty means no sign-in")
    password_given: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        comment="somebody else knows the password: to be changed first of all",
    )
    absent_until: Mapped[date | None] = mapped_column(comment="last day of an absence, date of Almaty")
    deputy_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("staff.id"), comment="who works in this person's place meanwhile"
    )
    active: Mapped[bool] = mapped_column(default=True, comment="false: may no longer sign in")
    created_at: Mapped[datetime]


class SignIn(Base):
    """A session of the pages, kept by the server; the browser holds only an unguessable key."""

    __tablename__ = "sign_ins"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of the cookie, hex")
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(comment="last request")


class Token(Base):
    """A key for programs that act for a person through the API."""

    __tablename__ = "tokens"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of the token, hex")
    staff_id: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
