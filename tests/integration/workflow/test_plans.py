"""What scans, commands and deliveries ask finds its rows by an index, however much history there is."""

from collections import Counter
from contextlib import closing

import psycopg
import pytest

from config.settings import Settings
from models.database import Database
from models.packet import State
from models.scan import Station
from tasks.handling import handle
from tests.integration.plans import GROWING, asked
from tests.integration.servers import PostgresqlDatabase
from tests.integration.tasks.house import until
from tests.integration.workflow.crew import Crew
from workflow import leases


def deliver(database: Database) -> None:
    taken = database.transact(lambda session: leases.take_due(session, limit=200, seconds=60), single=True)
    handle(database, [due.id for due in taken], settings=Settings(broker_url=None, smtp_url=None))


def test_a_table_that_was_empty_when_plans_were_made_is_not_read_whole_when_it_has_filled(
    postgresql: PostgresqlDatabase,
) -> None:
    """The server plans the checks of foreign keys once for a connection, and asks nobody."""
    postgresql.empty()
    with psycopg.connect(postgresql.url, autocommit=True) as server:
        server.execute("ANALYZE")
        before = reads(server)
        with closing(Database(postgresql.url)) as database:
            crew = Crew.of(database)
            for _ in range(10):
                crew.send(*[crew.accept() for _ in range(3)])
            deliver(database)
        after = reads(server)
    assert {name: whole for name, whole in (after - before).items() if name in GROWING} == {}


def reads(server: psycopg.Connection) -> Counter[str]:
    """Return how often each table was read from end to end by connections that have ended: then it is known."""
    others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
    assert until(lambda: server.execute(others).fetchone() is None)
    return Counter(dict(server.execute("SELECT relname, seq_scan FROM pg_stat_user_tables").fetchall()))


def test_no_step_of_the_way_reads_a_growing_table_whole(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = Crew.of(database)
    with asked(database, monkeypatch) as questions:
        there, missing = crew.accept(), crew.accept()
        out = crew.send(there, missing)
        crew.scan("registrar.alakol", Station.RECEIVE, out, there)
        crew.close(out, **{f"_{missing}": "not in the bag"})
        crew.decide(there)
        back = crew.send(there, who="registrar.alakol")
        crew.scan("accumulator.aksu", Station.RECEIVE, there)
        crew.close(back, who="accumulator.aksu")
        crew.scan("inspector.aksu", Station.HAND_OVER, there)
        deliver(database)
    assert crew.packet(there).state is State.HANDED_OVER
    assert questions.whole_reads() == []
