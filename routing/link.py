"""One connection to the broker, as a relay needs it: publish, ask how long queues are, listen for pokes."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from kombu import Connection, Producer

from config.errors import UnavailableError
from config.language import Text
from routing.broker import HEARTBEAT_SECONDS, BrokerKind, kind_of, redis_client, transport_options
from routing.envelope import announcement
from routing.lengths import lengths_of_lists
from routing.poke import CHANNEL
from routing.queues import are_declared, declare
from routing.seal import HEADER, seal

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import PubSub

EPOCH = "shabarman.epoch"
"""Key in Redis that is gone when the server has lost its memory."""

PATIENCE = 5.0
"""Seconds that any one answer of the broker may take."""


class BrokerDownError(UnavailableError):
    """The broker does not answer. Fact: `cause`, the kind of failure."""

    code = "broker_down"
    text = Text(
        "The broker does not answer ({cause}). Messages wait in the database; start it, or correct "
        "SHABARMAN_BROKER_URL."
    )


class BlockedBrokerError(ConnectionError):
    """RabbitMQ has too little memory or disk, and reads nothing more from whoever publishes."""


def _refuse_to_wait(reason: str) -> None:
    # Its confirmation would be waited for until the server has room again: each of its signs of life, which go on,
    # begins the time for an answer anew.
    raise BlockedBrokerError(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One task to publish: the ids of messages of one queue."""

    queue: str
    task: str
    ids: tuple[int, ...]


