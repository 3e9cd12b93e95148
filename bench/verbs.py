"""Large commands: the departure of a bag of 2000 packets, and the closing of a manifest of 500.

`python -m bench.verbs [--rounds N] [--template NAME]`

Beside each stands the same number of rows written by SQL alone: for each packet one event and one update, in one
statement, which is what the server itself needs at least.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import text

from bench.ground import Postgresql, opened
from bench.measuring import Table, options
from bench.stock import accept, bag, crew, parts, scan
from config.clock import utc_now
from config.offices import centre_of, department_of
from models.database import Database
from models.scan import Station
from models.staff import Role
from workers.verification import verify
from workflow import closing

DISTRICT = "aksu"
DEPARTING, CLOSING = 2000, 500
DEPART, CLOSE, CLOSE_MISSING = (
    f"departure of {DEPARTING}",
    f"closing a manifest of {CLOSING}, all there",
    f"closing a manifest of {CLOSING}, all missing",
)
FLOOR = "SQL alone, "


def measure(database: Database, table: Table) -> None:
    """Do each command once."""
    people = crew(database)
    centre, department = centre_of(DISTRICT).code, department_of(DISTRICT).code
    courier, registrar = people[Role.COURIER, centre], people[Role.REGISTRAR, department]
    accumulator = people[Role.ACCUMULATOR, centre]

    def filled(count: int) -> tuple[str, list[str]]:
        numbers = accept(database, people[Role.INSPECTOR, centre], count)
        return bag(database, accumulator, Station.COLLECT, numbers), numbers

    manifest, _ = filled(DEPARTING)
    _time(table, DEPART, lambda: scan(database, courier, Station.DEPART, [manifest]))
    _time(table, FLOOR + DEPART, lambda: _alone(database, DEPARTING))
    for name, there in ((CLOSE, True), (CLOSE_MISSING, False)):
        manifest, numbers = filled(CLOSING)
        scan(database, courier, Station.DEPART, [manifest])
        scan(database, registrar, Station.RECEIVE, [manifest])
        for part in parts(numbers, 200) if there else ():
            scan(database, registrar, Station.RECEIVE, part)
        reasons = {} if there else dict.fromkeys(numbers, "not in the bag")
        _time(
            table,
            name,
            partial(
                database.transact,
                partial(closing.close, manifest=manifest, reasons=reasons, by=registrar, now=utc_now()),
            ),
        )
    _time(table, FLOOR + CLOSE_MISSING, lambda: _alone(database, CLOSING))


def _alone(database: Database, count: int) -> None:
    """Write the last `count` packets and an event for each, by two statements; then undo it."""
    some = "SELECT id, version FROM packets ORDER BY id DESC LIMIT :count"
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO events (packet_id, seq, previous, at, recorded_at, move, from_state, to_state, staff_id,"  # noqa: S608
                " office, data) SELECT e.packet_id, e.seq + 1, e.seq, now(), now(), 'depart', 'collected',"
                f" 'in_transit', e.staff_id, e.office, e.data FROM ({some}) p JOIN events e"
                " ON e.packet_id = p.id AND e.seq = p.version"
            ),
            {"count": count},
        )
        session.execute(
            text(
                "UPDATE packets SET version = version + 1, state_since = now() WHERE id IN"
                " (SELECT id FROM packets ORDER BY id DESC LIMIT :count)"
            ),
            {"count": count},
        )
        session.rollback()


def _time(table: Table, row: str, work: Callable[[], object]) -> None:
    begun, cpu = time.perf_counter(), time.process_time()
    work()
    table.add(
        row, {"ms": 1000 * (time.perf_counter() - begun), "client CPU ms": 1000 * (time.process_time() - cpu)}
    )


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; exit with 1 when a ratio fell behind the stored one."""
    parser = options(__doc__)
    parser.add_argument("--template", default="")
    chosen = parser.parse_args(given)
    table = Table("verbs", "Large commands", ("ms", "client CPU ms"))
    store = Postgresql(lambda _database: None, template=chosen.template)
    try:
        with store.fresh() as url, opened(url) as database:
            for _ in range(chosen.rounds):
                measure(database, table)
            with database.reading() as session:
                report = verify(session)
            assert not report.broken, report.broken
    finally:
        store.close()
    for name in (DEPART, CLOSE_MISSING):
        table.compare(f"SQL alone : {name}", name, FLOOR + name, "ms", less_is_better=True)
    return table.end(chosen, rounds=chosen.rounds)


if __name__ == "__main__":
    sys.exit(main())
