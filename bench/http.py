"""Scans over HTTP: 20 people with a sign-in each, the real processes, Flower's events on; the naive design in turn.

`python -m bench.http [--rounds N] [--scans N] [--template NAME]`

The naive design is `bench.peers.naive_http`: FastAPI with the ORM, a Celery worker that sends its events, and Flower.
Each person sends a few requests that are not counted, and those that are begin when the messages of all of them are
handled. A round is over when the last message of it is; that every one was handled is checked for both, all else that
`shabarman verify` checks for ours alone, because the naive design writes fewer tables.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
from sqlalchemy import text

from bench.core import carriers, require_sound, server_cpu, unfinished
from bench.ground import (
    ROOT,
    Postgresql,
    Running,
    broker,
    environment,
    opened,
    processes,
    shabarman,
    signed_in,
    until,
)
from bench.measuring import Table, interleaved, options, percentile
from bench.stock import crew, parts, stock, waiting
from models.database import Database
from models.staff import Role
from tests.integration.servers import free_port
from web import sessions

PEOPLE, WARM = 20, 3
SINGLE, LISTS = "ours, one scan a request", "ours, lists of 50"
NAIVE = "naive, one scan a request"
COLUMNS = ("scans /s", "end to end /s", "requests /s", "p50 ms", "p99 ms", "web CPU ms", "all CPU ms")


def each(scans: int, *, at_once: int) -> int:
    """Return how many lists one of the people sends, so that all together send so many scans; at least one."""
    return max(1, scans // PEOPLE // at_once)


def people(database: Database, scans: int, *, at_once: int) -> list[dict[str, Any]]:
    """Sign people in, and deal the packets of their offices out to them: to each as many lists."""
    crowd = crew(database)
    offices = list(waiting(database).items())
    seats = [offices[place % len(offices)] for place in range(PEOPLE)]
    colleagues, taken = Counter(office for office, _ in seats), Counter[str]()
    count = WARM + each(scans, at_once=at_once)
    made: list[dict[str, Any]] = []
    for office, numbers in seats:
        share = numbers[taken[office] :: colleagues[office]]
        taken[office] += 1
        lists = list(parts(share, at_once))[:count]
        assert sum(map(len, lists)) == count * at_once, f"{office} has too few packets: {len(numbers)}"
        key = signed_in(database, crowd[Role.REGISTRAR, office].id)
        made.append({"cookie": key, "token": sessions.csrf_token(key), "lists": lists})
    return made


def needed(scans: int, *, at_once: int) -> int:
    """Return how many packets must wait in all offices together, where two people may share any one of them."""
    return 2 * PEOPLE * at_once * (WARM + each(scans, at_once=at_once))


@contextmanager
def serving(way: str, env: dict[str, str], folder: Path) -> Iterator[Running]:
    """Run the processes of one way, that of the pages first, until the end of a block."""
    if way == "ours":
        commands = [shabarman(name) for name in ("web", "relay", "worker", "flower")]
        with processes(commands, env=env, folder=folder) as running:
            yield running
        return
    with carriers(way, env, folder) as running:
        for variable in ("SHABARMAN_PORT", "SHABARMAN_FLOWER_PORT"):
            until(partial(_listens, int(env[variable])))
        yield running


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def handled(database: Database) -> int:
    """Return how many scans have come to their last effect: a message that is done, and its notice."""
    with database.reading() as session:
        found: int = session.execute(
            text(
                "SELECT count(DISTINCT m.id) FROM messages m JOIN notices n ON n.message_id = m.id"
                " WHERE m.type = 'packet.registered' AND m.state = 'done'"
            )
        ).scalar_one()
    return found


def require_events(port: int) -> None:
    """Raise unless this Flower has heard of tasks that are over: both ways pay for its events."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        assert b'type="task-succeeded"' in answer.read(), "no events come to Flower"


