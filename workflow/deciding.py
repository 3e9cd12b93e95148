"""Deciding: the head names an executor, the executor drafts the outcome, the head signs or sends it back."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import local
from config.errors import BadInputError, ConflictError, NotFoundError
from config.language import Text
from config.offices import office
from models.change import ChangeOf
from models.office import OfficeKind
from models.packet import Outcome, State
from models.staff import Role, Staff
from workflow.changes import note_changes
from workflow.desk import Card, Desk, Holder, IllegalMoveError
from workflow.details import checked_details
from workflow.ledger import SqlLedger
from workflow.moves import Move
from workflow.people import Actor, require_role


class ReasonMissingError(BadInputError):
    """A refusal and a sending back state their reason (annex 4 of service 7: дәйектелген бас тарту)."""

    code = "reason_missing"
    text = Text("Write the reason: the applicant and the executor must be able to read why.")


class NoDeputyError(ConflictError):
    """The executor is absent, and nobody is there in their place."""

    code = "no_deputy"
    text = Text(
        "{name} is absent until {until} and has no deputy who is there. Name another executor, or a deputy."
    )


class SelfDeputyError(BadInputError):
    """Nobody deputises for themselves."""

    text = Text("Name another person as the deputy.")


class NotYoursError(BadInputError):
    """The packet was given to somebody else."""

    code = "not_yours"
    status = 403
    text = Text("Packet {number} was given to another executor. Ask the head to name you instead.")


DECIDERS = (Role.HEAD, Role.AKIM)


def decider(card: Card) -> Role:
    """Return who decides and signs: the head of a department, or the akim of a village (service 6, annex 3)."""
    return Role.AKIM if office(card.department).kind == OfficeKind.AKIMAT else Role.HEAD


def resolve(
    session: Session, numbers: Sequence[str], *, executor: str, by: Actor, now: datetime
) -> list[Card]:
    """Name the executor (by login) of packets that are with the head, or name another one, all or none.

    While the one who is named is absent, the deputy gets the packets. Raises NoDeputyError where none is there.
    """
    require_role(by, *DECIDERS)
    named = _present(session, _executor(session, executor, by=by), now=now)

    def step(desk: Desk, card: Card) -> None:
        move = Move.REASSIGN if card.state is State.WITH_EXECUTOR else Move.RESOLVE
        card.executor_id = named.id
        desk.move(
            card,
            move,
            State.WITH_EXECUTOR,
            holder=Holder(by.office, Role.EXECUTOR, named.id),
            executor_id=named.id,
        )

    return _each(session, numbers, step, by=by, now=now, move=Move.RESOLVE)


def draft(
    session: Session,
    number: str,
    *,
    outcome: Outcome,
    reason: str | None = None,
    details: Mapping[str, str] | None = None,
    by: Actor,
    now: datetime,
) -> Card:
    """Draft the outcome and pass it for signature; raise ReasonMissingError for a refusal without a reason.

    `details` is what the paper needs besides (`workflow.details` lists the fields of each kind of result). The
    deputy of an absent executor may draft in their place.
    """
    require_role(by, Role.EXECUTOR)
    why = (reason or "").strip() or None
    if outcome is Outcome.REFUSED and why is None:
        raise ReasonMissingError

    def step(desk: Desk, card: Card) -> None:
        if card.executor_id != by.id and not _deputises(session, card.executor_id, by=by, now=now):
            raise NotYoursError(number=number)
        card.details = checked_details(card.service, outcome, details or {})
        card.outcome = outcome
        card.reason = why if outcome is Outcome.REFUSED else None
        desk.move(
            card,
            Move.DRAFT,
            State.FOR_SIGNATURE,
            holder=Holder(by.office, decider(card)),
            outcome=outcome.value,
            reason=why,
            round=card.round,
        )

    return _each(session, [number], step, by=by, now=now, move=Move.DRAFT)[0]


def absent(
    session: Session, login: str, *, until: date | None, deputy: str | None, by: Actor, now: datetime
) -> None:
    """Say until which day (inclusive, Almaty) an executor is absent and who deputises; None ends the absence."""
    require_role(by, *DECIDERS)
    person = _executor(session, login, by=by)
    chosen = None if deputy is None else _executor(session, deputy, by=by)
    if chosen is not None and chosen.id == person.id:
        raise SelfDeputyError
    deputy_id = None if chosen is None else chosen.id
    changed = {
        "absent_until": (person.absent_until, until),
        "deputy_id": (person.deputy_id, deputy_id),
    }
    note_changes(session, ChangeOf.PERSON, person.login, changed=changed, by=by.login, now=now)
    person.absent_until, person.deputy_id = until, deputy_id


def _executor(session: Session, login: str, *, by: Actor) -> Staff:
    person = session.scalars(
        select(Staff).where(Staff.login == login.lower(), Staff.office == by.office, Staff.active)
    ).one_or_none()
    if person is None or Role.EXECUTOR not in person.roles:
        raise NotFoundError(what=login)
    return person


def _present(session: Session, person: Staff, *, now: datetime) -> Staff:
    """Return who works in the place of `person` today: the person, or the deputy, or the deputy's deputy."""
    seen = {person.id}
    current = person
    while current.absent_until is not None and local(now).date() <= current.absent_until:
        deputy = session.get(Staff, current.deputy_id) if current.deputy_id else None
        if deputy is None or not deputy.active or deputy.id in seen:
            raise NoDeputyError(name=person.name, until=current.absent_until.isoformat())
        seen.add(deputy.id)
        current = deputy
    return current


def _deputises(session: Session, executor_id: int | None, *, by: Actor, now: datetime) -> bool:
    person = session.get(Staff, executor_id) if executor_id else None
    if person is None or person.absent_until is None or local(now).date() > person.absent_until:
        return False
    return person.deputy_id == by.id


def sign(session: Session, numbers: Sequence[str], *, by: Actor, now: datetime) -> list[Card]:
    """Sign drafts, all or none; the accepting office learns of each decision at once."""
    require_role(by, *DECIDERS)

    def step(desk: Desk, card: Card) -> None:
        desk.move(card, Move.SIGN, State.SIGNED, holder=Holder(by.office, Role.EXECUTOR, card.executor_id))

    return _each(session, numbers, step, by=by, now=now, move=Move.SIGN)


def send_back(session: Session, number: str, *, reason: str, by: Actor, now: datetime) -> Card:
    """Send a draft back for completion, giving the reason; the next round begins."""
    require_role(by, *DECIDERS)
    if not reason.strip():
        raise ReasonMissingError

    def step(desk: Desk, card: Card) -> None:
        card.round += 1
        card.outcome, card.reason = None, None
        desk.move(
            card,
            Move.SEND_BACK,
            State.WITH_EXECUTOR,
            holder=Holder(by.office, Role.EXECUTOR, card.executor_id),
            reason=reason.strip(),
            round=card.round,
        )

    return _each(session, [number], step, by=by, now=now, move=Move.SEND_BACK)[0]


def _each(
    session: Session,
    numbers: Sequence[str],
    step: Callable[[Desk, Card], None],
    *,
    by: Actor,
    now: datetime,
    move: Move,
) -> list[Card]:
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, numbers=numbers)
    cards = [ledger.card(desk, number) for number in numbers]
    for card in cards:
        if card.department != by.office or card.holder_office != by.office:
            raise IllegalMoveError(number=card.number, state=card.state.value, move=move.value)
        step(desk, card)
    ledger.save(desk)
    return cards
