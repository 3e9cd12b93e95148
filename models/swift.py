"""The swift way to the database, for what every scan asks; `models.writes` goes it for what it writes.

SQLAlchemy works two to four times as long on a statement as the driver does. Here a statement is composed once, by
SQLAlchemy, and then goes straight to the driver: in the transaction of its session, with the types of the tables, and
with SQLAlchemy's errors.
"""

from __future__ import annotations

import operator
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import orjson
import psycopg
from sqlalchemy import JSON, Connection, Dialect, Select, func, true
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

Convert = Callable[[Any], Any] | None
"""Makes of a value what the driver takes, or of the driver's what the tables promise; None where it stays as it is."""

DIALECTS: dict[str, Dialect] = {"postgresql": psycopg_dialect(), "sqlite": sqlite_dialect()}  # type: ignore[no-untyped-call]
"""For composing; what an engine adds to its own is not needed for that."""


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
    return f"{compiler.process(element.column, **options)} IN (SELECT value FROM json_each({given}))"  # noqa: S608 - composed of our own names


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


LASTING = "lasting"
"""Option of a connection; False where nobody waits until what is written is on the disk (`Database.transaction`)."""


def is_lasting(connection: Connection) -> bool:
    """Tell whether what is written on a connection is on the disk once it is committed."""
    return bool(connection.get_execution_options().get(LASTING, True))


Asking = Select[*tuple[Any, ...]] | ReturningInsert[Any] | ReturningUpdate[Any]
"""Whatever answers with rows."""


class Question:
    """One SELECT, or a change that returns what it changed, asked again and again with other facts."""

    def __init__(self, statement: Asking) -> None:
        """Keep `statement`; its parameters are named, and lists among them stand in `among`."""
        self._statement = statement
        self._composed: dict[tuple[str, bool], _Composed] = {}

    def ask(self, session: Session, **facts: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - whatever the columns take
        """Return the rows that answer to `facts`, in the types of the tables; errors are those of SQLAlchemy."""
        connection = session.connection()
        name = connection.dialect.name
        hurried = name == "postgresql" and not is_lasting(connection)
        composed = self._composed.get((name, hurried))
        if composed is None:
            statement = self._hurried() if hurried else self._statement
            composed = self._composed[name, hurried] = _compose(statement, DIALECTS[name])
        rows = execute(connection, composed.text, composed.given(facts)).fetchall()
        if hurried:
            rows = [row[:-1] for row in rows]
        return [composed.read(row) for row in rows] if composed.converted else rows

    def _hurried(self) -> Asking:
        """Return the statement so that its own transaction does not wait for the disk, and no later one is hurried."""
        assert not isinstance(self._statement, Select)
        return self._statement.returning(func.set_config("synchronous_commit", "off", true()))


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
        return _as_usual(list(value)) if names is None else json_of(list(value))
    return convert(value) if convert else value


def _as_usual(values: list[Any]) -> list[Any]:
    """Repeat the last of a few values: a shorter list seems cheaper, and the server would plan anew for each one."""
    return values + values[-1:] * (USUAL_LENGTH - len(values))


def _compose(statement: Asking, dialect: Dialect) -> _Composed:
    compiled = statement.compile(dialect=dialect)
    writers = {name: writer(param.type, dialect) for name, param in compiled.binds.items()}
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


def json_of(value: object) -> str:
    """Return a value as JSON, moments as ISO 8601 has them, what is no number as null.

    Raise TypeError for what JSON or UTF-8 does not know, keys that are no text among it.
    """
    return orjson.dumps(value).decode()


def writer(kind: TypeEngine[Any], dialect: Dialect) -> Convert:
    """Return what makes of a value what the driver takes, None where nothing is to be done."""
    if isinstance(kind, JSON):
        # Not the driver's own wrapper: arrays of text are written faster.
        return lambda value: None if value is None else json_of(value)
    if isinstance(kind, Boolean) and dialect.name == "postgresql":
        return None
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Convert:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def execute(
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
