"""Archiving: how long it takes, how large the file is, and what a scan feels of it meanwhile.

`python -m bench.archiving [--bags N]`

A few packets that went their whole way are multiplied by SQL (N bags of 250 for each of 19 districts) and archived,
while one person scans. PostgreSQL's own figures tell what the tables take before, after, and after the vacuum.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy import text

from bench.ground import Postgresql, opened
from bench.measuring import percentile
from bench.multiplying import multiply
from bench.stock import crew, finished, received, scan, waiting
from config.clock import utc_now
from models.database import Database
from models.packet import State
from models.scan import Station
from models.staff import Role
from workers.archive import file
from workers.archive.checking import check
from workers.archive.making import archive
from workers.verification import verify

MONTHS = 24


def fill(database: Database, *, bags: int) -> None:
    """Fill a database with packets whose way is over, and with some that wait to be registered."""
    finished(database)
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    multiply(url, State.HANDED_OVER, bags=bags)
    received(19 * 40)(database)


def size(database: Database) -> float:
    """Return how many megabytes the tables take with their indexes."""
    with database.reading() as session:
        return float(session.scalar(text("SELECT pg_database_size(current_database())")) or 0) / 1e6


def vacuum(database: Database) -> float:
    """Do what the server does by itself in its time, and return the seconds."""
    begun = time.perf_counter()
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        for table in ("events", "scans", "messages", "notices", "deadlines", "packets", "prints"):
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")
    return time.perf_counter() - begun


def scanning(database: Database, stop: threading.Event) -> list[float]:
    """Scan one packet after the other until `stop`, and return the milliseconds of each."""
    people, here = crew(database), waiting(database)
    turns = itertools.chain.from_iterable(zip(*(here[office] for office in sorted(here)), strict=False))
    times = []
    for place, number in enumerate(turns):
        if stop.is_set():
            break
        office = sorted(here)[place % len(here)]
        begun = time.perf_counter()
        scan(database, people[Role.REGISTRAR, office], Station.REGISTER, [number])
        times.append(1000 * (time.perf_counter() - begun))
        stop.wait(0.02)
    return times


def say(what: str, **figures: float) -> None:
    """Print one line of figures."""
    print(f"{what:<28}" + "  ".join(f"{name} {figure:,.1f}" for name, figure in figures.items()))


def main(given: Sequence[str] | None = None) -> int:
    """Print the figures; exit with 1 when something does not hold afterwards."""
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bags", type=int, default=4)
    chosen = options.parse_args(given)
    store = Postgresql(lambda database: fill(database, bags=chosen.bags))
    try:
        with store.fresh() as url, opened(url) as database, tempfile.TemporaryDirectory() as folder:
            vacuum(database)
            say("before", megabytes=size(database))
            spent: defaultdict[str, float] = defaultdict(float)
            last = time.perf_counter()

            def step(what: str, _file: str, _count: int) -> None:
                nonlocal last
                spent[what] += time.perf_counter() - last
                last = time.perf_counter()

            stop, times = threading.Event(), []
            hand = threading.Thread(target=lambda: times.extend(scanning(database, stop)))
            hand.start()
            begun = time.perf_counter()
            later = utc_now() + timedelta(days=31 * (MONTHS + 1))
            made = archive(database, Path(folder), now=later, months=MONTHS, by="bench", on_step=step).made
            seconds = time.perf_counter() - begun
            stop.set()
            hand.join()
            for one in made:
                say(one.file, packets=one.packets, rows=one.rows, megabytes=one.size / 1e6, stayed=one.stayed)
                plain = sum(len(line) for line in file.lines(Path(folder) / one.file))
                say("  unpacked", megabytes=plain / 1e6)
            say("seconds", all=seconds, **spent)
            say("a scan meanwhile, ms", p50=percentile(times, 0.5), p99=percentile(times, 0.99), n=len(times))
            say("after", megabytes=size(database))
            say("vacuum", seconds=vacuum(database), megabytes=size(database))
            begun = time.perf_counter()
            sound = all(one.ok for one in check(database, Path(folder)))
            say("archive check", seconds=time.perf_counter() - begun)
            with database.reading() as session:
                report = verify(session)
            return 0 if sound and report.ok else 1
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(main())
