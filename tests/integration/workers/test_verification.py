"""The verification names what is broken, each promise broken on purpose once, and finds nothing where nothing is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from config.settings import Settings
from models.database import Database
from models.discrepancy import Discrepancy
from models.packet import Outcome
from models.scan import Station
from tasks.handling import handle
from tests.integration.conftest import DATABASES
from tests.integration.servers import PostgresqlDatabase, SqliteFiles
from tests.integration.workflow.crew import Crew
from workers.verification import Report, verify
from workers.verification.checking import CHECKS, INVARIANTS
from workers.verification.report import MOST_SHOWN
from workflow import accepting, closing, collecting, deciding, leases, settling, undoing

LONG_AGO = "2020-01-01 00:00:00.000000"


def live(crew: Crew) -> None:
    """Let everything happen once that may happen to a packet, and leave some packets on their way."""
    inspector, registrar = crew.people["inspector.aksu"], crew.people["registrar.alakol"]
    head, executor = crew.people["head.alakol"], crew.people["executor.alakol"]
    plain, torn, refused, found, unsent, lost, late = (crew.accept() for _ in range(7))
    scanned_by_nobody, own, withdrawn = crew.accept(), crew.accept(residence="2001"), crew.accept()
    crew.do(lambda s: accepting.withdraw(s, withdrawn, reason="moved", by=inspector, now=crew.now))
    out = crew.collect(plain, torn, refused, found, unsent, lost, late)
    crew.scan("accumulator.aksu", Station.COLLECT, plain, "10012600000160")
    crew.do(lambda s: undoing.undo(s, late, by=crew.people["accumulator.aksu"], now=crew.now))
    crew.collect(late)
    crew.seal(out)
    crew.scan("courier.aksu", Station.DEPART, out)
    crew.scan("registrar.alakol", Station.RECEIVE, out, plain, late, manifest=out)
    crew.scan("registrar.alakol", Station.RECEIVE, scanned_by_nobody, own, manifest=out)
    crew.do(lambda s: closing.damage(s, torn, reason="wet", by=registrar, now=crew.now))
    crew.do(lambda s: closing.refuse(s, refused, reason="unsigned", by=registrar, now=crew.now))
    crew.close(out, **{f"_{number}": "not there" for number in (found, unsent, lost)})
    crew.scan("accumulator.aksu", Station.RECEIVE, refused)
    crew.scan("registrar.alakol", Station.RECEIVE, found)
    crew.do(
        lambda s: settling.never_sent(
            s, unsent, reason="in the drawer", by=crew.people["accumulator.aksu"], now=crew.now
        )
    )
    crew.do(lambda s: settling.lose(s, lost, reason="burnt", by=head, now=crew.now))
    crew.do(lambda s: settling.note(s, s.query(Discrepancy).first().id, by=registrar, now=crew.now))  # type: ignore[union-attr]
    crew.do(
        lambda s: settling.reroute(s, torn, district="aksu", reason="lives there", by=registrar, now=crew.now)
    )
    crew.send(torn, own, who="registrar.alakol", courier="courier.alakol")
    crew.decide(plain, late)
    crew.scan("registrar.alakol", Station.REGISTER, found)
    crew.scan("registrar.alakol", Station.PASS, found)
    crew.do(lambda s: deciding.resolve(s, [found], executor=executor.login, by=head, now=crew.now))
    crew.do(
        lambda s: deciding.draft(s, found, outcome=Outcome.REFUSED, reason="rich", by=executor, now=crew.now)
    )
    crew.do(lambda s: deciding.send_back(s, found, reason="name the law", by=head, now=crew.now))
    back = crew.send(plain, late, who="registrar.alakol")
    crew.scan("accumulator.aksu", Station.RECEIVE, plain, manifest=back)
    crew.scan("inspector.aksu", Station.HAND_OVER, plain)
    crew.do(lambda s: undoing.undo(s, plain, by=inspector, now=crew.now))
    crew.scan("inspector.aksu", Station.HAND_OVER, plain)
    crew.close(back, who="accumulator.aksu", **{f"_{late}": "not there"})
    crew.collect(unsent)
    crew.do(
        lambda s: collecting.take_out(
            s, unsent, reason="a page is missing", by=crew.people["accumulator.aksu"], now=crew.now
        )
    )
    crew.collect(refused)


def tell(database: Database) -> None:
    """Carry out all messages but two: one lies at the broker, one waits."""
    with database.transaction() as session:
        leases.take_due(session, limit=1, seconds=60)
    with database.reading() as session:
        ids = list(session.scalars(text("SELECT id FROM messages WHERE state = 'pending' ORDER BY id")))
    handle(database, ids[:-1], settings=Settings(smtp_url=None))


@pytest.fixture(scope="module", params=DATABASES)
def lived_in(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Return one database for all tests here, in which much has happened; each test leaves it as it was."""
    if request.param == "sqlite":
        files: SqliteFiles = request.getfixturevalue("sqlite_files")
        url = files.fresh(tmp_path_factory.mktemp("lived-in"))
    else:
        server: PostgresqlDatabase = request.getfixturevalue("postgresql")
        server.empty()
        url = server.url
    database = Database(url)
    live(Crew.of(database))
    tell(database)
    yield database
    database.close()


