"""What the relay gave to the broker, as it was on the wire: to be put there twice, later, or in another order."""

from __future__ import annotations

import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import amqp
from redis import Redis
from redis.exceptions import RedisError

from routing.queues import names

MOST_KEPT = 400

_METHOD, _HEADER, _BODY = 1, 2, 3
_PUBLISH = (60, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One message as it lay on the wire."""

    queue: str
    body: bytes
    properties: dict[str, Any] = field(default_factory=dict)
    """Of AMQP; in Redis they are part of the body."""


class RedisTap:
    """Listens to what a Redis server is told."""

    def __init__(self, client: Callable[[], Redis]) -> None:
        """Listen from now on, and again after each break."""
        self.taken: deque[Taken] = deque(maxlen=MOST_KEPT)
        self._client = client
        threading.Thread(target=self._listen, name="tap", daemon=True).start()

    def _listen(self) -> None:
        known = names()
        while True:
            # What a restart of the server breaks is of no interest here.
            with suppress(RedisError, OSError, ValueError):
                client: Any = self._client()
                with client.monitor() as monitor:
                    for said in monitor.listen():
                        verb, _, rest = said["command"].partition(" ")
                        queue, _, body = rest.partition(" ")
                        if verb.upper() == "LPUSH" and queue in known:
                            self.taken.append(Taken(queue=queue, body=body.encode()))
            time.sleep(0.5)


class AmqpTap:
    """Reads publications out of what clients send through a proxy."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.taken: deque[Taken] = deque(maxlen=MOST_KEPT)
        self._open: dict[object, _Reader] = {}

    def hear(self, wire: object, data: bytes) -> None:
        """Take in the next bytes of one connection."""
        if len(self._open) > MOST_KEPT:
            self._open.clear()  # Of connections that are long gone; those that are lost here are not missed.
        reader = self._open.setdefault(wire, _Reader())
        for letter in reader.feed(data):
            self.taken.append(letter)


class _Reader:
    """Frames of AMQP 0-9-1, one connection."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._begun = False
        self._queue: str | None = None
        self._properties: dict[str, Any] = {}
        self._size = 0
        self._body = bytearray()

    def feed(self, data: bytes) -> list[Taken]:
        self._held += data
        if not self._begun:
            if len(self._held) < 8:
                return []
            self._begun = self._held[:4] == b"AMQP"
            if self._begun:
                del self._held[:8]
            else:
                self._held.clear()  # Joined in the middle: its frames cannot be told apart.
                return []
        found = []
        while len(self._held) >= 7:
            kind, _, size = struct.unpack(">BHI", self._held[:7])
            if len(self._held) < size + 8:
                break
            letter = self._frame(kind, bytes(self._held[7 : 7 + size]))
            del self._held[: size + 8]
            if letter is not None:
                found.append(letter)
        return found

    def _frame(self, kind: int, payload: bytes) -> Taken | None:
        if kind == _METHOD and struct.unpack(">HH", payload[:4]) == _PUBLISH:
            exchange = payload[6 : 7 + payload[6]]
            start = 6 + len(exchange)
            key = payload[start + 1 : start + 1 + payload[start]].decode()
            self._queue = key if key in names() else None
        elif kind == _HEADER and self._queue is not None:
            (self._size,) = struct.unpack(">Q", payload[4:12])
            message: Any = amqp.Message()
            message._load_properties(60, payload, 12)  # noqa: SLF001 - the library reads them itself so
            self._properties = dict(message.properties)
            self._body.clear()
        elif kind == _BODY and self._queue is not None:
            self._body += payload
            if len(self._body) >= self._size:
                letter = Taken(queue=self._queue, body=bytes(self._body), properties=self._properties)
                self._queue = None
                return letter
        return None
