"""Registering at the department, and passing the papers to the head."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from config.errors import BadInputError
from config.language import Text
from models.packet import State
from models.scan import Verdict
from models.staff import Role
from workflow import deciding
from workflow.desk import Card, Desk, Holder, IllegalMoveError
from workflow.ledger import REGISTER, SqlLedger
from workflow.moves import Move
from workflow.people import Actor, require_role
from workflow.protocol import Answer, Scanned, already, answer, wrong_state

REGISTERED = Text("Packet {number} is registered under {register_number}. Pass it to the head.")
PASSED = Text("Packet {number} is with the head for the resolution.")
SEND_ON = Text(
    "Packet {number} belongs to {office}. Do not register it: scan it onto the next manifest there."
)
RECEIVE_FIRST = Text("Packet {number} is {state_name}. Take it over from the courier first.")
TYPE_YOUR_NUMBER = Text(
    "Packet {number} is {state_name}. Your office has a register of its own: open the packet and type its number there."
)
REGISTER_FIRST = Text("Packet {number} is {state_name}. Register it first, then pass it on.")
OTHER_OFFICE = Text("Packet {number} is {state_name} and belongs to {office}. This office does not hold it.")

_DONE = frozenset(State) - {
    State.ACCEPTED,
    State.COLLECTED,
    State.IN_TRANSIT,
    State.RECEIVED,
    State.MISSING,
    State.WITHDRAWN,
    State.LOST,
}
"""States that come after registration."""


class RegisterNumberError(BadInputError):
    """The number of the department's own register cannot be used."""

    text = Text(
        "The number in your own register must have 1 to 40 characters. Type it as your system prints it."
    )


def scan_register(desk: Desk, scanned: Scanned, card: Card) -> Answer:
    """Register a received packet under the next number of the department's year; not where it has its own register."""
    here = desk.by.office
    if card.state is State.RECEIVED and card.holder_office == here and card.department != here:
        return answer(
            Verdict.ELSEWHERE,
            SEND_ON,
            code=card.number,
            state=card.state,
            number=card.number,
            office=card.department,
        )
    if card.state is State.RECEIVED and card.holder_office == here and desk.by.own_register:
        return wrong_state(card.state, TYPE_YOUR_NUMBER, code=card.number)
    if card.state is State.RECEIVED and card.holder_office == here:
        _register(desk, card, number=None, scanned=scanned)
        return answer(
            Verdict.TAKEN,
            REGISTERED,
            code=card.number,
            state=card.state,
            number=card.number,
            register_number=card.register_number,
        )
    if card.department != here:
        return wrong_state(card.state, OTHER_OFFICE, code=card.number, office=card.department)
    if card.state in _DONE:
        return already(card.state, code=card.number, at=card.state_since, who=desk.names(card.moved_by))
    return wrong_state(card.state, RECEIVE_FIRST, code=card.number)


def scan_pass(desk: Desk, scanned: Scanned, card: Card) -> Answer:
    """Pass a registered packet (or one accepted at the department itself) to the head."""
    here = desk.by.office
    direct = card.state is State.ACCEPTED and card.direct
    if card.department != here:
        return wrong_state(card.state, OTHER_OFFICE, code=card.number, office=card.department)
    if card.state is State.REGISTERED or direct:
        _pass_on(desk, card, scanned=scanned)
        return answer(Verdict.TAKEN, PASSED, code=card.number, state=card.state, number=card.number)
    if card.state is State.RECEIVED:
        return wrong_state(card.state, REGISTER_FIRST, code=card.number)
    if card.state in _DONE:
        return already(card.state, code=card.number, at=card.state_since, who=desk.names(card.moved_by))
    return wrong_state(card.state, RECEIVE_FIRST, code=card.number)


def register(session: Session, number: str, *, register_number: str, by: Actor, now: datetime) -> Card:
    """Register a received packet under the number of the department's own system.

    Raises RegisterNumberError, or IllegalMoveError when the packet is not here to be registered.
    """
    require_role(by, Role.REGISTRAR)
    if not 0 < len(register_number.strip()) <= 40:
        raise RegisterNumberError
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, numbers=[number])
    card = ledger.card(desk, number)
    if not (card.department == card.holder_office == by.office):
        raise IllegalMoveError(number=number, state=card.state.value, move=Move.REGISTER.value)
    _register(desk, card, number=register_number.strip())
    ledger.save(desk)
    return card


def pass_on(session: Session, numbers: Sequence[str], *, by: Actor, now: datetime) -> list[Card]:
    """Pass registered packets to the head, all or none; raise IllegalMoveError when one is not registered here."""
    require_role(by, Role.REGISTRAR, Role.CLERK)
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, numbers=numbers)
    cards = [ledger.card(desk, number) for number in numbers]
    for card in cards:
        if card.department != by.office or card.holder_office != by.office:
            raise IllegalMoveError(number=card.number, state=card.state.value, move=Move.PASS_ON.value)
        _pass_on(desk, card)
    ledger.save(desk)
    return cards


def _register(desk: Desk, card: Card, *, number: str | None, scanned: Scanned | None = None) -> None:
    if number is None:
        year, serial = desk.ledger.serial(desk.by.office, REGISTER, desk.now)
        number = f"{serial}/{year % 100:02d}"
    card.register_number = number
    desk.move(
        card,
        Move.REGISTER,
        State.REGISTERED,
        holder=Holder(desk.by.office, Role.REGISTRAR, desk.by.id),
        scanned=scanned,
        register_number=number,
    )


def _pass_on(desk: Desk, card: Card, *, scanned: Scanned | None = None) -> None:
    desk.move(
        card,
        Move.PASS_ON,
        State.WITH_HEAD,
        holder=Holder(desk.by.office, deciding.decider(card)),
        scanned=scanned,
    )
