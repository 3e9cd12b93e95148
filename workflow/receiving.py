"""Receiving: the registrar (or, for results, the accumulation section) takes a bag over, packet by packet.

Custody follows the paper: what lies on the table is here, whatever its manifest says. A packet that was not
expected is recorded and flagged; one that is not ours is kept, named, and goes on the next manifest.
"""

from typing import Any

from config.language import Text
from models.discrepancy import DiscrepancyKind
from models.manifest import LineState, ManifestState
from models.office import OfficeKind
from models.packet import FINAL, Leg, State
from models.scan import Verdict
from models.staff import Role
from workflow import news
from workflow.collecting import ready_role
from workflow.desk import Bag, Card, Desk, Holder
from workflow.moves import Move
from workflow.people import Actor
from workflow.protocol import Answer, Scanned, already, answer, wrong_state

RECEIVED = Text("Packet {number} received: {settled} of {lines} on manifest {manifest}.")
OPENED = Text(
    "Manifest {manifest} is open: {listed} packet expected. Scan it.",
    "Manifest {manifest} is open: {listed} packets expected. Scan each of them.",
    "listed",
)
OPEN_ALREADY = Text(
    "Manifest {manifest}: {listed} of {lines} packets is still to be scanned.",
    "Manifest {manifest}: {listed} of {lines} packets are still to be scanned.",
    "listed",
)
NOT_DEPARTED = Text(
    "The courier has not taken manifest {manifest} yet. Ask the courier to scan it, then scan again."
)
BAG_CLOSED = Text("Manifest {manifest} was closed on {at}. A packet found later is scanned by itself.")
BAG_ELSEWHERE = Text("Manifest {manifest} goes to {office}. Give it back to the courier.")
UNEXPECTED = Text("Packet {number} was not expected in this bag; it is recorded and taken over.")
MISROUTED = Text(
    "Packet {number} belongs to {office}. It is recorded here: scan it onto the next manifest there."
)
RESULT_ELSEWHERE = Text("The result of packet {number} belongs to {office}. Leave it with the courier.")
FOUND = Text("Packet {number} was missing and is found. The difference is settled.")
TAKEN_BACK = Text("Packet {number} came back because it was refused at the door. Put right what was wrong.")
NOT_ON_THE_WAY = Text("Packet {number} is {state_name}. Nothing is to be received.")
AT_WORK_ELSEWHERE = Text(
    "Packet {number} is {state_name} at {office}. What you hold is not this packet: ask there."
)


STRAYED = "misrouted"
"""Remark of a packet that lies in the office of another district, until its own department has it."""


def scan_bag(desk: Desk, bag: Bag) -> Answer:
    """Open a manifest that arrived."""
    facts: dict[str, Any] = {"manifest": bag.number, "listed": bag.listed, "lines": bag.lines}
    if bag.destination != desk.by.office:
        return answer(
            Verdict.ELSEWHERE, BAG_ELSEWHERE, code=bag.number, manifest=bag.number, office=bag.destination
        )
    match bag.state:
        case ManifestState.OPEN | ManifestState.SEALED:
            return answer(Verdict.WRONG_STATE, NOT_DEPARTED, code=bag.number, manifest=bag.number)
        case ManifestState.IN_TRANSIT:
            desk.advance(bag, ManifestState.RECEIVING)
            return answer(Verdict.TAKEN, OPENED, code=bag.number, **facts)
        case ManifestState.RECEIVING:
            return answer(Verdict.ALREADY, OPEN_ALREADY, code=bag.number, **facts)
        case ManifestState.CLOSED:
            assert bag.closed_at is not None
            return answer(
                Verdict.CLOSED, BAG_CLOSED, code=bag.number, manifest=bag.number, at=bag.closed_at.isoformat()
            )


