"""Commands on packets: each is one call of the workflow in one transaction, all or none."""

from collections.abc import Callable

from fastapi import APIRouter
from sqlalchemy.orm import Session

from web.api.shapes import (
    Because,
    CardAnswer,
    DraftGiven,
    MaybeBecause,
    NumbersGiven,
    PostGiven,
    RegisterGiven,
    RerouteGiven,
    ResolutionGiven,
)
from web.asking import Asking, AskingApi
from web.views.packets import canonical
from workflow import accepting, closing, collecting, deciding, handing, registering, settling, undoing
from workflow.desk import Card
from workflow.protocol import STATES

router = APIRouter(prefix="/api/v1/packets", tags=["commands"])


@router.post("/pass")
def pass_on(given: NumbersGiven, asking: AskingApi) -> list[CardAnswer]:
    """Pass registered packets to the head."""
    numbers = [canonical(number) for number in given.numbers]
    cards = asking.database.transact(
        lambda session: registering.pass_on(session, numbers, by=asking.by, now=asking.now)
    )
    return [shown(card, asking) for card in cards]


@router.post("/resolve")
def resolve(given: ResolutionGiven, asking: AskingApi) -> list[CardAnswer]:
    """Name the executor of packets that are with the head."""
    numbers = [canonical(number) for number in given.numbers]
    cards = asking.database.transact(
        lambda session: deciding.resolve(
            session, numbers, executor=given.executor, by=asking.by, now=asking.now
        )
    )
    return [shown(card, asking) for card in cards]


@router.post("/sign")
def sign(given: NumbersGiven, asking: AskingApi) -> list[CardAnswer]:
    """Sign drafts."""
    numbers = [canonical(number) for number in given.numbers]
    cards = asking.database.transact(
        lambda session: deciding.sign(session, numbers, by=asking.by, now=asking.now)
    )
    return [shown(card, asking) for card in cards]


@router.post("/{number}/withdraw")
def withdraw(number: str, given: Because, asking: AskingApi) -> CardAnswer:
    """Give the papers back to an applicant who withdraws, before they are sent."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: accepting.withdraw(session, code, reason=given.reason, by=asking.by, now=asking.now),
    )


@router.post("/{number}/take_out")
def take_out(number: str, given: Because, asking: AskingApi) -> CardAnswer:
    """Take a packet out of an open manifest."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: collecting.take_out(session, code, reason=given.reason, by=asking.by, now=asking.now),
    )


@router.post("/{number}/damage")
def damage(number: str, given: Because, asking: AskingApi) -> CardAnswer:
    """Take over a packet that is torn or incomplete, with a remark."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: closing.damage(session, code, reason=given.reason, by=asking.by, now=asking.now),
    )


@router.post("/{number}/refuse")
def refuse(number: str, given: Because, asking: AskingApi) -> CardAnswer:
    """Refuse a packet at the door; the courier carries it back."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: closing.refuse(session, code, reason=given.reason, by=asking.by, now=asking.now),
    )


@router.post("/{number}/register")
def register(number: str, given: RegisterGiven, asking: AskingApi) -> CardAnswer:
    """Register a received packet under the number of the department's own system."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: registering.register(
            session, code, register_number=given.register_number, by=asking.by, now=asking.now
        ),
    )


@router.post("/{number}/draft")
def draft(number: str, given: DraftGiven, asking: AskingApi) -> CardAnswer:
    """Draft the outcome and pass it for signature."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: deciding.draft(
            session,
            code,
            outcome=given.outcome,
            reason=given.reason,
            details=given.details,
            by=asking.by,
            now=asking.now,
        ),
    )


@router.post("/{number}/send_back")
def send_back(number: str, given: Because, asking: AskingApi) -> CardAnswer:
    """Send a draft back for completion."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: deciding.send_back(session, code, reason=given.reason, by=asking.by, now=asking.now),
    )


@router.post("/{number}/never_sent")
def never_sent(number: str, given: Because, asking: AskingApi) -> CardAnswer:
    """Say that a missing packet never left the own office."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: settling.never_sent(session, code, reason=given.reason, by=asking.by, now=asking.now),
    )


@router.post("/{number}/lose")
def lose(number: str, given: Because, asking: AskingApi) -> CardAnswer:
    """Give a missing packet up as lost, for good."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: settling.lose(session, code, reason=given.reason, by=asking.by, now=asking.now),
    )


@router.post("/{number}/reroute")
def reroute(number: str, given: RerouteGiven, asking: AskingApi) -> CardAnswer:
    """Say that a received packet belongs to the department of another district."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: settling.reroute(
            session,
            code,
            district=given.district,
            reason=given.reason,
            by=asking.by,
            now=asking.now,
        ),
    )


@router.post("/{number}/post")
def post(number: str, given: PostGiven, asking: AskingApi) -> CardAnswer:
    """Send a signed result by registered post instead of handing it over."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: handing.post(
            session, code, postal_number=given.postal_number, by=asking.by, now=asking.now
        ),
    )


@router.post("/{number}/undo")
def undo(number: str, given: MaybeBecause, asking: AskingApi) -> CardAnswer:
    """Take back the last step of a packet: the own scan within minutes, or later as the head with a reason."""
    code = canonical(number)
    return _do(
        asking,
        lambda session: undoing.undo(session, code, by=asking.by, now=asking.now, reason=given.reason),
    )


def shown(card: Card, asking: Asking) -> CardAnswer:
    """Return a packet as the API shows it after a command."""
    return CardAnswer(
        number=card.number,
        state=card.state,
        state_name=STATES[card.state].render(asking.language),
        holder_office=card.holder_office,
        holder_role=card.holder_role,
        department=card.department,
        register_number=card.register_number,
        outcome=card.outcome,
        round=card.round,
        version=card.version,
    )


def _do(asking: Asking, work: Callable[[Session], Card]) -> CardAnswer:
    return shown(asking.database.transact(work), asking)