@contextmanager
def unguarded(database: Database) -> Iterator[Session]:
    """Open a transaction in which neither triggers nor keys nor checks guard anything; it is undone at the end."""
    with database.engine.connect() as connection:
        # What is switched off here must not come back to the pool.
        connection.detach()
        if database.dialect == "sqlite":
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.cursor().execute("PRAGMA foreign_keys=OFF")
            raw.cursor().execute("PRAGMA ignore_check_constraints=ON")
        session = Session(connection, autoflush=False)
        try:
            if database.dialect == "sqlite":
                for name in session.scalars(
                    text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                ).all():
                    session.execute(text(f"DROP TRIGGER {name}"))
                session.execute(text("DROP INDEX uq_manifest_lines_one_live"))
            else:
                session.execute(text("SET LOCAL session_replication_role = replica"))
                session.execute(text("DROP INDEX uq_manifest_lines_one_live"))
                rows = session.execute(
                    text(
                        "SELECT conrelid::regclass::text AS name, conname FROM pg_constraint "
                        "WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
                    )
                ).all()
                for row in rows:
                    session.execute(text(f'ALTER TABLE {row.name} DROP CONSTRAINT "{row.conname}"'))
            yield session
        finally:
            session.rollback()
            session.close()


@dataclass(frozen=True)
class Breach:
    """One way to break one promise."""

    invariant: str
    statement: str

    @property
    def sql(self) -> str:
        """The statement, with its places filled."""
        filled = self.statement
        for place, value in PLACES.items():
            filled = filled.replace(place, value)
        return filled


PLACES = {
    "<long ago>": f"'{LONG_AGO}'",
    "<far ahead>": "'2090-01-01 00:00:00.000000'",
    "<handed over>": "(SELECT MIN(id) FROM packets WHERE state = 'handed_over')",
    "<copied>": "queue, subject, body, 'pending', 0, 0 FROM messages WHERE id =",
    "<done>": "(SELECT MIN(id) FROM messages WHERE state = 'done' AND type = 'packet.registered')",
}