def scan(desk: Desk, scanned: Scanned, card: Card) -> Answer:
    """Take one packet over."""
    bag = desk.bag_of(card)
    here = desk.by.office
    if card.state in FINAL:
        return wrong_state(card.state, NOT_ON_THE_WAY, code=card.number)
    if bag is not None and bag.destination == here and bag.state is ManifestState.SEALED:
        return answer(
            Verdict.WRONG_STATE,
            NOT_DEPARTED,
            code=card.number,
            state=card.state,
            number=card.number,
            manifest=bag.number,
        )
    if bag is not None and bag.destination == here and bag.departed_at is not None:
        return _from_its_bag(desk, scanned, card, bag)
    if desk.by.kind is OfficeKind.DEPARTMENT:
        return _at_department(desk, scanned, card)
    return _at_counter(desk, scanned, card)


def arrived(desk: Desk, card: Card) -> tuple[State, Holder]:
    """Return state and holder of a packet that lies on the table here."""
    if card.leg is Leg.BACK and desk.by.office == card.department:
        # Nobody fetched it: it waits at the department now.
        return State.SIGNED, Holder(desk.by.office, Role.EXECUTOR, card.executor_id)
    if card.leg is Leg.BACK:
        return State.READY, Holder(desk.by.office, ready_role(desk.by), desk.by.id)
    return State.RECEIVED, Holder(desk.by.office, Role.REGISTRAR, desk.by.id)


def _from_its_bag(desk: Desk, scanned: Scanned, card: Card, bag: Bag) -> Answer:
    if bag.state is ManifestState.IN_TRANSIT:
        desk.advance(bag, ManifestState.RECEIVING)
    desk.settle_line(card, LineState.RECEIVED)
    to, holder = arrived(desk, card)
    strayed = card.remark == STRAYED
    card.remark = None if strayed else card.remark
    desk.move(card, Move.RECEIVE, to, holder=holder, bag=bag, scanned=scanned)
    if strayed:
        # Everybody learns of it when the packet is registered.
        desk.settle_quietly(card, DiscrepancyKind.MISROUTED, "arrived")
    return answer(
        Verdict.TAKEN,
        RECEIVED,
        code=card.number,
        state=card.state,
        number=card.number,
        manifest=bag.number,
        settled=bag.lines - bag.listed,
        lines=bag.lines,
    )


def _at_department(desk: Desk, scanned: Scanned, card: Card) -> Answer:
    here = desk.by.office
    if card.state is State.MISSING and (card.leg is Leg.OUT or card.department == here):
        return _find(desk, scanned, card)
    elsewhere = card.holder_office != here
    if elsewhere and card.state in {State.ACCEPTED, State.COLLECTED, State.IN_TRANSIT, State.RECEIVED}:
        return _turn_up(desk, scanned, card)
    if card.holder_office == here:
        return already(card.state, code=card.number, at=card.state_since, who=desk.names(card.moved_by))
    return wrong_state(
        card.state, AT_WORK_ELSEWHERE, code=card.number, office=card.holder_office or card.department
    )


def _at_counter(desk: Desk, scanned: Scanned, card: Card) -> Answer:
    """Take over what comes to the office that accepted the papers: a centre or a village akimat."""
    here = desk.by.office
    if card.leg is Leg.BACK and card.origin != here:
        return answer(
            Verdict.ELSEWHERE,
            RESULT_ELSEWHERE,
            code=card.number,
            state=card.state,
            number=card.number,
            office=card.origin,
        )
    if card.state is State.MISSING and (card.leg is Leg.BACK or card.origin == here):
        return _find(desk, scanned, card)
    if card.holder_office != here and card.state in {State.SIGNED, State.RESULT_COLLECTED}:
        return _turn_up(desk, scanned, card)
    if card.state is State.IN_TRANSIT and card.manifest_id is None and card.origin == here:
        desk.move(
            card,
            Move.TAKE_BACK,
            State.ACCEPTED,
            holder=Holder(here, counter_role(desk.by)),
            scanned=scanned,
        )
        desk.settle_difference(card, DiscrepancyKind.REFUSED, "taken_back")
        return answer(Verdict.TAKEN, TAKEN_BACK, code=card.number, state=card.state, number=card.number)
    if card.holder_office == here and card.state is not State.IN_TRANSIT:
        return already(card.state, code=card.number, at=card.state_since, who=desk.names(card.moved_by))
    return wrong_state(card.state, NOT_ON_THE_WAY, code=card.number)


