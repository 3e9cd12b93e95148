"""One check: a promise, and the question whose answers are the rows that break it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import TextClause, text

_JSON = re.compile(r"JSON_TEXT\((\w+)\.(\w+), '([\w.]+)'\)")


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant over the whole database."""

    name: str
    """Word of the invariant, stable for programs."""
    promise: str
    """What holds, in one sentence."""
    question: str = field(repr=False)
    """SELECT of the columns `subject` and `detail` of each row that breaks the promise."""
    truth: tuple[str, ...] = field(default=(), repr=False)
    """Common table expressions that the question names."""

    def statement(self, dialect: str) -> TextClause:
        """Return the question for one kind of database."""
        return statement(self.question, self.truth, dialect)


@cache
def statement(question: str, truth: tuple[str, ...], dialect: str) -> TextClause:
    """Return `question`, which may name the tables of `truth`, as a statement for one kind of database."""
    whole = f"WITH {', '.join(truth)} {question}" if truth else question
    return text(_JSON.sub(_on_postgresql if dialect == "postgresql" else _on_sqlite, whole))


def _on_postgresql(found: re.Match[str]) -> str:
    table, column, path = found.groups()
    return f"({table}.{column} #>> '{{{path.replace('.', ',')}}}')"


def _on_sqlite(found: re.Match[str]) -> str:
    table, column, path = found.groups()
    return f"json_extract({table}.{column}, '$.{path}')"