BREACHES = [
    Breach("chain_begins_with_acceptance", "UPDATE packets SET accepted_at = <long ago> WHERE id = <handed over>"),
    Breach("chain_begins_with_acceptance", "DELETE FROM events WHERE packet_id = <handed over>"),
    Breach("chain_unbroken", "DELETE FROM events WHERE packet_id = <handed over> AND seq = 3"),
    Breach("chain_unbroken", "UPDATE events SET from_state = 'signed' WHERE packet_id = <handed over> AND seq = 3"),
    Breach("steps_legal", "UPDATE events SET move = 'sign' WHERE packet_id = <handed over> AND seq = 2"),
    Breach("times_in_order", "UPDATE events SET at = <far ahead> WHERE packet_id = <handed over> AND seq = 2"),
    Breach("times_in_order", "UPDATE events SET recorded_at = <long ago> WHERE packet_id = <handed over> AND seq = 2"),
    Breach("packet_agrees_with_last_event", "UPDATE packets SET version = version + 1 WHERE id = <handed over>"),
    Breach("packet_agrees_with_last_event", "UPDATE packets SET state = 'lost' WHERE id = <handed over>"),
    Breach("packet_agrees_with_last_event", "UPDATE packets SET holder_id = holder_id + 1 WHERE state = 'collected'"),
    Breach("one_holder", "UPDATE events SET holder_role = 'head' WHERE packet_id = <handed over> AND seq = 1"),
    Breach("one_holder", "UPDATE events SET holder_role = NULL WHERE packet_id = <handed over> AND seq = 2"),
    Breach("one_holder", "UPDATE events SET holder_office = '1001' WHERE to_state = 'handed_over'"),
    Breach("held_at_the_right_office", "UPDATE packets SET holder_office = '2002' WHERE state = 'accepted'"),
    Breach("department_agrees", "UPDATE packets SET department = '2003' WHERE id = <handed over>"),
    Breach("decided_with_an_outcome", "UPDATE packets SET outcome = NULL WHERE id = <handed over>"),
    Breach("decided_with_an_outcome", "UPDATE packets SET outcome = 'assigned' WHERE state = 'collected'"),
    Breach("rounds_counted", "UPDATE packets SET round = 3 WHERE id = <handed over>"),
    Breach("scans_behind_events", "DELETE FROM scans WHERE id = (SELECT MIN(scan_id) FROM events)"),
    Breach("scans_behind_events", "UPDATE events SET scan_id = (SELECT MIN(id) FROM scans WHERE verdict = 'already') "
           "WHERE packet_id = <handed over> AND move = 'collect'"),
    Breach("taken_scans_moved_something", "UPDATE scans SET verdict = 'taken' WHERE verdict = 'already'"),
    Breach("taken_scans_moved_something", "UPDATE events SET scan_id = NULL "
           "WHERE packet_id = <handed over> AND seq = 2"),
    Breach("one_live_manifest", "UPDATE packets SET manifest_id = NULL WHERE state = 'collected'"),
    Breach("one_live_manifest", "UPDATE manifest_lines SET live = true, state = 'listed' WHERE packet_id IN "
           "(SELECT id FROM packets WHERE state = 'collected')"),
    Breach("lines_settled_with_a_word", "UPDATE manifest_lines SET settled_by = NULL WHERE state = 'received'"),
    Breach("lines_settled_with_a_word", "UPDATE manifest_lines SET reason = '' WHERE state = 'missing'"),
    Breach("closed_when_settled", "UPDATE manifest_lines SET state = 'listed' WHERE state = 'received'"),
    Breach("lines_numbered", "UPDATE manifest_lines SET position = 77 WHERE position = 2"),
    Breach("lines_numbered", "UPDATE manifest_lines SET position = 1 WHERE position = 2"),
    Breach("manifest_steps_in_order", "UPDATE manifests SET sealed_at = <far ahead> WHERE state = 'closed'"),
    Breach("manifest_steps_in_order", "UPDATE manifests SET seal_number = NULL WHERE state = 'closed'"),
    Breach("manifest_balances", "DELETE FROM manifest_lines WHERE state = 'received'"),
    Breach("manifest_balances", "UPDATE manifest_lines SET state = 'refused' WHERE state = 'received'"),
    Breach("manifest_balances", "UPDATE manifest_lines SET state = 'received' WHERE state = 'unexpected'"),
    Breach("missing_is_looked_for", "UPDATE discrepancies SET settled_at = opened_at WHERE kind = 'missing'"),
    Breach("missing_is_looked_for", "UPDATE packets SET state = 'ready' WHERE state = 'missing'"),
    Breach("differences_recorded", "DELETE FROM discrepancies WHERE kind = 'damaged'"),
    Breach("differences_recorded", "UPDATE discrepancies SET sender = '2003' WHERE kind = 'unexpected'"),
    Breach("differences_settled", "UPDATE discrepancies SET settlement = 'lost' WHERE settlement = 'found'"),
    Breach("differences_settled", "UPDATE discrepancies SET settled_at = <long ago> WHERE settled_at IS NOT NULL"),
    Breach("one_clock_runs", "DELETE FROM deadlines WHERE closed_at IS NULL AND step = 'complete'"),
    Breach("one_clock_runs", "UPDATE deadlines SET step = 'sign' WHERE closed_at IS NULL"),
    Breach("one_clock_runs", "UPDATE deadlines SET closed_at = NULL, ending = NULL WHERE packet_id = <handed over> "
           "AND step = 'sign'"),
    Breach("clock_has_its_holder", "UPDATE deadlines SET office = '1003' WHERE closed_at IS NULL"),
    Breach("clock_has_its_holder", "UPDATE deadlines SET holder_id = 999 WHERE closed_at IS NULL"),
    Breach("clock_opened_by_an_event", "UPDATE deadlines SET opened_at = <long ago> WHERE packet_id = <handed over>"),
    Breach("clock_measured_right", "UPDATE deadlines SET due_at = <long ago> WHERE closed_at IS NOT NULL"),
    Breach("clock_measured_right", "UPDATE deadlines SET late_minutes = 5 WHERE packet_id = <handed over>"),
    Breach("clocks_never_overlap", "UPDATE deadlines SET closed_at = <far ahead> WHERE packet_id = <handed over> "
           "AND step = 'carry'"),
    Breach("message_names_its_office", "UPDATE messages SET queue = 'centre.alakol' WHERE id = <done>"),
    Breach("told_once", "DELETE FROM notices WHERE message_id = <done>"),
    Breach("told_once", "INSERT INTO notices (message_id, office, type, subject, data) "
           "SELECT message_id, '2003', type, subject, data FROM notices WHERE message_id = <done>"),
    Breach("told_once", "UPDATE notices SET office = '1002' WHERE message_id = <done>"),
    Breach("told_once", "UPDATE messages SET state = 'dead', done_at = NULL WHERE id = <done>"),
    Breach("notice_has_its_message", "UPDATE notices SET message_id = 999999 WHERE message_id = <done>"),
    Breach("inspector_is_told", "UPDATE notices SET staff_id = NULL WHERE type = 'result.ready'"),
    Breach("letters_have_their_notice", "INSERT INTO messages (type, cause, queue, subject, body, state, attempts, "
           "publications) SELECT 'notice.email', 'notice:999999', <copied> <done>"),
    Breach("no_message_past_its_lease", "UPDATE messages SET lease_until = <long ago> WHERE state = 'published'"),
    Breach("message_lost", "DELETE FROM messages WHERE id = <done>"),
    Breach("message_lost", "DELETE FROM messages WHERE type = 'manifest.closed'"),
    Breach("message_lost", "DELETE FROM messages WHERE type = 'discrepancy.opened'"),
    Breach("message_lost", "DELETE FROM messages WHERE type = 'packet.rerouted'"),
    Breach("message_lost", "DELETE FROM messages WHERE type = 'packet.undone'"),
    Breach("message_misrouted", "UPDATE messages SET queue = 'centre.alakol' WHERE id = <done>"),
    Breach("message_unmeant", "INSERT INTO messages (type, cause, queue, subject, body, state, attempts, publications) "
           "SELECT type, 'again', <copied> <done>"),
    Breach("numbers_right", "UPDATE packets SET number = '10012600000199' WHERE id = <handed over>"),
    Breach("numbers_right", "UPDATE packets SET number = 'abc' WHERE id = <handed over>"),
    Breach("numbers_right", "UPDATE packets SET origin = '1002' WHERE id = <handed over>"),
    Breach("numbers_right", "UPDATE serials SET last = 0 WHERE kind = 'manifest'"),
    Breach("registered_once", "UPDATE packets SET register_number = '1/26' WHERE register_number IS NOT NULL"),
    Breach("registered_once", "UPDATE packets SET register_number = NULL WHERE id = <handed over>"),
    Breach("archived_is_gone", "UPDATE packets SET archive_id = 1, archived_at = <far ahead> WHERE id = <handed over>"),
    Breach("archived_when_over", "UPDATE packets SET archive_id = 1 WHERE state = 'collected'"),
    Breach("archive_counts_its_packets", "INSERT INTO archives (month, part, file, packets, scans, rows, size, sha256, "
           "stayed, version, made_by, started_at, sealed_at, finished_at) VALUES ('2024-03', 1, '2024-03.jsonl.gz', 2, "
           "0, 20, 400, 'abc', 1, '0', 'me', <far ahead>, <far ahead>, <far ahead>)"),
]  # fmt: skip


