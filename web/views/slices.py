"""Long lists in slices: where one ends, the next begins, so nothing is shown twice while others work on the list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_
from sqlalchemy.orm import InstrumentedAttribute

from models.base import UtcDateTime

MOST = 200
"""Rows of one slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of a list, in its order."""

    rows: tuple[Any, ...]
    count: int
    """Rows of the whole list."""
    next: str | None
    """Where the next slice begins; None on the last one."""


def place(at: datetime, key: int) -> str:
    """Return in a word where a row stands in a list that is sorted by time and id."""
    return f"{at.isoformat()}~{key}"


def beyond(
    at: ColumnElement[datetime] | InstrumentedAttribute[datetime],
    key: InstrumentedAttribute[int],
    begin: tuple[datetime, int],
) -> ColumnElement[bool]:
    """Tell which rows stand after a place in a list that is sorted by the time `at` and the id `key`."""
    moment, last = literal(begin[0], UtcDateTime()), begin[1]
    return or_(at > moment, and_(at == moment, key > last))


def read_place(after: str) -> tuple[datetime, int] | None:
    """Return what `place` wrote; None for everything else, which begins the list anew."""
    moment, _, last = after.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        return (at, int(last)) if at.tzinfo and 0 <= int(last) < 2**53 else None
    except ValueError:
        return None
