"""Taskiq on Redis: two processes; blocking work in its own pool of threads.

Its list is one queue for all, without acknowledgement: less than the others do, and its quickest way.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading

from taskiq_redis import ListQueueBroker

from bench.peers import job

broker = ListQueueBroker(os.environ["SHABARMAN_BROKER_URL"], socket_timeout=None)


@broker.task(task_name="handle")
def handle(message_id: int) -> None:
    """Carry a message out."""
    job.handle(message_id)


_loop = asyncio.new_event_loop()
"""Sends: the library speaks to the broker asynchronously only, and its connections belong to one loop."""


def begin() -> None:
    """Let the loop that sends run."""
    threading.Thread(target=_loop.run_forever, daemon=True).start()
    asyncio.run_coroutine_threadsafe(broker.startup(), _loop).result()


def scan(number: str, *, staff_id: int, office: str) -> None:
    """Register a packet, then send its message."""
    with job.sessions()() as session:
        message_id = job.scan(session, number, staff_id=staff_id, office=office).id
        session.commit()
    asyncio.run_coroutine_threadsafe(handle.kiq(message_id), _loop).result()


def commands() -> list[list[str]]:
    """Return the command line of the worker."""
    return [
        [
            *(sys.executable, "-m", "taskiq", "worker", "bench.peers.with_taskiq:broker"),
            *("--workers", "2", "--max-threadpool-threads", "4", "--no-configure-logging"),
        ]
    ]
