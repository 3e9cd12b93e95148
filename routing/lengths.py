"""How many tasks wait in each queue, asked of the broker itself: the length of a list, or the count of RabbitMQ."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from routing.broker import BrokerKind, kind_of, redis_client

if TYPE_CHECKING:
    from kombu import Connection
    from redis import Redis


def lengths_at(url: str, queues: Collection[str], *, seconds: int = 3) -> dict[str, int]:
    """Return how many tasks wait in those of `queues` that are there; raise what the broker's client raises.

    `url` is a normalised address. Needs no right but to look, and no management plugin of RabbitMQ.
    """
    if kind_of(url) is BrokerKind.REDIS:
        with contextlib.closing(redis_client(url, seconds=seconds)) as client:
            return lengths_of_lists(client, queues)
    from kombu import Connection  # noqa: PLC0415 - a slow import, and not needed with Redis

    with Connection(url, connect_timeout=seconds, transport_options={"max_retries": 0}) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=seconds)
        found = {queue: _count(connection, queue) for queue in queues}
    return {queue: count for queue, count in found.items() if count is not None}


def lengths_of_lists(client: Redis, queues: Collection[str]) -> dict[str, int]:
    """Return how many tasks wait in each of `queues`, in one round trip."""
    with client.pipeline(transaction=False) as pipe:
        for queue in queues:
            pipe.llen(queue)
        return dict(zip(queues, pipe.execute(), strict=True))


def _count(connection: Connection, queue: str) -> int | None:
    # A channel for each question: RabbitMQ closes one on which something is asked for that is not there.
    channel: Any = connection.channel()
    try:
        count: int = channel.queue_declare(queue, passive=True).message_count
    except connection.channel_errors:
        return None
    channel.close()
    return count
