"""The made-up people: one for each role in each of the 292 offices, and a deputy of each department's executor.

None of them can sign in.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.offices import Office, offices
from models.office import OfficeKind
from models.staff import Role, Staff
from workflow.people import Actor

ROLES = {
    "centre": (Role.INSPECTOR, Role.ACCUMULATOR, Role.COURIER),
    "department": (Role.REGISTRAR, Role.HEAD, Role.EXECUTOR),
    "akimat": (Role.CLERK, Role.AKIM, Role.EXECUTOR),
}
"""Kind of office → who works there."""


class Place(NamedTuple):
    """One made-up person before anybody knows them."""

    login: str
    role: Role
    office: Office


def hire(session: Session, *, now: datetime) -> None:
    """Enter the people that are not there yet; their logins are `sim.<role>.<district>`, of akimats with their code."""
    known = set(session.scalars(select(Staff.login).where(Staff.login.startswith("sim."))))
    session.add_all(
        Staff(
            login=login,
            name=f"Simulated {role.value}, {office.district}",
            office=office.code,
            roles=[role.value],
            created_at=now,
        )
        for login, role, office in (*_places(), *_deputies(), _operator())
        if login not in known
    )


def gather(session: Session) -> dict[tuple[Role, str], Actor]:
    """Return everybody by role and code of the office, but for deputies and operators."""
    return _actors(session, _places())


def gather_deputies(session: Session) -> dict[str, Actor]:
    """Return the executors who deputise in the departments, by code of the office."""
    return {code: person for (_, code), person in _actors(session, _deputies()).items()}


def _actors(session: Session, places: list[Place]) -> dict[tuple[Role, str], Actor]:
    known = {
        person.login: person
        for person in session.scalars(select(Staff).where(Staff.login.startswith("sim.")))
    }
    return {
        (role, office.code): Actor(
            id=known[login].id,
            login=login,
            name=known[login].name,
            office=office.code,
            kind=OfficeKind(office.kind),
            district=office.district,
            roles=frozenset({role}),
            language=known[login].language,
        )
        for login, role, office in places
    }


def _places() -> list[Place]:
    return [
        Place(f"sim.{role.value}.{office.code if office.kind == 'akimat' else office.district}", role, office)
        for office in offices()
        for role in ROLES[office.kind]
    ]


def _deputies() -> list[Place]:
    return [Place(f"sim.deputy.{office.district}", Role.EXECUTOR, office) for office in offices("department")]


def _operator() -> Place:
    return Place("sim.operator", Role.OPERATOR, offices("centre")[0])
