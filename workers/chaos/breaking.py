"""Breaking: which fault comes when, all of it from the seed; and how long the house needs after each."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from workers.chaos.kinds import Kind, NotDoneError, Trial
from workers.chaos.probing import Prober
from workers.chaos.world import World

PATIENCE = 20.0
"""Seconds that a fault waits for another one that changes the same thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One fault to come."""

    at: float
    """Seconds after the beginning."""
    kind: Kind
    seed: int


def plan(kinds: Sequence[Kind], *, seconds: float, spacing: float, seed: int) -> Iterator[Planned]:
    """Yield the faults of a trial; every kind comes once before any comes again."""
    dice = random.Random(seed)  # noqa: S311 - the same seed breaks the same things
    at, deck = 0.0, list[Kind]()
    while True:
        at += dice.uniform(0.4, 1.6) * spacing
        if at >= seconds:
            return
        if not deck:
            deck = list(kinds)
            dice.shuffle(deck)
        yield Planned(at=at, kind=deck.pop(), seed=dice.randrange(2**32))


@dataclass(slots=True, kw_only=True)
class Breaker:
    """Does the faults at their times, each in a thread of its own."""

    world: World
    prober: Prober
    stop: threading.Event
    on_fault: Callable[[str, float | None], None] = lambda _kind, _seconds: None
    """Called with the kind and the seconds until the house worked again, None when it did not."""
    recoveries: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    unrecovered: list[str] = field(default_factory=list)
    causes: list[tuple[float, float]] = field(default_factory=list)
    """When something was being broken, in seconds since 1970."""
    _locks: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _threads: list[threading.Thread] = field(default_factory=list)

    def run(self, planned: Iterator[Planned], *, began: float) -> None:
        """Do all of `planned` at their times after `began`, or until `stop` is set."""
        for fault in planned:
            if self.stop.wait(max(began + fault.at - time.monotonic(), 0)):
                return
            thread = threading.Thread(target=self._break, args=(fault,), name=fault.kind.name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def wait(self, *, seconds: float) -> None:
        """Wait until the house worked again after every fault."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def _break(self, fault: Planned) -> None:
        kind = fault.kind
        with ExitStack() as held:
            for target in kind.targets:
                if not self._locks[target].acquire(timeout=PATIENCE):
                    return
                held.callback(self._locks[target].release)
            if self.stop.is_set():
                return
            dice = random.Random(fault.seed)  # noqa: S311 - as above
            since = time.time()
            try:
                kind.cause(Trial(world=self.world, dice=dice, stop=self.stop))
            except NotDoneError:
                return
            self.causes.append((since, time.time()))
        seconds = self.prober.probe()
        if seconds is None:
            self.unrecovered.append(kind.name)
        else:
            self.recoveries[kind.name].append(seconds)
        self.on_fault(kind.name, seconds)
