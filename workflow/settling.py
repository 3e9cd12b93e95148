"""Settling what went wrong: never sent, lost, belongs to another department, noted."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import ConflictError, NotFoundError
from config.language import Text
from config.offices import department_of, districts
from models.discrepancy import Discrepancy, DiscrepancyKind
from models.packet import State
from models.staff import Role
from workflow import naming
from workflow.deciding import DECIDERS, ReasonMissingError
from workflow.desk import Card, Holder, IllegalMoveError
from workflow.ledger import SqlLedger
from workflow.moves import Move
from workflow.people import Actor, require_role
from workflow.receiving import still_here

WHO_ADMITS = frozenset({Role.ACCUMULATOR, Role.REGISTRAR, Role.INSPECTOR, Role.CLERK})
"""Who may say that a packet was never sent."""

WHO_NOTES = WHO_ADMITS | frozenset(DECIDERS)
"""Who may settle a difference with a look: not the courier who carried the bag."""

WHO_GIVES_UP = frozenset({*DECIDERS, Role.OPERATOR})
"""Who may give a packet up as lost."""


class NotYourDifferenceError(ConflictError):
    """Another office has to settle this."""

    text = Text("Only {office} can say that packet {number} was never sent: it is on their list. Ask them.")


class SameDepartmentError(ConflictError):
    """Nothing would change."""

    text = Text("Packet {number} already belongs to this district. Register it.")


def never_sent(session: Session, number: str, *, reason: str, by: Actor, now: datetime) -> Card:
    """Say that a missing packet never left the office of `by`: it is theirs again and the difference is settled."""
    require_role(by, *WHO_ADMITS)
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, numbers=[number])
    card = ledger.card(desk, number)
    if card.state is not State.MISSING:
        raise IllegalMoveError(number=number, state=card.state.value, move=Move.NEVER_SENT.value)
    sender = desk.missing_from.get(card.id, card.origin)
    if sender != by.office:
        raise NotYourDifferenceError(number=number, office=sender)
    to, holder = still_here(card, by)
    desk.move(card, Move.NEVER_SENT, to, holder=holder, reason=reason)
    desk.settle_difference(card, DiscrepancyKind.MISSING, "never_sent")
    ledger.save(desk)
    return card


def lose(session: Session, number: str, *, reason: str, by: Actor, now: datetime) -> Card:
    """Give a missing packet up as lost, for good; only a head or an operator may, and says why."""
    require_role(by, *WHO_GIVES_UP)
    if not reason.strip():
        raise ReasonMissingError
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, numbers=[number])
    card = ledger.card(desk, number)
    if Role.OPERATOR not in by.roles and by.office not in {card.department, card.origin}:
        raise NotFoundError(what=number)
    desk.move(card, Move.LOSE, State.LOST, holder=None, reason=reason.strip())
    desk.settle_difference(card, DiscrepancyKind.MISSING, "lost")
    ledger.save(desk)
    return card


def reroute(session: Session, number: str, *, district: str, reason: str, by: Actor, now: datetime) -> Card:
    """Say that a received packet belongs to the department of another district; it goes there on the next manifest."""
    require_role(by, Role.REGISTRAR)
    if not reason.strip():
        raise ReasonMissingError
    if district not in {place.code for place in districts()}:
        raise NotFoundError(what=district)
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, numbers=[number])
    card = ledger.card(desk, number)
    if card.holder_office != by.office:
        raise IllegalMoveError(number=number, state=card.state.value, move=Move.REROUTE.value)
    target = department_of(district).code
    if target == card.department:
        raise SameDepartmentError(number=number)
    card.department = target
    card.remark = reason.strip()
    desk.move(
        card,
        Move.REROUTE,
        State.RECEIVED,
        holder=Holder(by.office, Role.REGISTRAR, by.id),
        reason=reason.strip(),
        department=target,
    )
    ledger.save(desk)
    naming.enter_at(session, card.id, office=target)
    return card


def note(session: Session, discrepancy: int, *, by: Actor, now: datetime) -> Discrepancy:
    """Settle a difference that needs no further step (unexpected, damaged, misrouted), by either side."""
    require_role(by, *WHO_NOTES)
    row = session.scalars(
        select(Discrepancy).where(Discrepancy.id == discrepancy).with_for_update()
    ).one_or_none()
    if row is None or by.office not in {row.office, row.sender}:
        raise NotFoundError(what=str(discrepancy))
    if row.kind in {DiscrepancyKind.MISSING, DiscrepancyKind.REFUSED}:
        raise ConflictError(
            Text(
                "This difference settles itself when the packet is found, given up or taken back. Look for the packet."
            )
        )
    if row.settled_at is None:
        row.settled_at, row.settled_by, row.settlement = now, by.id, "noted"
    return row
