"""The people of two centres and two departments, and short words for what they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.offices import centre_of, department_of
from models import Discrepancy, Event, Line, Manifest, Message, Notice, Packet, Scan, Staff
from models.database import Database
from models.packet import Outcome
from models.scan import Station
from workflow import accepting, closing, collecting, deciding
from workflow.people import Actor, actor
from workflow.protocol import Answer, Scanned
from workflow.scanning import Handful, record

Result = TypeVar("Result")

START = datetime(2026, 11, 23, 4, tzinfo=UTC)
"""A Monday, nine o'clock in Almaty, before the first run of the day."""

DISTRICTS = ("aksu", "alakol")
AT_CENTRE = ("inspector", "accumulator", "courier")
AT_DEPARTMENT = ("registrar", "head", "executor")

HISTORY = (Event, Scan, Message, Line, Discrepancy, Manifest, Packet, Notice)


def hire(session: Session) -> None:
    """Add the people of both districts."""
    for district in DISTRICTS:
        for role in (*AT_CENTRE, *AT_DEPARTMENT):
            office = centre_of(district) if role in AT_CENTRE else department_of(district)
            session.add(
                Staff(
                    login=f"{role}.{district}",
                    name=f"{role.title()} of {district}",
                    office=office.code,
                    roles=[role],
                    created_at=START,
                )
            )


@dataclass
class Crew:
    """Everybody, one database, and a clock that only the test moves."""

    database: Database
    now: datetime = START
    people: dict[str, Actor] = field(default_factory=dict)
    ids: count[int] = field(default_factory=count)

    @classmethod
    def of(cls, database: Database) -> Crew:
        """Hire everybody, where nobody is there yet, and return the crew."""
        crew = cls(database)
        with database.transaction() as session:
            if not session.scalar(select(func.count(Staff.id))):
                hire(session)
        with database.reading() as session:
            crew.people = {
                login: actor(session, login=login) for login in session.scalars(select(Staff.login))
            }
        return crew

    def wait(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)

    def do(self, work: Callable[[Session], Result]) -> Result:
        """Run one command in a transaction of its own, a minute later."""
        self.wait(minutes=1)
        return self.database.transact(work)

    def accept(
        self, *, residence: str = "2002", by: str = "inspector.aksu", service: str = "child_allowance"
    ) -> str:
        """Accept one application and return the packet's number."""
        application = accepting.Application(
            service=service, applicant_name="Applicant 1", residence=residence
        )
        return self.do(lambda s: accepting.accept(s, [application], by=self.people[by], now=self.now))[
            0
        ].number

    def scan(self, who: str, station: Station, *codes: str, manifest: str | None = None) -> list[Answer]:
        """Scan some codes in one list."""
        self.wait(minutes=1)
        scans = [
            Scanned(id=f"scan-{next(self.ids)}", raw=code, station=station, at=self.now, manifest=manifest)
            for code in codes
        ]
        self.wait(minutes=1)
        (answers,) = record(self.database, [Handful(scans=scans, by=self.people[who], now=self.now)])
        return answers

    def collect(self, *numbers: str, who: str = "accumulator.aksu") -> str:
        """Put packets on a manifest and return its number."""
        answers = self.scan(who, Station.COLLECT, *numbers)
        (manifest,) = {answer.facts["manifest"] for answer in answers}
        return str(manifest)

    def seal(self, manifest: str, *, who: str = "accumulator.aksu") -> None:
        """Seal a manifest."""
        self.do(lambda s: collecting.seal(s, manifest, seal_number="S-1", by=self.people[who], now=self.now))

    def send(self, *numbers: str, who: str = "accumulator.aksu", courier: str = "courier.aksu") -> str:
        """Collect, seal and depart."""
        manifest = self.collect(*numbers, who=who)
        self.seal(manifest, who=who)
        self.scan(courier, Station.DEPART, manifest)
        return manifest

    def close(self, manifest: str, *, who: str = "registrar.alakol", **reasons: str) -> None:
        """Close a manifest; a reason for a missing packet is given as `_<number>`."""
        given = {number.removeprefix("_"): reason for number, reason in reasons.items()}
        self.do(lambda s: closing.close(s, manifest, reasons=given, by=self.people[who], now=self.now))

    def decide(self, *numbers: str, district: str = "alakol") -> None:
        """Register, pass on, resolve, draft and sign."""
        self.scan(f"registrar.{district}", Station.REGISTER, *numbers)
        self.scan(f"registrar.{district}", Station.PASS, *numbers)
        head, executor = self.people[f"head.{district}"], self.people[f"executor.{district}"]
        self.do(lambda s: deciding.resolve(s, numbers, executor=executor.login, by=head, now=self.now))
        for number in numbers:
            self.do(
                lambda s, number=number: deciding.draft(  # type: ignore[misc]
                    s, number, outcome=Outcome.ASSIGNED, by=executor, now=self.now
                )
            )
        self.do(lambda s: deciding.sign(s, numbers, by=head, now=self.now))

    def packet(self, number: str) -> Packet:
        """Return a packet as the database has it."""
        with self.database.reading() as session:
            return session.scalars(select(Packet).where(Packet.number == number)).one()

    def moves(self, number: str) -> list[str]:
        """Return the moves of a packet, in order."""
        with self.database.reading() as session:
            return list(
                session.scalars(
                    select(Event.move)
                    .join(Packet, Packet.id == Event.packet_id)
                    .where(Packet.number == number)
                    .order_by(Event.seq)
                )
            )

    def told(self, subject: str) -> list[tuple[str, str]]:
        """Return (type, queue) of all messages about a packet or manifest, in order."""
        with self.database.reading() as session:
            rows = session.execute(
                select(Message.type, Message.queue).where(Message.subject == subject).order_by(Message.id)
            )
            return [(row.type, row.queue) for row in rows]

    def lines(self, manifest: str) -> dict[str, str]:
        """Return packet number → state of its line."""
        with self.database.reading() as session:
            rows = session.execute(
                select(Packet.number, Line.state)
                .join(Line, Line.packet_id == Packet.id)
                .join(Manifest, Manifest.id == Line.manifest_id)
                .where(Manifest.number == manifest)
            )
            return {row.number: row.state.value for row in rows}

    def weight(self) -> tuple[int, ...]:
        """Return how many rows of history there are; what changes nothing leaves it as it is."""
        with self.database.reading() as session:
            return tuple(session.scalar(select(func.count()).select_from(table)) or 0 for table in HISTORY)
