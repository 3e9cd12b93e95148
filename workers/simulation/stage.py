"""The stage: everybody's hands, what lies in every office, and the ledger of what was meant."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from config.clock import local
from config.offices import office, offices
from models.office import OfficeKind
from models.staff import Role
from workers.simulation.hands import Hands
from workers.simulation.ledger import MeantLedger
from workers.simulation.papers import Bag, Paper, Room
from workflow.people import Actor

RECEIVERS = {"centre": Role.ACCUMULATOR, "department": Role.REGISTRAR, "akimat": Role.CLERK}
"""Kind of office → who fills bags there and takes them over."""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Stage:
    """What the parts of a day share."""

    hands: Hands
    ledger: MeantLedger
    dice: random.Random
    mark: str
    """Begins the ids of this simulation's requests and scans."""
    run: int = 0
    """Number of the run: 0, 1, 2 …"""
    rooms: defaultdict[str, Room] = field(default_factory=lambda: defaultdict(Room))
    """Code of an office → what lies there."""
    papers: list[Paper] = field(default_factory=list)
    missing: list[tuple[Paper, Bag]] = field(default_factory=list)
    """Papers that were not in their bag, until somebody looks for them before the next run."""
    absent: dict[str, date] = field(default_factory=dict)
    """Login of an executor who is absent → the last day."""
    explained_until: datetime = LONG_AGO
    """Until when late steps were explained."""
    did: Counter[str] = field(default_factory=Counter)
    """How often something happened that the messages do not tell of."""
    refused: list[Paper] = field(default_factory=list)
    """Papers that the courier brings back, because they were refused at the door."""

    def receiver(self, code: str) -> Actor:
        """Return who fills bags and takes them over in an office, and passes papers to the head where there is one."""
        return self.hands.who(RECEIVERS[office(code).kind], code)

    def decider(self, code: str) -> Actor:
        """Return who decides and signs in an office."""
        return self.hands.who(Role.AKIM if office(code).kind == OfficeKind.AKIMAT else Role.HEAD, code)

    def present(self, executor: Actor | None, code: str) -> Actor:
        """Return who works at the desk of an executor today."""
        assert executor is not None
        last = self.absent.get(executor.login)
        away = last is not None and local(self.hands.now).date() <= last
        return self.hands.deputies[code] if away else executor

    def giver(self, paper: Paper, code: str) -> Actor:
        """Return who hands a result out in an office."""
        if not is_counter(code) or paper.direct:
            return self.hands.who(Role.EXECUTOR, code)
        return self.hands.who(Role.CLERK if office(code).kind == OfficeKind.AKIMAT else Role.INSPECTOR, code)

    def chance(self, share: float) -> bool:
        """Tell whether something happens that happens with this probability."""
        return self.dice.random() < share

    def another(self, kind: OfficeKind, *not_these: str) -> str:
        """Return an office of the same kind, but none of `not_these`."""
        return self.dice.choice([place.code for place in offices(kind.value) if place.code not in not_these])

    def busy(self) -> list[tuple[str, Room]]:
        """Return the offices where something lies, in a fixed order."""
        return [(code, self.rooms[code]) for code in sorted(self.rooms)]

    def finish(self, papers: Iterable[Paper]) -> None:
        """Note that the way of `papers` is complete."""
        for paper in papers:
            paper.finished = True


def is_counter(code: str) -> bool:
    """Tell whether papers are only accepted and handed out in the office with this code, and decided elsewhere.

    An akimat counts among them: what it decides itself never lies in a bag.
    """
    return office(code).kind != OfficeKind.DEPARTMENT
