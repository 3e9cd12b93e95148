"""Growth: the same work and the same questions on a small and on a large history, in turn.

`python -m bench.growth [--bags N] [--small NAME --large NAME]`

A few packets that went their whole way are multiplied by SQL: N bags of 250 for each of 19 districts (N = 2: 10^4
packets; 22: 10^5 packets and 1.4·10^6 events; 220: 10^6 and 1.4·10^7, a quarter of an hour of filling and 35 GB of
disk). The server itself counts the rows that it reads (`pg_stat_user_tables`), by index or not: a question that reads
more of them the longer the history is has no index of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import timedelta

from sqlalchemy import select, text

from bench import verbs
from bench.core import require_sound
from bench.ground import Postgresql, opened, settings
from bench.measuring import Table, options, percentile
from bench.multiplying import multiply
from bench.stock import crew, finished, parts, received, scan, waiting
from config import logs
from config.clock import utc_now
from models import Packet
from models.database import Database
from models.packet import State
from models.scan import Station
from models.staff import Role
from tasks.handling import handle
from tests.integration.plans import GROWING
from web.views import board, lists, manifests, notices, packets, scan_log, search
from workflow import leases

SMALL, LARGE = "small", "large"
COLUMNS = ("small p50 ms", "small p99 ms", "large p50 ms", "large p99 ms", "small rows", "large rows")
WAITING = 6000
ROUNDS = 60
COMMANDS = 3
"""Rounds of the large commands."""


def grown(bags: int) -> Callable[[Database], None]:
    """Return what fills a database with a history, and with packets that wait to be registered."""

    def fill(database: Database) -> None:
        url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        finished(database)
        multiply(url, State.HANDED_OVER, bags=bags)
        received(19)(database)
        multiply(url, State.RECEIVED, bags=1, per_bag=WAITING // 19, first=700_000)

    return fill


def questions(database: Database) -> dict[str, Callable[[int], object]]:
    """Return the hot questions and works by name; each takes the number of its turn."""
    people = crew(database)
    here = waiting(database)
    office = next(iter(here))
    registrar = people[Role.REGISTRAR, office]
    numbers = here[office]
    lists_of_50 = [
        (other, part) for other, held in here.items() if other != office for part in parts(held, 50)
    ]
    with database.reading() as session:
        old = list(session.scalars(select(Packet.number).where(Packet.department == office).limit(1000)))
    now = utc_now()

    def read(ask: Callable[..., object]) -> object:
        with database.reading() as session:
            return ask(session)

    def fifty(turn: int) -> None:
        other, part = lists_of_50[turn]
        scan(database, people[Role.REGISTRAR, other], Station.REGISTER, part)

    def deliver(_turn: int) -> None:
        taken = database.transact(
            lambda session: leases.take_due(session, limit=200, seconds=60), single=True
        )
        handle(database, [due.id for due in taken], settings=settings())

    return {
        "single scan": lambda turn: scan(database, registrar, Station.REGISTER, [numbers[turn]]),
        "list of 50 scans": fifty,
        "200 messages: take, lease, handle": deliver,
        "look a number up": lambda turn: read(
            lambda session: packets.packet(session, old[turn * 7 % len(old)], by=registrar)
        ),
        "search a name": lambda _turn: read(lambda session: search.find(session, "applicant", by=registrar)),
        "what the office holds": lambda _turn: read(
            lambda session: lists.held(session, by=registrar, now=now, language="kk")
        ),
        "scans of the office on a day": lambda turn: read(
            lambda session: scan_log.scans(
                session,
                scan_log.Wanted(
                    first=now - timedelta(days=turn + 2), last=now - timedelta(days=turn + 1), office=office
                ),
                by=registrar,
            )
        ),
        "unread notices": lambda _turn: read(lambda session: notices.unread(session, by=registrar)),
        "the board": lambda _turn: read(lambda session: board.board(session, now=now)),
        "bags under way": lambda _turn: read(lambda session: manifests.under_way(session, by=registrar)),
    }


def rows_read(database: Database) -> dict[str, int]:
    """Return how many rows the server has read of each growing table so far."""
    with database.reading() as session:
        session.execute(text("SELECT pg_stat_force_next_flush()"))  # Otherwise it is told a second later.
    with database.reading() as session:
        rows = session.execute(
            text("SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables")
        )
        return {name: count for name, count in rows if name in GROWING}


def sizes(database: Database) -> str:
    """Tell how many rows some tables have."""
    with database.reading() as session:
        counts = {
            name: session.scalar(
                text("SELECT reltuples::bigint FROM pg_class WHERE relname = :name"), {"name": name}
            )
            for name in ("packets", "events", "scans", "messages")
        }
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def measure(databases: dict[str, Database], table: Table, *, rounds: int) -> None:
    """Ask everything of each database in turn, and note the times and the rows that were read."""
    asked = {size: questions(database) for size, database in databases.items()}
    for name in asked[SMALL]:
        times: dict[str, list[float]] = {size: [] for size in databases}
        for size in databases:
            asked[size][name](rounds + 1)  # Once before, so that statements are prepared.
        before = {size: rows_read(database) for size, database in databases.items()}
        for turn in range(rounds):
            for size in databases:
                begun = time.perf_counter()
                asked[size][name](turn)
                times[size].append(1000 * (time.perf_counter() - begun))
        figures: dict[str, float] = {}
        for size, database in databases.items():
            after = rows_read(database)
            figures |= {
                f"{size} p50 ms": percentile(times[size], 0.5),
                f"{size} p99 ms": percentile(times[size], 0.99),
                f"{size} rows": sum(after[one] - before[size][one] for one in GROWING) / rounds,
            }
        table.add(name, figures)


def command(databases: dict[str, Database], table: Table) -> None:
    """Let bags depart and close, on each database in turn."""
    times = {size: Table("", "", ()) for size in databases}
    for _ in range(COMMANDS):
        for size, database in databases.items():
            verbs.measure(database, times[size])
    for name in (verbs.DEPART, verbs.CLOSE, verbs.CLOSE_MISSING):
        table.add(
            name,
            {
                f"{size} {share}": percentile([one["ms"] for one in times[size].rounds[name]], value)
                for size in databases
                for share, value in (("p50 ms", 0.5), ("p99 ms", 0.99))
            },
        )


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; exit with 1 when a ratio fell behind the stored one."""
    parser = options(__doc__, rounds=ROUNDS)
    parser.add_argument("--bags", type=int, default=22)
    parser.add_argument("--small", default="", help="a database to copy instead of filling one")
    parser.add_argument("--large", default="")
    parser.add_argument("--unchecked", action="store_true", help="no last check: ten minutes for 10^6")
    chosen = parser.parse_args(given)
    logs.configure("bench", level="WARNING")
    table = Table("growth", "The same work on a small and on a large history", COLUMNS)
    with ExitStack() as stack:
        databases = {}
        for size, bags, template in ((SMALL, 2, chosen.small), (LARGE, chosen.bags, chosen.large)):
            store = stack.enter_context(closing(Postgresql(grown(bags), template=template)))
            databases[size] = stack.enter_context(opened(stack.enter_context(store.fresh())))
            table.notes.append(f"{size}: {sizes(databases[size])}")
        measure(databases, table, rounds=chosen.rounds)
        command(databases, table)
        for size in () if chosen.unchecked else (SMALL, LARGE):
            begun = time.perf_counter()
            require_sound(databases[size])
            table.notes.append(f"{size}: verify {time.perf_counter() - begun:.0f} s")
    for name in table.rounds:
        for share in ("p50", "p99"):
            small, large = (table.median(name, f"{size} {share} ms") for size in (SMALL, LARGE))
            table.ratios[f"small : large, {name}, {share}"] = small / large
    return table.end(chosen, rounds=chosen.rounds, bags=chosen.bags)


if __name__ == "__main__":
    sys.exit(main())
