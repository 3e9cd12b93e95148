"""Plans: what a database would do with the questions that were asked of it, if its tables had a million rows."""

from __future__ import annotations

import json
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
            for statement, (values, _) in self._statements.items():
                for *_, detail in driver.execute(f"EXPLAIN QUERY PLAN {statement}", values):
                    word, _, rest = detail.partition(" ")
                    if word == "SCAN" and rest.split()[0] in GROWING and "LIMIT" not in statement:
                        yield statement, rest.split()[0]

    def _on_postgresql(self) -> Iterator[tuple[str, str]]:
        url = self.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as connection:
            # Undone at the end: the server believes that each page holds a million rows.
            connection.execute(
                "UPDATE pg_class SET reltuples = 1000000, relpages = 1 WHERE relname = ANY(%s)",
                [list(GROWING)],
            )
            connection.execute("SET LOCAL jit = off")
            for statement, (values, numbered) in self._statements.items():
                cursor = psycopg.RawCursor(connection) if numbered else connection.cursor()
                cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)  # type: ignore[arg-type]
                ((plan,),) = cursor.fetchall()
                yield from ((statement, table) for table in _read_whole(plan[0]["Plan"], limited=False))
            connection.rollback()


def _read_whole(node: dict[str, Any], *, limited: bool) -> Iterator[str]:
    """Yield the growing tables that a part of a plan reads without looking anything up."""
    limited = limited or node["Node Type"] == "Limit"
    by_index = "Index Cond" in node or node["Node Type"].startswith("Bitmap")
    if node.get("Relation Name") in GROWING and "Scan" in node["Node Type"] and not by_index and not limited:
        yield node["Relation Name"]
    for part in node.get("Plans", ()):
        yield from _read_whole(part, limited=limited)


@contextmanager
def asked(database: Database, patch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Note every question that is put to `database` within the block."""
    noted, swiftly = Asked(database), swift._execute  # noqa: SLF001 - where they go to the driver

    def execute(connection: Any, statement: str, values: Any, **how: Any) -> Any:
        given = values[0] if how.get("many") else values
        noted.note(statement, given, numbered=how.get("cursor") is psycopg.RawCursor)
        return swiftly(connection, statement, values, **how)

    def through_sqlalchemy(_: Any, __: Any, statement: str, values: Any, ___: Any, many: bool) -> None:  # noqa: FBT001
        noted.note(statement, values[0] if many else values)

    event.listen(database.engine, "before_cursor_execute", through_sqlalchemy)
    patch.setattr(swift, "_execute", execute)
    try:
        yield noted
    finally:
        patch.undo()
        event.remove(database.engine, "before_cursor_execute", through_sqlalchemy)
