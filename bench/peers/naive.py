"""Celery with its defaults: `delay()` after the commit, one message a task."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from celery import Celery

from bench.peers import job

app = Celery("naive", broker=os.environ["SHABARMAN_BROKER_URL"])
app.conf.broker_connection_retry_on_startup = True
app.conf.task_routes = None
COMMAND: Sequence[str] = (sys.executable, "-m", "celery", "-A", "bench.peers.naive", "worker", "-Q")


@app.task(name="naive.handle")
def handle(message_id: int) -> None:
    """Carry a message out."""
    job.handle(message_id)


def scan(number: str, *, staff_id: int, office: str) -> None:
    """Register a packet, then send its message."""
    with job.sessions()() as session:
        message = job.scan(session, number, staff_id=staff_id, office=office)
        message_id, queue = message.id, message.queue
        session.commit()
    handle.apply_async((message_id,), queue=queue)


def commands() -> list[list[str]]:
    """Return the command line of the worker."""
    return [[*COMMAND, ",".join(job.queues())]]