def _find(desk: Desk, scanned: Scanned, card: Card) -> Answer:
    """Take over a packet that was missing: it lies here, or it never left here."""
    here = desk.by.office
    misrouted = False
    settlement = "found"
    if desk.missing_from.get(card.id) == here:
        settlement = "never_sent"
        to, holder = still_here(card, desk.by)
        desk.move(card, Move.NEVER_SENT, to, holder=holder, scanned=scanned)
    else:
        to, holder = arrived(desk, card)
        misrouted = to is State.RECEIVED and card.department != here
        desk.move(card, Move.FIND, to, holder=holder, scanned=scanned)
    desk.settle_difference(card, DiscrepancyKind.MISSING, settlement)
    if misrouted:
        return _misrouted(desk, card)
    return answer(Verdict.TAKEN, FOUND, code=card.number, state=card.state, number=card.number)


def still_here(card: Card, by: Actor) -> tuple[State, Holder]:
    """Return state and holder of a missing packet that never left the office of `by`."""
    at_counter = by.kind is not OfficeKind.DEPARTMENT
    if card.leg is Leg.BACK and at_counter:
        return State.READY, Holder(by.office, ready_role(by))
    if card.leg is Leg.BACK:
        return State.SIGNED, Holder(by.office, Role.EXECUTOR, card.executor_id)
    if at_counter:
        return State.ACCEPTED, Holder(by.office, counter_role(by))
    return State.RECEIVED, Holder(by.office, Role.REGISTRAR)


def counter_role(by: Actor) -> Role:
    """Return who holds accepted papers in the office of `by`."""
    return Role.INSPECTOR if by.kind is OfficeKind.CENTRE else Role.CLERK


def _turn_up(desk: Desk, scanned: Scanned, card: Card) -> Answer:
    """Take over a packet that nobody sent here, or that travelled in another bag."""
    here = desk.by.office
    bag = _working_on(desk, scanned)
    sender = card.holder_office if card.state is not State.IN_TRANSIT else card.origin
    refused = card.state is State.IN_TRANSIT and card.manifest_id is None
    listed_on = desk.settle_line(card, LineState.ELSEWHERE)
    if bag is not None and bag is not listed_on:
        desk.note_unexpected(card, bag)
    to, holder = arrived(desk, card)
    desk.move(card, Move.TURN_UP, to, holder=holder, bag=bag, scanned=scanned)
    if refused:
        desk.settle_difference(card, DiscrepancyKind.REFUSED, "taken_over")
    if to is State.RECEIVED and card.department != here:
        return _misrouted(desk, card, bag=bag)
    desk.open_difference(card, DiscrepancyKind.UNEXPECTED, bag=bag, sender=sender or card.origin)
    return answer(Verdict.UNEXPECTED, UNEXPECTED, code=card.number, state=card.state, number=card.number)


def _misrouted(desk: Desk, card: Card, *, bag: Bag | None = None) -> Answer:
    card.remark = STRAYED
    desk.open_difference(card, DiscrepancyKind.MISROUTED, bag=bag, sender=card.origin)
    desk.messages.append(news.misrouted(card, office=desk.by.office, at=desk.now))
    return answer(
        Verdict.ELSEWHERE,
        MISROUTED,
        code=card.number,
        state=card.state,
        number=card.number,
        office=card.department,
    )


def _working_on(desk: Desk, scanned: Scanned) -> Bag | None:
    """Return the manifest that is open on the person's page, if it is being received here."""
    bag = desk.bag_numbered(scanned.manifest) if scanned.manifest else None
    arrived = bag is not None and bag.destination == desk.by.office and bag.state is ManifestState.RECEIVING
    return bag if arrived else None
