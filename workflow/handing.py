"""Handing over: the result reaches the applicant, against the receipt or by post."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from barcodes.foreign import s10_check
from config.errors import BadInputError, ConflictError
from config.language import Text
from config.services import service
from config.settings import settings
from models.packet import State
from models.scan import Verdict
from models.staff import Role
from workflow.desk import Card, Desk, IllegalMoveError
from workflow.ledger import SqlLedger
from workflow.moves import Move
from workflow.people import Actor, require_role
from workflow.protocol import Answer, Scanned, already, answer, wrong_state

WHO_HANDS_OVER = frozenset({Role.INSPECTOR, Role.EXECUTOR, Role.REGISTRAR, Role.CLERK})

UNCLAIMED = "unclaimed"
"""Remark of a result that nobody fetched, on its way back to the department and there."""

HANDED_OVER = Text("Packet {number}: the result is handed over. The way of this packet is complete.")
NOT_READY = Text(
    "The result of packet {number} is not here yet: it is {state_name}. Tell the applicant the stage."
)
FETCHED_ELSEWHERE = Text("The result of packet {number} is handed out at {office}. Send the applicant there.")


class PostalNumberError(BadInputError):
    """The number of the post cannot be right."""

    code = "postal_number"
    text = Text(
        "This is no number of registered post. It has 13 characters, such as RR123456785KZ: type it again."
    )


class NotPostedError(ConflictError):
    """The result is fetched in person."""

    code = "not_posted"
    text = Text("The result of packet {number} is handed over in person only. Ask the applicant to come.")


def scan(desk: Desk, scanned: Scanned, card: Card) -> Answer:
    """Hand over a ready result where it waits, or a signed one at the office that accepted the papers itself.

    A result that nobody fetched for a month waits at the department, which hands it out then.
    """
    here = desk.by.office
    at = card.department if card.state is State.HANDED_OVER else card.holder_office
    returned = card.remark == UNCLAIMED and at == here
    if card.origin != here and not returned:
        return answer(
            Verdict.ELSEWHERE,
            FETCHED_ELSEWHERE,
            code=card.number,
            state=card.state,
            number=card.number,
            office=card.origin,
        )
    if card.state is State.READY or (_gives_out_signed(card, here)):
        desk.move(card, Move.HAND_OVER, State.HANDED_OVER, holder=None, scanned=scanned)
        return answer(Verdict.TAKEN, HANDED_OVER, code=card.number, state=card.state, number=card.number)
    if card.state is State.HANDED_OVER:
        return already(card.state, code=card.number, at=card.state_since, who=desk.names(card.moved_by))
    return wrong_state(card.state, NOT_READY, code=card.number)


def _gives_out_signed(card: Card, here: str) -> bool:
    return (
        card.state is State.SIGNED
        and card.holder_office == here
        and (card.direct or card.remark == UNCLAIMED)
    )


def post(session: Session, number: str, *, postal_number: str, by: Actor, now: datetime) -> Card:
    """Send a signed result by registered post instead of handing it over; `postal_number` is the S10 number.

    Raises NotPostedError where the service's result is fetched in person (4 and 6), PostalNumberError,
    or IllegalMoveError when the packet is not signed here.
    """
    require_role(by, *WHO_HANDS_OVER)
    written = "".join(postal_number.split()).upper()
    if not s10_check(written):
        raise PostalNumberError
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, numbers=[number])
    card = ledger.card(desk, number)
    if not _gives_out_signed(card, by.office):
        raise IllegalMoveError(number=number, state=card.state.value, move=Move.HAND_OVER.value)
    if not service(card.service).result_by_post:
        raise NotPostedError(number=number)
    card.postal_number = written
    desk.move(card, Move.HAND_OVER, State.HANDED_OVER, holder=None, postal_number=written)
    ledger.save(desk)
    return card


def claim_days() -> int:
    """Return how many days a result waits for the applicant before it may go back."""
    return settings().unclaimed_days


def unclaimed(card: Card, now: datetime) -> bool:
    """Tell whether a ready result has waited so long that it may go back to the department."""
    return card.state is State.READY and now - card.state_since >= timedelta(days=claim_days())
