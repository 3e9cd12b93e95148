"""Hands: everything that people do is done here, over HTTP, and noted only when it was answered."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from config.clock import utc_now
from models.staff import Role
from workers.chaos.asking import Person, UnansweredError
from workers.chaos.ledger import Ledger
from workers.chaos.world import World

LONGEST_PAUSE = 0.25
"""Seconds between two things that one crew does."""

SENT_TWICE = 0.05
"""Share of the lists that a page sends although it has the answer."""


class StoppedError(Exception):
    """The trial is over, or an answer was no use; the packets stay where they are."""


class Hands:
    """The people of one crew, who do one thing after the other."""

    def __init__(
        self,
        world: World,
        ledger: Ledger,
        *,
        dice: random.Random,
        stop: threading.Event,
        deadline: list[float],
    ) -> None:
        """Work in `world` until `stop` is set; answers are waited for until the moment `deadline[0]`."""
        self._world, self._ledger, self._dice, self._stop = world, ledger, dice, stop
        self._deadline = deadline
        self._people: dict[tuple[Role, str], Person] = {}
        self.scans = 0

    @property
    def again(self) -> int:
        """Requests that were sent again."""
        return sum(person.again for person in self._people.values())

    def leave(self) -> None:
        """Go home; mistakes of the pages are surprises."""
        for person in self._people.values():
            for mistake in person.mistakes:
                self._ledger.surprise(f"status 500: {mistake}")
            person.close()

    def scan(
        self, by: Person, station: str, codes: Sequence[str], *, manifest: str | None = None
    ) -> list[dict[str, Any]]:
        """Scan `codes` in one list, as a page sends it: the same ids until there is an answer."""
        at = (utc_now() - timedelta(milliseconds=5)).isoformat()
        given = [
            {
                "id": self.id(),
                "raw": code,
                "station": station,
                "at": at,
                "device": "chaos",
                "manifest": manifest,
            }
            for code in codes
        ]
        answers: list[dict[str, Any]] = self.ask(by, "/api/v1/scans", given)
        self.scans += len(codes)
        for code, answer in zip(codes, answers, strict=True):
            if answer["verdict"] != "taken":
                self._ledger.surprise(f"{station} {code}: {answer['verdict']}, {answer['say']}")
        if self._dice.random() < SENT_TWICE:
            # Nothing may come between an answer and the ledger, so what becomes of the repeat is of no account.
            with suppress(UnansweredError):
                _, same = by.post("/api/v1/scans", given)
                if same != answers:
                    self._ledger.surprise(f"{station}: another answer to the same scans")
        return answers

    def ask(self, by: Person, path: str, given: object) -> Any:  # noqa: ANN401 - JSON
        """Send what carries ids of its own until it is answered; raise StoppedError for a refusal."""
        self._pause()
        status, answer = by.post(path, given)
        if status >= 400:
            self._ledger.surprise(f"{path}: {status} {answer.get('detail', '')}")
            raise StoppedError
        return answer

    def order(self, by: Person, path: str, given: object, number: str, state: str) -> None:
        """Give a command, which has no id: when it is refused the second time, the packet tells what became of it."""
        self._give(by, path, given, f"/api/v1/packets/{number}", {state})

    def order_bag(self, by: Person, path: str, given: object, number: str, states: set[str]) -> None:
        """Give a command about a manifest, as `order` does about a packet."""
        self._give(by, path, given, f"/api/v1/manifests/{number}", states)

    def _give(self, by: Person, path: str, given: object, look_at: str, states: set[str]) -> None:
        self._pause()
        before = by.again
        status, answer = by.post(path, given)
        if status < 400:
            return
        if by.again > before:
            _, seen = by.get(look_at)
            if seen.get("state") in states:
                return
        self._ledger.surprise(f"{path}: {status} {answer.get('detail', '')}")
        raise StoppedError

    def who(self, role: Role, office: str) -> Person:
        """Return the person with this role in an office."""
        place = role, office
        if place not in self._people:
            self._people[place] = Person(self._world.port, self._world.tokens[place], deadline=self._deadline)
        return self._people[place]

    def id(self) -> str:
        """Return a fresh id."""
        return str(UUID(int=self._dice.getrandbits(128), version=4))

    def _pause(self) -> None:
        if self._stop.wait(self._dice.uniform(0, LONGEST_PAUSE)):
            raise StoppedError
