"""How long an answer of PostgreSQL is waited for.

The server ends statements that take too long; but when the link dies without a word (a firewall that forgot it, a
machine that lost its power), nobody ends the waiting, and the process would hang for good.
"""

from __future__ import annotations

import select
import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session

Result = TypeVar("Result")

STATEMENT_SECONDS = 15
"""How long the server works on one statement, waiting for locks included."""

ANSWER_SECONDS = 18.0
"""How long the answer to one statement is waited for: longer than the server ever needs. With 35 s, half of a worker
waited so long for a link that had died, and the other half was killed meanwhile: what they had came after 75 s."""

PING_SECONDS = 5.0
"""The same for the question whether a connection from the pool is still alive."""

REST_SECONDS = 1.0
"""How long a connection may have rested to be used again without that question. A server that ended, or that ended the
connection, has told so by then: that is seen without asking. Only a link that died within this time without a word is
not seen, and then the first answer is waited for in vain."""

IDLE_SECONDS = 12
"""How long a transaction in which nothing happens may hold packets from other people: not so long that those who wait
for it give up."""

# Without JIT: the server compiles what it thinks will take long, and the compiling of a search among many takes longer
# (20 ms) than the search. Without helpers of the server: to start them takes longer (10 ms) than what a page asks. No
# table is read from end to end where an index finds the row: the server plans the checks of foreign keys once for a
# connection, by what it then knows of a table. Of one that was nearly empty it would go on reading the whole, for every
# row that is written, while a house fills (0.3 ms for each of 2000 packets beside 6000).
SERVER_OPTIONS = (
    "-c jit=off -c max_parallel_workers_per_gather=0 -c enable_seqscan=off "
    f"-c statement_timeout={STATEMENT_SECONDS * 1000} "
    f"-c idle_in_transaction_session_timeout={IDLE_SECONDS * 1000} -c timezone=UTC"
)

HELPERS = 2
"""Processes with which the server helps a statement that may take long, as it does by itself."""

LINK_OPTIONS = {
    "connect_timeout": 5,
    # What the other machine's system does not acknowledge in time is lost; an idle link is tried after 10 s.
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""Of libpq, in seconds and milliseconds as it takes them."""


class PatientConnection(psycopg.Connection[Any]):
    """Connection that is given up when no answer comes."""

    patience: float | None = ANSWER_SECONDS
    """Seconds; None waits for ever."""
    resting_since: float | None = None
    """By the monotonic clock; None before the first rest."""

    def may_be_gone(self) -> bool:
        """Tell whether the server must be asked if it is still there: after a long rest, or when it said something."""
        if self.resting_since is None:
            return False
        if time.monotonic() - self.resting_since > REST_SECONDS or self.closed:
            return True
        said = select.poll()
        said.register(self.fileno(), select.POLLIN)
        return bool(said.poll(0))

    def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        """Wait for an answer as the library does, but not for ever; raise psycopg.OperationalError."""
        if timeout is not None or self.patience is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - the library has no public name for it
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {self.patience:.0f} s") from None


def be_patient(engine: Engine) -> None:
    """Let all connections of `engine` wait for answers as long as these settings say, and no longer.

    One that broke while it rested is noticed before it is used, and replaced with all that rest.
    """
    dialect: Any = engine.dialect

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, args: Any, options: Any) -> PatientConnection:  # noqa: ANN401
        return PatientConnection.connect(*args, **options)

    @event.listens_for(engine, "checkin")
    def rest(connection: PatientConnection | None, _record: object) -> None:
        if connection is not None:
            connection.patience = PING_SECONDS
            connection.resting_since = time.monotonic()
            # After a reading SQLAlchemy leaves False, and then a database that is meant to stand still is written to.
            connection.read_only = None

    @event.listens_for(engine, "checkout")
    def work(connection: PatientConnection, _record: object, _proxy: object) -> None:
        if connection.may_be_gone() and not is_alive(connection):
            raise InvalidatePoolError
        connection.patience = ANSWER_SECONDS

    def is_alive(connection: PatientConnection) -> bool:
        try:
            return bool(dialect.do_ping(connection))
        except dialect.dbapi.Error as error:
            if dialect.is_disconnect(error, connection, None):
                return False
            raise


def allow_long_statements(session: Session) -> None:
    """Let the statements of this transaction take as long as they need, be helped, and read whole tables.

    On SQLite they may anyway.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    session.execute(text("SET LOCAL statement_timeout = 0"))
    session.execute(text("SET LOCAL enable_seqscan = on"))
    session.execute(text(f"SET LOCAL max_parallel_workers_per_gather = {HELPERS}"))
    connection = session.connection().connection.dbapi_connection
    assert isinstance(connection, PatientConnection)
    connection.patience = None
