"""The sign of life that a relay or a worker writes while it runs: a thread, so that long work does not delay it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog
from sqlalchemy.exc import DBAPIError

from config.errors import UnavailableError
from config.settings import Settings
from models.database import Database
from models.heartbeat import ProcessRole
from workers.kernel import runs
from workflow import heartbeats

NOT_WRITTEN = "heartbeat.not_written"

_FAULTS = (UnavailableError, DBAPIError)

log = structlog.get_logger(__name__)


class Pulse:
    """Writes signs of life of this process until it is stopped; a database that is away ends nothing."""

    def __init__(
        self,
        database_url: str,
        role: ProcessRole,
        *,
        name: str,
        queues: Sequence[str] = (),
        every: float = heartbeats.EVERY_SECONDS,
    ) -> None:
        """Prepare to write under `name`; a worker that serves named queues only says which."""
        # Of its own, and closed after each sign: a worker forks, and its children must inherit no connection.
        self._database = Database(database_url, pool_size=1)
        self._role, self._name = role, name
        self._queues, self._every = tuple(queues), every
        self._host = socket.gethostname()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._up = True
        # A fork in the middle of a statement would leave the child with a lock that nobody opens.
        self._writing = threading.Lock()

    def start(self) -> None:
        """Begin; forget what was killed on this machine before us."""
        os.register_at_fork(
            before=self._writing.acquire,
            after_in_parent=self._writing.release,
            after_in_child=self._writing.release,
        )
        self._thread.start()

    def stop(self) -> None:
        """End, and take our row away."""
        self._stop.set()
        self._thread.join(self._every)
        with suppress(*_FAULTS):
            self._database.transact(
                lambda session: heartbeats.end(session, self._role, host=self._host, processes=[os.getpid()])
            )
        self._database.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._writing:
                    self._beat()
                    self._database.close()
            except _FAULTS as error:
                if self._up:
                    log.warning(NOT_WRITTEN, error=type(error).__name__)
                self._up = False
            else:
                self._up = True
            self._stop.wait(self._every)

    def _beat(self) -> None:
        with self._database.reading() as session:
            known = heartbeats.of_host(session, self._role, host=self._host)
        gone = [process for process in known if not runs(process)]
        with self._database.transaction() as session:
            if gone:
                heartbeats.end(session, self._role, host=self._host, processes=gone)
            heartbeats.beat(
                session,
                self._role,
                host=self._host,
                process=os.getpid(),
                name=self._name,
                queues=self._queues,
            )


@contextmanager
def pulse(settings: Settings, role: ProcessRole, *, name: str, queues: Sequence[str] = ()) -> Iterator[None]:
    """Write signs of life for the time of a block."""
    beating = Pulse(settings.effective_database_url, role, name=name, queues=queues)
    beating.start()
    try:
        yield
    finally:
        beating.stop()
