"""People as their keepers see them: lists by name, and one with what was changed and what is in their hands."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import Packet, Staff
from models.change import Change, ChangeOf
from models.packet import FINAL
from workflow.changes import changes_of
from workflow.staffing import UnknownLoginError

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One person."""

    person: Staff
    deputy: str | None
    """Login of the deputy."""
    holds: int
    """Unfinished packets that the person is to decide or has in hand."""
    changes: list[Change]


def people(session: Session, *, words: str = "", office: str = "", after: str = "") -> list[Staff]:
    """Return a page of people by login, whose name or login has `words` in it."""
    statement = select(Staff).where(Staff.login > after).order_by(Staff.login).limit(PAGE)
    if office:
        statement = statement.where(Staff.office == office)
    if words.strip():
        part = words.strip()
        statement = statement.where(
            or_(
                Staff.login.contains(part.lower(), autoescape=True),
                # SQLite knows upper and lower case of Latin letters only: a name is also tried as it was typed.
                func.lower(Staff.name).contains(part.lower(), autoescape=True),
                Staff.name.contains(part, autoescape=True),
            )
        )
    return list(session.scalars(statement))


def person(session: Session, login: str) -> Seen:
    """Return one person; raise UnknownLoginError."""
    found = session.scalars(select(Staff).where(Staff.login == login.lower())).one_or_none()
    if found is None:
        raise UnknownLoginError(login=login)
    deputy = session.get(Staff, found.deputy_id) if found.deputy_id else None
    holds = session.scalar(
        select(func.count(Packet.id)).where(
            Packet.holder_office == found.office,
            Packet.state.not_in(sorted(FINAL)),
            or_(Packet.holder_id == found.id, Packet.executor_id == found.id),
        )
    )
    return Seen(
        person=found,
        deputy=deputy.login if deputy else None,
        holds=holds or 0,
        changes=changes_of(session, ChangeOf.PERSON, found.login),
    )
