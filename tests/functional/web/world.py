"""A small world for questions about rights: everybody of five offices, a packet at each step between two of them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.offices import centre_of, department_of, offices
from models import Discrepancy, Run, SignIn, Staff
from models.database import Database
from models.discrepancy import DiscrepancyKind
from models.packet import Outcome
from models.scan import Station
from models.staff import Role
from tests.integration.workflow.crew import START, Crew
from workflow import accepting, calendar, deciding
from workflow.people import Actor

OWN_CENTRE, OWN_DEPARTMENT = "aksu", "alakol"
"""Endings of the logins at the two offices between which all papers of this world travel."""

OFFICES = {
    OWN_CENTRE: centre_of("aksu").code,
    OWN_DEPARTMENT: department_of("alakol").code,
    "centre": centre_of("panfilov").code,
    "department": department_of("panfilov").code,
    "akimat": offices("akimat")[0].code,
}
"""Ending of a login → office: the two of the papers, another of each kind, and one of a third kind."""

AT_CENTRE = frozenset({Role.INSPECTOR, Role.ACCUMULATOR, Role.COURIER, Role.OPERATOR, Role.ADMINISTRATOR})

SECRETS = ("Applicant 1", "990101300013", "Reason 1")
"""What only the offices that accept and decide may read."""


class Forgetful(Database):
    """Undoes every transaction in the end, so that each question meets the same world."""

    @contextmanager
    def transaction(self, **_: bool) -> Iterator[Session]:
        session = Session(self.engine, expire_on_commit=False)
        try:
            yield session
            session.flush()
        finally:
            session.rollback()
            session.close()


@dataclass
class World:
    """Who is there, and the numbers of the packets and manifests by what they are about to be used for."""

    crew: Crew
    packets: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, str] = field(default_factory=dict)
    discrepancy: int = 0
    run: int = 0
    status_code: str = ""

    def sign_in(self, login: str) -> str:
        """Return the cookie of a person, as the page of the sign-in gives it."""
        key = secrets.token_urlsafe(32)
        with self.crew.database.transaction() as session:
            session.add(
                SignIn(
                    key_hash=hashlib.sha256(key.encode()).hexdigest(),
                    staff_id=self.crew.people[login].id,
                    created_at=self.crew.now,
                    seen_at=self.crew.now,
                )
            )
        return key


def everybody() -> list[tuple[Role, str]]:
    """Return each role in an office of the papers, in another of the same kind, and in one of another kind."""
    found = []
    for role in Role:
        own, other = (OWN_CENTRE, "centre") if role in AT_CENTRE else (OWN_DEPARTMENT, "department")
        found += [(role, own), (role, other), (role, "akimat")]
    return found


def world(database: Database, *, password_hash: str | None = None) -> World:
    """Fill an empty database."""
    with database.transaction() as session:
        for role, place in everybody():
            session.add(
                Staff(
                    login=f"{role}.{place}",
                    name=f"{role} of {place}",
                    office=OFFICES[place],
                    roles=[role],
                    language="en",
                    password_hash=password_hash,
                    created_at=START,
                )
            )
    made = World(Crew.of(database))
    made.crew.do(lambda session: calendar.seed(session, now=START))
    _send(made)
    _decide(made)
    _decide_directly(made)
    _wait(made)
    return made


def _accept(crew: Crew, *, by: str = "inspector.aksu", service: str = "child_allowance") -> str:
    application = accepting.Application(
        service=service, applicant_name=SECRETS[0], applicant_iin=SECRETS[1], residence="2002"
    )
    return crew.do(lambda s: accepting.accept(s, [application], by=crew.people[by], now=crew.now))[0].number


def _send(made: World) -> None:
    """Bring packets to the department; two bags stand at its door, one is closed without all its packets."""
    crew, packets = made.crew, made.packets
    lost, unexpected, seen = (_accept(crew) for _ in range(3))
    closed = crew.send(lost, seen)
    crew.scan("registrar.alakol", Station.RECEIVE, closed, seen, unexpected)
    crew.close(closed, **{f"_{lost}": SECRETS[2]})
    with crew.database.reading() as session:
        chosen = select(Discrepancy.id).where(Discrepancy.kind == DiscrepancyKind.UNEXPECTED)
        made.discrepancy = session.scalars(chosen).one()
        made.run = session.scalars(select(Run.id).order_by(Run.id).limit(1)).one()
    packets["missing"], packets["received"] = lost, seen
    made.status_code = crew.packet(seen).status_code
    names = ("registered", "with_head", "with_executor", "for_signature")
    more = {name: _accept(crew) for name in names}
    whole = crew.send(*more.values())
    crew.scan("registrar.alakol", Station.RECEIVE, whole, *more.values())
    crew.scan("registrar.alakol", Station.REGISTER, *more.values())
    packets |= more
    listed, taken = _accept(crew), _accept(crew)
    made.manifests["receiving"] = crew.send(listed, taken)
    crew.scan("registrar.alakol", Station.RECEIVE, made.manifests["receiving"], taken)
    packets["listed"] = listed


def _decide(made: World) -> None:
    """Bring the registered ones as far as their names say."""
    crew, packets = made.crew, made.packets
    head, executor = crew.people["head.alakol"], crew.people["executor.alakol"]
    passed = [packets[name] for name in ("with_head", "with_executor", "for_signature")]
    crew.scan("registrar.alakol", Station.PASS, *passed)
    crew.do(lambda s: deciding.resolve(s, passed[1:], executor=executor.login, by=head, now=crew.now))
    crew.do(lambda s: _refuse(s, passed[2], executor, crew))


def _refuse(session: Session, number: str, executor: Actor, crew: Crew) -> None:
    deciding.draft(session, number, outcome=Outcome.REFUSED, reason=SECRETS[2], by=executor, now=crew.now)


def _decide_directly(made: World) -> None:
    """Let the department decide what it has accepted itself: one result to be posted, one referral handed over."""
    crew, packets = made.crew, made.packets
    by = "registrar.alakol"
    packets["signed"] = _accept(crew, by=by, service="local_aid")
    packets["referred"] = _accept(crew, by=by, service="employment")
    both = [packets["signed"], packets["referred"]]
    crew.scan(by, Station.PASS, *both)
    head, executor = crew.people["head.alakol"], crew.people["executor.alakol"]
    crew.do(lambda s: deciding.resolve(s, both, executor=executor.login, by=head, now=crew.now))
    for number, details in zip(
        both,
        ({"assignment": "aid"}, {"employer": "An employer", "measure": "public_work", "term": "a month"}),
        strict=True,
    ):
        crew.do(
            lambda s, number=number, details=details: deciding.draft(  # type: ignore[misc]
                s, number, outcome=Outcome.ASSIGNED, details=details, by=executor, now=crew.now
            )
        )
    crew.do(lambda s: deciding.sign(s, both, by=head, now=crew.now))
    crew.scan(by, Station.HAND_OVER, packets["referred"])


def _wait(made: World) -> None:
    """Let a step come late, then do what must have happened just now."""
    crew, packets = made.crew, made.packets
    crew.wait(hours=3)
    packets["accepted"], packets["collected"] = _accept(crew), _accept(crew)
    made.manifests["open"] = crew.collect(packets["collected"])
