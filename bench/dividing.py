"""The growing tables as they are, and divided by month and by packet, with one history: for `bench.partitions`."""

# ruff: noqa: S608 - composed of names of our own tables
from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from sqlalchemy import Index, MetaData, NullPool, PrimaryKeyConstraint, UniqueConstraint, create_engine

from config.clock import utc_now
from models.base import Base
from models.patience import SERVER_OPTIONS
from tests.integration.servers import POSTGRESQL
from workflow.archiving import month_of, span_of

PLAIN, MONTHLY, BY_PACKET = "plain", "by month", "by packet"
TIMES = {
    "events": "recorded_at",
    "scans": "received_at",
    "messages": "created_at",
    "notices": "created_at",
    "deadlines": "opened_at",
}
"""Growing table → the time of ours by which its rows come in order."""
DIVIDERS = {PLAIN: {}, MONTHLY: TIMES, BY_PACKET: {"events": "packet_id", "deadlines": "packet_id"}}
"""Way → growing table that it divides → the column by which it does."""
SCHEMAS = {PLAIN: "plain", MONTHLY: "monthly", BY_PACKET: "by_packet"}

STEPS = 10
"""Events of a packet, and its scans: one in two days."""
OFFICES = 40
BRIN = "brin_of_events"

FILL = (
    """INSERT INTO offices (code, kind, district, name_kk, name_ru)
    SELECT lpad(n::text, 4, '0'), 'akimat', 'd', 'a', 'a' FROM generate_series(0, %(offices)s - 1) n""",
    """INSERT INTO staff (login, name, office, roles, language, active, created_at)
    SELECT code, code, code, '[]', 'kk', true, now() FROM offices ORDER BY code""",
    """INSERT INTO packets (number, service, channel, origin, department, state, state_since, moved_by, version, round,
        accepted_at, accepted_by, status_code, applicant_name, residence, enclosures)
    SELECT lpad(p::text, 14, '0'), 'service', 'centre', '0001', '0002', 'handed_over',
        begun + (%(steps)s - 1) * interval '2 days', 1, %(steps)s, 1, begun, 1, md5(p::text), 'n', '', '[]'
    FROM generate_series(1, %(packets)s) p, LATERAL (SELECT %(first)s + %(span)s * (p::float8 / %(packets)s)) b (begun)
    """,
    """CREATE TEMP TABLE moves AS
    SELECT p.id AS packet_id, p.number, s AS seq, p.accepted_at + (s - 1) * interval '2 days' AS at,
        lpad(((p.id + s) %% %(offices)s)::text, 4, '0') AS office, md5(p.number || s)::uuid::text AS scan_id
    FROM packets p, generate_series(1, %(steps)s) s ORDER BY at""",
    """INSERT INTO scans (id, raw, digest, code, station, staff_id, office, device, scanned_at, received_at, verdict,
        answer)
    SELECT scan_id, number, left(md5(number), 16), number, 'register', 1, office, 'scanner', at, at, 'taken',
        json_build_object('message', 'registered', 'facts', json_build_object('number', number, 'office', office))
    FROM moves""",
    """INSERT INTO events (packet_id, seq, previous, at, recorded_at, move, from_state, to_state, staff_id, office,
        holder_office, holder_role, holder_id, scan_id, data)
    SELECT packet_id, seq, nullif(seq - 1, 0), at, at, 'register', CASE WHEN seq > 1 THEN 'received' END, 'registered',
        1, office, office, 'registrar', 1, scan_id, json_build_object('register_number', number || '/26')
    FROM moves""",
    """INSERT INTO messages (type, queue, subject, cause, body, state, attempts, publications, created_at, due_at,
        done_at)
    SELECT 'packet_registered', 'office.' || office, number, number || ':' || seq,
        json_build_object('id', scan_id, 'source', '/offices/' || office, 'specversion', '1.0', 'subject', number,
            'type', 'packet_registered', 'data', json_build_object('number', number, 'seq', seq)),
        'done', 1, 1, at, at, at
    FROM moves WHERE seq %% 3 = 1""",
    """INSERT INTO notices (message_id, office, type, subject, data, created_at, read_at)
    SELECT id, right(queue, 4), type, subject, body -> 'data', created_at, created_at FROM messages ORDER BY id""",
    """INSERT INTO deadlines (packet_id, seq, step, round, office, holder_role, limits, opened_at, due_at, told,
        closed_at, ending, changes)
    SELECT packet_id, seq, 'register', 1, office, 'registrar', '[]', at, at + interval '2 days', 0,
        at + interval '1 day', 'done', '[]'
    FROM moves WHERE seq %% 3 = 1""",
)
"""A history in the order of its time; each packet is under way for eighteen days."""

