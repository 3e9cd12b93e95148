"""A single statement is a transaction of its own, and leaves the connection as it was for the next one."""

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.database import Database
from models.message import Message
from tests.integration.servers import PostgresqlDatabase
from tests.integration.tasks.post import put, row


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
