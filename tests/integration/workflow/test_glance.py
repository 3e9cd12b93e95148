"""Scans without locks: two trips to the database, and what becomes of them when somebody else was quicker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from config.errors import UnavailableError
from models import Deadline, Packet, Scan
from models import swift as swift_way
from models.database import Database
from models.scan import Station, Verdict
from tests.integration.workflow.crew import Crew
from tests.integration.workflow.test_races import PEOPLE_AT_ONCE, at_once
from workers.verification import verify
from workflow.desk import Desk
from workflow.glance import Glance
from workflow.ledger import SqlLedger
from workflow.protocol import Answer, Scanned
from workflow.scanning import Handful, apply_scans, record

# SQLite has one writer at a time, who has locked everything anyway.
pytestmark = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


@pytest.fixture
def crew(database: Database) -> Iterator[Crew]:
    crew = Crew.of(database)
    yield crew
    with database.reading() as session:
        assert verify(session).ok


@pytest.fixture
def received(crew: Crew) -> tuple[str, str]:
    """Two packets that wait to be registered at Alakol, whose register has a number."""
    numbers = [crew.accept() for _ in range(3)]
    manifest = crew.send(*numbers)
    crew.scan("registrar.alakol", Station.RECEIVE, *numbers)
    crew.close(manifest)
    (first,) = crew.scan("registrar.alakol", Station.REGISTER, numbers[0])
    assert first.facts["register_number"] == "1/26"
    return numbers[1], numbers[2]


@contextmanager
def between(patched: pytest.MonkeyPatch, work: Callable[[], object]) -> Iterator[list[bool]]:
    """Let `work` happen once between the look and the writing of the next scan; give whether each was a glance."""
    save = SqlLedger.save
    tries: list[bool] = []

    def first(self: SqlLedger, desk: Desk, **options: Any) -> None:
        tries.append(isinstance(self, Glance))
        if len(tries) == 1:
            patched.setattr(SqlLedger, "save", save)
            work()
            patched.setattr(SqlLedger, "save", first)
        save(self, desk, **options)

    patched.setattr(SqlLedger, "save", first)
    yield tries
    patched.setattr(SqlLedger, "save", save)


def scan(crew: Crew, number: str, *, id_: str, station: Station = Station.REGISTER) -> Answer:
    scanned = Scanned(id=id_, raw=number, station=station, at=crew.now)
    by = crew.people["registrar.alakol"]
    ((answer,),) = record(crew.database, [Handful(scans=[scanned], by=by, now=crew.now)])
    return answer


def statements(patched: pytest.MonkeyPatch) -> list[str]:
    """Return a list that every statement of the swift way is added to."""
    asked: list[str] = []
    execute = swift_way.execute

    def noted(connection: Any, statement: str, *arguments: Any, **options: Any) -> Any:
        asked.append(statement)
        return execute(connection, statement, *arguments, **options)

    patched.setattr(swift_way, "execute", noted)
    return asked


def test_one_look_and_one_statement(
    crew: Crew, received: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(crew, received[0], id_="first")
    asked = statements(monkeypatch)
    assert scan(crew, received[1], id_="alone").facts["register_number"] == "3/26"
    assert [statement.split()[0] for statement in asked] == ["SELECT", "WITH"]
    assert "FOR UPDATE" not in asked[0]
    with crew.database.reading() as session:
        wrote = session.scalars(
            text(
                "SELECT xmin::text FROM scans WHERE id = 'alone'"
                " UNION SELECT e.xmin::text FROM events e WHERE e.scan_id = 'alone'"
                " UNION SELECT p.xmin::text FROM packets p WHERE p.number = :number"
                " UNION SELECT xmin::text FROM serials WHERE last = 3 AND kind = 'register'"
                " UNION SELECT m.xmin::text FROM messages m WHERE m.subject = :number AND m.type = 'packet.registered'"
            ),
            {"number": received[1]},
        ).all()
    assert len(wrote) == 1, "all of it is one transaction"


def test_who_comes_second_to_a_packet_hears_so(
    crew: Crew, received: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = received[0]
    with between(monkeypatch, lambda: scan(crew, number, id_="quicker")) as tries:
        answer = scan(crew, number, id_="slower")
    assert tries == [True, False]
    assert answer.verdict is Verdict.ALREADY
    assert crew.moves(number).count("register") == 1


def test_a_number_of_the_register_is_given_once_and_none_is_left_out(
    crew: Crew, received: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = received
    with between(monkeypatch, lambda: scan(crew, other, id_="quicker")) as tries:
        answer = scan(crew, mine, id_="slower")
    assert tries == [True, False]
    assert (crew.packet(other).register_number, answer.facts["register_number"]) == ("2/26", "3/26")
    assert crew.packet(mine).register_number == "3/26"


def test_the_same_scan_sent_twice_gets_one_answer(
    crew: Crew, received: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = received[0]
    given: list[Answer] = []
    with between(monkeypatch, lambda: given.append(scan(crew, number, id_="same"))) as tries:
        given.append(scan(crew, number, id_="same"))
    assert tries == [True, False]
    assert given[0] == given[1]
    assert given[0].verdict is Verdict.TAKEN
    assert crew.moves(number).count("register") == 1


def test_a_clock_that_the_calendar_moved_meanwhile_is_closed_as_it_stands_then(
    crew: Crew, received: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = received[0]
    running = (
        select(Deadline).join(Packet, Packet.id == Deadline.packet_id).where(Packet.number == number)
    ).order_by(Deadline.id.desc())

    def move(session: Session) -> None:
        clock = session.scalars(running.where(Deadline.closed_at.is_(None))).one()
        # Due long ago by the new dates: by the old ones the scan would be in time.
        session.execute(
            update(Deadline).where(Deadline.id == clock.id).values(due_at=clock.opened_at, next_at=None)
        )

    crew.wait(minutes=5)
    with between(monkeypatch, lambda: crew.database.transact(move)) as tries:
        assert scan(crew, number, id_="late").verdict is Verdict.TAKEN
    assert tries == [True, False]
    with crew.database.reading() as session:
        closed = session.scalars(running.where(Deadline.closed_at.is_not(None))).first()
    assert closed is not None
    assert closed.late_minutes is not None
    assert closed.late_minutes > 0


@pytest.mark.parametrize("station", [Station.LOOK_UP, Station.HAND_OVER, Station.REGISTER, Station.PASS])
def test_a_manifest_among_packets_gets_the_answer_that_it_would_get_alone(
    crew: Crew, received: tuple[str, str], station: Station
) -> None:
    manifest = crew.collect(crew.accept())
    by, codes = crew.people["registrar.alakol"], (received[0], manifest)
    lists = [
        [Scanned(id=f"{turn}-{code}", raw=code, station=station, at=crew.now) for code in codes]
        for turn in range(2)
    ]
    (one, other) = lists[0]
    # In one list, and from two people whose scans lie in one tray.
    (together,) = record(crew.database, [Handful(scans=lists[1], by=by, now=crew.now)])
    _, (beside,) = record(
        crew.database,
        [Handful(scans=[one], by=by, now=crew.now), Handful(scans=[other], by=by, now=crew.now)],
    )
    assert together[1].verdict is beside.verdict is Verdict.WRONG_STATE
    assert beside.facts["manifest"] == manifest


@contextmanager
def held(crew: Crew, number: str) -> Iterator[None]:
    """Hold a packet longer than its statement waits."""
    with crew.database.transaction() as session:
        session.execute(text("SELECT 1 FROM packets WHERE number = :n FOR UPDATE"), {"n": number})
        yield


@contextmanager
def without_a_function(crew: Crew, _number: str) -> Iterator[None]:
    """Leave something out that each statement needs which writes a move."""
    for old, new in (("all_found", "none_found"), ("none_found", "all_found")):
        with crew.database.transaction() as session:
            session.execute(text(f"ALTER FUNCTION {old} RENAME TO {new}"))
        if new == "none_found":
            yield


def hasten(link: Any, _entry: object) -> None:
    """Let the statements of a new connection end soon."""
    link.execute("SET statement_timeout = 300")
    link.commit()


@pytest.mark.parametrize(
    ("fault", "error"), [(held, UnavailableError), (without_a_function, ProgrammingError)]
)
def test_what_is_the_matter_with_the_server_is_said_at_once(
    crew: Crew,
    received: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[..., AbstractContextManager[None]],
    error: type[Exception],
) -> None:
    """Nobody waits twice for a row that somebody holds, and a fault of ours is not hidden by the other way."""
    tries: list[bool] = []
    transact = Database.transact

    def noted(self: Database, work: Any, *, single: bool = False, **options: Any) -> Any:
        tries.append(single)
        return transact(self, work, single=single, **options)

    impatient = Database(crew.database.engine.url.render_as_string(hide_password=False))
    event.listen(impatient.engine, "connect", hasten)
    monkeypatch.setattr(Database, "transact", noted)
    scanned = Scanned(id="in vain", raw=received[1], station=Station.REGISTER, at=crew.now)
    by = crew.people["registrar.alakol"]
    with fault(crew, received[1]), pytest.raises(error):
        record(impatient, [Handful(scans=[scanned], by=by, now=crew.now)])
    impatient.close()
    assert tries == [True]
    assert crew.moves(received[1]).count("register") == 0


def test_a_clock_that_somebody_is_changing_is_waited_for(crew: Crew, received: tuple[str, str]) -> None:
    number = received[0]
    crew.wait(minutes=5)
    with ThreadPoolExecutor(1) as pool:
        with crew.database.transaction() as session:
            session.execute(
                text(
                    "UPDATE deadlines d SET due_at = opened_at, next_at = NULL FROM packets p"
                    " WHERE p.id = d.packet_id AND p.number = :number AND d.closed_at IS NULL"
                ),
                {"number": number},
            )
            answer = pool.submit(scan, crew, number, id_="waits")
            with pytest.raises(TimeoutError):
                answer.result(timeout=0.3)
        assert answer.result(timeout=10).verdict is Verdict.TAKEN
    with crew.database.reading() as session:
        late = session.scalar(
            text(
                "SELECT late_minutes FROM deadlines d JOIN packets p ON p.id = d.packet_id"
                " WHERE p.number = :number AND d.step = 'register' AND d.closed_at IS NOT NULL"
            ),
            {"number": number},
        )
    assert late is not None
    assert late > 0


def test_what_was_written_before_the_line_broke_is_not_written_again(
    crew: Crew, received: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = received[0]
    transact = Database.transact
    tried: list[bool] = []

    def broken(self: Database, work: Any, *, single: bool = False, **options: Any) -> Any:
        given = transact(self, work, single=single, **options)
        tried.append(single)
        if single:
            raise UnavailableError(cause="the line broke before the answer came", dropped=True)
        return given

    monkeypatch.setattr(Database, "transact", broken)
    answer = scan(crew, number, id_="cut off")
    assert tried == [True, False]
    assert answer.verdict is Verdict.TAKEN
    assert crew.moves(number).count("register") == 1
    with crew.database.reading() as session:
        assert len(session.scalars(select(Scan.id).where(Scan.id == "cut off")).all()) == 1


def test_many_at_the_same_packets_and_the_same_register(crew: Crew) -> None:
    numbers = [crew.accept() for _ in range(12)]
    manifest = crew.send(*numbers)
    crew.scan("registrar.alakol", Station.RECEIVE, *numbers)
    crew.close(manifest)

    def work(person: int) -> list[Answer]:
        order = numbers[person * 3 :] + numbers[: person * 3]
        return [scan(crew, number, id_=f"{person}-{number}") for number in order]

    done = at_once(*(lambda person=person: work(person) for person in range(PEOPLE_AT_ONCE)))
    taken = [answer for answers in done for answer in answers if answer.verdict is Verdict.TAKEN]  # type: ignore[attr-defined]
    assert sorted(int(answer.facts["register_number"].split("/")[0]) for answer in taken) == list(
        range(1, 13)
    )
    assert all(crew.moves(number).count("register") == 1 for number in numbers)


def test_a_list_is_recorded_wholly_or_with_locks(
    crew: Crew, received: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = received
    scans = [
        Scanned(id=f"list-{number}", raw=number, station=Station.REGISTER, at=crew.now)
        for number in (mine, other)
    ]
    by = crew.people["registrar.alakol"]
    with between(monkeypatch, lambda: scan(crew, other, id_="quicker")) as tries:
        (answers,) = record(crew.database, [Handful(scans=scans, by=by, now=crew.now)])
    assert tries == [True, False]
    assert [answer.verdict for answer in answers] == [Verdict.TAKEN, Verdict.ALREADY]
    with crew.database.transaction() as session:
        assert apply_scans(session, scans, by=by, now=crew.now) == answers
