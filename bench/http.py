"""Scans over HTTP: 20 people with a sign-in each, the real processes, Flower's events on.

`python -m bench.http [--rounds N] [--scans N] [--template NAME]`

"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.core import server_cpu, unfinished
from bench.ground import (
    ROOT,
    Postgresql,
    broker,
    environment,
    opened,
    processes,
    shabarman,
    signed_in,
    until,
)
from bench.measuring import Table, options, percentile
from bench.stock import crew, parts, stock, waiting
from models.database import Database
from models.staff import Role
from tests.integration.servers import free_port
from web import sessions
from workers.verification import verify

PEOPLE = 20
SINGLE, LISTS = "one scan a request", "lists of 50"
COLUMNS = ("scans /s", "requests /s", "p50 ms", "p99 ms", "web CPU ms", "all CPU ms")


def people(database: Database, count: int, *, at_once: int) -> list[dict[str, object]]:
    """Sign people in, and deal the packets of their offices out to them."""
    crowd = crew(database)
    offices = list(waiting(database).items())
    made: list[dict[str, object]] = []
    for place in range(PEOPLE):
        office, numbers = offices[place % len(offices)]
        share = numbers[: len(numbers) // 2] if place < len(offices) else numbers[len(numbers) // 2 :]
        key = signed_in(database, crowd[Role.REGISTRAR, office].id)
        lists = [part for part in parts(share, at_once) if len(part) == at_once]
        made.append(
            {
                "cookie": key,
                "token": sessions.csrf_token(key),
                "lists": lists[: max(1, count // PEOPLE // at_once)],
            }
        )
    return made


def measure(store: Postgresql, *, scans: int, at_once: int) -> dict[str, float]:
    """Run one round."""
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
        commands = [shabarman(name) for name in ("web", "relay", "worker", "flower")]
        with processes(commands, env=env, folder=Path(home)) as running:
            client = subprocess.Popen(
                (sys.executable, "-m", "bench.http_client"),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdin.write(json.dumps({"host": "127.0.0.1", "port": port, "people": crowd}) + "\n")
            client.stdin.flush()
            assert client.stdout.readline().strip() == "ready"
            assert served.process is not None
            web = psutil.Process(running.started[0].pid)
            before = (
                sum(web.cpu_times()[:2]),
                running.cpu_seconds() + server_cpu(database, served.process.pid),
            )
            begun = time.time()
            said = json.loads(client.communicate("go\n", timeout=120)[0])
            until(lambda: not unfinished(database))
            ended = time.time()
            used = sum(web.cpu_times()[:2]) - before[0]
            everything = running.cpu_seconds() + server_cpu(database, served.process.pid) - before[1]
        with database.reading() as session:
            report = verify(session)
        assert not report.broken, report.broken
    times = said["times"]
    count = len(times) * at_once
    return {
        "scans /s": count / said["seconds"],
        "requests /s": len(times) / said["seconds"],
        "end to end /s": count / (ended - begun),
        "p50 ms": 1000 * percentile(times, 0.5),
        "p99 ms": 1000 * percentile(times, 0.99),
        "web CPU ms": 1000 * used / count,
        "all CPU ms": 1000 * (everything + said["cpu"]) / count,
    }


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; exit with 1 when a ratio fell behind the stored one."""
    parser = options(__doc__)
    parser.add_argument("--scans", type=int, default=3000)
    parser.add_argument("--template", default="")
    chosen = parser.parse_args(given)
    table = Table("http", f"Scans over HTTP, {PEOPLE} people", COLUMNS)
    store = Postgresql(stock(2 * chosen.scans + PEOPLE * 100), template=chosen.template)
    try:
        for _ in range(chosen.rounds):
            table.add(SINGLE, measure(store, scans=chosen.scans, at_once=1))
            table.add(LISTS, measure(store, scans=2 * chosen.scans, at_once=50))
    finally:
        store.close()
    table.compare("lists of 50 : one scan a request", LISTS, SINGLE, "scans /s")
    return table.end(chosen, rounds=chosen.rounds, people=PEOPLE, scans=chosen.scans)


if __name__ == "__main__":
    sys.exit(main())
