"""The swift way to the database, for what every scan asks and writes.

SQLAlchemy works two to four times as long on a statement as the driver does. Here a statement is composed once, by
SQLAlchemy, and then goes straight to the driver: in the transaction of its session, with the types of the tables, and
with SQLAlchemy's errors. Writes are set-based, and on PostgreSQL all of them are one statement.
"""

# ruff: noqa: S608 - composed of names of our own tables; values go beside the statement
from __future__ import annotations

import operator
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Any, NamedTuple, Self

import orjson
import psycopg
from sqlalchemy import JSON, Connection, Dialect, Select, Table
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.dialects.sqlite.pysqlite import dialect as sqlite_dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.sql.expression import bindparam
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import Boolean, TypeEngine

from models.base import UtcDateTime, database_now, require_zone

Convert = Callable[[Any], Any] | None
Row = Mapping[str, Any]

DIALECTS: dict[str, Dialect] = {"postgresql": psycopg_dialect(), "sqlite": sqlite_dialect()}  # type: ignore[no-untyped-call]
"""For composing; what an engine adds to its own is not needed for that."""


_NOW = {name: str(database_now().compile(dialect=dialect)) for name, dialect in DIALECTS.items()}


class _Condition(ColumnElement[bool]):
    """A condition that stands as it is: SQLAlchemy would add `= 1` on SQLite, which then uses no index for it."""

    type = Boolean()
    inherit_cache = False

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002 - as SQLAlchemy calls it
        """Need no parentheses."""
        return self