def broken(report: Report) -> set[str]:
    return set(report.counts)


def test_a_clean_database_breaks_nothing_and_is_counted(lived_in: Database) -> None:
    with lived_in.reading() as session:
        report = verify(session)
    assert report.ok, report.broken
    assert report.broken == []
    assert report.checked["packets"] == 10
    assert report.checked["invariants"] == len(INVARIANTS)
    assert report.checked["notices"] == report.checked["messages"] - 2
    assert json.loads(json.dumps(report.as_json()))["ok"] is True


def test_an_empty_database_breaks_nothing(database: Database) -> None:
    with database.reading() as session:
        report = verify(session)
    assert report.ok
    assert report.checked["packets"] == 0


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.invariant)
def test_what_is_broken_is_named(lived_in: Database, breach: Breach) -> None:
    with unguarded(lived_in) as session:
        changed = session.connection().execute(text(breach.sql))
        assert changed.rowcount > 0
        report = verify(session)
    assert not report.ok
    assert breach.invariant in broken(report)
    assert report.counts[breach.invariant] >= 1
    assert any(finding.invariant == breach.invariant and finding.subject for finding in report.broken)


def test_every_invariant_is_broken_once() -> None:
    assert {breach.invariant for breach in BREACHES} == set(INVARIANTS)
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_what_waits_for_a_person_is_a_warning_and_breaks_nothing(lived_in: Database) -> None:
    with unguarded(lived_in) as session:
        session.execute(
            text("UPDATE messages SET due_at = :moment WHERE state = 'pending'"), {"moment": LONG_AGO}
        )
        session.execute(
            text("UPDATE messages SET state = 'dead', lease_until = NULL WHERE state = 'published'")
        )
        report = verify(session)
    assert report.ok
    assert sorted(finding.invariant for finding in report.warnings) == ["message_dead", "message_waits"]


def test_a_lease_that_ran_out_a_moment_ago_is_still_in_order(lived_in: Database) -> None:
    with unguarded(lived_in) as session:
        clock = (
            "datetime('now', '-30 seconds')"
            if lived_in.dialect == "sqlite"
            else "now() - interval '30 seconds'"
        )
        session.execute(text(f"UPDATE messages SET lease_until = {clock} WHERE state = 'published'"))  # noqa: S608
        assert verify(session).ok
        assert broken(verify(session, patience_seconds=10)) == {"no_message_past_its_lease"}


def test_many_findings_are_counted_and_some_of_each_are_shown(lived_in: Database) -> None:
    with unguarded(lived_in) as session:
        session.execute(text("DELETE FROM notices"))
        session.execute(text("DELETE FROM events"))
        report = verify(session)
    assert len(report.broken) <= MOST_SHOWN
    assert sum(report.counts.values()) > MOST_SHOWN
    assert {finding.invariant for finding in report.broken} == broken(report)
    assert report.as_json()["broken_count"] == sum(report.counts.values())
