"""Histories: a packet with every row that tells of it, as JSON has it; the same rows always in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, select, true
from sqlalchemy.engine import Result
from sqlalchemy.orm import Session

from models import (
    Alert,
    Attempt,
    Deadline,
    Discrepancy,
    Event,
    Message,
    MessageDecision,
    Notice,
    Packet,
    Print,
    ReturnSlip,
    Scan,
)

History = dict[str, Any]
"""A packet with all of its rows, table by table, as JSON has them."""


OF_PACKET = (Event, Deadline, Discrepancy, ReturnSlip, Print)
"""Tables whose rows name their packet."""

OF_MESSAGE = (Attempt, MessageDecision, Alert, Notice)
"""Tables whose rows name the message that they tell of."""

OWN: dict[Any, ColumnElement[bool]] = {Alert: Alert.deaths == 1}
"""Table → which of its rows belong to one message alone. An alert that others share stays when its first one goes."""

LOCKED = frozenset({Deadline, Discrepancy, ReturnSlip, Message, Notice, Alert})
"""Tables whose rows may change: they are locked before they go."""


def histories(
    session: Session, ids: Sequence[int], messages: Mapping[int, Sequence[int]], *, lock: bool = False
) -> dict[int, History]:
    """Return packets by id with everything that is history of theirs, in one order for ever.

    `messages` are the ids of the messages about each. With `lock` nobody can change any of it until the end of the
    transaction.
    """
    packets = _rows(session, Packet, select(*columns_of(Packet)).where(Packet.id.in_(ids)), lock=lock)
    numbers = {row["number"]: row["id"] for row in packets}
    found: dict[int, History] = {row["id"]: {"packet": row} for row in packets}
    named = [
        (
            str(table.__tablename__),
            _rows(session, table, select(*columns_of(table)).where(table.packet_id.in_(ids)), lock=lock),
        )
        for table in OF_PACKET
    ]
    scans = _rows(session, Scan, select(*columns_of(Scan)).where(Scan.code.in_(numbers)), lock=False)
    told = [message_id for packet_id in found for message_id in messages.get(packet_id, ())]
    news = _in_parts(session, Message, Message.id, told, lock=lock)
    owner = {row["id"]: numbers.get(row["subject"]) for row in news}
    for history in found.values():
        for name in TABLES:
            history[name] = []
    for part, rows in named:
        for row in rows:
            found[row["packet_id"]][part].append(row)
    for row in scans:
        found[numbers[row["code"]]]["scans"].append(row)
    for row in news:
        if (packet_id := owner[row["id"]]) is not None:
            found[packet_id]["messages"].append(row)
    for of_news in OF_MESSAGE:
        for row in _in_parts(session, of_news, of_news.message_id, told, lock=lock):
            if (packet_id := owner.get(row["message_id"])) is not None:
                found[packet_id][of_news.__tablename__].append(row)
    return found


TABLES = (
    *(str(table.__tablename__) for table in OF_PACKET),
    "scans",
    "messages",
    *(str(table.__tablename__) for table in OF_MESSAGE),
)
"""The tables of a history, in the order of the file."""


def columns_of(table: Any) -> list[Any]:  # noqa: ANN401 - any of our tables
    """Return the columns of a table that are history."""
    # Which archive a packet is marked for is no part of its history.
    skipped = {"archive_id", "archived_at"} if table is Packet else set()
    return [column for column in cast("Table", table.__table__).c if column.name not in skipped]


def _rows(session: Session, table: Any, statement: Select[Any], *, lock: bool) -> list[History]:  # noqa: ANN401
    key = cast("Table", table.__table__).primary_key.columns
    statement = statement.order_by(*key)
    if lock and table in LOCKED:
        statement = statement.with_for_update()
    return as_json(session.execute(statement))


def _in_parts(
    session: Session,
    table: Any,  # noqa: ANN401 - any of our tables
    column: Any,  # noqa: ANN401 - its column
    values: Sequence[Any],
    *,
    lock: bool,
) -> list[History]:
    wanted = select(*columns_of(table)).where(OWN.get(table, true()))
    return [
        row
        for part in parts(values)
        for row in _rows(session, table, wanted.where(column.in_(part)), lock=lock)
    ]


def parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield values in parts that one statement takes; their order stays."""
    for start in range(0, len(values), 5000):
        yield values[start : start + 5000]


def as_json(rows: Result[Any]) -> list[History]:
    """Return rows as JSON has them: moments and dates as ISO 8601, words of closed lists as text."""
    names = list(rows.keys())
    return [
        {
            name: value if type(value) in _PLAIN else _value(value)
            for name, value in zip(names, row, strict=True)
        }
        for row in rows
    ]


_PLAIN = frozenset({str, int, bool, type(None), dict, list})
"""Types that JSON has itself; asked first, because there are millions of values."""


def _value(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case StrEnum():
            return value.value
        case _:
            return value
