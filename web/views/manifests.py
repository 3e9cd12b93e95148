"""Manifests as people see them: one with its lines, who works on it, those under way, and open differences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, true
from sqlalchemy.orm import Session

from barcodes.typed import read
from config.errors import NotFoundError
from models import Discrepancy, Line, Manifest, Packet, Run, Staff
from models.manifest import LineState, ManifestState
from web.views.packets import NoNumberError
from web.views.slices import MOST, Slice, beyond, place, read_place
from workflow.people import EVERYWHERE, Actor

ORDER = (
    LineState.LISTED,
    LineState.MISSING,
    LineState.DAMAGED,
    LineState.REFUSED,
    LineState.UNEXPECTED,
    LineState.ELSEWHERE,
    LineState.RECEIVED,
    LineState.TAKEN_OUT,
)
"""What needs attention comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenManifest:
    """One manifest, the planned departure of its run, and its lines."""

    manifest: Manifest
    departs_at: datetime
    centre: str
    """The centre whose courier carries it."""
    lines: tuple[Any, ...]
    """`number`, `state`, `reason`, `position`, `packet_state`, `department`, `settled_at`, `who`; what needs attention
    first."""
    counts: dict[LineState, int]

    @property
    def expected(self) -> int:
        """Packets that travel or travelled by it."""
        return sum(
            count
            for state, count in self.counts.items()
            if state not in {LineState.TAKEN_OUT, LineState.UNEXPECTED}
        )

    @property
    def left(self) -> int:
        """Packets that nobody has scanned or explained yet."""
        return self.counts.get(LineState.LISTED, 0)

    @property
    def hands(self) -> tuple[Any, ...]:
        """The last line that each person settled, the newest first: who takes the bag over."""
        settled = sorted(
            (line for line in self.lines if line.settled_at and line.who), key=lambda line: line.settled_at
        )
        return tuple(reversed({line.who: line for line in settled}.values()))


def manifest(session: Session, number: str, *, by: Actor) -> SeenManifest:
    """Return the manifest with `number`; raise NotFoundError when it is unknown or goes past the asking office."""
    reading = read(number)
    if reading.code is None:
        raise NoNumberError(reading.advice)
    row = session.execute(
        select(Manifest, Run.departs_at, Run.centre)
        .join(Run, Run.id == Manifest.run_id)
        .where(Manifest.number == reading.code)
    ).one_or_none()
    if row is None:
        raise NotFoundError(what=reading.code)
    found, departs_at, centre = row
    if by.office not in {found.origin, found.destination, centre} and not by.roles & EVERYWHERE:
        raise NotFoundError(what=reading.code)
    rank = case({state: place for place, state in enumerate(ORDER)}, value=Line.state)
    lines = tuple(
        session.execute(
            select(
                Packet.number,
                Packet.state.label("packet_state"),
                Packet.department,
                Line.state,
                Line.reason,
                Line.position,
                Line.settled_at,
                Staff.name.label("who"),
            )
            .join(Packet, Packet.id == Line.packet_id)
            .outerjoin(Staff, Staff.id == Line.settled_by)
            .where(Line.manifest_id == found.id)
            .order_by(rank, Line.position)
        )
    )
    counts: dict[LineState, int] = {}
    for line in lines:
        counts[line.state] = counts.get(line.state, 0) + 1
    return SeenManifest(manifest=found, departs_at=departs_at, centre=centre, lines=lines, counts=counts)


def version(session: Session, number: str, *, by: Actor) -> str | None:
    """Return what changes with whatever a page shows of a manifest's lines: one row, however long the list is.

    None when the manifest is unknown or goes past the office of `by`.
    """
    row = session.execute(
        select(Manifest.state, func.count(Line.id), func.count(Line.settled_at), func.max(Line.settled_at))
        .join(Run, Run.id == Manifest.run_id)
        .outerjoin(Line, Line.manifest_id == Manifest.id)
        .where(Manifest.number == number, true() if by.roles & EVERYWHERE else _own(by))
        .group_by(Manifest.id)
    ).one_or_none()
    if row is None:
        return None
    state, lines, settled, last = row
    return f"{state}-{lines}-{settled}-{last.timestamp() if last else 0}"


