"""Taking back: the own last scan within minutes; later only a head, with a reason, by a compensating event."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from config.errors import ConflictError
from config.language import Text
from config.settings import settings
from models import Event
from models.discrepancy import DiscrepancyKind
from models.manifest import LineState, ManifestState
from models.packet import State
from workflow.archiving import require_open
from workflow.deciding import DECIDERS, ReasonMissingError
from workflow.desk import Card, Desk, Holder
from workflow.ledger import EVENTS, SqlLedger
from workflow.moves import UNDOABLE, Move, allowed
from workflow.people import Actor


class NotUndoableError(ConflictError):
    """This step cannot be taken back."""

    code = "not_undoable"
    text = Text(
        "The last step of packet {number} (“{move}”) cannot be taken back by an undo. Ask the head what to do."
    )


class NotYourScanError(ConflictError):
    """Somebody else's step, or an old one."""

    code = "not_your_scan"
    text = Text(
        "Only who scanned it may take it back, within {minutes} minute. Later the head of the office can, "
        "with a reason.",
        "Only who scanned it may take it back, within {minutes} minutes. Later the head of the office can, "
        "with a reason.",
        "minutes",
    )


class TooLateError(ConflictError):
    """The bag has gone on."""

    code = "too_late"
    text = Text(
        "Manifest {manifest} has gone on since; packet {number} can no longer be taken back this way."
    )


def undo(session: Session, number: str, *, by: Actor, now: datetime, reason: str | None = None) -> Card:
    """Take back the last step of a packet, restoring who held it, by an event of its own.

    Raises NotUndoableError, NotYourScanError, TooLateError, ArchivedError, or ReasonMissingError when a head gives
    none.
    """
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, numbers=[number])
    card = ledger.card(desk, number)
    require_open(session, number)
    last, before = _last_two(session, card)
    move = Move(last.move)
    if move not in UNDOABLE or before is None or not allowed(Move.UNDO, last.to_state, last.from_state):
        raise NotUndoableError(number=number, move=last.move)
    _require_right(last, by=by, now=now, reason=reason)
    _put_back(ledger, desk, card, last)
    if move is Move.REGISTER:
        card.register_number = None
    if last.to_state is State.RESULT_COLLECTED and last.from_state is State.READY:
        card.remark = None
    if move is Move.HAND_OVER:
        card.postal_number = None
    holder = Holder(before.holder_office, before.holder_role, before.holder_id)
    desk.move(
        card,
        Move.UNDO,
        last.from_state,
        holder=holder,
        undone=move.value,
        reason=reason,
        bag=None if last.manifest_id is None else desk.bags.get(last.manifest_id),
    )
    ledger.save(desk)
    return card


def _last_two(session: Session, card: Card) -> tuple[Row[tuple[Event]], Row[tuple[Event]] | None]:
    rows = session.execute(
        select(EVENTS).where(EVENTS.c.packet_id == card.id).order_by(EVENTS.c.seq.desc()).limit(2)
    ).all()
    return rows[0], rows[1] if len(rows) > 1 else None


def _require_right(last: Row[tuple[Event]], *, by: Actor, now: datetime, reason: str | None) -> None:
    minutes = settings().undo_minutes
    if last.staff_id == by.id and now - last.recorded_at <= timedelta(minutes=minutes):
        return
    if by.role_among(frozenset(DECIDERS)) is None or last.office != by.office:
        raise NotYourScanError(minutes=minutes)
    if not (reason or "").strip():
        raise ReasonMissingError


def _put_back(ledger: SqlLedger, desk: Desk, card: Card, last: Row[tuple[Event]]) -> None:
    """Restore the line of the manifest that the undone step touched."""
    if last.manifest_id is None:
        return
    bag = ledger.bag(desk, last.manifest_id)
    if last.move == Move.COLLECT:
        if bag.state is not ManifestState.OPEN:
            raise TooLateError(number=card.number, manifest=bag.number)
        desk.settle_line(card, LineState.TAKEN_OUT, reason=Move.UNDO.value)
    elif last.move == Move.RECEIVE:
        if bag.state is not ManifestState.RECEIVING:
            raise TooLateError(number=card.number, manifest=bag.number)
        if last.data.get("reason"):
            # It was taken over as damaged; the remark and the difference go with the step.
            card.remark = None
            desk.settle_quietly(card, DiscrepancyKind.DAMAGED, "taken_back")
        desk.list_again(card, bag)
