"""The database: its engine, and the one function that commits."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import orjson
import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from config.errors import SettingsError, UnavailableError
from config.language import Text
from models.patience import LINK_OPTIONS, SERVER_OPTIONS, be_patient
from models.swift import LASTING, is_lasting
from models.writes import ChangedMeanwhileError

Result = TypeVar("Result")

_log = structlog.get_logger()

_DEADLOCK_OR_SERIALIZATION = {"40P01", "40001"}
_SQLITE_UNIQUE = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}

_UNABLE = ("08", "25006", "25P03", "53", "57", "58", "XX")
"""Beginnings of PostgreSQL's codes for what is the matter with the server and not with the statement: connection,
read-only, hung transactions, resources (disk full, too many connections), shutdown, disk, broken files."""

LOCK_SECONDS = 15.0
"""How long a writer waits for another one on SQLite."""

TURN_MILLISECONDS = 3
"""How long one waits at a time, before looking again, whether it is one's turn."""

POOL_SECONDS = 10.0
"""How long one waits for a free connection of this process, before it is said that there is none."""

_BUSY = Text("all connections of this process are in use")


class ForkedDatabaseError(SettingsError):
    """Connections were opened before a fork and would now be used by two processes. Facts: `opened_by`, `process`."""

    code = "forked_database"
    text = Text(
        "Process {process} would use the database connections of process {opened_by}, from which it was forked: each "
        "would read the other's rows. Open the database after the fork (tasks.database does), then start again."
    )


def _prepare_sqlite(
    connection: Any,  # noqa: ANN401 - a DBAPI connection
    _entry: ConnectionPoolEntry,
    *,
    lock_seconds: float,
) -> None:
    # We say BEGIN ourselves: the driver's own begins late, and two writers then overwrite each other in silence.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={round(lock_seconds * 1000)}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection, *, lock_seconds: float) -> None:
    if connection.get_execution_options().get("reading", False):
        connection.exec_driver_sql("BEGIN")
        return
    if connection.info.setdefault(LASTING, True) is not is_lasting(connection):
        connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if is_lasting(connection) else 'NORMAL'}")
        connection.info[LASTING] = is_lasting(connection)
    # SQLite's own waiting looks ten times a second in the end: beside a writer that hardly pauses nobody else would
    # ever get a turn (waits of seconds were measured; looking this often, of hundredths).
    connection.exec_driver_sql(f"PRAGMA busy_timeout={TURN_MILLISECONDS}")
    give_up = time.monotonic() + lock_seconds
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if not _is_busy(error) or time.monotonic() > give_up:
                    raise
            else:
                break
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={round(lock_seconds * 1000)}")


