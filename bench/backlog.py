"""A backlog of a million messages in one queue: what a relay's look costs then, beside the look without queues.

`python -m bench.backlog [--messages N] [--rounds N]`

The queue of one office is full (its workers stand still), messages of the others go on. Beside ours stands the
statement by due time alone, over the index that serves it, as any table used as a queue has it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from sqlalchemy import text

from bench.ground import Postgresql, opened
from bench.latency import SLOW_DISTRICT, pile_up
from bench.measuring import Table, interleaved, options
from bench.stock import crew, received, scan, waiting
from models.database import Database
from models.patience import allow_long_statements
from models.scan import Station
from models.staff import Role
from workflow import leases

LOOK, TAKE, TAKE_ANY, BY_TIME = (
    "is anything due beside the full queue",
    "take what is due beside the full queue",
    "take from all queues, 800 of each",
    "take what is due beside it, by due time alone",
)
COLUMNS = ("ms", "messages")
FULL = f"centre.{SLOW_DISTRICT}"
OTHERS = 38
MILLION = 1_000_000

PLAIN_INDEX = "CREATE INDEX plain ON messages (due_at) WHERE state IN ('pending', 'published')"
PLAIN = text(
    """
    SELECT id FROM messages
    WHERE state IN ('pending', 'published') AND due_at <= clock_timestamp() AND queue <> :full
    ORDER BY due_at LIMIT 8000 FOR UPDATE SKIP LOCKED
    """
)


def looks(database: Database) -> dict[str, Callable[[], tuple[float, int]]]:
    """Return each way to look: its milliseconds, and how many messages it found; nothing is changed."""

    def read(ask: Callable[..., int], *, before: str = "SELECT 1") -> tuple[float, int]:
        with database.transaction() as session:
            allow_long_statements(session)
            session.execute(text(before))
            begun = time.perf_counter()
            found = ask(session)
            lasted = time.perf_counter() - begun
            session.rollback()
            return 1000 * lasted, found

    return {
        LOOK: lambda: read(lambda session: int(leases.any_due(session, not_from=[FULL]))),
        TAKE: lambda: read(
            lambda session: len(leases.take_due(session, limit=8000, seconds=60, not_from=[FULL]))
        ),
        TAKE_ANY: lambda: read(
            lambda session: len(leases.take_due(session, limit=8000, seconds=60, of_queue=800))
        ),
        # With its index in this transaction alone: ours is to do without.
        BY_TIME: lambda: read(
            lambda session: len(session.execute(PLAIN, {"full": FULL}).all()), before=PLAIN_INDEX
        ),
    }


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; exit with 1 when a ratio fell behind the stored one."""
    parser = options(__doc__)
    parser.add_argument("--messages", type=int, default=MILLION)
    chosen = parser.parse_args(given)
    name = "backlog" if chosen.messages == MILLION else f"backlog-{chosen.messages}"
    table = Table(name, f"A look of the relay, {chosen.messages:,} messages in one queue", COLUMNS)
    store = Postgresql(received(3 * OTHERS))
    try:
        with store.fresh() as url, opened(url) as database:
            people = crew(database)
            for office, numbers in waiting(database).items():
                scan(database, people[Role.REGISTRAR, office], Station.REGISTER, numbers[:2])
            asked = looks(database)

            def run(row: str) -> None:
                lasted, found = asked[row.removesuffix(", no backlog")]()
                table.add(row, {"ms": lasted, "messages": found})

            interleaved([f"{name}, no backlog" for name in asked], run, rounds=chosen.rounds)
            pile_up(url, chosen.messages)
            interleaved(asked, run, rounds=chosen.rounds)
    finally:
        store.close()
    table.compare("by due time : queue by queue", TAKE, BY_TIME, "ms", less_is_better=True)
    table.compare("no backlog : backlog", TAKE, f"{TAKE}, no backlog", "ms", less_is_better=True)
    return table.end(chosen, rounds=chosen.rounds, messages=chosen.messages)


if __name__ == "__main__":
    sys.exit(main())
