"""Growth: a few packets that went their way by the application's own verbs, multiplied by SQL into a long history.

Each copy has its own numbers (with their check digits), bags, runs, scans, clocks, messages and notices, at other
moments of the year and in their order, so that `shabarman verify` holds for all of them; its notices were read. On
PostgreSQL only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from models.packet import State

PER_BAG = 250
"""Copies that travel together."""

FIRST_SERIAL = 100_000
"""Above every number that the verbs have given out."""

DAYS = 250.0
"""Days before now over which the copies are spread."""


def multiply(url: str, state: State, *, bags: int, per_bag: int = PER_BAG, first: int = FIRST_SERIAL) -> None:
    """Copy every packet in `state`, with all that belongs to it, `bags` times `per_bag` times.

    The numbers of the copies begin with the serial `first`, which no number has reached yet.
    """
    with psycopg.connect(url) as connection:
        connection.execute(
            "SET session_replication_role = replica"
        )  # No trigger, no look at keys: it is a copy.
        connection.execute("SET work_mem = '256MB'")
        connection.execute("SET synchronous_commit = off")
        _name_copies(connection, state, bags=bags, per_bag=per_bag, first=first)
        bag = "LEFT JOIN new_bags b ON b.old_id = s.manifest_id AND b.place = c.place"
        register = (
            "replace({}::text, '\"' || coalesce(c.old_register, '?') || '\"',"
            " '\"' || coalesce(c.register_number, '?') || '\"')::json"
        )
        _copy(connection, "runs", "new_runs c ON c.old_id = s.id", {"id": "c.new_id"})
        _copy(
            connection,
            "manifests",
            "new_bags c ON c.old_id = s.id LEFT JOIN new_runs r ON r.old_id = s.run_id AND r.place = c.place",
            {"id": "c.new_id", "number": "c.number", "run_id": "r.new_id"},
        )
        _copy(
            connection,
            "packets",
            f"copies c ON c.old_id = s.id {bag}",
            {
                "id": "c.new_id",
                "number": "c.number",
                "request_id": "NULL",
                "manifest_id": "b.new_id",
                "register_number": "c.register_number",
                "status_code": "md5(c.new_id::text)",
            },
        )
        of_packet = "copies c ON c.old_id = s.packet_id"
        _copy(
            connection,
            "events",
            f"{of_packet} {bag} ORDER BY s.recorded_at - c.shift",
            {
                "packet_id": "c.new_id",
                "manifest_id": "b.new_id",
                "scan_id": "s.scan_id || CASE s.move WHEN 'depart' THEN '-bag-' || b.new_id ELSE '-' || c.new_id END",
                "data": register.format("s.data"),
            },
        )
        _copy(
            connection,
            "scans",
            "copies c ON c.old_number = s.code ORDER BY s.received_at - c.shift",
            {
                "id": "s.id || '-' || c.new_id",
                "raw": "c.number",
                "code": "c.number",
                "answer": f"replace({register.format('s.answer')}::text, c.old_number, c.number)::json",
            },
        )
        _copy(
            connection,
            "scans",
            "new_bags c ON c.old_number = s.code",
            {"id": "s.id || '-bag-' || c.new_id", "raw": "c.number", "code": "c.number"},
        )
        _copy(connection, "applicant_names", of_packet, {"packet_id": "c.new_id"})
        _copy(
            connection,
            "deadlines",
            f"{of_packet} ORDER BY s.opened_at - c.shift, s.id",
            {"packet_id": "c.new_id"},
        )
        _copy(
            connection,
            "manifest_lines",
            f"{of_packet} {bag}",
            {"packet_id": "c.new_id", "manifest_id": "b.new_id", "position": "c.line"},
        )
        for named in ("copies c ON c.old_number = s.subject", "new_bags c ON c.old_number = s.subject"):
            told = {
                "subject": "c.number",
                "cause": "replace(s.cause, c.old_number, c.number)",
                "body": "replace(s.body::text, c.old_number, c.number)::json",
            }
            _copy(connection, "messages", f"{named} ORDER BY s.created_at - c.shift, s.id", told)
            _copy(
                connection,
                "notices",
                f"{named} JOIN messages o ON o.id = s.message_id JOIN messages n "
                "ON n.cause = replace(o.cause, c.old_number, c.number) AND n.type = o.type AND n.queue = o.queue"
                " ORDER BY n.id",
                {
                    "subject": "c.number",
                    "message_id": "n.id",
                    "read_at": "s.created_at - c.shift + interval '1 hour'",
                },
            )
        last = first + bags * per_bag
        connection.execute("UPDATE serials SET last = greatest(last, %s)", (last,))
        _go_on(connection)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _name_copies(
    connection: psycopg.Connection[Any], state: State, *, bags: int, per_bag: int, first: int
) -> None:
    """Make tables of the old and new ids and numbers."""
    facts = {"bags": bags, "per_bag": per_bag, "first": first, "days": DAYS, "state": state.value}
    checked = "({0} * 100 + 98 - ({0} * 100) %% 97)"
    packet = checked.format(
        "(p.origin::bigint * 100000000 + 26000000 + %(first)s + place * %(per_bag)s + line)"
    )
    bag = checked.format("(80000000000000 + m.origin::bigint * 100000000 + 26000000 + %(first)s + place)")
    _fill(
        connection,
        "new_bags",
        f"""
        SELECT m.id AS old_id, m.number AS old_number, place,
            (SELECT max(id) FROM manifests) + row_number() OVER () AS new_id,
            {bag}::text AS number,
            (place + 1) * interval '1 day' * %(days)s / %(bags)s + %(first)s * interval '1 second' AS shift
        FROM manifests m, generate_series(0, %(bags)s - 1) AS place
        WHERE m.id IN (
            SELECT e.manifest_id FROM events e JOIN packets p ON p.id = e.packet_id WHERE p.state = %(state)s
        )
        """,  # noqa: S608 - written above
        facts,
    )
    _fill(
        connection,
        "new_runs",
        """
        SELECT r.id AS old_id, place,
            (SELECT max(id) FROM runs) + row_number() OVER () AS new_id,
            (place + 1) * interval '1 day' * %(days)s / %(bags)s + %(first)s * interval '1 second' AS shift
        FROM runs r, generate_series(0, %(bags)s - 1) AS place
        WHERE r.id IN (SELECT run_id FROM manifests m JOIN new_bags b ON b.old_id = m.id)
        """,
        facts,
    )
    _fill(
        connection,
        "copies",
        f"""
        SELECT p.id AS old_id, p.number AS old_number, p.register_number AS old_register, place, line,
            (SELECT max(id) FROM packets) + row_number() OVER () AS new_id,
            {packet}::text AS number,
            CASE WHEN p.register_number IS NOT NULL
                THEN (%(first)s + place * %(per_bag)s + line)::text || '/26' END AS register_number,
            (place + 1) * interval '1 day' * %(days)s / %(bags)s + %(first)s * interval '1 second' AS shift
        FROM packets p, generate_series(0, %(bags)s - 1) AS place, generate_series(1, %(per_bag)s) AS line
        WHERE p.state = %(state)s
        """,  # noqa: S608 - written above
        facts,
    )


def _fill(connection: psycopg.Connection[Any], table: str, select: str, facts: Mapping[str, Any]) -> None:
    # Written out, because a statement that makes a table takes no parameters.
    query = psycopg.ClientCursor(connection).mogrify(select, facts)
    connection.execute(f"CREATE TEMP TABLE {table} AS {query}")
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))


def _copy(connection: psycopg.Connection[Any], table: str, join: str, changed: Mapping[str, str]) -> None:
    """Copy the rows of a table that `join` names; moments are shifted, `changed` columns get new values."""
    columns = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position",
        (table,),
    ).fetchall()
    values = {
        name: changed.get(name) or (f"s.{name} - c.shift" if kind.startswith("timestamp") else f"s.{name}")
        for name, kind in columns
        if name != "id" or "id" in changed
    }
    connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) "  # noqa: S608 - names of our own tables
        f"SELECT {', '.join(values.values())} FROM {table} s JOIN {join}"
    )


def _go_on(connection: psycopg.Connection[Any]) -> None:
    """Let sequences go on after the copies."""
    for table in ("packets", "manifests", "runs"):
        connection.execute(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")  # noqa: S608
