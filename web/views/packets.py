"""Packets as people see them: one with its timeline, and lists of those that wait."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from barcodes.typed import read
from config.errors import NotFoundError
from config.language import Text
from models import Archive, Discrepancy, Event, Line, Manifest, Packet, Staff
from models.packet import State
from models.staff import Role
from web.views.slices import MOST, Slice, beyond, place, read_place
from workflow.people import EVERYWHERE, Actor

LONGEST_STATUS_CODE = 32


class NoNumberError(NotFoundError):
    """What stands in the address is no number of ours."""

    code = "no_number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One packet, who has to do with it by name, and what happened to it."""

    packet: Packet
    holder_name: str | None
    executor_name: str | None
    manifest: str | None
    """Number of the manifest that it travels by."""
    events: tuple[Any, ...]
    """The timeline: columns of Event, and `who` and `manifest` by name and number."""
    archived: str | None
    """Month of the archive in which the timeline lies, None while the database has it."""
    private: bool
    """Whether the asking office may see the applicant's data: only where it is accepted and decided."""


def canonical(number: str) -> str:
    """Return the digits of a number as typed or grouped; raise NoNumberError with what to do."""
    reading = read(number)
    if reading.code is None:
        raise NoNumberError(reading.advice)
    return reading.code


def packet(session: Session, number: str, *, by: Actor) -> Seen:
    """Return the packet with `number`; raise NotFoundError when it is unknown or no business of the asking office."""
    number = canonical(number)
    holder, executor = aliased(Staff), aliased(Staff)
    row = session.execute(
        select(Packet, holder.name, executor.name, Manifest.number, Archive.month)
        .outerjoin(holder, holder.id == Packet.holder_id)
        .outerjoin(executor, executor.id == Packet.executor_id)
        .outerjoin(Manifest, Manifest.id == Packet.manifest_id)
        .outerjoin(Archive, and_(Archive.id == Packet.archive_id, Packet.archived_at.is_not(None)))
        .where(Packet.number == number)
    ).one_or_none()
    if row is None:
        raise NotFoundError(what=number)
    found, holder_name, executor_name, manifest, archived = row
    events = tuple(
        session.execute(
            select(*Event.__table__.columns, Staff.name.label("who"), Manifest.number.label("manifest"))
            .join(Staff, Staff.id == Event.staff_id)
            .outerjoin(Manifest, Manifest.id == Event.manifest_id)
            .where(Event.packet_id == found.id)
            .order_by(Event.seq)
        )
    )
    if not (_involved(found, events, by) or by.roles & EVERYWHERE or _in_bag(session, found.id, by)):
        raise NotFoundError(what=number)
    return Seen(
        packet=found,
        holder_name=holder_name,
        executor_name=executor_name,
        manifest=manifest,
        events=events,
        archived=archived,
        private=by.office in {found.origin, found.department} or bool(by.roles & EVERYWHERE),
    )


def _involved(found: Packet, events: tuple[Any, ...], by: Actor) -> bool:
    offices = {found.origin, found.department, found.holder_office}
    offices |= {event.office for event in events} | {event.holder_office for event in events}
    return by.office in offices


def _in_bag(session: Session, packet_id: int, by: Actor) -> bool:
    """Tell whether the packet travels, or travelled, to or from the office of `by`, or has a difference with it."""
    on_its_way = exists().where(
        Line.packet_id == packet_id,
        Line.manifest_id == Manifest.id,
        or_(Manifest.origin == by.office, Manifest.destination == by.office),
    )
    differs = exists().where(
        Discrepancy.packet_id == packet_id,
        or_(Discrepancy.office == by.office, Discrepancy.sender == by.office),
    )
    return bool(session.scalar(select(or_(on_its_way, differs))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an applicant may know without signing in."""

    state: State
    direct: bool
    """Whether the office that accepted the papers decides itself."""
    promised_at: datetime | None


def stage(session: Session, status_code: str) -> Known | None:
    """Return how far the packet is whose receipt carries `status_code`; None when there is none."""
    if len(status_code) > LONGEST_STATUS_CODE or not status_code.isprintable():
        # Such a text cannot be a code, and need not be looked for.
        return None
    row = session.execute(
        select(Packet.state, Packet.origin, Packet.department, Packet.promised_at).where(
            Packet.status_code == status_code
        )
    ).one_or_none()
    if row is None:
        return None
    return Known(state=row.state, direct=row.origin == row.department, promised_at=row.promised_at)


def held(
    session: Session, *, by: Actor, states: Collection[State] = (), after: str = "", most: int = MOST
) -> Slice:
    """Return the packets that the office of `by` holds, the longest waiting first.

    `after` is the `next` of the slice before; what cannot be read as one gives the first slice.
    """
    chosen = [Packet.holder_office == by.office]
    if states:
        chosen.append(Packet.state.in_(list(states)))
    statement = select(Packet).where(*chosen).order_by(Packet.state_since, Packet.id).limit(most + 1)
    begin = read_place(after)
    if begin is not None:
        statement = statement.where(beyond(Packet.state_since, Packet.id, begin))
    rows = tuple(session.scalars(statement))
    count = len(rows)
    if count > most or begin is not None:
        count = session.scalar(select(func.count(Packet.id)).where(*chosen)) or 0
    more = len(rows) > most
    rows = rows[:most]
    return Slice(rows=rows, count=count, next=place(rows[-1].state_since, rows[-1].id) if more else None)


def executors(session: Session, *, by: Actor) -> list[Staff]:
    """Return who in the office of `by` may be named as an executor, by name."""
    people = session.scalars(
        select(Staff).where(Staff.office == by.office, Staff.active).order_by(Staff.name)
    )
    return [person for person in people if Role.EXECUTOR in person.roles]


def names(session: Session, ids: Collection[int | None]) -> dict[int, str]:
    """Return the names of people by id."""
    wanted = {id_ for id_ in ids if id_ is not None}
    if not wanted:
        return {}
    return dict(session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(wanted))).all())


NOT_FOUND_BY_RECEIPT = Text(
    "No packet has this code. Type it exactly as on the receipt, large and small letters included."
)
