"""Partitions by month: what the growing tables would gain and lose by them, beside the tables as they are.

`python -m bench.partitions [--packets N] [--months M] [--rounds N]`

A database of its own has the tables of `models/` three times, with the same rows: plain; with the growing ones divided
by the month of their time, so that every unique key has to contain it, and no foreign key leads to them; and with
events and clocks divided by packet, whose keys contain that already. Questions are asked with a kept plan and with a
new one each time; months go packet by packet, as the archive lets them go, and whole. Commits are not waited for, no
other vacuum should run. "MB" is what is given back to the disk where something goes; blocks are without those of keys.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

import psycopg

from bench.dividing import (
    BRIN,
    BY_PACKET,
    DIVIDERS,
    MONTHLY,
    PLAIN,
    PROMISES,
    SCHEMAS,
    STEPS,
    TIMES,
    Sets,
    database,
    keeps,
    part,
)
from bench.measuring import Table, interleaved, options
from config.clock import utc_now
from workflow.archiving import AT_ONCE, span_of

COLUMNS = ("ms", "locks", "ms planned", "locks planned", "planning ms", "blocks", "tables read", "MB")
MODES = {"": ("force_generic_plan", 60), " planned": ("force_custom_plan", 20)}
"""Kept plan or a new one each time → the server's word for it, and how often a question is asked so in a round."""
WARM = 3
"""Askings before those that count."""
LONGEST = 500.0
"""Milliseconds after which a question is not asked again in its round."""
PACKETS, MONTHS = 100_000, 24

KNOWN = "SELECT id, digest, answer FROM scans WHERE id = ANY(%(ids)s::text[])"
INSERT = """
    WITH given AS (
        SELECT * FROM unnest(%(new_ids)s::text[], %(packets)s::bigint[], %(seqs)s::int[]) g (id, packet_id, seq)
    ), kept AS (
        INSERT INTO scans (id, raw, digest, code, station, staff_id, office, device, scanned_at, received_at,
            verdict, answer)
        SELECT id, lpad(packet_id::text, 14, '0'), left(md5(id), 16), lpad(packet_id::text, 14, '0'), 'register', 1,
            '0001', 'scanner', %(now)s, %(now)s, 'taken', '{"message": "registered"}' FROM given
    )
    INSERT INTO events (packet_id, seq, previous, at, recorded_at, move, from_state, to_state, staff_id, office,
        scan_id, data)
    SELECT packet_id, seq, seq - 1, %(now)s, %(now)s, 'register', 'received', 'registered', 1, '0001', id, '{}'
    FROM given
    """
HISTORY = "SELECT * FROM events WHERE packet_id = %(packet)s ORDER BY seq"
MESSAGES = "SELECT id, state, body FROM messages WHERE id = ANY(%(message_ids)s::bigint[])"
DUE = """
    SELECT id FROM messages WHERE queue = %(queue)s AND due_at <= %(now)s AND state IN ('pending', 'published')
    ORDER BY due_at LIMIT 200
    """
DAY = "SELECT * FROM {} WHERE office = %(office)s AND {} >= %(day)s AND {} < %(day)s + interval '1 day'"
SCANS_OF_DAY = DAY.format("scans", *[TIMES["scans"]] * 2)
EVENTS_OF_DAY = DAY.format("events", *[TIMES["events"]] * 2)

EVENTS = "events of an office on a day"
QUESTIONS = {
    "insert a scan and its event": (INSERT, 1),
    "insert 50 of each": (INSERT, 50),
    "is the scan id known": (KNOWN, 1),
    "are 50 scan ids known": (KNOWN, 50),
    "history of a packet": (HISTORY, 1),
    "50 messages by id": (MESSAGES, 50),
    "due messages of a queue": (DUE, 1),
    "scans of an office on a day": (SCANS_OF_DAY, 1),
    EVENTS: (EVENTS_OF_DAY, 1),
}
NO_BRIN = f"{EVENTS}, {PLAIN}, no BRIN"
BY_PACKETS, TIDY, WHOLE = (
    "month out, packet by packet",
    "VACUUM (ANALYZE) after it",
    "month out, DETACH and DROP",
)


def ask(sets: Sets, question: str, way: str) -> dict[str, float]:
    """Put a question many times, with a kept plan and with a new one each time; return the figures of its row."""
    statement, size = QUESTIONS[question]
    connection = sets.connections[way]
    figures = {}
    for mode, (word, times) in MODES.items():
        connection.execute(f"SET plan_cache_mode = {word}")
        lasted: list[float] = []
        while len(lasted) < WARM + times and sum(lasted) < LONGEST:
            facts = sets.facts(way, size)
            begun = time.perf_counter()
            connection.execute(statement, facts, prepare=True)
            lasted.append(1000 * (time.perf_counter() - begun))
        figures[f"ms{mode}"] = median(lasted[WARM:])
        with connection.transaction():
            connection.execute(statement, sets.facts(way, size), prepare=True)
            figures[f"locks{mode}"] = locks(connection)
    connection.execute("RESET plan_cache_mode")  # Also that of the server's own looks at keys.
    plans = [explained(connection, statement, sets.facts(way, size)) for _ in range(WARM)]
    return figures | {what: median(one[what] for one in plans) for what in plans[0]}


