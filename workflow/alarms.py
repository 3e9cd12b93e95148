"""Alarms: what a sweep tells somebody, with nobody's move behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from typing import cast as typed

from sqlalchemy import String, Table, cast, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Message, Staff
from models.staff import Role
from workflow.news import queue_for
from workflow.telling import message_row

HEADS = (Role.HEAD, Role.AKIM)
"""Who heads an office."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is told: one person by name, or a role of an office where nobody is known by name."""

    office: str
    role: Role
    id: int | None = None


class People:
    """The people that sweeps tell, read once for each sweep."""

    def __init__(self, session: Session) -> None:
        """Read everybody who heads an office or operates the house."""
        # The roles are a list in JSON: its text is looked at, so that only those rows are read.
        told = [cast(Staff.roles, String).contains(f'"{role}"') for role in (*HEADS, Role.OPERATOR)]
        rows = session.execute(
            select(Staff.id, Staff.office, Staff.roles).where(Staff.active, or_(*told)).order_by(Staff.id)
        )
        self._heads: defaultdict[str, list[Person]] = defaultdict(list)
        self.operators: list[Person] = []
        for row in rows:
            for role in HEADS:
                if role in row.roles:
                    self._heads[row.office].append(Person(office=row.office, role=role, id=row.id))
            if Role.OPERATOR in row.roles:
                self.operators.append(Person(office=row.office, role=Role.OPERATOR, id=row.id))

    def heads(self, office: str) -> list[Person]:
        """Return whom to tell what the head of an office must know.

        Operators, where it has no head: the regulation names none for a centre. The office itself, where there are no
        operators either: whoever gets the role later finds it there.
        """
        return self._heads.get(office) or self.operators or [Person(office=office, role=Role.HEAD)]


def alarm(
    person: Person, type_: str, *, subject: str, cause: str, at: datetime, data: dict[str, Any]
) -> dict[str, Any]:
    """Return the message that tells `person`; `cause` says what of, so that the same is told once."""
    return message_row(
        type=type_,
        queue=queue_for(person.office),
        subject=subject,
        cause=f"{cause}>{person.id or person.office + person.role.value[0]}",
        source=person.office,
        at=at,
        data={
            "to": person.office,
            "role": person.role.value,
            **({"staff_id": person.id} if person.id is not None else {}),
            **{name: value for name, value in data.items() if value is not None},
        },
    )


def send(session: Session, rows: Collection[dict[str, Any]]) -> int:
    """Insert messages; those that were told before are not told again. Returns how many are new."""
    if not rows:
        return 0
    build = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = build(typed("Table", Message.__table__)).on_conflict_do_nothing(
        index_elements=["cause", "type", "queue"]
    )
    new = session.connection().execute(statement, list(rows)).rowcount
    session.info["told"] = True
    return max(new, 0)
