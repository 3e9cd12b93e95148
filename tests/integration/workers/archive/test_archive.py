"""Archives: what was in the database is in the file, nothing is lost or doubled, and nobody else may delete."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Date, DateTime, Table, func, insert, select, text
from sqlalchemy.exc import DatabaseError

from config.language import LANGUAGES
from config.settings import Settings
from models import (
    Alert,
    Archive,
    Base,
    Discrepancy,
    LeavingScan,
    Line,
    Manifest,
    Message,
    Notice,
    Packet,
    Scan,
)
from models.base import UtcDateTime
from models.database import Database
from models.packet import State
from models.printed import Paper
from models.scan import Station
from tasks.handling import handle
from tests.integration.workers.test_verification import live
from tests.integration.workflow.crew import START, Crew
from workers.archive import file
from workers.archive.checking import check, require_there
from workers.archive.errors import (
    ArchivingError,
    BrokenArchiveError,
    MissingArchiveError,
    WholeArchiveError,
)
from workers.archive.making import Made, again, archive
from workers.archive.showing import way_of
from workers.verification import verify
from workflow import archiving, printing, undoing
from workflow.accepting import withdraw
from workflow.archiving import ArchivedError, UnknownArchiveError
from workflow.histories import TABLES

LATER = datetime(2029, 1, 10, 4, tzinfo=UTC)
"""More than two years after everything here."""

PACKET_TABLES = ("events", "deadlines", "discrepancies", "return_slips", "prints")
MESSAGE_TABLES = ("attempts", "message_decisions", "alerts", "notices")


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take two packets at a time, so that a few packets make many transactions."""
    monkeypatch.setattr(archiving, "AT_ONCE", 2)


def finish(crew: Crew) -> None:
    """Bring what can be ended to its end, and tell everybody of it."""
    tell(crew.database)
    with crew.database.reading() as session:
        ready = list(session.scalars(select(Packet.number).where(Packet.state == State.READY)))
        open_ = list(session.scalars(select(Discrepancy.id).where(Discrepancy.settled_at.is_(None))))
    for number in ready:
        crew.scan("inspector.aksu", Station.HAND_OVER, number)
    with crew.database.transaction() as session:
        for discrepancy in session.scalars(select(Discrepancy).where(Discrepancy.id.in_(open_))):
            if discrepancy.kind.value not in {"missing", "refused"}:
                discrepancy.settled_at = crew.now
                discrepancy.settled_by = discrepancy.opened_by
                discrepancy.settlement = "noted"
    tell(crew.database)


def tell(database: Database) -> None:
    """Carry out all messages that wait."""
    with database.reading() as session:
        ids = list(session.scalars(text("SELECT id FROM messages WHERE state = 'pending' ORDER BY id")))
    handle(database, ids, settings=Settings(smtp_url=None))


@pytest.fixture
def crew(database: Database) -> Crew:
    """Return people who did everything once, and many plain packets that came to their end."""
    crew = Crew.of(database)
    live(crew)
    numbers = [crew.accept() for _ in range(5)]
    out = crew.send(*numbers)
    # One more was in that bag before; it stays with the department.
    crew.scan("registrar.alakol", Station.RECEIVE, out, *crew.lines(out), manifest=out)
    crew.close(out)
    crew.decide(*numbers)
    back = crew.send(*numbers, who="registrar.alakol")
    crew.scan("accumulator.aksu", Station.RECEIVE, *numbers, manifest=back)
    crew.close(back, who="accumulator.aksu")
    crew.scan("inspector.aksu", Station.LOOK_UP, numbers[0], "99999999999999", "abc")
    crew.do(
        lambda s: printing.print_packet(
            s, numbers[0], Paper.RECEIPT, by=crew.people["inspector.aksu"], now=crew.now
        )
    )
    under_way = crew.accept()
    crew.do(
        lambda s: printing.print_packet(
            s, under_way, Paper.LABEL, by=crew.people["inspector.aksu"], now=crew.now
        )
    )
    finish(crew)
    with database.reading() as session:
        report = verify(session)
    assert report.ok, report.broken
    return crew


def run(crew: Crew, folder: Path, **more: Any) -> list[Made]:
    """Archive all that may go; fail where one is held up."""
    outcome = archive(crew.database, folder, now=LATER, months=24, by="operator", **more)
    for one in outcome.held:
        raise one.error
    return outcome.made


def contents(database: Database) -> dict[str, dict[str, Any]]:
    """Return all rows of all tables: table → key → row."""
    with database.reading() as session:
        return {
            table.name: {
                repr([row._mapping[column] for column in table.primary_key]): dict(row._mapping)
                for row in session.execute(select(table))
            }
            for table in Base.metadata.sorted_tables
        }


