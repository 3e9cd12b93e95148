"""The hottest paths of the application, turn by turn: what is measured stands in functions of its own.

`python -m bench.paths NAME --database URL --broker URL --seconds N --out FILE`

So it is the process that `bench.profiles` looks into. It uses only what has long been there, so that a path is the same
in an older version of the application.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, LiteralString, Protocol

import psutil
import psycopg
from redis import Redis

from bench.ground import opened, settings
from bench.stock import crew, parts, scan, waiting
from config import logs
from config.settings import Settings
from models.database import Database
from models.scan import Station
from models.staff import Role
from routing.poke import BELL, Poker
from routing.queues import names
from tasks.handling import handle
from workers.relay import Relay
from workflow.people import Actor

MANY = 50
WARM_TURNS = 60
"""After which the driver has prepared each statement and the server has settled on its plans."""


class Measure(Protocol):
    """Does a part of a turn, and measures it."""

    def __call__(self, part: Callable[..., None], *given: object) -> None:
        """Call `part` with what is given."""


Turns = Generator[None, None, None]
"""Each step does one turn."""


def scanning(database: Database, by: Actor, codes: Sequence[str]) -> None:
    """Scan packets in one list."""
    scan(database, by, Station.REGISTER, codes)


def relaying(relay: Relay) -> None:
    """Lease and publish what is due, after a rest."""
    assert relay.step()


def looking(relay: Relay) -> None:
    """Look once more and find nothing: so the relay goes to rest."""
    assert not relay.step()


def handling(database: Database, messages: Sequence[int], ours: Settings) -> None:
    """Carry messages out as one task does."""
    assert handle(database, messages, settings=ours).done == len(messages)


def scans(url: str, broker_url: str, measure: Measure, *, size: int) -> Turns:
    """Register packets `size` at a time, each office in turn."""
    with opened(url) as database:
        database.after_commit.append(Poker(broker_url).poke)
        for by, codes in _portions(database, size):
            measure(scanning, database, by, codes)
            yield


def tasks(url: str, broker_url: str, measure: Measure, *, size: int) -> Turns:
    """Relay and handle the messages of `size` scans at a time, each office in turn."""
    ours = settings(broker_url)
    client: Redis = Redis.from_url(broker_url)
    # Pages, relay and worker are processes of their own: none of them uses the connection of another.
    with (
        opened(url) as pages,
        opened(url) as relays,
        opened(url) as worker,
        client as broker,
        _asking(url) as ask,
    ):
        worker.after_notices.append(Poker(broker_url, channel=BELL).poke)
        relay = Relay(relays, broker_url, ours)
        for by, codes in _portions(pages, size):
            scan(pages, by, Station.REGISTER, codes)
            measure(relaying, relay)
            measure(looking, relay)
            messages = [
                id_ for (id_,) in ask("SELECT id FROM messages WHERE state = 'published' ORDER BY id")
            ]
            measure(handling, worker, messages, ours)
            # As if a worker had taken it: the relay gives nothing more to a queue in which tasks wait.
            broker.delete(*names())
            yield
        relay.close()


@contextmanager
def _asking(url: str) -> Iterator[Callable[[LiteralString], list[tuple[Any, ...]]]]:
    """Give what asks the database without touching the connections that are measured."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield lambda question: connection.execute(question).fetchall()


def _portions(database: Database, size: int) -> Iterator[tuple[Actor, Sequence[str]]]:
    """Yield portions of the packets that wait, each office in turn, and who is to scan them."""
    people = crew(database)
    portions = [
        [(people[Role.REGISTRAR, office], part) for part in parts(held, size)]
        for office, held in waiting(database).items()
    ]
    for turn in zip(*portions, strict=False):
        yield from ((by, part) for by, part in turn if len(part) == size)


PATHS: dict[str, Callable[[str, str, Measure], Turns]] = {
    "single": partial(scans, size=1),
    "lists": partial(scans, size=MANY),
    "task": partial(tasks, size=1),
    "tasks": partial(tasks, size=MANY),
}
PACKETS_A_SECOND = {"single": 600, "lists": 4000, "task": 500, "tasks": 5000}
"""More than are used in one measured second."""


def warm(part: Callable[..., None], *given: object) -> None:
    """Do a part without measuring it."""
    part(*given)


class Clock:
    """Sums up what each part takes: its turns, and seconds by the wall, of CPU here, and of CPU of the server."""

    def __init__(self, url: str) -> None:
        """Begin with nothing; all connections to the database at `url` are open already."""
        with _asking(url) as ask:
            self._servers = [
                pid
                for (pid,) in ask(
                    "SELECT pid FROM pg_stat_activity"
                    " WHERE datname = current_database() AND backend_type = 'client backend'"
                )
            ]
        self.sums: defaultdict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0, 0.0])

    def measured(self, part: Callable[..., None], *given: object) -> None:
        """Do a part. A sample of a profile belongs to it when this function and the part are on its stack."""
        served, cpu, began = self._served(), time.process_time(), time.perf_counter()
        part(*given)
        wall, used = time.perf_counter() - began, time.process_time() - cpu
        figures = (1, wall, used, self._served() - served)
        self.sums[part.__name__] = [sum(pair) for pair in zip(self.sums[part.__name__], figures, strict=True)]

    @property
    def seconds(self) -> float:
        """Seconds that were measured in all."""
        return sum(wall for _, wall, _, _ in self.sums.values())

    def _served(self) -> float:
        return sum(_cpu_seconds(pid) for pid in self._servers)


def _cpu_seconds(pid: int) -> float:
    # To the nanosecond; what psutil reads counts in hundredths of a second, and a part takes a few thousandths.
    exact = Path(f"/proc/{pid}/schedstat")
    try:
        return int(exact.read_text(encoding="ascii").split()[0]) / 1e9
    except FileNotFoundError:
        return float(sum(psutil.Process(pid).cpu_times()[:2])) if psutil.pid_exists(pid) else 0.0


class Walk:
    """One path being walked, now with this measure and now with that."""

    def __init__(self, name: str, url: str, broker_url: str) -> None:
        """Prepare; the first turn is not done yet."""
        self.measure: Measure = warm
        self._turns = PATHS[name](url, broker_url, self._measured)

    def _measured(self, part: Callable[..., None], *given: object) -> None:
        self.measure(part, *given)

    def close(self) -> None:
        """End it, and with it all its connections."""
        self._turns.close()

    def turn(self) -> bool:
        """Do one turn; return False when there are no packets left."""
        return next(self._turns, self) is not self

    def turns(self, count: int, measure: Measure = warm) -> None:
        """Do `count` turns with `measure`."""
        self.measure = measure
        for _ in range(count):
            assert self.turn(), "too few packets"


def main(given: Sequence[str] | None = None) -> int:
    """Walk a path for some measured seconds, and write what its parts took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=PATHS)
    parser.add_argument("--database", required=True)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(given)
    logs.configure("bench", level="WARNING")
    with closing(Walk(chosen.name, chosen.database, chosen.broker)) as walk:
        walk.turns(WARM_TURNS)
        clock = Clock(chosen.database)
        walk.measure = clock.measured
        while clock.seconds < chosen.seconds and walk.turn():
            pass
    chosen.out.write_text(json.dumps(clock.sums), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
