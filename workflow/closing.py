"""Closing a manifest: every line is received, missing, damaged or refused with a reason before it closes."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from config.errors import BadInputError, ConflictError, NotFoundError
from config.language import Text
from models.discrepancy import DiscrepancyKind
from models.manifest import LineState, ManifestState
from models.packet import State
from models.staff import Role
from workflow.deciding import ReasonMissingError
from workflow.desk import Bag, Card, Desk, Holder
from workflow.ledger import SqlLedger
from workflow.moves import Move
from workflow.people import Actor, require_role
from workflow.receiving import arrived

RECEIVERS = (Role.REGISTRAR, Role.ACCUMULATOR, Role.CLERK)


class NotReceivingError(ConflictError):
    """The manifest is not being received here."""

    text = Text("Manifest {manifest} is not being received at this office. Scan its barcode first.")


class NotInThisBagError(ConflictError):
    """The packet does not come in a bag that is being received here."""

    text = Text("Packet {number} is not expected here. Scan it: the answer says what to do with it.")


class UnexplainedError(BadInputError):
    """Some packets of the list were neither scanned nor explained."""

    code = "unexplained"
    text = Text(
        "Manifest {manifest} cannot be closed yet: scan these packets or write why each is missing: {numbers}."
    )


def damage(session: Session, number: str, *, reason: str, by: Actor, now: datetime) -> Card:
    """Take over a packet that is torn or incomplete, with a remark; the sender is told."""
    ledger, desk, card, bag = _expected(session, number, reason=reason, by=by, now=now)
    desk.settle_line(card, LineState.DAMAGED, reason=reason)
    card.remark = reason
    to, holder = arrived(desk, card)
    desk.move(card, Move.RECEIVE, to, holder=holder, bag=bag, reason=reason)
    desk.open_difference(card, DiscrepancyKind.DAMAGED, bag=bag, sender=bag.origin, reason=reason)
    ledger.save(desk)
    return card


def refuse(session: Session, number: str, *, reason: str, by: Actor, now: datetime) -> Card:
    """Refuse a packet at the door: the courier keeps it and carries it back; the sender is told why."""
    ledger, desk, card, bag = _expected(session, number, reason=reason, by=by, now=now)
    holder = Holder(card.holder_office or by.office, Role.COURIER, card.holder_id)
    desk.settle_line(card, LineState.REFUSED, reason=reason)
    desk.move(card, Move.REFUSE, State.IN_TRANSIT, holder=holder, bag=bag, reason=reason)
    desk.open_difference(card, DiscrepancyKind.REFUSED, bag=bag, sender=bag.origin, reason=reason)
    ledger.save(desk)
    return card


def close(session: Session, manifest: str, *, reasons: Mapping[str, str], by: Actor, now: datetime) -> Bag:
    """Close a manifest; `reasons` says for each packet that was not in the bag why it is held to be missing.

    Raises UnexplainedError when a packet was neither scanned nor explained, NotReceivingError when the
    manifest is not being received here; nothing is changed then.
    """
    require_role(by, *RECEIVERS)
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, manifests=[manifest], contents=True)
    bag = desk.bag_numbered(manifest)
    if bag is None or by.office not in {bag.origin, bag.destination, bag.centre}:
        raise NotFoundError(what=manifest)
    if bag.destination != by.office or bag.state is not ManifestState.RECEIVING:
        raise NotReceivingError(manifest=manifest)
    left = desk.cards_in(bag)
    unexplained = sorted(card.number for card in left if not reasons.get(card.number, "").strip())
    if unexplained:
        raise UnexplainedError(manifest=manifest, numbers=", ".join(unexplained))
    for card in left:
        reason = reasons[card.number].strip()
        holder = Holder(card.holder_office or bag.centre, Role.COURIER, card.holder_id)
        desk.settle_line(card, LineState.MISSING, reason=reason)
        desk.move(card, Move.MISS, State.MISSING, holder=holder, bag=bag, reason=reason)
        desk.open_difference(card, DiscrepancyKind.MISSING, bag=bag, sender=bag.origin, reason=reason)
    desk.advance(bag, ManifestState.CLOSED)
    ledger.save(desk)
    return bag


def _expected(
    session: Session, number: str, *, reason: str, by: Actor, now: datetime
) -> tuple[SqlLedger, Desk, Card, Bag]:
    """Return a packet that is listed on a manifest which arrived at the office of `by`."""
    require_role(by, *RECEIVERS)
    if not reason.strip():
        raise ReasonMissingError
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, numbers=[number])
    card = ledger.card(desk, number)
    bag = desk.bag_of(card)
    if bag is None or bag.destination != by.office or bag.departed_at is None:
        raise NotInThisBagError(number=number)
    if bag.state is ManifestState.IN_TRANSIT:
        desk.advance(bag, ManifestState.RECEIVING)
    return ledger, desk, card, bag