def parsed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of a file in the types of the table."""
    found = dict(row)
    for column in table.c:
        value = found.get(column.name)
        if value is None:
            continue
        if isinstance(column.type, (UtcDateTime, DateTime)):
            found[column.name] = datetime.fromisoformat(value)
        elif isinstance(column.type, Date):
            found[column.name] = date.fromisoformat(value)
        elif (words := getattr(column.type, "enum_class", None)) is not None:
            found[column.name] = words(value)
    return found


def filed(folder: Path) -> dict[str, dict[str, Any]]:
    """Return all rows of all files, in the types of the tables; fail where one is there twice."""
    found: dict[str, dict[str, Any]] = {table.name: {} for table in Base.metadata.sorted_tables}

    def put(name: str, row: dict[str, Any]) -> None:
        table = Base.metadata.tables[name]
        typed = parsed(table, row)
        key = repr([typed[column.name] for column in table.primary_key])
        assert key not in found[name], f"{name} {key} twice"
        found[name][key] = typed

    for path in sorted(folder.glob("*.jsonl.gz")):
        for record in file.records(path):
            if record["kind"] == file.SCAN:
                put("scans", record["scan"])
                continue
            put("packets", record["packet"])
            for name in TABLES:
                for row in record[name]:
                    put(name, row)
    return found


def test_what_was_in_the_database_is_what_is_in_the_file(crew: Crew, tmp_path: Path) -> None:
    before = contents(crew.database)
    (made,) = run(crew, tmp_path)
    after, there = contents(crew.database), filed(tmp_path)

    assert made.month == "2026-11"
    assert made.packets >= 7
    assert made.scans > 0
    gone = {packet["number"] for packet in before["packets"].values()} & {
        row["number"] for row in there["packets"].values()
    }
    assert len(gone) == made.packets
    for name, rows in before.items():
        if name in {"packets", "archives"}:
            continue
        # Each row is in the database or in the file, as it was, and never in both.
        assert after[name].keys().isdisjoint(there[name]), name
        assert after[name] | there[name] == rows, name
    for key, row in there["packets"].items():
        meant = {k: v for k, v in before["packets"][key].items() if k not in {"archive_id", "archived_at"}}
        assert row == meant
        kept = after["packets"][key]
        assert kept["archived_at"] == LATER
        for column in ("applicant_phone", "residence", "enclosures", "details", "remark"):
            assert not kept[column]
        for column in ("number", "state", "service", "origin", "department", "accepted_at", "applicant_name"):
            assert kept[column] == row[column]
    with crew.database.reading() as session:
        report = verify(session)
        assert session.scalar(select(func.count()).select_from(LeavingScan)) == 0
    assert report.ok, report.broken
    assert [one.ok for one in check(crew.database, tmp_path)] == [True]
    # What is on its way stays, and life goes on.
    crew.accept()
    assert run(crew, tmp_path) == []


def test_what_did_not_end_long_ago_or_is_waited_for_stays(crew: Crew, tmp_path: Path) -> None:
    for now in (START, datetime(2028, 11, 30, 18, 59, tzinfo=UTC)):
        assert archive(crew.database, tmp_path, now=now, months=24, by="operator").made == []
    with crew.database.transaction() as session:
        dead = session.scalars(
            select(Message).join(Packet, Packet.number == Message.subject).where(Packet.state == State.LOST)
        ).first()
        assert dead is not None
        number = dead.subject
        session.execute(
            text("UPDATE messages SET state = 'dead', done_at = NULL WHERE id = :id"), {"id": dead.id}
        )
    # The first minute of December in Almaty.
    archive(crew.database, tmp_path, now=datetime(2028, 11, 30, 19, 0, tzinfo=UTC), months=24, by="operator")
    assert crew.packet(number).archive_id is None
    with crew.database.reading() as session:
        assert session.scalar(select(func.count()).where(Packet.archived_at.is_not(None)))


def test_the_same_history_makes_the_same_bytes(crew: Crew, tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        stopped_at(crew, tmp_path, "named")
        found.append((tmp_path / "2026-11.jsonl.gz").read_bytes())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("what", "time"),
    [
        ("marked", 1),
        ("marked", 3),
        ("written", 1),
        ("checked", 1),
        ("named", 1),
        ("sealed", 1),
        ("removed", 1),
        ("removed", 3),
        ("last", 1),
    ],
)
def test_a_killed_one_is_gone_on_with(crew: Crew, tmp_path: Path, what: str, time: int) -> None:
    before = contents(crew.database)
    crew.database.close()
    child = multiprocessing.get_context("fork").Process(target=die_at, args=(crew, tmp_path, what, time))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    with crew.database.reading() as session:
        report = verify(session)
    assert report.ok, report.broken
    # Nothing is lost at this moment either.
    halfway = contents(crew.database)
    if what not in {"removed", "last"}:
        for name, rows in before.items():
            if name not in {"packets", "archives", "leaving_scans"}:
                assert halfway[name] == rows, name

    run(crew, tmp_path)
    after, there = contents(crew.database), filed(tmp_path)
    for name, rows in before.items():
        if name not in {"packets", "archives"}:
            assert after[name].keys().isdisjoint(there[name]), name
            assert after[name] | there[name] == rows, name
    with crew.database.reading() as session:
        report = verify(session)
        assert all(session.scalars(select(Archive.finished_at)))
    assert report.ok, report.broken
    assert all(one.ok for one in check(crew.database, tmp_path))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def die_at(crew: Crew, folder: Path, what: str, time: int) -> None:
    """Archive in this process, and kill it without a word at one of the steps."""
    left = time

    def step(done: str, _file: str, _count: int) -> None:
        nonlocal left
        if done == what:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    database = Database(crew.database.engine.url.render_as_string(hide_password=False))
    archive(database, folder, now=LATER, months=24, by="operator", on_step=step)
    os.kill(os.getpid(), signal.SIGKILL)


def test_of_two_on_one_folder_one_is_told_to_wait(crew: Crew, tmp_path: Path) -> None:
    refused: list[BaseException] = []

    def meanwhile(what: str, _file: str, _count: int) -> None:
        if what == "sealed":
            with pytest.raises(ArchivingError) as error:
                run(crew, tmp_path)
            refused.append(error.value)

    run(crew, tmp_path, on_step=meanwhile)
    assert len(refused) == 1


@pytest.mark.parametrize("moment", ["marked", "written", "checked", "sealed", "removed"])
def test_two_on_two_machines_do_no_harm(crew: Crew, tmp_path: Path, moment: str) -> None:
    """The other one works on a folder of its own; it goes to its end while the first one stands at a step."""
    before = contents(crew.database)
    here, there = tmp_path / "here", tmp_path / "there"
    said: list[BaseException] = []
    once = threading.Event()

    def meanwhile(what: str, _file: str, _count: int) -> None:
        if what != moment or once.is_set():
            return
        once.set()
        other = Database(crew.database.engine.url.render_as_string(hide_password=False))
        try:
            said.extend(held.error for held in archive(other, there, now=LATER, months=24, by="other").held)
        finally:
            other.close()

    try:
        run(crew, here, on_step=meanwhile)
    except MissingArchiveError as error:
        said.append(error)
    assert once.is_set()
    # Whoever has not the sealed file deletes nothing, and says so; together they have everything once.
    places = [folder for folder in (here, there) if (folder / "2026-11.jsonl.gz").exists()]
    assert len(places) == 1
    assert len(said) <= 1
    after, archived = contents(crew.database), filed(places[0])
    for name, rows in before.items():
        if name not in {"packets", "archives"}:
            assert after[name].keys().isdisjoint(archived[name]), name
            assert after[name] | archived[name] == rows, name
    with crew.database.reading() as session:
        report = verify(session)
    assert report.ok, report.broken
    assert [one.ok for one in check(crew.database, places[0])] == [True]


@pytest.mark.parametrize("moment", ["marked", "written"])
def test_one_beside_another_that_seals_writes_once_and_says_what_it_lacks(
    crew: Crew, tmp_path: Path, moment: str
) -> None:
    steps: list[str] = []

    def meanwhile(what: str, _file: str, _count: int) -> None:
        steps.append(what)
        if what == moment and steps.count(what) == 1:
            archive(crew.database, tmp_path / "there", now=LATER, months=24, by="other")

    outcome = archive(
        crew.database, tmp_path / "here", now=LATER, months=24, by="operator", on_step=meanwhile
    )
    assert steps.count("checked") == 1
    assert "sealed" not in steps
    assert outcome.made == []
    assert [held.file for held in outcome.held] == ["2026-11.jsonl.gz"]


def test_an_archive_that_another_one_found_empty_is_no_more(crew: Crew, tmp_path: Path) -> None:
    once = threading.Event()

    def meanwhile(what: str, _file: str, _count: int) -> None:
        if what != "written" or once.is_set():
            return
        once.set()
        with crew.database.transaction() as session:
            for statement in (
                "UPDATE packets SET archive_id = NULL",
                "DELETE FROM leaving_scans",
                "DELETE FROM archives",
            ):
                session.execute(text(statement))

    # Its month was asked for already, and comes the next time.
    assert run(crew, tmp_path, on_step=meanwhile) == []
    (made,) = run(crew, tmp_path)
    assert (made.month, made.stayed) == ("2026-11", 0)


def test_what_changes_between_the_file_and_its_going_stays_and_goes_the_next_time(
    crew: Crew, tmp_path: Path
) -> None:
    changed: list[str] = []

    def meanwhile(what: str, _file: str, _count: int) -> None:
        if what != "sealed" or changed:
            return
        with crew.database.transaction() as session:
            notice = session.scalars(
                select(Notice)
                .join(Packet, Packet.number == Notice.subject)
                .where(Packet.archive_id.is_not(None), Notice.read_at.is_(None))
            ).first()
            assert notice is not None
            notice.read_at, notice.read_by = crew.now, crew.people["head.aksu"].id
            changed.append(notice.subject)

    (made,) = run(crew, tmp_path, on_step=meanwhile)
    assert made.stayed == 1
    assert crew.packet(changed[0]).archive_id is None
    with crew.database.reading() as session:
        report = verify(session)
    assert report.ok, report.broken
    (again,) = run(crew, tmp_path)
    assert again.file == "2026-11-2.jsonl.gz"
    assert again.packets == 1
    assert all(one.ok for one in check(crew.database, tmp_path)), check(crew.database, tmp_path)
    way = way_of(crew.database, tmp_path, changed[0])
    assert way["archive"]["file"] == "2026-11-2.jsonl.gz"
    assert any(notice["read_by"] for notice in way["notices"])


# At the first the new message is asked for with all others, at the second it comes when that is over.
@pytest.mark.parametrize("moment", ["sealed", "removed"])
def test_a_packet_that_somebody_is_told_of_again_stays(crew: Crew, tmp_path: Path, moment: str) -> None:
    told: list[str] = []

    def meanwhile(what: str, _file: str, _count: int) -> None:
        if what != moment or told:
            return
        with crew.database.transaction() as session:
            number = session.scalars(
                select(Packet.number)
                .where(Packet.archive_id.is_not(None), Packet.archived_at.is_(None))
                .order_by(Packet.id.desc())
            ).first()
            assert number is not None
            session.execute(
                text(
                    "INSERT INTO messages (type, cause, queue, subject, body, state, attempts, publications) "
                    "SELECT type, 'more', queue, subject, body, 'pending', 0, 0 FROM messages "
                    "WHERE id = (SELECT MAX(id) FROM messages WHERE subject = :number)"
                ),
                {"number": number},
            )
            told.append(number)

    before = contents(crew.database)
    (made,) = run(crew, tmp_path, on_step=meanwhile)
    assert crew.packet(told[0]).archive_id is None
    with crew.database.reading() as session:
        kept = set(session.scalars(select(Message.id).where(Message.subject == told[0])))
    assert kept > {row["id"] for row in before["messages"].values() if row["subject"] == told[0]}
    tell(crew.database)
    with crew.database.reading() as session:
        # No move has made that message.
        assert {found.invariant for found in verify(session).broken} == {"message_unmeant"}
    (again_made,) = run(crew, tmp_path)
    assert (again_made.packets, again_made.stayed) == (1, 0)
    # With it stayed the scan of its bag.
    assert made.stayed == 1 + again_made.scans
    assert [one.ok for one in check(crew.database, tmp_path)] == [True, True]


def test_two_that_let_the_same_scan_stay_count_it_once(crew: Crew, tmp_path: Path) -> None:
    (made,) = run(crew, tmp_path)
    with crew.database.transaction() as session:
        archive_id = session.scalars(select(Archive.id)).one()
        # Of a packet on its way, as after somebody scanned what had been of nothing.
        scan_id = session.scalars(
            select(Scan.id).join(Packet, Packet.number == Scan.code).where(Packet.archived_at.is_(None))
        ).first()
        session.add(LeavingScan(scan_id=scan_id, archive_id=archive_id))
    kept, found = [{"id": scan_id}], []

    def beside() -> None:
        found.append(crew.database.transact(lambda s: archiving.remove_scans(s, archive_id, kept)))

    with crew.database.transaction() as session:
        found.append(archiving.remove_scans(session, archive_id, kept))
        other = threading.Thread(target=beside)
        other.start()
        other.join(0.5)
        assert other.is_alive()
    other.join()
    assert found == [(0, 1), (0, 0)]
    with crew.database.reading() as session:
        assert session.scalars(select(Archive.stayed)).one() == made.stayed + 1


def test_an_alert_that_others_share_stays_when_its_first_message_goes(crew: Crew, tmp_path: Path) -> None:
    with crew.database.transaction() as session:
        first = session.scalars(
            select(Message)
            .join(Packet, Packet.number == Message.subject)
            .where(Packet.state == State.HANDED_OVER)
            .order_by(Message.id)
        ).first()
        assert first is not None
        number, facts = first.subject, {"office": "1001", "day": crew.now.date(), "raised_at": crew.now}
        session.add_all(
            Alert(**facts, message_id=first.id, reason=reason, deaths=deaths)
            for reason, deaths in (("alone", 1), ("shared", 2), ("counted", 1))
        )

    def meanwhile(what: str, _file: str, _count: int) -> None:
        if what == "sealed":
            with crew.database.transaction() as session:
                session.execute(text("UPDATE alerts SET deaths = 2 WHERE reason = 'counted'"))

    # Another one died of it after the file was written: then the packet is not what its line says.
    run(crew, tmp_path, on_step=meanwhile)
    assert crew.packet(number).archive_id is None
    run(crew, tmp_path)
    assert crew.packet(number).archived_at is not None
    assert [alert["reason"] for alert in way_of(crew.database, tmp_path, number)["alerts"]] == ["alone"]
    with crew.database.reading() as session:
        kept = session.execute(
            select(Alert.reason, Alert.deaths, Alert.message_id).order_by(Alert.reason)
        ).all()
        report = verify(session)
    assert [tuple(row) for row in kept] == [("counted", 2, None), ("shared", 2, None)]
    assert report.ok, report.broken
    with pytest.raises(DatabaseError), crew.database.transaction() as session:
        session.execute(text("DELETE FROM alerts"))


def test_a_scan_of_an_archived_packet_is_answered_and_goes_later(crew: Crew, tmp_path: Path) -> None:
    run(crew, tmp_path)
    with crew.database.reading() as session:
        number = session.scalars(select(Packet.number).where(Packet.state == State.HANDED_OVER)).first()
    assert number is not None
    (answer,) = crew.scan("inspector.aksu", Station.LOOK_UP, number)
    assert answer.verdict.value == "taken"
    (answer,) = crew.scan("inspector.aksu", Station.HAND_OVER, number)
    assert answer.verdict.value == "already"
    with crew.database.reading() as session:
        assert verify(session).ok
    (made,) = run(crew, tmp_path)
    assert (made.packets, made.scans) == (0, 2)
    with crew.database.reading() as session:
        assert verify(session).ok
        assert session.scalar(select(func.count()).where(Scan.code == number)) == 0


def test_nothing_is_added_to_a_history_that_is_closed(crew: Crew, tmp_path: Path) -> None:
    run(crew, tmp_path)
    with crew.database.reading() as session:
        number = session.scalars(
            select(Packet.number).where(Packet.archived_at.is_not(None), Packet.state == State.HANDED_OVER)
        ).first()
        bag = session.scalars(
            select(Manifest.number)
            .join(Line, Line.manifest_id == Manifest.id)
            .join(Packet, Packet.id == Line.packet_id)
            .where(Packet.number == number)
        ).first()
    assert number is not None
    assert bag is not None
    inspector = crew.people["inspector.aksu"]
    deeds: list[Callable[[Any], object]] = [
        lambda s: undoing.undo(s, number, by=inspector, now=crew.now, reason="by mistake"),
        lambda s: printing.print_packet(s, number, Paper.RECEIPT, by=inspector, now=crew.now),
        lambda s: printing.print_labels(s, [number], per_sheet=24, by=inspector, now=crew.now),
        lambda s: printing.print_manifest(s, bag, Paper.MANIFEST, by=inspector, now=crew.now),
        lambda s: printing.print_manifest(s, bag, Paper.DISCREPANCY, by=inspector, now=crew.now),
    ]
    for deed in deeds:
        with pytest.raises(ArchivedError, match="2026-11"):
            crew.do(deed)


def test_what_is_being_archived_is_told_otherwise_than_what_is_archived(crew: Crew, tmp_path: Path) -> None:
    inspector, told = crew.people["inspector.aksu"], []

    def refused(number: str) -> str:
        with pytest.raises(ArchivedError) as error:
            crew.do(lambda s: printing.print_labels(s, [number], per_sheet=24, by=inspector, now=crew.now))
        assert {"number": number, "month": "2026-11"} == error.value.facts
        assert all(error.value.sentence(language) for language in LANGUAGES)
        return error.value.code

    def meanwhile(what: str, _file: str, _count: int) -> None:
        if what == "sealed":
            with crew.database.reading() as session:
                (number, *_) = session.scalars(
                    select(Packet.number).where(
                        Packet.archive_id.is_not(None), Packet.origin == inspector.office
                    )
                )
            told.extend([number, refused(number)])

    run(crew, tmp_path, on_step=meanwhile)
    number, code = told
    assert (code, refused(number)) == ("being_archived", "archived")


CLOSED = ("prints", "discrepancies", "return_slips")


@pytest.mark.parametrize("table", CLOSED)
def test_the_database_refuses_what_would_be_added_to_a_closed_history(
    crew: Crew, tmp_path: Path, table: str
) -> None:
    run(crew, tmp_path)
    with crew.database.reading() as session:
        archived = session.scalars(select(Packet.id).where(Packet.archived_at.is_not(None))).first()
        under_way = session.scalars(select(Packet.id).where(Packet.archive_id.is_(None))).first()
    add(crew.database, table, under_way)
    with pytest.raises(DatabaseError, match="of an archived packet"):
        add(crew.database, table, archived)


def add(database: Database, table: str, packet_id: int | None) -> None:
    """Add a row of `table` to a packet, past all code."""
    with database.transaction() as session:
        by = session.scalars(text("SELECT MIN(id) FROM staff")).one()
        facts: dict[str, Any] = {
            "prints": {
                "paper": Paper.LABEL,
                "copy": 77,
                "printed_at": LATER,
                "printed_by": by,
                "office": "1001",
            },
            "discrepancies": {
                "kind": "damaged",
                "office": "1001",
                "sender": "1001",
                "opened_at": LATER,
                "opened_by": by,
            },
            "return_slips": {"hired": False, "received_at": LATER, "received_by": by},
        }[table]
        session.execute(insert(Base.metadata.tables[table]).values(packet_id=packet_id, **facts))


def test_who_adds_while_a_packet_is_archived_waits_and_is_refused(crew: Crew, tmp_path: Path) -> None:
    said: list[DatabaseError] = []

    def beside(packet_id: int) -> None:
        try:
            add(crew.database, "prints", packet_id)
        except DatabaseError as error:
            said.append(error)

    def meanwhile(what: str, _file: str, _count: int) -> None:
        if what != "sealed":
            return
        with crew.database.transaction() as session:
            packet = session.scalars(
                select(Packet).where(Packet.archive_id.is_not(None)).limit(1).with_for_update()
            ).one()
            packet.archived_at = LATER
            session.flush()  # So that it is done, and not yet seen by others.
            other = threading.Thread(target=beside, args=(packet.id,))
            other.start()
            other.join(0.5)
            assert other.is_alive()
        other.join()

    run(crew, tmp_path, on_step=meanwhile)
    assert len(said) == 1
    assert "of an archived packet" in str(said[0])


REFUSED = [
    "DELETE FROM events",
    "DELETE FROM scans",
    "DELETE FROM prints",
    "DELETE FROM deadlines",
    "DELETE FROM discrepancies",
    "DELETE FROM notices",
    "DELETE FROM messages WHERE id NOT IN (SELECT message_id FROM notices)",
    "UPDATE events SET office = '1001'",
    "UPDATE scans SET raw = ''",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_the_database_refuses_to_delete_what_is_not_archived(
    crew: Crew, tmp_path: Path, statement: str
) -> None:
    """Neither before, nor while packets are marked, nor of the others afterwards."""
    with crew.database.transaction() as session:
        # So that the messages without a notice are not the archived ones only.
        session.execute(text("UPDATE messages SET attempts = attempts"))

    def refuse(what: str = "marked", _file: str = "", _count: int = 0) -> None:
        if what not in {"marked", "checked"}:
            return
        with pytest.raises(DatabaseError), crew.database.transaction() as session:
            session.execute(text(statement))

    if "message_id FROM notices" in statement:
        with crew.database.transaction() as session:
            session.execute(
                text(
                    "INSERT INTO messages (type, cause, queue, subject, body, state, attempts, publications) "
                    "SELECT type, 'more', queue, subject, body, 'pending', 0, 0 FROM messages "
                    "WHERE id = (SELECT MIN(id) FROM messages)"
                )
            )
    refuse()
    run(crew, tmp_path, on_step=refuse)
    refuse()


OF_MARKED = [
    *(
        f"DELETE FROM {table} WHERE packet_id IN (SELECT id FROM packets WHERE archive_id IS NOT NULL)"  # noqa: S608 - our own tables
        for table in ("events", "prints", "deadlines", "discrepancies")
    ),
    "DELETE FROM scans WHERE code IN (SELECT number FROM packets WHERE archive_id IS NOT NULL)",
    "DELETE FROM scans WHERE id IN (SELECT scan_id FROM leaving_scans)",
    "DELETE FROM notices WHERE subject IN (SELECT number FROM packets WHERE archive_id IS NOT NULL)",
]


def test_the_database_refuses_to_delete_before_the_file_is_sealed(crew: Crew, tmp_path: Path) -> None:
    tried: list[str] = []

    def refuse(what: str, _file: str, _count: int) -> None:
        if what == "checked":
            for statement in OF_MARKED:
                with pytest.raises(DatabaseError), crew.database.transaction() as session:
                    session.execute(text(statement))
                tried.append(statement)

    run(crew, tmp_path, on_step=refuse)
    assert tried == OF_MARKED


def test_an_archived_packet_and_a_sealed_archive_stay_as_they_are(crew: Crew, tmp_path: Path) -> None:
    run(crew, tmp_path)
    for statement in (
        "UPDATE packets SET state = 'lost' WHERE archived_at IS NOT NULL",
        "UPDATE packets SET archived_at = NULL WHERE archived_at IS NOT NULL",
        "UPDATE packets SET archive_id = NULL, archived_at = NULL WHERE archived_at IS NOT NULL",
        "DELETE FROM packets WHERE archived_at IS NOT NULL",
        "UPDATE archives SET sha256 = 'other'",
        "UPDATE archives SET month = '2026-10'",
        "UPDATE archives SET part = 2",
        "UPDATE archives SET size = size + 1",
        "UPDATE archives SET sealed_at = started_at, started_at = sealed_at, version = 'other'",
        "UPDATE archives SET sealed_at = NULL, sha256 = NULL",
        "UPDATE archives SET finished_at = NULL",
        "UPDATE archives SET stayed = stayed - 1",
        "DELETE FROM archives",
    ):
        with pytest.raises(DatabaseError), crew.database.transaction() as session:
            session.execute(text(statement))


def test_the_database_refuses_marks_by_which_history_would_be_lost(crew: Crew, tmp_path: Path) -> None:
    """Of a packet under way, for a file that is sealed already, and as archived before the seal."""
    last = "archive_id = (SELECT MAX(id) FROM archives)"

    def refuse(setting: str, number: str) -> None:
        statement = f"UPDATE packets SET {setting} WHERE number = :number"  # noqa: S608 - our own words
        with pytest.raises(DatabaseError, match="archived so"), crew.database.transaction() as session:
            session.execute(text(statement), {"number": number})

    under_way = crew.accept()

    def early(what: str, _file: str, _count: int) -> None:
        if what == "checked":
            refuse(last, under_way)
            with crew.database.reading() as session:
                marked = session.scalars(select(Packet.number).where(Packet.archive_id.is_not(None))).first()
            assert marked is not None
            refuse("archived_at = accepted_at", marked)

    run(crew, tmp_path, on_step=early)
    refuse(last, under_way)
    refuse(f"{last}, archived_at = accepted_at", under_way)
    crew.do(lambda s: withdraw(s, under_way, reason="moved", by=crew.people["inspector.aksu"], now=crew.now))
    refuse(last, under_way)
    refuse(f"{last}, archived_at = accepted_at", under_way)
    # And nobody enters a packet that is archived from the first.
    columns = [
        column.name
        for column in Packet.__table__.columns
        if column.name not in {"id", "number", "archive_id"}
    ]
    listed = ", ".join(columns)
    with pytest.raises(DatabaseError, match="archived so"), crew.database.transaction() as session:
        session.execute(
            text(
                f"INSERT INTO packets (number, archive_id, {listed}) "  # noqa: S608 - our own columns
                f"SELECT '99999999999999', (SELECT MAX(id) FROM archives), {listed} FROM packets WHERE number = :number"
            ),
            {"number": under_way},
        )


def test_the_way_of_a_packet_is_the_same_before_and_after(crew: Crew, tmp_path: Path) -> None:
    with crew.database.reading() as session:
        numbers = list(session.scalars(select(Packet.number)))
    before = {number: way_of(crew.database, tmp_path, number) for number in numbers}
    run(crew, tmp_path)
    archived = 0
    for number in numbers:
        after = way_of(crew.database, tmp_path, number)
        if after["archive"] is not None:
            assert after.pop("archive") == {"month": "2026-11", "file": "2026-11.jsonl.gz"}
            assert before[number].pop("archive") is None
            archived += 1
        assert after == before[number]
    assert archived


@pytest.fixture
def sealed(crew: Crew, tmp_path: Path) -> Path:
    run(crew, tmp_path)
    return tmp_path / "2026-11.jsonl.gz"


def test_a_file_that_is_missing_or_changed_is_named(crew: Crew, sealed: Path) -> None:
    require_there(crew.database, sealed.parent)
    whole = sealed.read_bytes()
    place = len(whole) // 2
    for broken in (whole[:place], whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], b"", None):
        if broken is None:
            sealed.unlink()
        else:
            sealed.write_bytes(broken)
        (found,) = check(crew.database, sealed.parent)
        assert not found.ok
        assert found.detail
        if broken is None or len(broken) != len(whole):
            with pytest.raises(MissingArchiveError, match="2026-11"):
                require_there(crew.database, sealed.parent)
        json.dumps(found.as_json())


def test_no_row_goes_while_the_sealed_file_is_missing(crew: Crew, tmp_path: Path) -> None:
    before = contents(crew.database)

    def lose(what: str, name: str, _count: int) -> None:
        if what == "sealed":
            (tmp_path / name).rename(tmp_path / "elsewhere")

    with pytest.raises(MissingArchiveError):
        run(crew, tmp_path, on_step=lose)
    assert contents(crew.database)["events"] == before["events"]
    (tmp_path / "elsewhere").rename(tmp_path / "2026-11.jsonl.gz")
    assert len(run(crew, tmp_path)) == 1


class StopError(Exception):
    """Breaks an archive off where a test wants it."""


def stopped_at(crew: Crew, folder: Path, what: str, *, now: datetime = LATER) -> None:
    """Archive until a step, and break off there."""

    def stop(done: str, _file: str, _count: int) -> None:
        if done == what:
            raise StopError

    with pytest.raises(StopError):
        archive(crew.database, folder, now=now, months=24, by="operator", on_step=stop)


def later_packet(crew: Crew) -> str:
    """Bring one more packet to its end, in a month of its own."""
    crew.now = datetime(2026, 12, 8, 4, tzinfo=UTC)
    number = crew.accept()
    crew.do(lambda s: withdraw(s, number, reason="moved", by=crew.people["inspector.aksu"], now=crew.now))
    tell(crew.database)
    return number


def test_a_file_that_may_not_be_read_is_not_given_up(
    crew: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root reads everything, so that a refusal is put on here."""
    stopped_at(crew, tmp_path, "sealed")
    digest_of = file.digest_of

    def refuse(place: Path) -> str:
        if place.name == "2026-11.jsonl.gz":
            raise PermissionError(13, "Permission denied")
        return digest_of(place)

    with monkeypatch.context() as patch:
        patch.setattr(file, "digest_of", refuse)
        with pytest.raises(BrokenArchiveError, match="Permission denied"):
            run(crew, tmp_path)
        with pytest.raises(BrokenArchiveError, match="Permission denied"):
            again(crew.database, tmp_path, "2026-11.jsonl.gz", now=LATER)
    assert [made.stayed for made in run(crew, tmp_path)] == [0]


