"""What waits for the courier: packets per office they go to, the manifest that takes them, and the next departure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from models import Deadline, Line, Manifest, Packet, Run
from models.base import UtcDateTime
from models.manifest import LineState, ManifestState
from models.packet import Leg, State
from routing.timetable import carrier
from web.views.lists import OPEN_CLOCK
from workflow.handing import UNCLAIMED
from workflow.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One office that packets go to from here."""

    office: str
    waiting: int
    """Packets that are on no manifest yet."""
    due_at: datetime | None
    """When the first of them is due."""
    manifests: tuple[Any, ...]
    """`number`, `state`, `seal_number`, `lines`, `departs_at` of those that are open or sealed."""
    departs_at: datetime | None
    """The next planned departure of the courier who goes there."""


def destinations(session: Session, *, by: Actor, now: datetime) -> list[Destination]:
    """Return where packets go from the office of `by`, the most urgent first."""
    waiting = {row.destination: row for row in session.execute(_waiting(by))}
    bags: dict[str, list[Any]] = {}
    for bag in session.execute(_bags(by)):
        bags.setdefault(bag.destination, []).append(bag)
    codes = waiting.keys() | bags.keys()
    legs = {code: Leg.BACK if code in waiting and waiting[code].back else Leg.OUT for code in codes}
    carriers = {code: carrier(leg=legs[code], origin=by.office, destination=code) for code in codes}
    departures = _departures(session, set(carriers.values()), now=now)
    found = [
        Destination(
            office=code,
            waiting=waiting[code].packets if code in waiting else 0,
            due_at=waiting[code].due_at if code in waiting else None,
            manifests=tuple(bags.get(code, ())),
            departs_at=departures.get(carriers[code]),
        )
        for code in codes
    ]
    return sorted(found, key=lambda one: (one.due_at is None, one.due_at or now, -one.waiting, one.office))


def _waiting(by: Actor) -> Any:  # noqa: ANN401 - a statement of five columns
    # A result that came back because nobody fetched it is handed out here.
    signed = and_(
        Packet.state == State.SIGNED,
        Packet.origin != Packet.department,
        func.coalesce(Packet.remark, "") != UNCLAIMED,
    )
    # What was brought to the wrong department goes on to its own.
    onwards = and_(
        Packet.state.in_([State.ACCEPTED, State.RECEIVED]), Packet.department != Packet.holder_office
    )
    destination = case((Packet.state == State.SIGNED, Packet.origin), else_=Packet.department)
    return (
        select(
            destination.label("destination"),
            func.count().label("packets"),
            func.count().filter(Packet.state == State.SIGNED).label("back"),
            func.min(Deadline.due_at).label("due_at"),
        )
        .outerjoin(Deadline, OPEN_CLOCK)
        .where(Packet.holder_office == by.office, or_(signed, onwards))
        .group_by(destination)
    )


def _bags(by: Actor) -> Any:  # noqa: ANN401 - a statement of six columns
    return (
        select(
            Manifest.number,
            Manifest.state,
            Manifest.destination,
            Manifest.seal_number,
            func.count(Line.id).filter(Line.state == LineState.LISTED).label("lines"),
            Run.departs_at,
        )
        .join(Run, Run.id == Manifest.run_id)
        .outerjoin(Line, Line.manifest_id == Manifest.id)
        .where(
            Manifest.origin == by.office,
            Manifest.state.in_([ManifestState.OPEN, ManifestState.SEALED]),
        )
        .group_by(Manifest.id, Run.id)
        .order_by(Run.departs_at, Manifest.id)
    )


def _departures(session: Session, centres: set[str], *, now: datetime) -> dict[str, datetime]:
    rows = session.execute(
        select(Run.centre, func.min(Run.departs_at).label("at"))
        .where(
            Run.centre.in_(centres),
            Run.cancelled.is_(None),
            Run.departs_at > literal(now, UtcDateTime()),
        )
        .group_by(Run.centre)
    )
    return {row.centre: row.at for row in rows}
