"""Procrastinate: jobs are rows of the same database, deferred in the transaction of the scan, as its guide says."""

from __future__ import annotations

import os
import sys

import procrastinate

from bench.peers import job

URL = os.environ["SHABARMAN_DATABASE_URL"]
PROCESSES, CONCURRENCY = 2, 4
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL))
sending = app.with_connector(procrastinate.SyncPsycopgConnector(conninfo=URL))


@app.task(name="handle")
def handle(message_id: int) -> None:
    """Carry a message out; the library runs it in a thread."""
    job.handle(message_id)


def prepare() -> None:
    """Make the library's own tables."""
    with sending.open() as opened:
        opened.schema_manager.apply_schema()


def begin() -> None:
    """Open what sends."""
    sending.open()


def scan(number: str, *, staff_id: int, office: str) -> None:
    """Register a packet and defer its message, in one transaction."""
    with job.sessions()() as session:
        message = job.scan(session, number, staff_id=staff_id, office=office)
        connection = session.connection().connection.driver_connection
        sending.configure_task("handle", queue=message.queue, connection=connection).defer(
            message_id=message.id
        )
        session.commit()


def commands() -> list[list[str]]:
    """Return the command lines of the workers: each lets the tasks of one process run side by side."""
    worker = (sys.executable, "-m", "procrastinate", "--app", "bench.peers.with_procrastinate.app", "worker")
    return [[*worker, "--concurrency", str(CONCURRENCY)] for _ in range(PROCESSES)]