@pytest.mark.parametrize("moment", ["sealed", "removed"])
def test_a_file_that_is_lost_holds_up_no_other_and_is_made_again(
    crew: Crew, tmp_path: Path, moment: str
) -> None:
    name = "2026-11.jsonl.gz"
    stopped_at(crew, tmp_path, moment)
    with pytest.raises(WholeArchiveError):
        again(crew.database, tmp_path, name, now=LATER)
    (tmp_path / name).unlink()
    number = later_packet(crew)
    before = contents(crew.database)

    outcome = archive(crew.database, tmp_path, now=LATER, months=24, by="operator")
    assert [(held.file, type(held.error)) for held in outcome.held] == [(name, MissingArchiveError)]
    assert name in str(outcome.held[0].error)
    assert [made.month for made in outcome.made] == ["2026-12"]
    assert crew.packet(number).archived_at is not None
    # What was marked for the lost file is there as it was.
    marked = [key for key, row in before["packets"].items() if row["archive_id"] and not row["archived_at"]]
    after = contents(crew.database)
    assert marked
    assert all(after["packets"][key] == before["packets"][key] for key in marked)

    with pytest.raises(UnknownArchiveError, match="2026-12"):
        again(crew.database, tmp_path, "2026-12.jsonl.gz", now=LATER)
    assert again(crew.database, tmp_path, name, now=LATER) == len(marked)
    (made,) = run(crew, tmp_path)
    assert made.file == "2026-11-2.jsonl.gz"
    assert made.packets == len(marked)
    with crew.database.reading() as session:
        report = verify(session)
    assert report.ok, report.broken
    # Where something had gone before, the file is missed for ever: nobody else has that.
    assert [one.file for one in check(crew.database, tmp_path) if not one.ok] == (
        [name] if moment == "removed" else []
    )


