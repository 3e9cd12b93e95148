"""The kinds of faults: what each does, to what, and where it cannot be done."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from workers.chaos.world import World


class NotDoneError(Exception):
    """The fault could not be done at this moment, and is not counted."""


@dataclass(slots=True, kw_only=True)
class Trial:
    """What one fault has in its hands."""

    world: World
    dice: random.Random
    stop: threading.Event
    """Set when the time is over: what holds something back lets go of it."""

    def hold(self, least: float, most: float) -> None:
        """Keep things as they are for a time between `least` and `most` seconds."""
        self.stop.wait(self.dice.uniform(least, most))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of fault."""

    name: str
    targets: tuple[str, ...]
    """What it changes; two faults never change the same thing at once."""
    cause: Callable[[Trial], None]
    """Does it, holds it, and takes it away again; returns when the cause is gone."""
    impossible: Callable[[World], str] = lambda _world: ""
    """Why it cannot be done in this world; empty where it can."""


def all_kinds() -> list[Kind]:
    """Return every kind, also those that this machine cannot do."""
    from workers.chaos import clocks, letters, links, mishaps, stores  # noqa: PLC0415 - they need this module

    return [*mishaps.KINDS, *clocks.KINDS, *links.KINDS, *stores.KINDS, *letters.KINDS]