class Link:
    """A connection that is opened when needed and dropped at the first failure; nothing here waits for long."""

    def __init__(self, url: str, *, keys: Sequence[bytes]) -> None:
        """Prepare for the broker at the normalised address `url`; nothing is opened yet.

        The first of `keys` seals what is published.
        """
        self._url = url
        self._key = keys[0]
        self.kind = kind_of(url)
        self._origin = f"relay@{socket.gethostname()}"
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        self._redis: Redis | None = None
        self._pokes: PubSub | None = None
        self._is_blank = False

    @property
    def listens(self) -> bool:
        """Tell whether pokes can arrive; without them the caller has to look more often."""
        return self._pokes is not None

    def open(self) -> None:
        """Connect and declare the queues, unless that was done before; raise BrokerDownError."""
        if self._producer is not None:
            return
        try:
            options = transport_options(self.kind)
            if self.kind is BrokerKind.RABBITMQ:
                options["on_blocked"] = _refuse_to_wait
            self._connection = Connection(
                self._url,
                transport_options=options,
                connect_timeout=PATIENCE,
                heartbeat=HEARTBEAT_SECONDS if self.kind is BrokerKind.RABBITMQ else 0,
            )
            # One try: the caller has other things to do than to wait here.
            self._connection.ensure_connection(max_retries=0)
            # Kept in mind until it was told: a queue that is missing now is there after this.
            self._is_blank = self._is_blank or not are_declared(self._connection)
            declare(self._connection)
            producer = Producer(self._connection.channel(), auto_declare=False, serializer="json")
            if self.kind is BrokerKind.REDIS:
                self._redis = redis_client(self._url, seconds=PATIENCE)
                self._pokes = self._redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
                self._pokes.subscribe(CHANNEL)
            self._producer = producer
        except Exception as error:
            self._drop()
            raise BrokerDownError(cause=_cause(error)) from error

    def close(self) -> None:
        """Drop the connection; the next `open` makes a new one."""
        held = (self._pokes, self._redis, self._connection)
        self._pokes = self._redis = self._connection = self._producer = None
        for one in held:
            if one is not None:
                # It is dropped because it is broken, or no longer needed; how its end goes is of no interest.
                with suppress(Exception):
                    one.close()

    def _drop(self) -> None:
        """Drop a connection that is of no use without a word to the server: for RabbitMQ's answer one may wait long."""
        if self._connection is not None and self.kind is BrokerKind.RABBITMQ:
            with suppress(Exception):  # As in `close`.
                self._connection.collect()
        self.close()

    def declare(self) -> None:
        """Make queues anew that somebody deleted; raise BrokerDownError."""
        assert self._connection is not None
        try:
            declare(self._connection)
        except Exception as error:
            self._drop()
            raise BrokerDownError(cause=_cause(error)) from error

    def has_lost_memory(self) -> bool:
        """Tell, once, that the broker has forgotten everything since it was last asked; raise BrokerDownError.

        Redis has lost a key of ours then. RabbitMQ, which cannot lose its memory but with the connection, had not even
        our queues when this link was opened.
        """
        if self._redis is None:
            blank, self._is_blank = self._is_blank, False
            return blank
        try:
            return bool(self._redis.set(EPOCH, str(uuid4()), nx=True))
        except Exception as error:
            self._drop()
            raise BrokerDownError(cause=_cause(error)) from error

    def lengths(self, queues: Collection[str]) -> dict[str, int]:
        """Return how many tasks wait in each of `queues`; raise BrokerDownError."""
        try:
            if self._redis is not None:
                return lengths_of_lists(self._redis, queues)
            assert self._connection is not None
            with self._connection.channel() as opened:
                channel: Any = opened
                return {queue: channel.queue_declare(queue, passive=True).message_count for queue in queues}
        except Exception as error:
            self._drop()
            raise BrokerDownError(cause=_cause(error)) from error

    def publish(self, parcels: Sequence[Parcel]) -> tuple[list[Parcel], str]:
        """Publish one task per parcel, each with a fresh id; return the parcels that may not have arrived, and why.

        One attempt only. What failed may have been published all the same: handlers take repeats. The fresh id
        matters because a revoked one stays revoked.
        """
        producer: Any = self._producer
        assert producer is not None
        sent = 0
        try:
            # On Redis one round trip for all; on RabbitMQ each is confirmed by itself.
            with producer.batch():
                for parcel in parcels:
                    self._publish(producer, parcel)
                    if not producer.supports_batch_publish:
                        sent += 1
        except Exception as error:  # noqa: BLE001 - whatever a client library raises, the rows are given back
            self._drop()
            return list(parcels[sent:]), _cause(error)
        return [], ""

    def _publish(self, producer: Producer, parcel: Parcel) -> None:
        task_id = str(uuid4())
        content, headers = announcement(
            task=parcel.task, task_id=task_id, ids=parcel.ids, origin=self._origin
        )
        # Written here and not by kombu: what is sealed are these very bytes.
        body = json.dumps(content, separators=(",", ":")).encode()
        headers[HEADER] = seal(self._key, queue=parcel.queue, headers=headers, body=body)
        producer.publish(
            body,
            content_type="application/json",
            content_encoding="utf-8",
            exchange="",
            routing_key=parcel.queue,
            headers=headers,
            correlation_id=task_id,
            delivery_mode=2,
            retry=False,
            timeout=PATIENCE,
            confirm_timeout=PATIENCE,
        )

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait for a poke, for `stop`, or until `seconds` are over; tell whether a poke came."""
        if self._pokes is None:
            self._beat()
            stop.wait(seconds)
            return False
        try:
            if self._pokes.get_message(timeout=seconds) is None:
                return False
            # Many commits may have poked; the one look that follows sees them all.
            while self._pokes.get_message(timeout=0) is not None:
                pass
        except Exception:  # noqa: BLE001 - a lost poke costs a moment; the next step sees whether the broker is gone
            self._drop()
            stop.wait(min(seconds, 0.2))
            return False
        return True

    def _beat(self) -> None:
        """Answer RabbitMQ's heartbeats, which nobody else does while nothing is published."""
        if self._connection is None:
            return
        connection: Any = self._connection
        try:
            with suppress(TimeoutError):
                connection.drain_events(timeout=0.001)
            connection.heartbeat_check()
        except Exception:  # noqa: BLE001 - a broken connection is made anew by the next step
            self._drop()


def _cause(error: BaseException) -> str:
    """Return the kind of the failure below the library's own wrapping, without its words, which may hold a password."""
    return type(error.__cause__ or error).__name__
