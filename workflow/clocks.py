"""Between the clocks and the database: loads those of moved packets, and writes set-based what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from config.settings import settings
from models import Deadline
from models.swift import Question, among
from models.writes import WAS, Writes
from workflow.hours import VERSION, Version, calendar
from workflow.moves import Move
from workflow.timing import REWINDS, Clock, Entered, Timing

DEADLINES = cast("Table", Deadline.__table__)

ADOPTED = Move.RECEIVE
"""The move that stands for a packet that was there before its clocks: it opens the step that the packet is in."""

KnownClocks = tuple[defaultdict[int, list[Clock]], Version | None]
"""Clocks by the id of their packet, as far as the rules need them, and the calendar's version where it was told."""

_CHANGING = tuple(name for name in Clock.__slots__ if name not in {"packet_id", "seq", "step", "round"})
_CLOSING = ("id", "closed_at", "ending", "late_minutes", "next_at")
"""What nearly every move does to the clock before it."""

_SEEN = ("due_at", "told")
"""What the calendar, and the sweep that tells of deadlines, change in a clock that runs. A run that is moved may change
no more than `changes`; its packets lie in bags, which are locked."""

_CLOCKS = (
    select(*(DEADLINES.c[name] for name in Clock.__slots__), *VERSION)
    .where(among(DEADLINES.c.packet_id, "packets"))
    .order_by(DEADLINES.c.id)
    .with_for_update(of=DEADLINES)
)
_ALL = Question(_CLOCKS)
_RUNNING = Question(_CLOCKS.where(DEADLINES.c.closed_at.is_(None)))


def timing(session: Session, *, version: Version | None = None) -> Timing:
    """Return the rules of the clocks by the calendar of this transaction."""
    return Timing(calendar(session, version=version), settings())


def keep(
    session: Session, entered: Sequence[Entered], writes: Writes, *, known: KnownClocks | None = None
) -> None:
    """Let the clocks of packets follow their moves, in order; the packets are locked by the caller.

    Without locks, `known` are the running clocks as they were seen together with their packets.
    """
    if not entered:
        return
    assert known is None or not any(_looks_back(one.move) for one in entered)
    clocks_of, version = known or _known(session, [one for one in entered if one.move is not Move.ACCEPT])
    rules = timing(session, version=version)
    stood = {clock.id: _facts(clock) for clocks in clocks_of.values() for clock in clocks}
    touched: dict[int, Clock] = {}
    opened: list[Clock] = []
    for one in entered:
        clocks = clocks_of[one.packet_id]
        if one.move is Move.ACCEPT:
            new = rules.accepted(one)
        else:
            before = {id(clock): _state(clock) for clock in clocks}
            made = rules.follow(clocks, one)
            new = [] if made is None else [made]
            for clock in clocks:
                if clock.id is not None and _state(clock) != before[id(clock)]:
                    touched[clock.id] = clock
        clocks.extend(new)
        opened.extend(new)
    closed = [clock for clock in touched.values() if clock.closed_at is not None]
    changed = [clock for clock in touched.values() if clock.closed_at is None]
    for clocks, names in ((closed, _CLOSING), (changed, _CHANGING)):
        rows = [row | stood[row["id"]] for row in _rows(clocks, names)]
        writes.update(DEADLINES, rows, was=_SEEN)
    writes.insert(DEADLINES, [row_of(clock) for clock in opened])


def write(session: Session, clocks: Iterable[Clock]) -> None:
    """Write changed clocks."""
    writes = Writes()
    writes.update(DEADLINES, _rows(clocks, _CHANGING))
    writes.send(session)


def _rows(clocks: Iterable[Clock], names: Sequence[str]) -> list[dict[str, Any]]:
    # Rows are locked in one order, so that two writers never wait for each other.
    return [
        {name: getattr(clock, name) for name in names}
        for clock in sorted(clocks, key=lambda clock: clock.id or 0)
    ]


def clock_of(row: Mapping[str, Any]) -> Clock:
    """Return the clock of a row with the columns of `deadlines`."""
    return Clock(**{name: row[name] for name in Clock.__slots__})


def _known(session: Session, moved: Collection[Entered]) -> KnownClocks:
    """Return what is to be known of moved packets, locked."""
    found: defaultdict[int, list[Clock]] = defaultdict(list)
    ids = {one.packet_id for one in moved}
    if not ids:
        return found, None
    back = any(_looks_back(one.move) for one in moved)
    rows = (_ALL if back else _RUNNING).ask(session, packets=ids)
    for row in rows:
        clock = Clock(**dict(zip(Clock.__slots__, row, strict=False)))
        found[clock.packet_id].append(clock)
    return found, tuple(rows[0][len(Clock.__slots__) :]) if rows else None


def _looks_back(move: Move) -> bool:
    """Tell whether the clocks that are closed are needed, too."""
    return move in REWINDS or move is Move.SEND_BACK


def _facts(clock: Clock) -> dict[str, Any]:
    return {WAS + name: getattr(clock, name) for name in _SEEN}


def _state(clock: Clock) -> tuple[object, ...]:
    return clock.office, clock.holder_role, clock.holder_id, clock.closed_at


def row_of(clock: Clock) -> dict[str, Any]:
    """Return a new clock as a row of `deadlines`."""
    return {name: getattr(clock, name) for name in Clock.__slots__ if name != "id"}
