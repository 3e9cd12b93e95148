"""Dramatiq: the broker's own processes and threads, results and pipelines left out."""

from __future__ import annotations

import os
import sys

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.peers import job

broker = RedisBroker(url=os.environ["SHABARMAN_BROKER_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor(actor_name="handle", queue_name="default")
def handle(message_id: int) -> None:
    """Carry a message out."""
    job.handle(message_id)


for _queue in job.queues():
    broker.declare_queue(_queue)


def scan(number: str, *, staff_id: int, office: str) -> None:
    """Register a packet, then send its message."""
    with job.sessions()() as session:
        message = job.scan(session, number, staff_id=staff_id, office=office)
        message_id, queue = message.id, message.queue
        session.commit()
    broker.enqueue(handle.message(message_id).copy(queue_name=queue))


def commands() -> list[list[str]]:
    """Return the command line of the worker: a process for each core, a few threads in each."""
    return [
        [
            *(sys.executable, "-m", "dramatiq", "bench.peers.with_dramatiq"),
            *("--processes", "2", "--threads", "4"),
        ]
    ]
