"""The poke: a word over Redis that wakes the relay, or rings the bells of open pages, right after a commit.

Losing one costs a second, never a message.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from routing.broker import BrokerKind, kind_of, redis_client

if TYPE_CHECKING:
    from redis.client import PubSub

CHANNEL = "shabarman.poke"
"""Channel of Redis pub/sub that relays listen on."""

BELL = "shabarman.bell"
"""Channel of Redis pub/sub that web processes listen on for new notices."""

PATIENCE = 0.25
"""Seconds that a poke may take at most."""

SILENCE = 2.0
"""Seconds without further tries after a poke that failed: the relay polls anyway, and people must not wait."""


class Poker:
    """Wakes those that listen at one broker; does nothing where the broker is RabbitMQ, or there is none."""

    def __init__(self, url: str | None, *, channel: str = CHANNEL) -> None:
        """Prepare for the broker at the normalised address `url`; nothing is opened until the first poke."""
        self._channel = channel
        listening = url is not None and kind_of(url) is BrokerKind.REDIS
        self._client = redis_client(url, seconds=PATIENCE) if url and listening else None
        self._silent_until = 0.0

    def poke(self) -> None:
        """Wake who listens; never raises and never takes longer than a moment. Safe from any thread."""
        if self._client is None or time.monotonic() < self._silent_until:
            return
        try:
            self._client.publish(self._channel, b"")
        except Exception:  # noqa: BLE001 - the commit has happened; nothing about a poke may undo or delay that
            self._silent_until = time.monotonic() + SILENCE


class Ear:
    """Hears pokes; for one thread at a time."""

    def __init__(self, url: str | None, *, channel: str) -> None:
        """Prepare for the broker at the normalised address `url`; nothing is opened before the first wait."""
        self._url = url if url is not None and kind_of(url) is BrokerKind.REDIS else None
        self._channel = channel
        self._pokes: PubSub | None = None

    @property
    def hears(self) -> bool:
        """Tell whether pokes can arrive; without them the caller has to look more often."""
        return self._pokes is not None

    def wait(self, seconds: float) -> None:
        """Wait for a poke, or until `seconds` are over; never raises."""
        try:
            if self._url is not None and self._pokes is None:
                pokes = redis_client(self._url, seconds=PATIENCE).pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
                pokes.subscribe(self._channel)
                self._pokes = pokes
            if self._pokes is not None:
                if self._pokes.get_message(timeout=seconds) is not None:
                    # Many commits may have poked; the one look that follows sees them all.
                    while self._pokes.get_message(timeout=0) is not None:
                        pass
                return
        except Exception:  # noqa: BLE001 - a lost poke costs a moment, and the next wait connects anew
            self._pokes = None
        time.sleep(seconds)
