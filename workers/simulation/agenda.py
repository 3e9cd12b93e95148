"""The agenda: what will happen when, by the virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from heapq import heappop, heappush
from itertools import count

Happening = Callable[[], None]


class Agenda:
    """Happenings in the order of their moments; of one moment in the order in which they were entered."""

    def __init__(self) -> None:
        """Begin with nothing to happen."""
        self._ahead: list[tuple[datetime, int, Happening]] = []
        self._order = count()

    def enter(self, moment: datetime, happening: Happening) -> None:
        """Let `happening` happen at `moment`."""
        heappush(self._ahead, (moment, next(self._order), happening))

    def take(self) -> tuple[datetime, Happening] | None:
        """Return what happens next, and when; None when nothing is ahead."""
        if not self._ahead:
            return None
        moment, _, happening = heappop(self._ahead)
        return moment, happening