class Crowd:
    """The process of the people who scan."""

    def __init__(self, port: int, people: Sequence[dict[str, Any]]) -> None:
        """Start it."""
        self._started = subprocess.Popen(
            (sys.executable, "-m", "bench.http_client"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        told = {"host": "127.0.0.1", "port": port, "warm": WARM, "people": people}
        assert self._ask(json.dumps(told)) == "ready"

    def run(self) -> dict[str, Any]:
        """Let all of them send the next part of their lists, and return what they say of it."""
        said: dict[str, Any] = json.loads(self._ask("go"))
        return said

    def end(self) -> None:
        """Wait until they have gone."""
        self._started.communicate(timeout=20)

    def _ask(self, line: str) -> str:
        assert self._started.stdin is not None
        assert self._started.stdout is not None
        self._started.stdin.write(line + "\n")
        self._started.stdin.flush()
        answer = self._started.stdout.readline().strip()
        assert answer, "the people went away before their work was done"
        return answer


def measure(way: str, store: Postgresql, *, scans: int, at_once: int) -> dict[str, float]:
    """Run one round of one way, and return its figures."""
    with (
        store.fresh() as url,
        broker("redis") as served,
        opened(url) as database,
        tempfile.TemporaryDirectory(prefix="sh-bench-") as home,
    ):
        port, flower = free_port(), free_port()
        env = environment(url, served.url, Path(home))
        env |= {"SHABARMAN_PORT": str(port), "SHABARMAN_FLOWER_PORT": str(flower)}
        crowd = people(database, scans, at_once=at_once)
        done = handled(database)
        assert served.process is not None
        with serving(way, env, Path(home)) as running:
            scanning = Crowd(port, crowd)
            scanning.run()
            until(lambda: not unfinished(database))
            web = psutil.Process(running.started[0].pid)
            before = (
                sum(web.cpu_times()[:2]),
                running.cpu_seconds() + server_cpu(database, served.process.pid),
            )
            begun = time.time()
            said = scanning.run()
            until(lambda: not unfinished(database))
            ended = time.time()
            used = sum(web.cpu_times()[:2]) - before[0]
            everything = running.cpu_seconds() + server_cpu(database, served.process.pid) - before[1]
            scanning.end()
            require_events(flower)
        sent = at_once * sum(len(person["lists"]) for person in crowd)
        assert handled(database) - done == sent, f"{handled(database) - done} of {sent} scans were handled"
        if way == "ours":
            require_sound(database)
    times = said["times"]
    count = len(times) * at_once
    return {
        "scans /s": count / said["seconds"],
        "end to end /s": count / (ended - begun),
        "requests /s": len(times) / said["seconds"],
        "p50 ms": 1000 * percentile(times, 0.5),
        "p99 ms": 1000 * percentile(times, 0.99),
        "web CPU ms": 1000 * used / count,
        "all CPU ms": 1000 * (everything + said["cpu"]) / count,
    }


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; exit with 1 when a ratio fell behind the stored one."""
    parser = options(__doc__)
    parser.add_argument("--scans", type=int, default=3000, help="single scans of ours in a round")
    parser.add_argument("--template", default="", help="a database to copy instead of filling a new one")
    chosen = parser.parse_args(given)
    table = Table("http", f"Scans over HTTP, {PEOPLE} people", COLUMNS)
    plan = {
        SINGLE: ("ours", chosen.scans, 1),
        LISTS: ("ours", 2 * chosen.scans, 50),
        NAIVE: ("naive_http", chosen.scans // 3, 1),
    }
    most = max(needed(scans, at_once=at_once) for _, scans, at_once in plan.values())
    store = Postgresql(stock(most), template=chosen.template)
    try:

        def run(name: str) -> None:
            way, scans, at_once = plan[name]
            table.add(name, measure(way, store, scans=scans, at_once=at_once))
            print(f"{name}: {table.rounds[name][-1]}", file=sys.stderr)

        interleaved(plan, run, rounds=chosen.rounds)
    finally:
        store.close()
    table.compare("one scan a request : naive", SINGLE, NAIVE, "scans /s")
    table.compare("lists of 50 : naive", LISTS, NAIVE, "scans /s")
    table.compare("lists of 50 : one scan a request", LISTS, SINGLE, "scans /s")
    # Which holds on a machine that others use, too.
    table.compare("naive : one scan a request, CPU", SINGLE, NAIVE, "all CPU ms", less_is_better=True)
    table.compare("naive : lists of 50, CPU", LISTS, NAIVE, "all CPU ms", less_is_better=True)
    return table.end(chosen, rounds=chosen.rounds, people=PEOPLE, scans=chosen.scans)


if __name__ == "__main__":
    sys.exit(main())
