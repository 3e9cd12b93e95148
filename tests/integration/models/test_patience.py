"""A link to PostgreSQL that dies without a word is given up, and the next one works."""

import random
import select
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session

from config.errors import UnavailableError
from models import patience
from models.database import Database
from models.patience import allow_long_statements
from tests.integration.servers import PostgresqlDatabase
from workers.chaos.proxy import Proxy

DICE = random.Random(1)


@pytest.fixture
def through_proxy(postgresql: PostgresqlDatabase) -> Iterator[tuple[Database, Proxy]]:
    address = urlsplit(postgresql.url)
    with Proxy(address.port or 5432) as proxy:
        there = address._replace(netloc=f"{address.username}@127.0.0.1:{proxy.port}")
        database = Database(urlunsplit(there))
        yield database, proxy
        database.close()


def _ask(database: Database, statement: str = "SELECT 1") -> object:
    with database.reading() as session:
        return session.scalar(text(statement))


def test_a_dead_link_in_the_pool_is_replaced(
    through_proxy: tuple[Database, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PING_SECONDS", 0.3)
    monkeypatch.setattr(patience, "REST_SECONDS", 0.0)
    database, proxy = through_proxy
    assert _ask(database) == 1
    proxy.half_open(share=1, dice=DICE)
    began = time.monotonic()
    assert _ask(database) == 1
    # Without the short ping the dead link would be waited for until the server's patience ends.
    assert 0.3 <= time.monotonic() - began < 15


def test_what_the_server_ended_a_moment_ago_is_replaced(postgresql: PostgresqlDatabase) -> None:
    database = Database(postgresql.url)
    before = _ask(database, "SELECT pg_backend_pid()")
    with psycopg.connect(postgresql.url, autocommit=True) as operator:
        operator.execute("SELECT pg_terminate_backend(%s, 5000)", [before])
    assert _ask(database, "SELECT pg_backend_pid()") != before
    database.close()


def test_what_was_used_a_moment_ago_is_not_asked_for_a_sign_of_life(
    postgresql: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(postgresql.url)
    asked: list[DBAPIConnection] = []
    ping = database.engine.dialect.do_ping

    def noted(connection: DBAPIConnection) -> bool:
        asked.append(connection)
        return ping(connection)

    monkeypatch.setattr(database.engine.dialect, "do_ping", noted)
    monkeypatch.setattr(patience, "REST_SECONDS", 600.0)  # A moment, on any machine.
    for _ in range(3):
        _ask(database)
    assert not asked
    # What the server says between two statements may be its last word, or nothing of importance.
    with psycopg.connect(postgresql.url, autocommit=True) as other, database.engine.connect() as listening:
        listening.exec_driver_sql("LISTEN something")
        listening.commit()
        other.execute("NOTIFY something")
        # It arrives when the server has time for it.
        held: Any = listening.connection.driver_connection
        assert select.select([held.fileno()], [], [], 10)[0]
    _ask(database)
    assert len(asked) == 1
    monkeypatch.setattr(patience, "REST_SECONDS", 0.0)
    _ask(database)
    assert len(asked) == 2
    database.close()


def test_a_link_that_dies_under_a_statement_is_given_up(
    through_proxy: tuple[Database, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "ANSWER_SECONDS", 0.5)
    database, proxy = through_proxy

    def die(session: Session) -> None:
        session.execute(text("SELECT 1"))
        proxy.half_open(share=1, dice=DICE)
        session.execute(text("SELECT 2"))

    with pytest.raises(UnavailableError, match="no answer"):
        database.transact(die, tries=1)
    assert _ask(database) == 1


def test_what_may_take_long_is_waited_for(
    through_proxy: tuple[Database, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "ANSWER_SECONDS", 2.0)
    database, _ = through_proxy
    with database.reading() as session:
        allow_long_statements(session)
        assert session.scalar(text("SELECT 1 FROM pg_sleep(3)")) == 1
    with pytest.raises(UnavailableError, match="no answer"):
        _ask(database, "SELECT 1 FROM pg_sleep(3)")


@pytest.mark.postgresql
def test_only_what_may_take_long_gets_helpers_and_reads_whole_tables(
    through_proxy: tuple[Database, Proxy],
) -> None:
    database, _ = through_proxy
    asked = text(
        "SELECT current_setting('max_parallel_workers_per_gather'), current_setting('enable_seqscan')"
    )
    with database.reading() as session:
        assert session.execute(asked).one() == ("0", "off")
        allow_long_statements(session)
        assert session.execute(asked).one() == ("2", "on")
    with database.reading() as session:
        assert session.execute(asked).one() == ("0", "off")


def test_a_reading_writes_nothing_and_changes_nothing_of_its_connection(
    postgresql: PostgresqlDatabase,
) -> None:
    database = Database(postgresql.url)
    with pytest.raises(UnavailableError, match="read-only"), database.reading() as session:
        session.execute(text("DELETE FROM heartbeats"))
    with database.transaction() as session:
        session.execute(text("DELETE FROM heartbeats"))
        session.execute(text("SET default_transaction_read_only = on"))
    assert _ask(database) == 1
    # An operator lets the database stand still: a connection that has read before respects that.
    with pytest.raises(UnavailableError, match="read-only"), database.transaction() as session:
        session.execute(text("DELETE FROM heartbeats"))
    database.close()


def test_what_the_server_has_prepared_outlives_a_reading(postgresql: PostgresqlDatabase) -> None:
    database = Database(postgresql.url)
    prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT code%'"
    for _ in range(7):
        _ask(database, "SELECT code FROM offices LIMIT 1")
    assert _ask(database, prepared) == 1
    assert _ask(database, prepared) == 1
    database.close()