PROMISES: dict[str, tuple[str, Sequence[Mapping[str, Any]]]] = {
    "a scan id is there once": ("scans", [{"received_at": "now"}]),
    "an event of a packet has a number of its own": ("events", [{"recorded_at": "now"}]),
    "an event follows one that is there": ("events", [{"seq": 99, "previous": 98, "from_state": "received"}]),
    "one cause tells one queue once": ("messages", [{"id": 0, "created_at": "now"}]),
    "a message tells an office once": ("notices", [{"id": 0, "created_at": "now"}]),
    "a notice has its message": ("notices", [{"id": 0, "message_id": 0}]),
    "a packet has one open clock": (
        "deadlines",
        [
            {"id": 0, "closed_at": None, "ending": None},
            {"id": -1, "closed_at": None, "ending": None, "opened_at": "now"},
        ],
    ),
}
"""Promise → rows that break it: the first row of a table, with changes."""


class Sets:
    """The tables in each way, filled alike."""

    def __init__(self, url: str, *, packets: int, months: int, now: datetime) -> None:
        """Make and fill them; this month is the last of `months`, and as many parts are made by packet."""
        self.packets = packets
        self.months = [month_of(now)]
        while len(self.months) < months:
            self.months.insert(0, month_of(span_of(self.months[0])[0] - timedelta(days=1)))
        self.connections = {way: _made(url, way) for way in SCHEMAS}
        for month in self.months:
            self._part(MONTHLY, month, *map(str, span_of(month)))
        self._of_part = -(-packets // months)
        for place in range(months):
            begin = place * self._of_part
            self._part(BY_PACKET, str(place), str(begin + 1), str(begin + self._of_part + 1))
        first = span_of(self.months[0])[0]
        span = now - first - timedelta(days=2 * STEPS)
        facts = {"offices": OFFICES, "steps": STEPS, "packets": packets, "first": first, "span": span}
        plain = self.connections[PLAIN]
        for statement in FILL:
            psycopg.ClientCursor(plain).execute(statement, facts)
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._copy, (MONTHLY, BY_PACKET)))
        plain.execute(f"CREATE INDEX {BRIN} ON events USING brin (recorded_at)")
        plain.execute("VACUUM ANALYZE")
        for connection in self.connections.values():
            connection.execute("SET session_replication_role = origin")
        self._days = int(span / timedelta(days=1))
        self._first = first
        self._scan_ids = [
            row[0] for row in plain.execute("SELECT scan_id FROM moves ORDER BY random() LIMIT 5000")
        ]
        self._message_ids = [
            row[0] for row in plain.execute("SELECT id FROM messages ORDER BY random() LIMIT 5000")
        ]
        self._turns = {way: count() for way in SCHEMAS}

    def _copy(self, way: str) -> None:
        for table in ("offices", "staff", "packets", *TIMES):
            self.connections[way].execute(f"INSERT INTO {table} SELECT * FROM plain.{table}")

    def _part(self, way: str, name: str, begin: str, end: str) -> None:
        for table in DIVIDERS[way]:
            self.connections[way].execute(
                f"CREATE TABLE {part(table, name)} PARTITION OF {table} FOR VALUES FROM ('{begin}') TO ('{end}')"
            )

    def part_of(self, packet: int) -> str:
        """Return the name of the part that a packet is in, where it is divided by packet."""
        return str((packet - 1) // self._of_part)

    def facts(self, way: str, size: int) -> dict[str, Any]:
        """Return what `size` new scans, each of another packet, or a look of any kind ask for."""
        turns = [next(self._turns[way]) for _ in range(size)]
        office = f"{random.randrange(OFFICES):04}"
        return {
            "now": utc_now(),
            "new_ids": [str(uuid4()) for _ in turns],
            "packets": [self.packets - turn % self.packets for turn in turns],
            "seqs": [STEPS + 1 + turn // self.packets for turn in turns],
            "ids": random.sample(self._scan_ids, size),
            "message_ids": random.sample(self._message_ids, size),
            "packet": random.randint(1, self.packets),
            "office": office,
            "queue": f"office.{office}",
            "day": self._first + timedelta(days=random.randrange(2 * STEPS, self._days)),
        }

    def megabytes(self, way: str, *, measure: str = "pg_total_relation_size", like: str = "") -> float:
        """Return what the growing tables, or their indexes whose names begin with `like`, take."""
        kind, names = ("i", like) if like else ("r", "|".join(TIMES))
        sizes = self.connections[way].execute(
            f"SELECT sum({measure}(oid))::float8 / 1e6 FROM pg_class WHERE relkind = '{kind}' "
            f"AND relnamespace = current_schema()::regnamespace AND relname ~ '^({names})'"
        )
        ((size,),) = sizes.fetchall()
        return float(size)


def _made(url: str, way: str) -> psycopg.Connection[Any]:
    """Make the tables of one way; return a connection that sees them alone, and looks at no keys yet."""
    schema = SCHEMAS[way]
    sees = f"{SERVER_OPTIONS} -c statement_timeout=0 -c search_path={schema}"
    connection = psycopg.connect(url, autocommit=True, options=f"{sees} -c synchronous_commit=off")
    connection.execute(f"CREATE SCHEMA {schema}")
    engine = create_engine(
        url.replace("postgresql:", "postgresql+psycopg:", 1),
        connect_args={"options": sees},
        poolclass=NullPool,
    )
    divided(DIVIDERS[way]).create_all(engine, checkfirst=False)
    connection.execute("SET work_mem = '256MB'")
    connection.execute("SET session_replication_role = replica")
    return connection


def part(table: str, name: str) -> str:
    """Return the name of a part of a table, such as the one of a month."""
    return f"{table}_{name.replace('-', '_')}"


def divided(dividers: Mapping[str, str]) -> MetaData:
    """Return our tables, those of `dividers` divided by their column, as the server demands it.

    Each unique key has that column then, and a foreign key to such a table stays only where it has it too.
    """
    copied = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.sorted_tables:
        table.to_metadata(copied)
    for table in copied.tables.values():
        for key in table.foreign_key_constraints:
            target, by = key.referred_table.name, dividers.get(key.referred_table.name)
            if by and f"{target}.{by}" not in [element.target_fullname for element in key.elements]:
                table.constraints.discard(key)
    for name, by in dividers.items():
        table = copied.tables[name]
        table.dialect_options["postgresql"]["partition_by"] = f"RANGE ({by})"
        added = table.c[by]
        for unique in [one for one in table.constraints if isinstance(one, UniqueConstraint)]:
            if by not in unique.columns:
                table.constraints.discard(unique)
                table.append_constraint(UniqueConstraint(*unique.columns, added))
        for index in [one for one in table.indexes if one.unique and by not in one.columns]:
            table.indexes.discard(index)
            where = index.dialect_options["postgresql"]["where"]
            Index(index.name, *index.columns, added, unique=True, postgresql_where=where)
        if by not in table.primary_key.columns:
            columns = [*table.primary_key.columns, added]
            added.primary_key = True
            table.append_constraint(PrimaryKeyConstraint(*columns))
    return copied


@contextmanager
def database() -> Iterator[str]:
    """Give the address of an empty database, which is dropped afterwards."""
    name = f"shabarman_bench_{uuid4().hex[:8]}"
    with psycopg.connect(POSTGRESQL, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(POSTGRESQL)._replace(path=f"/{name}"))
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def keeps(connection: psycopg.Connection[Any], promise: str) -> bool:
    """Tell whether the server refuses rows that break a promise; none of them stays."""
    table, rows = PROMISES[promise]
    try:
        with connection.transaction(force_rollback=True):
            for changes in rows:
                connection.execute(
                    f"INSERT INTO {table} SELECT (jsonb_populate_record(r, %s::jsonb)).* "
                    f"FROM (SELECT t AS r FROM {table} t ORDER BY {TIMES[table]} LIMIT 1) found",
                    (json.dumps(changes),),
                )
    except (psycopg.errors.UniqueViolation, psycopg.errors.ForeignKeyViolation):
        return True
    return False
