"""Plans: what a database would do with the questions that were asked of it, if its tables had a million rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from models import swift
from models.database import Database

GROWING = frozenset(
    {
        "packets",
        "events",
        "scans",
        "messages",
        "notices",
        "deadlines",
        "manifests",
        "manifest_lines",
        "applicant_names",
        "discrepancies",
        "prints",
        "runs",
    }
)
"""Tables that have the more rows the longer a house works."""

_READS = re.compile(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)


class Asked:
    """The questions that were put to one database."""

    def __init__(self, database: Database) -> None:
        """Begin with none."""
        self.database = database
        self._statements: dict[str, tuple[Any, bool]] = {}
        """Statement → its values when it came first, and whether its parameters are numbered."""

    def note(self, statement: str, values: Any, *, numbered: bool = False) -> None:
        """Keep a statement that looks for rows."""
        if _READS.match(statement):
            self._statements.setdefault(statement, (values, numbered))

    def whole_reads(self) -> list[str]:
        """Return each growing table that would be read from end to end, with the statement that does it."""
        plans = self._on_sqlite if self.database.dialect == "sqlite" else self._on_postgresql
        return [f"{table}: {' '.join(statement.split())}" for statement, table in plans()]

    def _on_sqlite(self) -> Iterator[tuple[str, str]]:
        with self.database.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            partial = {
                name
                for (name,) in driver.execute(
                    "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE %'"
                )
            }
            for statement, (values, _) in self._statements.items():
                for *_, detail in driver.execute(f"EXPLAIN QUERY PLAN {statement}", values):
                    found = re.match(r"SCAN (\w+)(?:.* INDEX (\w+))?", detail)
                    if found and found[1] in GROWING and found[2] not in partial and "LIMIT" not in statement:
                        yield statement, found[1]

    def _on_postgresql(self) -> Iterator[tuple[str, str]]:
        url = self.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as connection:
            # Undone at the end: the server believes that each page holds a million rows.
            connection.execute(
                "UPDATE pg_class SET reltuples = 1000000, relpages = 1 WHERE relname = ANY(%s)",
                [list(GROWING)],
            )
            # What is left is to look something up in an index, or else to read everything.
            for way in ("seqscan", "indexscan", "indexonlyscan", "hashjoin", "mergejoin"):
                connection.execute(f"SET LOCAL enable_{way} = off")
            for statement, (values, numbered) in self._statements.items():
                cursor = psycopg.RawCursor(connection) if numbered else connection.cursor()
                cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)
                ((plan,),) = cursor.fetchall()
                yield from ((statement, table) for table in _read_whole(plan[0]["Plan"]))
            connection.rollback()


def _read_whole(node: dict[str, Any]) -> Iterator[str]:
    """Yield the growing tables that a part of a plan reads from end to end; what has a limit ends early."""
    if node["Node Type"] == "Limit":
        return
    if node.get("Relation Name") in GROWING and node["Node Type"] in {
        "Seq Scan",
        "Index Scan",
        "Index Only Scan",
    }:
        yield node["Relation Name"]
    for part in node.get("Plans", ()):
        yield from _read_whole(part)


@contextmanager
def asked(database: Database, patch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Note every question that is put to `database` within the block."""
    noted, swiftly = Asked(database), swift.execute

    def execute(connection: Any, statement: str, values: Any, **how: Any) -> Any:
        given = values[0] if how.get("many") else values
        noted.note(statement, given, numbered=how.get("cursor") is psycopg.RawCursor)
        return swiftly(connection, statement, values, **how)

    def through_sqlalchemy(_: Any, __: Any, statement: str, values: Any, ___: Any, many: bool) -> None:  # noqa: FBT001
        noted.note(statement, values[0] if many else values)

    event.listen(database.engine, "before_cursor_execute", through_sqlalchemy)
    patch.setattr(swift, "execute", execute)
    try:
        yield noted
    finally:
        patch.undo()
        event.remove(database.engine, "before_cursor_execute", through_sqlalchemy)
