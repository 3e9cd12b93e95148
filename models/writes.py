"""Set-based writes the swift way, on PostgreSQL all of a transaction in one statement."""

# ruff: noqa: S608 - composed of names of our own tables; values go beside the statement
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import swift
from models.base import UtcDateTime, database_now, require_zone

Row = Mapping[str, Any]

_NOW = {name: str(database_now().compile(dialect=dialect)) for name, dialect in swift.DIALECTS.items()}


WAS = "was_"
"""Before the name of a column: the value that it had when it was read."""


CHANGED_MEANWHILE = "SHB01"
"""What PostgreSQL's `all_found` of step 0015 raises (SQLSTATE)."""


class ChangedMeanwhileError(Exception):
    """Rows are no longer as they were read; nothing was written."""


class _Write(NamedTuple):
    """Shape of one write: what it does to which columns of which table."""

    table: Table
    columns: tuple[str, ...]
    by: tuple[str, ...] = ()
    """An update finds its rows by these columns; empty for an insert."""
    again: tuple[str, ...] = ()
    """An insert sets these where the row is there already."""
    key: tuple[str, ...] = ()
    """Columns of the unique key that tells so."""
    only: str = ""
    """Further condition of an update, in SQL."""
    sure: bool = False
    """An update that does not find each of its rows lets the whole statement fail."""
    now: tuple[str, ...] = ()
    """Columns that an update sets to the moment of the database."""
    was: tuple[str, ...] = ()
    """Columns that an update only changes where they still have the value that each row gives as `was_…`."""

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        """What each row gives: its name, and the column whose type it has."""
        return (*((name, name) for name in self.columns), *((WAS + name, name) for name in self.was))


class Writes:
    """Set-based writes of one transaction, carried out in the order in which they were given."""

    def __init__(self) -> None:
        """Begin with nothing to write."""
        self._steps: list[list[tuple[_Write, Sequence[Row]]]] = [[]]

    def insert(
        self, table: Table, rows: Sequence[Row], *, again: Sequence[str] = (), key: Sequence[str] = ()
    ) -> None:
        """Insert rows, which have the same columns all; one whose `key` is there gets the columns `again` anew."""
        if rows:
            shape = _Write(table, tuple(rows[0]), again=tuple(again), key=tuple(key))
            self._steps[-1].append((shape, rows))

    def update(
        self,
        table: Table,
        rows: Sequence[Row],
        *,
        by: Sequence[str] = ("id",),
        only: str = "",
        sure: bool = False,
        now: Sequence[str] = (),
        was: Sequence[str] = (),
    ) -> None:
        """Set all columns of `rows` in the rows of the table that they name `by`, which no other write touches.

        The columns `now` get the moment of the database. With `sure` each row must be there, where `only` holds, and
        with its columns `was`, which are never null, as the row gives them under `was_…`; otherwise nothing of the
        statement is written, and `send` raises ChangedMeanwhileError.
        """
        if rows:
            columns = tuple(name for name in rows[0] if not name.startswith(WAS))
            shape = _Write(
                table,
                columns,
                by=tuple(by),
                only=only,
                sure=sure or bool(was),
                now=tuple(now),
                was=tuple(was),
            )
            self._steps[-1].append((shape, rows))

    def then(self, table: Table) -> None:
        """Let what follows see what was written to `table` before: needed where one row is written twice."""
        if any(shape.table is table for shape, _ in self._steps[-1]):
            self._steps.append([])

    def send(self, session: Session) -> None:
        """Write everything, one statement for each step, which must be one alone where no transaction is around it.

        Errors are those of SQLAlchemy, and ChangedMeanwhileError.
        """
        connection = session.connection()
        steps = [step for step in self._steps if step]
        assert len(steps) < 2 or connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT"
        for step in steps:
            if connection.dialect.name == "postgresql":
                _write_at_once(connection, step)
                continue
            for shape, rows in step:
                cursor = swift.execute(connection, _for_each(shape), list(_rows(shape, rows)), many=True)
                if shape.sure and cursor.rowcount != len(rows):
                    raise ChangedMeanwhileError


def _write_at_once(connection: Connection, step: Sequence[tuple[_Write, Sequence[Row]]]) -> None:
    shapes = tuple((shape, len(rows) == 1) for shape, rows in step)
    values = [value for shape, rows in step for value in _given(shape, rows)]
    sure = sum(len(rows) for shape, rows in step if shape.sure)
    if sure:
        values.append(sure)
    try:
        # Numbered parameters: the driver need not look for them in the text each time.
        swift.execute(connection, _one_statement(shapes), values, cursor=psycopg.RawCursor)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == CHANGED_MEANWHILE:
            raise ChangedMeanwhileError from error
        raise


