"""Signs of life of one process on its machine: a file whose time says when it last went round its work.

Not whether its servers answer: a process that waits for a broker goes round, and is not to be killed for that.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

EVERY_SECONDS = 5.0
"""How often a sign is given by processes that have nothing to do."""

_LEAST_SECONDS = 1.0
"""Between two signs: who goes round a thousand times a second does not write a thousand times."""


class SignOfLife:
    """Gives signs of life for the process called `name`."""

    def __init__(self, home: Path, name: str) -> None:
        """Give them in the folder of what runs, in `home`."""
        self._file = _file(home, name)
        self._given = float("-inf")

    def give(self) -> None:
        """Say that the process goes round."""
        now = time.monotonic()
        if now - self._given < _LEAST_SECONDS:
            return
        self._given = now
        # A disk that is full ends no process; whoever looks sees that nothing is written.
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file.touch(mode=0o600)


def silent_seconds(home: Path, name: str) -> float | None:
    """Return how long ago the process called `name` gave its last sign; None where it never did."""
    try:
        return max(0.0, time.time() - _file(home, name).stat().st_mtime)
    except FileNotFoundError:
        return None


def _file(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.alive"
