"""What the core job costs, in CPU time: scan, message and handling in one process, beside the naive design.

`python -m bench.cost [--rounds N] [--template NAME]`

The other benchmarks need a machine to themselves; CPU time needs none, so this one belongs to the short set. Celery's
own work for a task is counted for nobody: the naive design has one task for each message, ours one for a whole group.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence

from sqlalchemy import text

from bench.core import require_sound, server_cpu
from bench.ground import Postgresql, broker, opened, settings
from bench.measuring import Table, interleaved, options
from bench.stock import crew, parts, scan, stock, waiting
from config import logs
from models.database import Database
from models.scan import Station
from models.staff import Role
from routing.poke import Poker
from tasks.handling import handle
from workers.relay import Relay

NAIVE, SINGLE, LISTS = "naive Celery", "ours, single scans", "ours, lists of 50"
COUNTS = {NAIVE: 120, SINGLE: 240, LISTS: 3000}
COLUMNS = ("client CPU us", "server CPU us", "CPU us")


def naive(database: Database) -> Callable[[str, int, str], None]:
    """Return what scans by the ORM and sends a task for each message."""
    os.environ["SHABARMAN_DATABASE_URL"] = database.engine.url.set(drivername="postgresql").render_as_string(
        hide_password=False
    )
    from bench.peers import job  # noqa: PLC0415 - reads the addresses when it is imported
    from bench.peers import naive as peer  # noqa: PLC0415 - as above

    job.sessions.cache_clear()

    def work(number: str, staff_id: int, office: str) -> None:
        peer.scan(number, staff_id=staff_id, office=office)

    return work


def measure(way: str, store: Postgresql, broker_url: str) -> dict[str, float]:
    """Run one round of one way: scans, publication, handling."""
    ours = settings(broker_url)
    count = COUNTS[way]
    with store.fresh() as url, opened(url) as database:
        people = crew(database)
        offices = waiting(database)
        # Each office in turn, so that the messages of one moment go to many queues.
        turns = [
            pair for turn in zip(*offices.values(), strict=False) for pair in zip(offices, turn, strict=True)
        ]
        relay = Relay(database, broker_url, ours)
        database.after_commit.append(Poker(broker_url).poke)
        work = naive(database) if way == NAIVE else None

        def carry() -> None:
            if work is not None:
                from bench.peers import job  # noqa: PLC0415

                for message_id in ids(database):
                    job.handle(message_id)
                return
            while relay.step():
                pass
            for part in parts(ids(database), 200):
                handle(database, part, settings=ours)

        def some(first: int, last: int) -> None:
            if way == LISTS:
                lists = [
                    (office, part)
                    for office, numbers in waiting(database).items()
                    for part in parts(numbers, 50)
                    if len(part) == 50
                ][: (last - first) // 50]
                for office, part in lists:
                    scan(database, people[Role.REGISTRAR, office], Station.REGISTER, part, at_once=50)
                return
            for office, number in turns[first:last]:
                if work is not None:
                    work(number, people[Role.REGISTRAR, office].id, office)
                else:
                    scan(database, people[Role.REGISTRAR, office], Station.REGISTER, [number])

        warm = 300 if way == LISTS else 20
        some(0, warm)
        carry()
        cpu, served = time.process_time(), server_cpu(database, None)
        some(warm, warm + count)
        carry()
        client, server = time.process_time() - cpu, server_cpu(database, None) - served
        relay.close()
        if way != NAIVE:  # Which knows nothing of the rest of our rows.
            require_sound(database)
    return {
        "client CPU us": 1e6 * client / count,
        "server CPU us": 1e6 * server / count,
        "CPU us": 1e6 * (client + server) / count,
    }


def ids(database: Database) -> list[int]:
    """Return the messages that are not done."""
    with database.reading() as session:
        return list(
            session.scalars(
                text("SELECT id FROM messages WHERE state IN ('pending', 'published') ORDER BY id")
            )
        )


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; exit with 1 when a ratio fell behind the stored one."""
    parser = options(__doc__)
    parser.add_argument("--template", default="")
    chosen = parser.parse_args(given)
    logs.configure("bench", level="WARNING")
    table = Table("cost", "The core job in one process, CPU time for each scan", COLUMNS)
    store = Postgresql(stock(6000), template=chosen.template)
    try:
        with broker("redis") as served:
            os.environ["SHABARMAN_BROKER_URL"] = served.url

            def run(way: str) -> None:
                table.add(way, measure(way, store, served.url))

            interleaved(COUNTS, run, rounds=chosen.rounds)
    finally:
        store.close()
    for way in (SINGLE, LISTS):
        table.compare(f"naive : {way}", way, NAIVE, "CPU us", less_is_better=True)
    return table.end(chosen, rounds=chosen.rounds, scans=COUNTS)


if __name__ == "__main__":
    sys.exit(main())