class among(_Condition):  # noqa: N801 - reads like an SQL function
    """Tells whether `column` is in the list that the parameter `name` will be: one statement for every length."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.given: BindParameter[Any] = bindparam(name)


@compiles(among, "postgresql")
def _among_on_postgresql(element: among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    kind = element.column.type.compile(compiler.dialect)
    given = compiler.process(element.given, **options)
    return f"{compiler.process(element.column, **options)} = ANY(CAST({given} AS {kind}[]))"


@compiles(among, "sqlite")
def _among_on_sqlite(element: among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    given = compiler.process(element.given, **options)
    return f"{compiler.process(element.column, **options)} IN (SELECT value FROM json_each({given}))"


class one_of(_Condition):  # noqa: N801 - reads like an SQL function
    """Tells whether `column` is among what a SELECT of one column finds, which is carried out first.

    Beside an OR, PostgreSQL would otherwise go through the whole table of `column`, row by row.
    """

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], found: Select[tuple[Any]]) -> None:
        self.column = column
        self.found = found.scalar_subquery()


@compiles(one_of, "postgresql")
def _one_of_on_postgresql(element: one_of, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    found = compiler.process(element.found, **options)
    return f"{compiler.process(element.column, **options)} = ANY(ARRAY{found})"


@compiles(one_of, "sqlite")
def _one_of_on_sqlite(element: one_of, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    found = compiler.process(element.found, **options)
    return f"{compiler.process(element.column, **options)} IN {found}"


Asking = Select[*tuple[Any, ...]] | ReturningInsert[Any] | ReturningUpdate[Any]
"""Whatever answers with rows."""


class Question:
    """One SELECT, or a change that returns what it changed, asked again and again with other facts."""

    def __init__(self, statement: Asking) -> None:
        """Keep `statement`; its parameters are named, and lists among them stand in `among`."""
        self._statement = statement
        self._composed: dict[str, _Composed] = {}

    def ask(self, session: Session, **facts: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - whatever the columns take
        """Return the rows that answer to `facts`, in the types of the tables; errors are those of SQLAlchemy."""
        connection = session.connection()
        name = connection.dialect.name
        composed = self._composed.get(name)
        if composed is None:
            composed = self._composed[name] = _compose(self._statement, DIALECTS[name])
        rows = _execute(connection, composed.text, composed.given(facts)).fetchall()
        return [composed.read(row) for row in rows] if composed.converted else rows


class _Composed(NamedTuple):
    text: str
    names: Sequence[str] | None
    """The parameters in their order; None where the driver takes them by name."""
    fixed: dict[str, Any]
    writers: dict[str, Convert]
    converted: list[tuple[int, Callable[[Any], Any]]]
    """Columns of the answer whose values need converting."""

    def given(self, facts: dict[str, Any]) -> Any:  # noqa: ANN401 - as the driver takes it
        values = {name: _listed(value, self.writers.get(name), self.names) for name, value in facts.items()}
        values = self.fixed | values
        return values if self.names is None else [values[name] for name in self.names]

    def read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place, convert in self.converted:
            if values[place] is not None:
                values[place] = convert(values[place])
        return tuple(values)


USUAL_LENGTH = 10
"""What PostgreSQL takes a list to be when it makes a plan for lists that it does not know yet."""


def _listed(value: Any, convert: Convert, names: Sequence[str] | None) -> Any:  # noqa: ANN401
    if isinstance(value, (list, set, frozenset, tuple)):
        return _as_usual(list(value)) if names is None else _json(list(value))
    return convert(value) if convert else value


def _as_usual(values: list[Any]) -> list[Any]:
    """Repeat the last of a few values: a shorter list seems cheaper, and the server would plan anew for each one."""
    return values + values[-1:] * (USUAL_LENGTH - len(values))


def _compose(statement: Asking, dialect: Dialect) -> _Composed:
    compiled = statement.compile(dialect=dialect)
    writers = {name: _writer(param.type, dialect) for name, param in compiled.binds.items()}
    fixed = {name: param.effective_value for name, param in compiled.binds.items() if not param.required}
    columns = statement.selected_columns if isinstance(statement, Select) else statement.exported_columns
    readers = [
        (place, convert)
        for place, column in enumerate(columns)
        if (convert := _reader(column.type, dialect)) is not None
    ]
    return _Composed(
        text=compiled.string,
        names=compiled.positiontup,
        fixed={
            name: convert(value) if (convert := writers[name]) else value for name, value in fixed.items()
        },
        writers=writers,
        converted=readers,
    )


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
                cursor = _execute(connection, _for_each(shape), list(_rows(shape, rows)), many=True)
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
        _execute(connection, _one_statement(shapes), values, cursor=psycopg.RawCursor)
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
            name: shape.table.c[column].type.compile(DIALECTS["postgresql"]) for name, column in shape.given
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
    yield _json(rows)


@cache
def _moments(shape: _Write) -> tuple[str, ...]:
    return tuple(name for name, column in shape.given if isinstance(shape.table.c[column].type, UtcDateTime))


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _rows(shape: _Write, rows: Sequence[Row]) -> Iterator[list[Any]]:
    """Yield the values of each row; what an update sets stands before what it searches by."""
    writers = dict(_writers(shape, "sqlite"))
    names = [name for name in shape.columns if name not in shape.by] + list(shape.by)
    names += [WAS + name for name in shape.was]
    for row in rows:
        yield [convert(row[name]) if (convert := writers[name]) else row[name] for name in names]


@cache
def _writers(shape: _Write, dialect: str) -> tuple[tuple[str, Convert], ...]:
    return tuple(
        (name, _writer(shape.table.c[column].type, DIALECTS[dialect])) for name, column in shape.given
    )


def _writer(kind: TypeEngine[Any], dialect: Dialect) -> Convert:
    """Return what makes of a value what the driver takes, None where nothing is to be done."""
    if isinstance(kind, JSON):
        # Not the driver's own wrapper: arrays of text are written faster.
        return lambda value: None if value is None else _json(value)
    if isinstance(kind, Boolean) and dialect.name == "postgresql":
        return None
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Convert:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _execute(
    connection: Connection,
    statement: str,
    values: Any,  # noqa: ANN401 - as the driver takes them
    *,
    many: bool = False,
    cursor: Callable[[Any], Any] = operator.methodcaller("cursor"),
) -> Any:  # noqa: ANN401 - the driver's cursor
    """Give a statement to the driver and return its cursor; raise what SQLAlchemy would raise."""
    driver: Any = connection.connection.dbapi_connection
    try:
        opened = cursor(driver)
        return opened.executemany(statement, values) if many else opened.execute(statement, values)
    except (psycopg.Error, sqlite3.Error) as error:
        broken = connection.dialect.is_disconnect(error, driver, None)  # type: ignore[arg-type]
        if broken:
            connection.invalidate(error)
        kind = psycopg.Error if isinstance(error, psycopg.Error) else sqlite3.Error
        # Without the values: they are a person's data.
        raise DBAPIError.instance(
            statement, None, error, kind, connection_invalidated=broken, dialect=connection.dialect
        ) from error