@cache
def _one_statement(shapes: tuple[tuple[_Write, bool], ...]) -> str:
    """Return one statement for PostgreSQL.

    Each write waits for the one before it by counting its rows: a unique key would otherwise be checked too early. The
    count is a condition that names no row, so that the server counts once; as a second source it counted for each row.
    One row is given by its values, so that the server makes its plan only once; many are given as one text of JSON,
    which costs this side a third of what arrays would.
    """
    parts, number = [], count(1)
    for place, (shape, single) in enumerate(shapes):
        kinds = {
            name: shape.table.c[column].type.compile(swift.DIALECTS["postgresql"])
            for name, column in shape.given
        }
        if single:
            given = ", ".join(f"${next(number)}::{kind}" for kind in kinds.values())
            source = f"(VALUES ({given})) AS given({', '.join(kinds)})"
        else:
            named = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
            source = f"json_to_recordset(${next(number)}::json) AS given({named})"
        after = f"(SELECT count(*) FROM w{place - 1}) >= 0" if place else ""
        parts.append(f"w{place} AS ({_on_postgresql(shape, source, after)} RETURNING 1)")
    sure = [f"(SELECT count(*) FROM w{place})" for place, (shape, _) in enumerate(shapes) if shape.sure]
    asked = f"all_found({' + '.join(sure)}, ${next(number)}::bigint)" if sure else "1"
    return f"WITH {', '.join(parts)} SELECT {asked}"


def _on_postgresql(shape: _Write, source: str, after: str) -> str:
    if not shape.by:
        names = ", ".join(shape.columns)
        given = ", ".join(f"given.{name}" for name in shape.columns)
        when = f" WHERE {after}" if after else ""
        return (
            f"INSERT INTO {shape.table.name} ({names}) SELECT {given} FROM {source}{when}{_conflict(shape)}"
        )
    values = ", ".join(
        [f"{name} = given.{name}" for name in shape.columns if name not in shape.by]
        + [f"{name} = {_NOW['postgresql']}" for name in shape.now]
    )
    found = " AND ".join(
        [f"{shape.table.name}.{name} = given.{name}" for name in shape.by]
        + [f"{shape.table.name}.{name} = given.{WAS}{name}" for name in shape.was]
        + ([f"{shape.table.name}.{shape.only}"] if shape.only else [])
        + ([after] if after else [])
    )
    return f"UPDATE {shape.table.name} SET {values} FROM {source} WHERE {found}"


@cache
def _for_each(shape: _Write) -> str:
    """Return the statement that SQLite carries out for each row."""
    if not shape.by:
        places = ", ".join("?" * len(shape.columns))
        return (
            f"INSERT INTO {shape.table.name} ({', '.join(shape.columns)}) VALUES ({places}){_conflict(shape)}"
        )
    values = ", ".join(
        [f"{name} = ?" for name in shape.columns if name not in shape.by]
        + [f"{name} = {_NOW['sqlite']}" for name in shape.now]
    )
    found = " AND ".join(f"{name} = ?" for name in (*shape.by, *shape.was))
    found += f" AND {shape.only}" if shape.only else ""
    return f"UPDATE {shape.table.name} SET {values} WHERE {found}"


def _conflict(shape: _Write) -> str:
    if not shape.key:
        return ""
    again = ", ".join(f"{name} = excluded.{name}" for name in shape.again)
    return f" ON CONFLICT ({', '.join(shape.key)}) DO " + (f"UPDATE SET {again}" if again else "NOTHING")


def _given(shape: _Write, rows: Sequence[Row]) -> Iterator[Any]:
    """Yield the values of a single row, or one text with all rows of many."""
    if len(rows) == 1:
        (row,) = rows
        for name, convert in _writers(shape, "postgresql"):
            yield convert(row[name]) if convert else row[name]
        return
    for name in _moments(shape):
        for row in rows:
            if row[name] is not None:
                require_zone(row[name])
    yield swift.json_of(rows)


@cache
def _moments(shape: _Write) -> tuple[str, ...]:
    return tuple(name for name, column in shape.given if isinstance(shape.table.c[column].type, UtcDateTime))


def _rows(shape: _Write, rows: Sequence[Row]) -> Iterator[list[Any]]:
    """Yield the values of each row; what an update sets stands before what it searches by."""
    writers = dict(_writers(shape, "sqlite"))
    names = [name for name in shape.columns if name not in shape.by] + list(shape.by)
    names += [WAS + name for name in shape.was]
    for row in rows:
        yield [convert(row[name]) if (convert := writers[name]) else row[name] for name in names]


@cache
def _writers(shape: _Write, dialect: str) -> tuple[tuple[str, swift.Convert], ...]:
    return tuple(
        (name, swift.writer(shape.table.c[column].type, swift.DIALECTS[dialect]))
        for name, column in shape.given
    )
