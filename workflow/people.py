"""Who acts: the person behind a scan or a command."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.errors import NotAllowedError, NotFoundError
from config.language import Text
from models.office import Office, OfficeKind
from models.staff import Role, Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One person of one office, as the rules see them."""

    id: int
    login: str
    name: str
    office: str
    kind: OfficeKind
    district: str
    roles: frozenset[Role]
    language: str = "kk"
    own_register: bool = False
    """Whether the office numbers packets in a system of its own."""

    def role_among(self, wanted: frozenset[Role]) -> Role | None:
        """Return the role under which this person may act, None when no role of theirs is `wanted`."""
        return min(self.roles & wanted, default=None)


EVERYWHERE = frozenset({Role.OPERATOR, Role.ADMINISTRATOR})
"""Roles that see, and print, what any office may."""


class RoleError(NotAllowedError):
    """The person has none of the roles that may do this."""

    text = Text("Only these may do this: {roles}. Sign in as one of them, or ask the head of your office.")


def require_role(by: Actor, *wanted: Role) -> Role:
    """Return the role under which `by` acts; raise RoleError when none of theirs is `wanted`."""
    role = by.role_among(frozenset(wanted))
    if role is None:
        raise RoleError(roles=", ".join(sorted(wanted)))
    return role


def active(*more: InstrumentedAttribute[Any]) -> Select[Any]:
    """Return the question for all active people, with what `actor_of` needs of each, and `more` columns."""
    return (
        select(
            *(Staff.id, Staff.login, Staff.name, Staff.office, Staff.roles, Staff.language),
            *(Office.kind, Office.district, Office.own_register),
            *more,
        )
        .join(Office, Office.code == Staff.office)
        .where(Staff.active)
    )


def actor_of(row: Row[Any]) -> Actor:
    """Return the person in a row of `active`."""
    return Actor(
        id=row.id,
        login=row.login,
        name=row.name,
        office=row.office,
        kind=row.kind,
        district=row.district,
        roles=frozenset(Role(role) for role in row.roles),
        language=row.language,
        own_register=row.own_register,
    )


def actor(session: Session, *, login: str | None = None, staff_id: int | None = None) -> Actor:
    """Load one active person by login or id; raise NotFoundError when there is none."""
    chosen = Staff.login == login.lower() if login is not None else Staff.id == staff_id
    found = session.execute(active().where(chosen)).one_or_none()
    if found is None:
        raise NotFoundError(what=login if login is not None else f"staff {staff_id}")
    return actor_of(found)
