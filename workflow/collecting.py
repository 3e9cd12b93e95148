"""Collecting: packets onto the manifest of the next run, out of it again, and the seal."""

from datetime import datetime

from sqlalchemy.orm import Session

from config.errors import BadInputError, ConflictError, NotFoundError
from config.language import Text
from models.manifest import LineState, ManifestState
from models.office import OfficeKind
from models.packet import Leg, State
from models.scan import Verdict
from models.staff import Role
from workflow import handing
from workflow.desk import Bag, Card, Desk, Holder
from workflow.ledger import SqlLedger
from workflow.moves import Move
from workflow.people import Actor, require_role
from workflow.protocol import Answer, Scanned, already, answer, wrong_state

COLLECTORS = frozenset({Role.ACCUMULATOR, Role.REGISTRAR, Role.CLERK})

COLLECTED = Text("Packet {number} is line {line} of manifest {manifest} for {office}.")
RESULT_FIRST = Text("Packet {number} is {state_name}. Only signed results go back: wait for the signature.")
HANDED_OUT_HERE = Text(
    "The applicant of packet {number} fetches the result here. Hand it over instead of sending it."
)
WAITS_FOR_APPLICANT = Text(
    "The result of packet {number} waits for the applicant. It goes back to the department only after {days} day.",
    "The result of packet {number} waits for the applicant. It goes back to the department only after {days} days.",
    "days",
)
NOT_HERE = Text(
    "Packet {number} is {state_name}; it is not held by this office. Look it up before you send it."
)
BELONGS_HERE = Text("Packet {number} has arrived where it belongs. Register it instead of sending it on.")


class NotOpenError(ConflictError):
    """The list of this manifest can no longer be changed."""

    code = "closed"
    text = Text("Manifest {manifest} is already sealed; its list never changes. Use the next manifest.")


class EmptyBagError(BadInputError):
    """There is nothing to seal."""

    text = Text("Manifest {manifest} has no packets. Scan at least one before you seal it.")


class NoSealError(BadInputError):
    """A seal number is needed."""

    text = Text("Type the number that is printed on the seal (up to 40 characters).")


class NotOnOpenManifestError(ConflictError):
    """The packet is on no open manifest."""

    text = Text("Packet {number} is on no open manifest of this office, so it cannot be taken out of one.")


def scan(desk: Desk, scanned: Scanned, card: Card) -> Answer:
    """Put a packet onto the open manifest to where it must go next: out, back with its result, or onwards."""
    here = desk.by.office
    match card.state:
        case State.ACCEPTED if not card.direct and card.origin == here:
            return _collect(desk, scanned, card, to=State.COLLECTED, leg=Leg.OUT, destination=card.department)
        case State.SIGNED if card.holder_office == here and not card.direct:
            return _collect(
                desk, scanned, card, to=State.RESULT_COLLECTED, leg=Leg.BACK, destination=card.origin
            )
        case State.SIGNED if card.holder_office == here:
            return wrong_state(card.state, HANDED_OUT_HERE, code=card.number)
        case State.READY if card.holder_office == here and handing.unclaimed(card, desk.now):
            card.remark = handing.UNCLAIMED
            return _collect(
                desk, scanned, card, to=State.RESULT_COLLECTED, leg=Leg.OUT, destination=card.department
            )
        case State.READY if card.holder_office == here:
            return wrong_state(card.state, WAITS_FOR_APPLICANT, code=card.number, days=handing.claim_days())
        case State.RECEIVED if card.holder_office == here and card.department != here:
            return _collect(desk, scanned, card, to=State.COLLECTED, leg=Leg.OUT, destination=card.department)
        case State.RECEIVED if card.holder_office == here:
            return wrong_state(card.state, BELONGS_HERE, code=card.number)
        case State.COLLECTED | State.RESULT_COLLECTED if card.holder_office == here:
            return already(card.state, code=card.number, at=card.state_since, who=desk.names(card.moved_by))
        case _ if card.holder_office == here and card.department == here:
            return wrong_state(card.state, RESULT_FIRST, code=card.number)
        case _:
            return wrong_state(card.state, NOT_HERE, code=card.number)


def _collect(desk: Desk, scanned: Scanned, card: Card, /, *, to: State, leg: Leg, destination: str) -> Answer:
    bag = desk.ledger.open_bag(desk, leg=leg, destination=destination)
    line = desk.list_on(card, bag)
    role = require_role(desk.by, *COLLECTORS)
    desk.move(
        card,
        Move.COLLECT,
        to,
        holder=Holder(desk.by.office, role, desk.by.id),
        bag=bag,
        scanned=scanned,
    )
    return answer(
        Verdict.TAKEN,
        COLLECTED,
        code=card.number,
        state=card.state,
        number=card.number,
        line=line,
        manifest=bag.number,
        office=bag.destination,
    )


def seal(session: Session, manifest: str, *, seal_number: str, by: Actor, now: datetime) -> Bag:
    """Seal an open manifest of the own office; from now on its list never changes.

    Raises NotFoundError, NotOpenError, EmptyBagError or NoSealError.
    """
    require_role(by, *COLLECTORS)
    seal_number = seal_number.strip()
    if not 0 < len(seal_number) <= 40:
        raise NoSealError
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, manifests=[manifest])
    bag = desk.bag_numbered(manifest)
    if bag is None or bag.origin != by.office:
        raise NotFoundError(what=manifest)
    if bag.state is not ManifestState.OPEN:
        raise NotOpenError(manifest=manifest)
    if not bag.listed:
        raise EmptyBagError(manifest=manifest)
    bag.seal_number = seal_number
    desk.advance(bag, ManifestState.SEALED)
    ledger.save(desk)
    return bag


def take_out(session: Session, number: str, *, reason: str, by: Actor, now: datetime) -> Card:
    """Take a packet out of an open manifest again, giving the reason; raise NotOpenError when it is sealed."""
    require_role(by, *COLLECTORS)
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, numbers=[number])
    card = ledger.card(desk, number)
    bag = desk.bag_of(card)
    if bag is None or bag.origin != by.office or card.state not in {State.COLLECTED, State.RESULT_COLLECTED}:
        raise NotOnOpenManifestError(number=number)
    if bag.state is not ManifestState.OPEN:
        raise NotOpenError(manifest=bag.number)
    desk.settle_line(card, LineState.TAKEN_OUT, reason=reason)
    to, holder = back_from_bag(card, by)
    if to is State.READY:
        card.remark = None
    desk.move(card, Move.TAKE_OUT, to, holder=holder, bag=bag, reason=reason)
    ledger.save(desk)
    return card


def back_from_bag(card: Card, by: Actor) -> tuple[State, Holder]:
    """Return the state and holder of a packet that leaves an open manifest of the office of `by`."""
    if card.state is State.RESULT_COLLECTED and by.office == card.department:
        return State.SIGNED, Holder(by.office, Role.EXECUTOR, card.executor_id)
    if card.state is State.RESULT_COLLECTED:
        return State.READY, Holder(by.office, ready_role(by), by.id)
    if by.office == card.origin:
        return State.ACCEPTED, Holder(
            by.office, Role.INSPECTOR if by.kind is OfficeKind.CENTRE else Role.CLERK
        )
    return State.RECEIVED, Holder(by.office, Role.REGISTRAR, by.id)


def ready_role(by: Actor) -> Role:
    """Return who holds results that wait for their applicants in the office of `by`."""
    return Role.CLERK if by.kind is OfficeKind.AKIMAT else Role.ACCUMULATOR