def test_no_row_goes_when_the_sealed_file_was_changed(crew: Crew, tmp_path: Path) -> None:
    before = contents(crew.database)

    def change(what: str, name: str, _count: int) -> None:
        if what == "sealed":
            whole = (tmp_path / name).read_bytes()
            (tmp_path / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    with pytest.raises(BrokenArchiveError):
        run(crew, tmp_path, on_step=change)
    assert contents(crew.database)["events"] == before["events"]


def test_a_file_that_nobody_knows_is_not_written_over(crew: Crew, tmp_path: Path) -> None:
    """As after a backup from before the archive was brought back."""
    (tmp_path / "2026-11.jsonl.gz").write_bytes(b"of another life")
    (made,) = run(crew, tmp_path)
    assert made.file == "2026-11-2.jsonl.gz"
    assert (tmp_path / "2026-11.jsonl.gz").read_bytes() == b"of another life"


def test_a_file_that_came_meanwhile_is_not_written_over(crew: Crew, tmp_path: Path) -> None:
    """As when a copy of the database archives into the folder of the house."""
    folder = tmp_path / "archives"

    def meanwhile(what: str, name: str, _count: int) -> None:
        if what == "checked" and name == "2026-11.jsonl.gz":
            (folder / name).write_bytes(b"of another life")

    (made,) = run(crew, folder, on_step=meanwhile)
    assert (folder / "2026-11.jsonl.gz").read_bytes() == b"of another life"
    assert made.file == "2026-11-2.jsonl.gz"
    assert [one.ok for one in check(crew.database, folder)] == [True, False]
    assert sorted(path.name for path in folder.iterdir()) == ["2026-11-2.jsonl.gz", "2026-11.jsonl.gz"]


def test_a_file_that_was_named_but_never_sealed_is_left_alone_and_told_of(crew: Crew, tmp_path: Path) -> None:
    """As when the machine stops between its name and its seal, and somebody reads a notice before the next run."""
    stopped_at(crew, tmp_path, "named")
    orphan = tmp_path / "2026-11.jsonl.gz"
    whole = orphan.read_bytes()
    with crew.database.transaction() as session:
        notice = session.scalars(
            select(Notice)
            .join(Packet, Packet.number == Notice.subject)
            .where(Packet.archive_id.is_not(None), Notice.read_at.is_(None))
        ).first()
        assert notice is not None
        notice.read_at, notice.read_by = crew.now, crew.people["head.aksu"].id
    (found,) = check(crew.database, tmp_path)
    assert not found.ok

    outcome = archive(crew.database, tmp_path, now=LATER, months=24, by="operator")
    (made,) = outcome.made
    assert (made.file, made.stayed) == ("2026-11-2.jsonl.gz", 0)
    assert outcome.unknown == [orphan.name]
    assert orphan.read_bytes() == whole
    right, strange = check(crew.database, tmp_path)
    assert right.ok
    assert strange.file == orphan.name
    assert not strange.ok
    assert f"{made.packets} packets, of which the database does not know 0" in strange.detail
    orphan.write_bytes(b"of another life")
    assert "no whole archive" in check(crew.database, tmp_path)[1].detail


# "marked" comes before the file is begun, "written" after a part of it, "checked" when it was read back.
@pytest.mark.parametrize("moment", ["marked", "written", "checked"])
def test_what_another_one_marks_beside_us_goes_along_whole(crew: Crew, tmp_path: Path, moment: str) -> None:
    with crew.database.transaction() as session:
        dead = session.scalars(
            select(Message)
            .join(Packet, Packet.number == Message.subject)
            .where(Packet.state == State.HANDED_OVER)
        ).all()[-1]
        number = dead.subject
        held = {"id": dead.id, "done_at": dead.done_at}
        session.execute(text("UPDATE messages SET state = 'dead', done_at = NULL WHERE id = :id"), held)
    once = threading.Event()

    def meanwhile(what: str, _file: str, _count: int) -> None:
        if what != moment or once.is_set():
            return
        once.set()
        with crew.database.transaction() as session:
            session.execute(
                text("UPDATE messages SET state = 'done', done_at = :done_at WHERE id = :id"),
                {
                    "id": held["id"],
                    "done_at": str(held["done_at"])
                    if "sqlite" in str(crew.database.engine.url)
                    else held["done_at"],
                },
            )
        crew.database.transact(lambda s: archiving.mark(s, s.scalars(select(Archive)).one()))

    (made,) = run(crew, tmp_path, on_step=meanwhile)
    assert once.is_set()
    assert made.stayed == 0
    assert crew.packet(number).archived_at is not None
    with crew.database.reading() as session:
        assert session.scalar(select(func.count()).where(Message.subject == number)) == 0
        report = verify(session)
    assert report.ok, report.broken
    assert len(way_of(crew.database, tmp_path, number)["messages"])
    assert [one.ok for one in check(crew.database, tmp_path)] == [True]
