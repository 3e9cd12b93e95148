"""Procrastinate: jobs are rows of the same database, deferred after the commit through its own pool of connections."""

from __future__ import annotations

import os
import sys
from functools import cache

import procrastinate

from bench.peers import job

URL = os.environ["SHABARMAN_DATABASE_URL"]
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL))


@app.task(name="handle")
def handle(message_id: int) -> None:
    """Carry a message out; the library runs it in a thread."""
    job.handle(message_id)


@cache
def _sending() -> procrastinate.App:
    sending = app.with_connector(procrastinate.SyncPsycopgConnector(conninfo=URL))
    sending.open()
    return sending


def prepare() -> None:
    """Make the library's own tables."""
    with app.with_connector(procrastinate.SyncPsycopgConnector(conninfo=URL)).open() as opened:
        opened.schema_manager.apply_schema()


def scan(number: str, *, staff_id: int, office: str) -> None:
    """Register a packet, then defer its message."""
    with job.sessions()() as session:
        message = job.scan(session, number, staff_id=staff_id, office=office)
        message_id, queue = message.id, message.queue
        session.commit()
    _sending().configure_task("handle", queue=queue).defer(message_id=message_id)


def command() -> list[str]:
    """Return the command line of the worker: it lets the tasks of one process run side by side."""
    return [
        *(sys.executable, "-m", "procrastinate", "--app", "bench.peers.with_procrastinate.app", "worker"),
        *("--concurrency", "8"),
    ]
