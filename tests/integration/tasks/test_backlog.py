"""A backlog costs whoever works on one message nothing: rows are found by their ids, however many are unfinished."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from models.database import Database
from models.writes import Writes
from tests.integration.servers import PostgresqlDatabase
from tests.integration.tasks.post import published as publish
from tests.integration.tasks.post import put, quick, row
from workflow import leases

pytestmark = pytest.mark.postgresql

BACKLOG = 400


def _finish_with(session: Session, id_: int) -> None:
    writes = Writes()
    leases.finish_with(writes, [leases.Begun(id_, "packet.registered", "centre.aksu", "", {})])
    writes.send(session)


STEPS: dict[str, Callable[[Session, int], object]] = {
    "waiting": lambda session, id_: leases.waiting(session, [id_]),
    "begin_fresh": lambda session, id_: leases.begin_fresh(session, [id_], but_not="notice.email"),
    "finish_with": _finish_with,
    "begin": lambda session, id_: leases.begin(session, [id_]),
    "claim": leases.claim,
    "locked": lambda session, id_: leases.locked(session, [id_]),
    "finish": lambda session, id_: leases.finish(session, [id_]),
    "fail": lambda session, id_: leases.fail(
        session, id_, error="no", reason="no", attempts=8, pause=quick().retry_seconds
    ),
}


@pytest.fixture
def postgresql_database(postgresql: PostgresqlDatabase) -> Iterator[Database]:
    postgresql.empty()
    opened = Database(postgresql.url)
    yield opened
    opened.close()


def _read(session: Session) -> int:
    """Return how many messages this transaction has read by indexes and without."""
    return int(
        session.scalar(
            text(
                "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'messages'"
            )
        )
        or 0
    )


@pytest.mark.parametrize("step", STEPS)
def test_one_message_of_a_backlog_is_read_alone(postgresql_database: Database, step: str) -> None:
    database = postgresql_database
    done = put(database, *(row() for _ in range(2000)))
    with database.transaction() as session:
        leases.finish(session, done)
    with database.transaction() as session:
        # As in a quiet hour, when hardly anything is unfinished.
        session.execute(text("ANALYZE messages"))
    waiting = put(database, *(row() for _ in range(BACKLOG)))
    publish(database, waiting)
    with database.transaction() as session:
        before = _read(session)
        STEPS[step](session, waiting[BACKLOG // 2])
        assert 1 <= _read(session) - before <= 10
