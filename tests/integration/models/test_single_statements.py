"""A single statement is a transaction of its own, and leaves the connection as it was for the next one."""

from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Table, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.database import Database
from models.message import Message
from models.swift import Question, among
from tests.integration.servers import PostgresqlDatabase, SqliteFiles
from tests.integration.tasks.post import put, row

MESSAGES = cast("Table", Message.__table__)


def note(session: Session, words: str) -> str | None:
    return session.scalar(update(Message).values(note=words).returning(Message.note))


def noted(session: Session) -> str | None:
    return session.scalar(select(Message.note))


def test_a_single_statement_is_kept(database: Database) -> None:
    put(database, row())
    assert database.transact(lambda session: note(session, "1"), single=True) == "1"
    with database.reading(single=True) as session:
        assert noted(session) == "1"


def test_a_transaction_on_the_same_connection_is_undone_as_a_whole(database: Database) -> None:
    put(database, row())
    database.transact(lambda session: note(session, "1"), single=True)

    def halfway(session: Session) -> None:
        note(session, "2")
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        database.transact(halfway)
    with database.reading() as session:
        assert noted(session) == "1"


def test_a_statement_that_fails_spoils_nothing(database: Database) -> None:
    put(database, row())
    broken = update(Message).values(state="done")  # Without its moment.
    with pytest.raises(IntegrityError):
        database.transact(lambda session: session.execute(broken), single=True)
    with database.transaction(single=True) as session:
        assert note(session, "3") == "3"


HURRIED = Question(
    update(MESSAGES)
    .values(note="4")
    .where(among(MESSAGES.c.id, "ids"))
    .returning(MESSAGES.c.note, func.current_setting("synchronous_commit"))
)


@pytest.mark.postgresql
def test_what_need_not_last_is_kept_and_not_waited_for(postgresql: PostgresqlDatabase) -> None:
    postgresql.empty()
    behind = text("SELECT pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()")
    with closing(Database(postgresql.url, pool_size=1)) as database:
        ids = put(database, row(), row())

        def hurry() -> bool:
            rows = database.transact(
                lambda session: HURRIED.ask(session, ids=ids), single=True, lasting=False
            )
            # What the first row sees is from before the statement: nothing of the last one is left.
            assert rows == [("4", "on"), ("4", "off")]
            with database.reading(single=True) as session:
                assert noted(session) == "4"
                return bool(session.scalar(behind))

        assert any(hurry() for _ in range(100))
        rows = database.transact(lambda session: HURRIED.ask(session, ids=ids), single=True)
        assert rows == [("4", "on"), ("4", "on")]


def test_on_sqlite_too_and_only_what_need_not_last(sqlite_files: SqliteFiles, tmp_path: Path) -> None:
    def waits(session: Session) -> bool:
        full = 2
        return bool(session.connection().exec_driver_sql("PRAGMA synchronous").scalar() == full)

    with closing(Database(sqlite_files.fresh(tmp_path))) as database:
        for lasting in (True, False, False, True):
            assert database.transact(waits, single=True, lasting=lasting) is lasting
        assert database.transact(waits, single=True, lasting=False) is False
        assert database.transact(waits) is True


@pytest.mark.postgresql
def test_no_transaction_is_open_around_it(postgresql: PostgresqlDatabase) -> None:
    database = Database(postgresql.url)
    open_ones = text(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
    )
    with database.reading(single=True) as session, database.reading(single=True) as beside:
        noted(session)
        assert beside.scalar(open_ones) == 0
    with database.reading() as session, database.reading(single=True) as beside:
        noted(session)
        assert beside.scalar(open_ones) == 1
    database.close()
