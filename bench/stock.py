"""The stock: packets that wait for the scan that is measured, brought there by the application's own verbs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import select

from bench.ground import settings
from bench.multiplying import multiply
from config.clock import utc_now
from config.offices import centre_of, department_of, districts
from models import Manifest, Message, Packet
from models.database import Database
from models.packet import Outcome, State
from models.scan import Station
from models.staff import Role
from tasks.handling import handle
from workers.simulation.crew import gather, hire
from workflow import accepting, closing, collecting, deciding
from workflow.people import Actor
from workflow.protocol import Scanned
from workflow.scanning import Handful, record

Item = TypeVar("Item")
_ids = itertools.count()
_RUN = uuid4().hex[:8]


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield `items` in parts."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def crew(database: Database) -> dict[tuple[Role, str], Actor]:
    """Hire everybody who is not there yet, and return them by role and office."""
    with database.transaction() as session:
        hire(session, now=utc_now())
    with database.reading() as session:
        return gather(session)


def accept(database: Database, by: Actor, count: int) -> list[str]:
    """Accept applications whose department is that of the centre's own district; return their numbers."""
    application = accepting.Application(
        service="child_allowance",
        applicant_name="Applicant 1",
        residence=department_of(by.district).code,
    )
    numbers: list[str] = []
    for part in parts([application] * count, 200):
        made = database.transact(partial(accepting.accept, applications=part, by=by, now=utc_now()))
        numbers += [one.number for one in made]
    return numbers


def scan(
    database: Database, by: Actor, station: Station, codes: Sequence[str], *, at_once: int = 200
) -> None:
    """Scan codes in lists; every one of them must be taken."""
    for part in parts(codes, at_once):
        now = utc_now()
        scans = [Scanned(id=f"stock-{_RUN}-{next(_ids)}", raw=code, station=station, at=now) for code in part]
        (answers,) = record(database, [Handful(scans=scans, by=by, now=now)])
        assert all(one.verdict.value == "taken" for one in answers), answers[0]


def bag(database: Database, by: Actor, station: Station, numbers: Sequence[str]) -> str:
    """Collect packets into a bag and seal it; return its number."""
    scan(database, by, station, numbers)
    with database.reading() as session:
        number = session.scalars(
            select(Manifest.number)
            .join(Packet, Packet.manifest_id == Manifest.id)
            .where(Packet.number == numbers[0])
        ).one()
    database.transact(
        lambda session: collecting.seal(session, number, seal_number="S-1", by=by, now=utc_now())
    )
    return number


def settle(database: Database) -> None:
    """Carry out all messages that wait."""
    with database.reading() as session:
        ids = list(session.scalars(select(Message.id).where(Message.state == "pending")))
    for part in parts(ids, 200):
        handle(database, part, settings=settings())


def received(count: int) -> Callable[[Database], None]:
    """Return what fills a database with `count` packets that wait to be registered, in all districts alike."""

    def fill(database: Database) -> None:
        for place, district in enumerate(districts()):
            share = count // len(districts()) + (place < count % len(districts()))
            if share:
                _receive(database, district.code, share)
        settle(database)

    return fill


def stock(count: int) -> Callable[[Database], None]:
    """Return the same, quicker where a database can copy its own rows."""

    def fill(database: Database) -> None:
        if database.dialect != "postgresql":
            received(count)(database)
            return
        received(len(districts()))(database)
        url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        multiply(url, State.RECEIVED, bags=1, per_bag=-(-count // len(districts())))

    return fill


def finished(database: Database) -> None:
    """Fill a database with one packet of each district that has gone its whole way."""
    people = crew(database)
    for district in districts():
        centre, department = centre_of(district.code).code, department_of(district.code).code
        (number,) = _receive(database, district.code, 1)
        for station in (Station.REGISTER, Station.PASS):
            scan(database, people[Role.REGISTRAR, department], station, [number])
        _decide(
            database, number, head=people[Role.HEAD, department], executor=people[Role.EXECUTOR, department]
        )
        manifest = bag(database, people[Role.REGISTRAR, department], Station.RESULT, [number])
        scan(database, people[Role.COURIER, centre], Station.DEPART, [manifest])
        scan(database, people[Role.ACCUMULATOR, centre], Station.RECEIVE, [number])
        by = people[Role.ACCUMULATOR, centre]
        database.transact(partial(closing.close, manifest=manifest, reasons={}, by=by, now=utc_now()))
        scan(database, people[Role.INSPECTOR, centre], Station.HAND_OVER, [number])
    settle(database)


def _receive(database: Database, district: str, count: int) -> list[str]:
    """Accept packets and bring them to their department; return their numbers."""
    people = crew(database)
    centre, department = centre_of(district).code, department_of(district).code
    numbers = accept(database, people[Role.INSPECTOR, centre], count)
    manifest = bag(database, people[Role.ACCUMULATOR, centre], Station.COLLECT, numbers)
    scan(database, people[Role.COURIER, centre], Station.DEPART, [manifest])
    by = people[Role.REGISTRAR, department]
    scan(database, by, Station.RECEIVE, numbers)
    database.transact(lambda session: closing.close(session, manifest, reasons={}, by=by, now=utc_now()))
    return numbers


def _decide(database: Database, number: str, *, head: Actor, executor: Actor) -> None:
    database.transact(
        lambda session: deciding.resolve(session, [number], executor=executor.login, by=head, now=utc_now())
    )
    database.transact(
        lambda session: deciding.draft(session, number, outcome=Outcome.ASSIGNED, by=executor, now=utc_now())
    )
    database.transact(lambda session: deciding.sign(session, [number], by=head, now=utc_now()))


def waiting(database: Database, state: State = State.RECEIVED) -> dict[str, list[str]]:
    """Return the numbers of the packets in a state by the office that holds them."""
    found: dict[str, list[str]] = {}
    with database.reading() as session:
        for number, office in session.execute(
            select(Packet.number, Packet.holder_office).where(Packet.state == state).order_by(Packet.id)
        ):
            found.setdefault(str(office), []).append(number)
    return found
