"""The core job, end to end: a durable scan, its message, the handler; counted when the last effect is committed.

`python -m bench.core [--pair postgresql-redis|postgresql-rabbitmq|sqlite-embedded] [--rounds N] [--scans N]`

Ours runs as the application runs: relay, a worker with two processes and Flower's events on. The peers do the same
job by the ORM with one message a task. Each round gets a fresh copy of the same database.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
from sqlalchemy import text

from bench.ground import (
    ROOT,
    Postgresql,
    Running,
    Sqlite,
    Store,
    broker,
    cpu_seconds_of,
    environment,
    opened,
    processes,
    shabarman,
    until,
)
from bench.measuring import Table, interleaved, options, percentile
from bench.stock import crew, parts, stock, waiting
from models.database import Database
from models.staff import Role
from workers.verification import verify

PAIRS: dict[str, tuple[type[Store], str]] = {
    "postgresql-redis": (Postgresql, "redis"),
    "postgresql-rabbitmq": (Postgresql, "rabbitmq"),
    "sqlite-embedded": (Sqlite, "embedded"),
}
SINGLE, LISTS, NAIVE = "ours, single scans", "ours, lists of 50", "naive Celery"
PEERS = {
    NAIVE: "naive",
    "Dramatiq": "with_dramatiq",
    "Taskiq": "with_taskiq",
    "Procrastinate": "with_procrastinate",
}
CEILING = "PostgreSQL alone, sets of 50"
PROCESSES, THREADS, WARM = 4, 2, 2
COLUMNS = (
    "end to end /s",
    "accepted /s",
    "p50 ms",
    "p99 ms",
    "CPU ms",
    "of it clients",
    "of it server",
    "cores had",
)


class Clients:
    """The processes that scan."""

    def __init__(
        self,
        way: str,
        work: Sequence[Sequence[Sequence[Sequence[Any]]]],
        *,
        env: dict[str, str],
        warm: int,
        pace: float = 0.0,
    ) -> None:
        """Start them; `work` is for each process, for each thread, a list of lists of scans."""
        self._started = [
            subprocess.Popen(
                (sys.executable, "-m", "bench.client", way),
                cwd=ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in work
        ]
        for process, share in zip(self._started, work, strict=True):
            self._say(process, json.dumps({"work": share, "warm": warm, "pace": pace}))
        for process in self._started:
            assert self._hear(process) == "ready"

    def run(self) -> list[dict[str, Any]]:
        """Let all of them begin, and return what each one says at its end."""
        for process in self._started:
            self._say(process, "go")
        return [json.loads(self._hear(process)) for process in self._started]

    def end(self) -> None:
        """Let them go."""
        for process in self._started:
            process.communicate("\n", timeout=20)

    @staticmethod
    def _say(process: subprocess.Popen[str], line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()

    @staticmethod
    def _hear(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line, "a client ended before its work was done"
        return line


def shares(database: Database, count: int, *, at_once: int) -> list[list[list[list[tuple[str, int, str]]]]]:
    """Deal `count` scans out: process → thread → lists; each office has one person, as in life."""
    people = crew(database)
    dealt: list[list[list[list[tuple[str, int, str]]]]] = [
        [[] for _ in range(THREADS)] for _ in range(PROCESSES)
    ]
    seats = [seat for process in dealt for seat in process]
    per_office = [
        [
            [(office, people[Role.REGISTRAR, office].id, number) for number in part]
            for part in parts(numbers, at_once)
            if len(part) == at_once
        ]
        for office, numbers in waiting(database).items()
    ]
    for place, lists in enumerate(per_office):
        seats[place % len(seats)].append(lists)  # type: ignore[arg-type]
    most = max(1, round(count / at_once / len(seats))) + WARM
    # Each person in turn, so that the messages of one moment go to many queues.
    return [
        [[one for turn in zip(*seat, strict=False) for one in turn][:most] for seat in process]
        for process in dealt
    ]


def unfinished(database: Database) -> bool:
    """Tell whether a message waits for its effect."""
    with database.reading() as session:
        return (
            session.execute(
                text("SELECT 1 FROM messages WHERE state IN ('pending', 'published') LIMIT 1")
            ).first()
            is not None
        )


def server_cpu(database: Database, broker_process: int | None) -> float:
    """Return the CPU seconds of the connections of this database, and of the broker where it is ours."""
    found = cpu_seconds_of(broker_process) if broker_process else 0.0
    if database.dialect == "postgresql":
        with database.reading() as session:
            pids = session.scalars(
                text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            ).all()
        for pid in pids:
            try:
                found += sum(psutil.Process(pid).cpu_times()[:2])
            except psutil.NoSuchProcess:
                continue
    return found


@contextmanager
def carriers(way: str, env: dict[str, str], folder: Path) -> Iterator[Running]:
    """Run what carries the messages of one way."""
    if way == "ours":
        with processes((shabarman("relay"), shabarman("worker")), env=env, folder=folder) as running:
            yield running
        return
    asked = (
        f"import json, bench.peers.{way} as peer; getattr(peer, 'prepare', lambda: None)(); "
        "print(json.dumps(peer.commands()))"
    )
    program = subprocess.run(
        (sys.executable, "-c", asked), cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True
    )
    commands = json.loads(program.stdout.splitlines()[-1])
    with processes(commands, env=env, folder=folder, notify=False) as running:
        yield running


def measure(way: str, store: Store, kind: str, *, scans: int, at_once: int) -> dict[str, float]:
    """Run one round of one way, and return its figures."""
    with (
        store.fresh() as url,
        broker(kind) as served,
        opened(url) as database,
        tempfile.TemporaryDirectory(prefix="sh-bench-") as home,
    ):
        env = environment(url, served.url, Path(home))
        work = shares(database, scans, at_once=at_once)
        clients = Clients(way, work, env=env, warm=WARM)
        with carriers(way, env, Path(home)) as running:
            clients.run()
            until(lambda: not unfinished(database))
            pid = served.process.pid if served.process else None
            cpu = running.cpu_seconds(), server_cpu(database, pid)
            begun = time.time()
            said = clients.run()
            until(lambda: not unfinished(database))
            ended = time.time()
            carrying, serving = running.cpu_seconds() - cpu[0], server_cpu(database, pid) - cpu[1]
            clients.end()
        if way == "ours":
            require_sound(database)
    times = [seconds for one in said for seconds in one["times"]]
    count = len(times) * at_once
    scanning = sum(one["cpu"] for one in said)
    return {
        "end to end /s": count / (ended - begun),
        "accepted /s": count / (max(one["ended"] for one in said) - begun),
        "p50 ms": 1000 * percentile(times, 0.5),
        "p99 ms": 1000 * percentile(times, 0.99),
        "CPU ms": 1000 * (scanning + carrying + serving) / count,
        "of it clients": 1000 * scanning / count,
        "of it server": 1000 * serving / count,
        # Whoever has less of a shared machine in its turn is slower by that alone.
        "cores had": (scanning + carrying + serving) / (ended - begun),
    }


def require_sound(database: Database) -> None:
    """Raise where a promise is broken in any row of the database."""
    with database.reading() as session:
        report = verify(session)
    assert not report.broken, report.broken


def ceiling(store: Postgresql, *, sets: int = 100, size: int = 50) -> dict[str, float]:
    """Return how many pairs of one insert and one update the server commits in sets, 8 clients at once, by SQL alone.

    The least that any durable scan needs, in two plain tables without checks, triggers or further keys.
    """
    clients = PROCESSES * THREADS
    with store.fresh() as url:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("CREATE TABLE things (id bigint PRIMARY KEY, state text, version int)")
            admin.execute(
                "INSERT INTO things SELECT n, 'received', 1 FROM generate_series(1, %s) n",
                [clients * sets * size],
            )
            admin.execute("CREATE TABLE moves (thing bigint, seq int, data text, PRIMARY KEY (thing, seq))")
            admin.execute("VACUUM ANALYZE things")

        def write(client: int) -> None:
            with psycopg.connect(url) as connection:
                for turn in range(sets):
                    first = 1 + (client * sets + turn) * size
                    connection.execute(
                        "WITH moved AS (UPDATE things SET state = 'registered', version = version + 1"
                        " WHERE id = ANY(%s) RETURNING id, version)"
                        " INSERT INTO moves SELECT id, version, 'what else belongs to it' FROM moved",
                        [list(range(first, first + size))],
                    )
                    connection.commit()

        threads = [threading.Thread(target=write, args=(client,)) for client in range(clients)]
        begun = time.time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"end to end /s": clients * sets * size / (time.time() - begun)}


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; exit with 1 when a ratio fell behind the stored one."""
    parser = options(__doc__)
    parser.add_argument("--pair", choices=PAIRS, default="postgresql-redis")
    parser.add_argument("--scans", type=int, default=3000, help="single scans of ours in a round")
    parser.add_argument("--template", default="", help="a database to copy instead of filling a new one")
    parser.add_argument("--ways", default="", help="parts of the names of the ways to run")
    chosen = parser.parse_args(given)
    make, kind = PAIRS[chosen.pair]
    lists = 4 * chosen.scans
    table = Table(f"core-{chosen.pair}", f"The core job end to end, {chosen.pair}", COLUMNS)
    plan = {SINGLE: ("ours", chosen.scans, 1), LISTS: ("ours", lists, 50)}
    plan |= {name: (module, max(200, chosen.scans // 6), 1) for name, module in PEERS.items()}
    if chosen.pair != "postgresql-redis":
        plan = {name: plan[name] for name in (SINGLE, LISTS, NAIVE)}
    plan = {
        name: one
        for name, one in plan.items()
        if not chosen.ways or any(part in name for part in chosen.ways.split(","))
    }
    store = make(stock(lists + 50 * (WARM + 2) * PROCESSES * THREADS + 19 * 50), template=chosen.template)
    try:

        def run(name: str) -> None:
            if name == CEILING:
                assert isinstance(store, Postgresql)
                table.add(name, ceiling(store))
                return
            way, scans, at_once = plan[name]
            table.add(name, measure(way, store, kind, scans=scans, at_once=at_once))
            print(f"{name}: {table.rounds[name][-1]}", file=sys.stderr)

        extra = [CEILING] if isinstance(store, Postgresql) and LISTS in plan else []
        interleaved([*plan, *extra], run, rounds=chosen.rounds)
    finally:
        store.close()
    for name in (SINGLE, LISTS):
        for peer in plan:
            if peer in PEERS and name in plan:
                table.compare(f"{name} : {peer}", name, peer, "end to end /s")
    if extra:
        table.compare(f"{LISTS} : {CEILING}", LISTS, CEILING, "end to end /s")
    return table.end(chosen, rounds=chosen.rounds, clients=PROCESSES * THREADS, scans=chosen.scans)


if __name__ == "__main__":
    sys.exit(main())