def _is_busy(error: OperationalError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY  # The rest says which kind of busy.


class Database:
    """Opens transactions on one database (PostgreSQL or SQLite)."""

    def __init__(self, url: str, *, pool_size: int = 10, lock_seconds: float = LOCK_SECONDS) -> None:
        """Connect lazily to `url`; nothing is opened until the first transaction."""
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        options: dict[str, Any] = {}
        if address.get_backend_name() == "postgresql":
            options = {
                # Seven times as quick; SQLite gives numbers, which it would not take.
                "json_deserializer": orjson.loads,
                "pool_size": pool_size,
                "max_overflow": pool_size,
                "pool_timeout": POOL_SECONDS,
                "connect_args": {**LINK_OPTIONS, "options": SERVER_OPTIONS},
            }
        self.engine: Engine = create_engine(address, **options)
        # A statement of its own is a transaction of its own there: nobody need say where it begins and ends.
        self._singly = (
            self.engine.execution_options(isolation_level="AUTOCOMMIT")
            if self.dialect == "postgresql"
            else self.engine
        )
        self._hurried = self._singly.execution_options(**{LASTING: False})
        self._reading: dict[str, Any] = (
            {"postgresql_readonly": True} if self.dialect == "postgresql" else {"reading": True}
        )
        self.after_commit: list[Callable[[], None]] = []
        """Called after each commit that inserted messages; wakes the relay."""
        self.after_notices: list[Callable[[], None]] = []
        """Called after each commit that inserted notices; rings the bells of open pages."""
        self._process: int | None = None
        if self.dialect == "postgresql":
            be_patient(self.engine)
        if self.dialect == "sqlite":
            event.listen(self.engine, "connect", partial(_prepare_sqlite, lock_seconds=lock_seconds))
            event.listen(self.engine, "begin", partial(_begin_sqlite, lock_seconds=lock_seconds))

    @property
    def dialect(self) -> str:
        """Name of the kind of database: `postgresql` or `sqlite`."""
        return self.engine.dialect.name

    @contextmanager
    def transaction(self, *, single: bool = False, lasting: bool = True) -> Iterator[Session]:
        """Open a session whose work is committed at the end, or wholly undone when anything raises.

        With `single` each statement is a transaction of its own on PostgreSQL, which is then spared two trips: only
        the last one may write. A single `Question` that is not `lasting` is not waited for until it is on the disk:
        whoever asks afterwards finds it, and what is written later lasts only together with it, but a server that
        crashes within a moment may have forgotten it. That is for what makes itself good again.
        Raises UnavailableError when the database does not answer or cannot write, and ForkedDatabaseError in a
        process that inherited it.
        """
        self._require_own()
        assert single or lasting
        engine = self.engine if not single else self._singly if lasting else self._hurried
        session = Session(engine, expire_on_commit=False)
        try:
            with _clear_answers():
                yield session
                session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()
        _say(session)
        if session.info.get("told"):
            for wake in self.after_commit:
                wake()
        if session.info.get("rung"):
            for ring in self.after_notices:
                ring()

    @contextmanager
    def reading(self, *, single: bool = False) -> Iterator[Session]:
        """Open a session that only reads: writers are not held up, and PostgreSQL refuses everything else.

        `single` and errors are as with `transaction`; a single statement is not watched so.
        """
        self._require_own()
        engine = self._singly if single else self.engine
        with _clear_answers(), engine.connect().execution_options(**self._reading) as connection:
            session = Session(connection, autoflush=False)
            try:
                yield session
                if self.dialect == "postgresql":
                    # Not undone, though there is nothing to keep: the driver would then forget the statements that the
                    # server has prepared, and the next ones would be planned anew.
                    connection.commit()
            finally:
                session.close()

    def transact(
        self, work: Callable[[Session], Result], *, tries: int = 4, single: bool = False, lasting: bool = True
    ) -> Result:
        """Run `work` in a transaction; repeat it when the database asks for that.

        A deadlock, a lost race for rows or a unique key, and a connection that broke are repeated, because `work` did
        nothing that lasts; `work` must therefore have no effect outside the session.
        """
        for attempt in range(1, tries + 1):
            try:
                with self.transaction(single=single, lasting=lasting) as session:
                    return work(session)
            except (DBAPIError, UnavailableError, ChangedMeanwhileError) as error:
                if attempt == tries or not worth_repeating(error):
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - spreads rivals apart
        raise AssertionError("unreachable")

    def close(self, *, inherited: bool = False) -> None:
        """Drop the connections; after a fork pass `inherited=True`, so that the parent's stay open."""
        self.engine.dispose(close=not inherited)
        self._process = None

    def _require_own(self) -> None:
        process = os.getpid()
        if self._process is None:
            self._process = process
        elif self._process != process:
            raise ForkedDatabaseError(opened_by=self._process, process=process)


def say_after_commit(session: Session, event: str, **facts: object) -> None:
    """Log a line once this transaction is committed, and not at all when it is undone; identifiers only."""
    session.info.setdefault("said", []).append((event, facts))


def _say(session: Session) -> None:
    # A command that logs nothing keeps its output for whoever reads it.
    if structlog.is_configured():
        for event_, facts in session.info.pop("said", ()):
            _log.info(event_, **facts)


def worth_repeating(error: Exception) -> bool:
    """Tell whether the same work may succeed now: nothing of it was written, or its answer was lost."""
    if isinstance(error, ChangedMeanwhileError):
        return True
    if isinstance(error, UnavailableError):
        return bool(error.facts.get("dropped"))
    if isinstance(error, IntegrityError):
        # Only a lost race for a unique key: then the winner's row is found by the repeat.
        return (
            getattr(error.orig, "sqlstate", None) == "23505"
            or getattr(error.orig, "sqlite_errorcode", None) in _SQLITE_UNIQUE
        )
    return getattr(getattr(error, "orig", None), "sqlstate", None) in _DEADLOCK_OR_SERIALIZATION


def _is_unable(error: DBAPIError) -> bool:
    """Tell whether the server is the matter, and not what it was asked for."""
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return isinstance(error, OperationalError) or state.startswith(_UNABLE)
    # SQLite has one kind of error for a disk that is full and for a file that is locked, another for a broken one.
    return isinstance(error, OperationalError) or type(error.orig) is sqlite3.DatabaseError


@contextmanager
def _clear_answers() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise _unavailable(_BUSY, dropped=False) from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _DEADLOCK_OR_SERIALIZATION or not _is_unable(error):
            raise
        cause = str(error.orig).strip().splitlines()[0] if error.orig else "?"
        raise _unavailable(cause, dropped=error.connection_invalidated) from error


def _unavailable(cause: str | Text, *, dropped: bool) -> UnavailableError:
    return UnavailableError(
        Text(
            "The database does not answer or cannot write ({cause}). Nothing was changed: "
            "try again in a minute; if it stays, tell the operator."
        ),
        cause=cause,
        dropped=dropped,
    )
