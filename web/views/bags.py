"""Bags as their courier sees them: today's runs, what is to be taken, what is carried, what was given over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from config.clock import local
from models import Line, Manifest, Packet, Run
from models.manifest import LineState, ManifestState
from workflow.people import Actor

NO_CARGO = (LineState.TAKEN_OUT, LineState.UNEXPECTED)
"""Lines whose packets do not travel in the bag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bag:
    """One bag of a courier."""

    manifest: Manifest
    departs_at: datetime
    lines: int
    """Packets that travel in it."""
    left: tuple[str, ...]
    """Numbers of the packets that nobody has taken over yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One run of today."""

    run: Run
    departed: bool
    waiting: int
    """Bags that it has still to take."""

    @property
    def at(self) -> str:
        """Hours and minutes of the planned departure, as the clock on the wall shows them."""
        return local(self.run.departs_at).strftime("%H:%M")


@dataclass(slots=True, kw_only=True)
class Rounds:
    """Everything that a courier has to do with today."""

    runs: list[Trip] = field(default_factory=list)
    to_take: list[Bag] = field(default_factory=list)
    carried: list[Bag] = field(default_factory=list)
    given: list[Bag] = field(default_factory=list)


def rounds(session: Session, *, by: Actor, now: datetime) -> Rounds:
    """Return the runs of the centre of `by` today, the bags that wait there, and those that `by` took."""
    midnight = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    found = Rounds()
    waits = and_(Run.centre == by.office, Manifest.state.in_((ManifestState.OPEN, ManifestState.SEALED)))
    mine = Manifest.courier_id == by.id
    today = and_(mine, or_(Manifest.opened_at.is_(None), Manifest.opened_at >= midnight))
    # What is under way and what was given today: each is found by an index of its own.
    for bag in _bags(session, and_(or_(Manifest.closed_at.is_(None), today), or_(waits, mine))):
        match bag.manifest.state:
            case ManifestState.OPEN | ManifestState.SEALED:
                if bag.lines:
                    found.to_take.append(bag)
            case ManifestState.CLOSED:
                found.given.append(bag)
            case ManifestState.RECEIVING if not bag.left:
                found.given.append(bag)
            case _:
                found.carried.append(bag)
    found.runs = _runs(session, by=by, midnight=midnight, waiting=found.to_take)
    return found


def _bags(session: Session, wanted: ColumnElement[bool]) -> list[Bag]:
    rows = session.execute(
        select(Manifest, Run.departs_at)
        .join(Run, Run.id == Manifest.run_id)
        .where(wanted)
        .order_by(Run.departs_at, Manifest.id)
    ).all()
    ids = [row.Manifest.id for row in rows]
    counted = session.execute(
        select(Line.manifest_id, func.count())
        .where(Line.manifest_id.in_(ids), Line.state.not_in(NO_CARGO))
        .group_by(Line.manifest_id)
    )
    counts: dict[int, int] = dict(counted.all())
    left = _left(session, ids)
    return [
        Bag(
            manifest=row.Manifest,
            departs_at=row.departs_at,
            lines=counts.get(row.Manifest.id, 0),
            left=tuple(left.get(row.Manifest.id, ())),
        )
        for row in rows
    ]


def _left(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    rows = session.execute(
        select(Line.manifest_id, Packet.number)
        .join(Packet, Packet.id == Line.packet_id)
        .where(Line.manifest_id.in_(ids), Line.state == LineState.LISTED)
        .order_by(Line.position)
    )
    for manifest_id, number in rows:
        found.setdefault(manifest_id, []).append(number)
    return found


def _runs(session: Session, *, by: Actor, midnight: datetime, waiting: Sequence[Bag]) -> list[Trip]:
    departed = exists().where(Manifest.run_id == Run.id, Manifest.departed_at.is_not(None))
    rows = session.execute(
        select(Run, departed.label("departed"))
        .where(
            Run.centre == by.office, Run.departs_at >= midnight, Run.departs_at < midnight + timedelta(days=1)
        )
        .order_by(Run.departs_at)
    )
    return [
        Trip(
            run=row.Run,
            departed=row.departed,
            waiting=sum(bag.manifest.run_id == row.Run.id for bag in waiting),
        )
        for row in rows
    ]
