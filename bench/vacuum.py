"""Vacuum under load: what one person's scans feel while the server tidies its large tables up.

`python -m bench.vacuum [--bags N | --template NAME] [--seconds N]`

A fifth of the rows that change in life (packets, clocks, messages, notices) has an old version, as after some weeks of
work. One person scans: alone, while a vacuum goes at the pace at which the server does it by itself, and while one goes
as fast as it can. A vacuum that is not over by then is broken off.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress

import psycopg

from bench.core import require_sound
from bench.ground import Postgresql, opened
from bench.growth import grown, sizes
from bench.measuring import Table, options, percentile
from bench.stock import crew, scan, waiting
from config import logs
from models.database import Database
from models.scan import Station
from models.staff import Role

CHANGING = ("packets", "deadlines", "messages", "notices")
LARGE = (*CHANGING, "events", "scans", "manifest_lines")
ALONE, AS_USUAL, AT_ONCE = "no vacuum", "vacuum at the server's pace", "vacuum at full speed"
DELAYS = {AS_USUAL: "2ms", AT_ONCE: "0"}
COLUMNS = ("scans /s", "p50 ms", "p99 ms", "max ms", "tables done")


def wear(url: str) -> None:
    """Leave an old version of every fifth row, as changes do."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in CHANGING:
            connection.execute(f"UPDATE {table} SET id = id WHERE id % 5 = 0")  # noqa: S608 - our own tables


def scans(database: Database) -> Iterator[Callable[[], None]]:
    """Yield one scan after the other, each of another office than the one before."""
    people, here = crew(database), waiting(database)
    for station in (Station.REGISTER, Station.PASS):
        for turn in zip(*here.values(), strict=False):
            for office, number in zip(here, turn, strict=True):
                yield lambda by=people[Role.REGISTRAR, office], number=number, station=station: scan(  # type: ignore[misc]
                    database, by, station, [number]
                )


def vacuum(url: str, delay: str, done: list[str], opened_here: list[psycopg.Connection]) -> None:
    """Tidy the large tables up, one after the other, until somebody breaks it off."""
    with psycopg.connect(url, autocommit=True) as connection, suppress(psycopg.errors.QueryCanceled):
        opened_here.append(connection)
        connection.execute(f"SET vacuum_cost_delay = '{delay}'")
        for table in LARGE:
            connection.execute(f"VACUUM (ANALYZE, INDEX_CLEANUP ON) {table}")
            done.append(table)


def measure(url: str, way: str, work: Iterator[Callable[[], None]], *, seconds: float) -> dict[str, float]:
    """Scan for so long, in one way."""
    done: list[str] = []
    connections: list[psycopg.Connection] = []
    tidying = threading.Thread(target=vacuum, args=(url, DELAYS.get(way, "0"), done, connections))
    if way != ALONE:
        tidying.start()
    times = []
    begun = time.perf_counter()
    while time.perf_counter() < begun + seconds:
        before = time.perf_counter()
        next(work)()
        times.append(1000 * (time.perf_counter() - before))
        if way != ALONE and not tidying.is_alive():
            break
    lasted = time.perf_counter() - begun
    if way != ALONE:
        for connection in connections:
            connection.cancel_safe()
        tidying.join()
    return {
        "scans /s": len(times) / lasted,
        "p50 ms": percentile(times, 0.5),
        "p99 ms": percentile(times, 0.99),
        "max ms": max(times),
        "tables done": float(len(done)),
    }


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; exit with 1 when a ratio fell behind the stored one."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--bags", type=int, default=22)
    parser.add_argument("--template", default="", help="a database to copy instead of filling one")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each way")
    chosen = parser.parse_args(given)
    logs.configure("bench", level="WARNING")
    table = Table("vacuum", "Single scans of one person while the server tidies up", COLUMNS)
    with (
        closing(Postgresql(grown(chosen.bags), template=chosen.template)) as store,
        store.fresh() as url,
        opened(url) as database,
    ):
        table.notes.append(sizes(database))
        work = scans(database)
        for _ in range(50):
            next(work)()
        for _ in range(chosen.rounds):
            wear(url)
            for way in (ALONE, AS_USUAL, AT_ONCE):
                table.add(way, measure(url, way, work, seconds=chosen.seconds))
        if not chosen.template:
            require_sound(database)
    for way in (AS_USUAL, AT_ONCE):
        table.compare(f"{way} : {ALONE}, p99", way, ALONE, "p99 ms", less_is_better=True)
        table.compare(f"{way} : {ALONE}, scans", way, ALONE, "scans /s")
    return table.end(chosen, rounds=chosen.rounds, seconds=chosen.seconds)


if __name__ == "__main__":
    sys.exit(main())
