"""Recognised: who a key belongs to, kept for a moment, so that somebody who scans fast is looked up once a second.

Only scans are let in this way. Everything else that changes something is looked up, and makes this process forget.
"""

from __future__ import annotations

import time
from collections.abc import Hashable

from web.sessions import Found

SECONDS = 1.0
"""How long scans with a key go on after it was taken away by another process."""

MOST = 10_000
"""Keys kept at once."""


class Recognised:
    """The keys that were good a moment ago; in one process."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: dict[Hashable, tuple[Found, float]] = {}
        self.forgotten = 0
        """How often all were forgotten; told to `keep` by who looked somebody up in between."""

    def find(self, key: Hashable) -> Found | None:
        """Return what was found for `key` within the last second; None when it must be looked up."""
        kept = self._kept.get(key)
        return kept[0] if kept is not None and time.monotonic() < kept[1] else None

    def keep(self, key: Hashable, found: Found, *, forgotten: int) -> None:
        """Keep what was found for `key`, unless all were forgotten since they were so `forgotten` times: it may be old.

        Safe from any thread: that is looked at afterwards.
        """
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = found, time.monotonic() + SECONDS
        if forgotten != self.forgotten:
            self._kept.pop(key, None)

    def forget_all(self) -> None:
        """Look everybody up again."""
        self.forgotten += 1
        self._kept.clear()