def explained(
    connection: psycopg.Connection[Any], statement: str, facts: Mapping[str, Any]
) -> dict[str, float]:
    """Carry a statement out; return what its planning took, and what it read."""
    # Written out, so that each is planned for its own values.
    cursor = psycopg.ClientCursor(connection)
    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", facts)
    found = cursor.fetchall()[0][0][0]

    def read(node: Mapping[str, Any]) -> Iterator[str]:
        if node["Actual Loops"] and "Relation Name" in node and node["Node Type"] != "ModifyTable":
            yield node["Relation Name"]
        for below in node.get("Plans", ()):
            yield from read(below)

    plan = found["Plan"]
    return {
        "planning ms": found["Planning Time"],
        "blocks": plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
        "tables read": len(set(read(plan))),
    }


def locks(connection: psycopg.Connection[Any]) -> float:
    """Return how many locks on our tables and indexes the transaction holds."""
    found = connection.execute(
        "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
        "WHERE l.pid = pg_backend_pid() AND c.relnamespace = current_schema()::regnamespace"
    )
    ((count,),) = found.fetchall()
    return float(count)


def ended(connection: psycopg.Connection[Any], month: str) -> list[tuple[list[Any], ...]]:
    """Return the ids of what ended in a month, in handfuls: packets, scans, messages; the archive has read them."""
    rows = connection.execute(
        "SELECT p.id, array(SELECT s.id FROM scans s WHERE s.code = p.number), m.ids FROM packets p "
        "JOIN (SELECT subject, array_agg(id) AS ids FROM messages GROUP BY subject) m ON m.subject = p.number "
        "WHERE p.state_since >= %s AND p.state_since < %s ORDER BY p.id",
        span_of(month),
    ).fetchall()
    handfuls = [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
    return [
        ([row[0] for row in handful], *([one for row in handful for one in row[place]] for place in (1, 2)))
        for handful in handfuls
    ]


def let_go(sets: Sets, way: str, month: str) -> dict[str, dict[str, float]]:
    """Let the history of what ended in a month go by its ids, and tidy up; return the figures of both."""
    connection = sets.connections[way]
    before, held, left = sets.megabytes(way), 0.0, ended(connection, month)
    begun = time.perf_counter()
    for packets, scans, messages in left:
        with connection.transaction():
            connection.execute("DELETE FROM notices WHERE message_id = ANY(%s)", (messages,))
            connection.execute("DELETE FROM messages WHERE id = ANY(%s)", (messages,))
            connection.execute("DELETE FROM scans WHERE id = ANY(%s)", (scans,))
            connection.execute("DELETE FROM events WHERE packet_id = ANY(%s)", (packets,))
            connection.execute("DELETE FROM deadlines WHERE packet_id = ANY(%s)", (packets,))
            held = held or locks(connection)
    gone = time.perf_counter()
    ids = [packet for packets, _, _ in left for packet in packets]
    connection.execute(f"VACUUM (ANALYZE) {', '.join(worn(sets, way, month, ids))}")
    tidied = time.perf_counter()
    return {
        BY_PACKETS: {"ms": 1000 * (gone - begun), "locks": held, "MB": before - sets.megabytes(way)},
        TIDY: {"ms": 1000 * (tidied - gone)},
    }


def worn(sets: Sets, way: str, month: str, packets: Sequence[int]) -> Iterator[str]:
    """Yield the tables of which these packets, which ended in `month`, have been deleted."""
    place = sets.months.index(month)
    # What ended in a month began in it, or in the one before.
    names = {MONTHLY: sets.months[place - 1 : place + 1], BY_PACKET: sorted({*map(sets.part_of, packets)})}
    for table in TIMES:
        yield from (part(table, name) for name in names[way]) if table in DIVIDERS[way] else (table,)


def drop(sets: Sets, month: str) -> dict[str, float]:
    """Let a month go whole; return the figures."""
    connection = sets.connections[MONTHLY]
    before = sets.megabytes(MONTHLY)
    begun = time.perf_counter()
    for table in reversed(TIMES):
        connection.execute(f"ALTER TABLE {table} DETACH PARTITION {part(table, month)} CONCURRENTLY")
        connection.execute(f"DROP TABLE {part(table, month)}")
    return {"ms": 1000 * (time.perf_counter() - begun), "MB": before - sets.megabytes(MONTHLY)}


def measure(sets: Sets, table: Table, *, rounds: int) -> None:
    """Tell the sizes, ask everything in turn, and then let a month go in each way and round."""
    for way in SCHEMAS:
        table.add(f"tables and indexes, {way}", {"MB": sets.megabytes(way)})
        table.add(f"of these the indexes, {way}", {"MB": sets.megabytes(way, measure="pg_indexes_size")})
        key = {"measure": "pg_relation_size", "like": "pk_scans|scans_.*_pkey"}
        table.add(f"the key of scan ids, {way}", {"MB": sets.megabytes(way, **key)})
    table.add(
        f"BRIN of events, {PLAIN}", {"MB": sets.megabytes(PLAIN, measure="pg_relation_size", like=BRIN)}
    )

    def put(question: str, way: str) -> None:
        table.add(f"{question}, {way}", ask(sets, question, way))
        if question == EVENTS and way == PLAIN:
            connection = sets.connections[way]
            connection.execute("SET enable_bitmapscan = off")  # The only way to use a BRIN.
            connection.execute("DISCARD PLANS")
            table.add(NO_BRIN, ask(sets, question, way))
            connection.execute("RESET enable_bitmapscan")
            connection.execute("DISCARD PLANS")

    for question, (statement, _) in QUESTIONS.items():
        # The others go to tables that are not divided by packet, or read all parts.
        ways = [way for way in SCHEMAS if way != BY_PACKET or "packet" in statement]
        interleaved(ways, partial(put, question), rounds=rounds)
        for way in ways[1:]:
            compare(table, question, f"{question}, {PLAIN}", way=way)
    compare(table, EVENTS, NO_BRIN)

    def remove(way: str) -> None:
        place = 1 + len(table.rounds[f"{BY_PACKETS}, {way}"])
        for what, figures in let_go(sets, way, sets.months[place]).items():
            table.add(f"{what}, {way}", figures)
        if way == MONTHLY:
            table.add(f"{WHOLE}, {way}", drop(sets, sets.months[place + rounds]))

    interleaved(SCHEMAS, remove, rounds=rounds)
    for what in (BY_PACKETS, TIDY):
        for way in (MONTHLY, BY_PACKET):
            compare(table, what, f"{what}, {PLAIN}", way=way)
    compare(table, WHOLE, f"{BY_PACKETS}, {PLAIN}")


def compare(table: Table, what: str, plain: str, *, way: str = MONTHLY) -> None:
    """Note how many times the plain row's time a divided one takes."""
    table.compare(f"{what}, {way} : {plain}", plain, f"{what}, {way}", "ms", less_is_better=True)


def torn(sets: Sets) -> str:
    """Tell of how many packets a month that goes whole would take a part only."""
    begin, end = span_of(sets.months[len(sets.months) // 2])
    found = sets.connections[PLAIN].execute(
        "SELECT count(*), count(*) FILTER (WHERE state_since < %(end)s), "
        "count(*) FILTER (WHERE state_since >= %(end)s), count(*) FILTER (WHERE accepted_at < %(begin)s) "
        "FROM packets WHERE accepted_at < %(end)s AND state_since >= %(begin)s",
        {"begin": begin, "end": end},
    )
    return "{:,} packets have events in one month: {:,} end in it, {:,} later; {:,} began before".format(
        *found.fetchall()[0]
    )


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; exit with 1 when a ratio fell behind the stored one."""
    parser = options(__doc__)
    parser.add_argument("--packets", type=int, default=PACKETS, help="each has ten events and as many scans")
    parser.add_argument("--months", type=int, default=MONTHS)
    chosen = parser.parse_args(given)
    if chosen.months < 2 * chosen.rounds + 3:
        parser.error(
            "two months go in each round, and three have to stay: give more --months or less --rounds"
        )
    usual = (chosen.packets, chosen.months) == (PACKETS, MONTHS)
    name = "partitions" if usual else f"partitions-{chosen.packets}-{chosen.months}"
    title = f"{chosen.packets * STEPS:,} events and scans in {chosen.months} months, plain and divided"
    table = Table(name, title, COLUMNS)
    with database() as url:
        sets = Sets(url, packets=chosen.packets, months=chosen.months, now=utc_now())
        for promise in PROMISES:
            kept = {way: keeps(connection, promise) for way, connection in sets.connections.items()}
            assert kept[PLAIN]
            lost = " and ".join(way for way, is_kept in kept.items() if not is_kept)
            table.notes.append(f"{promise}: {f'LOST {lost}' if lost else 'kept in each way'}")
        table.notes.append(torn(sets))
        measure(sets, table, rounds=chosen.rounds)
        for connection in sets.connections.values():
            connection.close()
    return table.end(chosen, rounds=chosen.rounds, packets=chosen.packets, months=chosen.months)


if __name__ == "__main__":
    sys.exit(main())
