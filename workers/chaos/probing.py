"""Probes tell whether the whole way is open, from a person at a page to the notice at another office."""

from __future__ import annotations

import threading
import time
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from config.errors import UnavailableError
from config.offices import centre_of, department_of, districts
from models import Notice
from models.staff import Role
from workers.chaos.asking import Person, UnansweredError
from workers.chaos.couriers import SERVICE
from workers.chaos.ledger import Ledger
from workers.chaos.world import World

PATIENCE = 180.0
"""Seconds after which a probe is given up."""

LOOK_SECONDS = 0.1


class Prober:
    """Accepts an application at a centre where no crew works, and waits until its department is told."""

    def __init__(self, world: World, ledger: Ledger, *, deadline: list[float]) -> None:
        """Probe through the pages of `world`; what is accepted is meant as everything else."""
        self._world, self._ledger, self._deadline = world, ledger, deadline
        self._lock, self._looking = threading.Lock(), threading.Lock()
        self._awaited: dict[str, threading.Event] = {}
        self._looked_at = 0.0
        self._district = districts()[-1]
        self._token = world.tokens[Role.INSPECTOR, centre_of(self._district.code).code]

    def probe(self) -> float | None:
        """Return the seconds from now until a notice has come all the way; None when none came."""
        began = time.monotonic()
        person = Person(self._world.port, self._token, deadline=self._deadline)
        given = {
            "service": SERVICE,
            "applicant_name": "Applicant 0",
            "residence": self._district.name_ru,
            "district": self._district.code,
            "request_id": str(uuid4()),
        }
        try:
            status, answer = person.post("/api/v1/packets", given)
        except UnansweredError as error:
            self._ledger.unanswered.append(f"probe {error}")
            return None
        finally:
            person.close()
            for mistake in person.mistakes:
                self._ledger.surprise(f"status 500: {mistake}")
        if status >= 400:
            self._ledger.surprise(f"probe: {status} {answer}")
            return None
        number = answer["number"]
        self._ledger.tell("packet.accepted", [number], department_of(self._district.code).code)
        self._ledger.moved("accept", [number])
        return time.monotonic() - began if self._is_told(number, until=began + PATIENCE) else None

    def _is_told(self, number: str, *, until: float) -> bool:
        told = threading.Event()
        with self._lock:
            self._awaited[number] = told
        # Whoever waits looks for all others as well, one at a time: many probes must not become a load of their own.
        while not told.is_set() and time.monotonic() < until:
            if self._looking.acquire(blocking=False):
                try:
                    self._look()
                finally:
                    self._looking.release()
            told.wait(LOOK_SECONDS)
        with self._lock:
            del self._awaited[number]
        return told.is_set()

    def _look(self) -> None:
        if time.monotonic() < self._looked_at + LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        with self._lock:
            awaited = dict(self._awaited)
        try:
            with self._world.direct.reading() as session:
                found = session.scalars(select(Notice.subject).where(Notice.subject.in_(awaited))).all()
        except (UnavailableError, DBAPIError):
            return
        for number in found:
            awaited[number].set()