def _own(by: Actor) -> ColumnElement[bool]:
    """Tell which manifests come from, go to, or are carried by the office of `by`; joined with Run."""
    return or_(Manifest.origin == by.office, Manifest.destination == by.office, Run.centre == by.office)


def arriving_with(session: Session, number: str, *, by: Actor) -> str | None:
    """Return the number of the manifest by which a packet is coming to the office of `by`; None when it is not."""
    return session.scalar(
        select(Manifest.number)
        .join(Line, Line.manifest_id == Manifest.id)
        .join(Packet, Packet.id == Line.packet_id)
        .where(
            Packet.number == number,
            Line.live,
            Manifest.destination == by.office,
            Manifest.state.in_([ManifestState.IN_TRANSIT, ManifestState.RECEIVING]),
        )
    )


def under_way(session: Session, *, by: Actor, after: str = "", most: int = MOST) -> Slice:
    """Return the manifests of the office of `by` that are not closed: Manifest, `departs_at`, `lines`, `left`.

    `after` is the `next` of the slice before; what cannot be read as one gives the first slice.
    """
    # Counted for the listed manifests alone: a count of all lines would grow with the years.
    lines = select(func.count()).where(Line.manifest_id == Manifest.id).correlate(Manifest)
    # Not by the state: an index holds those that are not closed.
    chosen = (Manifest.closed_at.is_(None), _own(by))
    statement = (
        select(
            Manifest,
            Run.departs_at,
            Run.centre,
            lines.where(Line.state.not_in([LineState.TAKEN_OUT, LineState.UNEXPECTED]))
            .scalar_subquery()
            .label("lines"),
            lines.where(Line.state == LineState.LISTED).scalar_subquery().label("left"),
        )
        .join(Run, Run.id == Manifest.run_id)
        .where(*chosen)
        .order_by(Run.departs_at, Manifest.id)
        .limit(most + 1)
    )
    begin = read_place(after)
    if begin is not None:
        statement = statement.where(beyond(Run.departs_at, Manifest.id, begin))
    rows = tuple(session.execute(statement))
    count = len(rows)
    if count > most or begin is not None:
        counted = select(func.count(Manifest.id)).join(Run, Run.id == Manifest.run_id).where(*chosen)
        count = session.scalar(counted) or 0
    more = len(rows) > most
    rows = rows[:most]
    return Slice(
        rows=rows, count=count, next=place(rows[-1].departs_at, rows[-1].Manifest.id) if more else None
    )


def differences(session: Session, *, by: Actor, after: int = 0, most: int = MOST) -> Slice:
    """Return the unsettled differences that the office of `by` found or caused, the oldest first.

    Only those with an id over `after`, the `next` of the slice before.
    """
    rows = tuple(
        session.execute(
            select(Discrepancy, Packet.number, Manifest.number.label("manifest"))
            .join(Packet, Packet.id == Discrepancy.packet_id)
            .outerjoin(Manifest, Manifest.id == Discrepancy.manifest_id)
            .where(*_unsettled(by), Discrepancy.id > after)
            .order_by(Discrepancy.id)
            .limit(most + 1)
        )
    )
    count = len(rows) if len(rows) <= most and not after else count_differences(session, by=by)
    more = len(rows) > most
    rows = rows[:most]
    return Slice(rows=rows, count=count, next=str(rows[-1].Discrepancy.id) if more else None)


def count_differences(session: Session, *, by: Actor) -> int:
    """Return how many differences that the office of `by` found or caused are unsettled."""
    return session.scalar(select(func.count(Discrepancy.id)).where(*_unsettled(by))) or 0


def _unsettled(by: Actor) -> tuple[ColumnElement[bool], ...]:
    return (
        Discrepancy.settled_at.is_(None),
        or_(Discrepancy.office == by.office, Discrepancy.sender == by.office),
    )
