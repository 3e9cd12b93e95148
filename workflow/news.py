"""Which move tells whom: a row of `messages` for every office that must learn of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from config.offices import office as office_of
from models.discrepancy import DiscrepancyKind
from models.packet import State
from routing.queues import queue_of
from workflow.moves import Move
from workflow.telling import message_row

if TYPE_CHECKING:
    from workflow.desk import Bag, Card

TOLD: dict[tuple[Move, State], tuple[tuple[str, str], ...]] = {
    (Move.ACCEPT, State.ACCEPTED): (("packet.accepted", "department"),),
    (Move.WITHDRAW, State.WITHDRAWN): (("packet.withdrawn", "department"),),
    (Move.REROUTE, State.RECEIVED): (("packet.rerouted", "department"), ("packet.rerouted", "origin")),
    (Move.REGISTER, State.REGISTERED): (("packet.registered", "origin"),),
    (Move.SIGN, State.SIGNED): (("packet.decided", "origin"),),
    (Move.RECEIVE, State.READY): (("result.ready", "origin"),),
    (Move.TURN_UP, State.READY): (("result.ready", "origin"),),
    (Move.FIND, State.READY): (("result.ready", "origin"),),
    (Move.RECEIVE, State.SIGNED): (("result.returned", "origin"),),
    (Move.FIND, State.SIGNED): (("result.returned", "origin"),),
    (Move.LOSE, State.LOST): (("packet.lost", "department"), ("packet.lost", "origin")),
    (Move.HAND_OVER, State.HANDED_OVER): (("packet.handed_over", "department"),),
}
"""(move, new state) → (message type, which office of the packet is told)."""


def queue_for(code: str) -> str:
    """Return the queue of the office with this code."""
    place = office_of(code)
    return queue_of(place.kind, place.district)


def told_by(card: Card, move: Move, to: State, *, office: str) -> list[tuple[str, str]]:
    """Return (message type, office code) of everybody who learns of a move that `office` made.

    Who did it has the answer on the screen and needs no message; but the inspector who accepted a packet is
    another person than the one who takes the results over.
    """
    # One office may be both the origin and the department; it is told once.
    told = dict.fromkeys((type_, str(getattr(card, side))) for type_, side in TOLD.get((move, to), ()))
    return [(type_, code) for type_, code in told if code != office or type_ == "result.ready"]


def of_move(
    card: Card,
    move: Move,
    before: State | None,
    *,
    at: datetime,
    office: str,
    sender: str | None,
    data: dict[str, Any],
) -> list[dict[str, Any]]:
    """Return the message rows of one move; `office` did it, `sender` is where a manifest came from."""
    told = told_by(card, move, card.state, office=office)
    if move is Move.UNDO:
        # Everybody who learned of the move learns that it was taken back.
        undone = Move(str(data["undone"]))
        assert before is not None
        told = [("packet.undone", code) for _, code in told_by(card, undone, before, office=office)]
    facts = {
        "office": office,
        "staff_id": card.accepted_by,
        "service": card.service,
        "state": card.state.value,
        "sender": sender,
        "reason": data.get("reason"),
    }
    return [
        _row(
            card.number,
            type_,
            code,
            cause=f"{card.number}:{card.version}",
            office=office,
            at=at,
            # Only the office that accepted the packet has that inspector.
            data=facts if code == card.origin else {**facts, "staff_id": None},
        )
        for type_, code in told
    ]


def of_bag(bag: Bag, type_: str, *, office: str, at: datetime) -> dict[str, Any]:
    """Return the message of a manifest: its departure is told where it goes, its closing where it came from."""
    departing = type_ == "manifest.departed"
    code = bag.destination if departing else bag.origin
    # A list may have lines that were taken out before the seal; what travels is what is still listed.
    count = bag.listed if departing else bag.lines
    return _row(
        bag.number,
        type_,
        code,
        cause=bag.number,
        office=office,
        at=at,
        data={"office": office, "manifest": bag.number, "count": count, "leg": bag.leg.value},
    )


def difference_opened(
    card: Card, kind: DiscrepancyKind, *, office: str, sender: str, at: datetime, reason: str | None
) -> dict[str, Any]:
    """Return the message of a difference, for the office that sent the papers."""
    return _row(
        card.number,
        "discrepancy.opened",
        sender,
        cause=f"{card.number}:{card.version}:{kind}",
        office=office,
        at=at,
        data={"office": office, "kind": kind.value, "reason": reason},
    )


def misrouted(card: Card, *, office: str, at: datetime) -> dict[str, Any]:
    """Return the message for the department whose packet lies in another `office`."""
    return _row(
        card.number,
        "packet.misrouted",
        card.department,
        cause=f"{card.number}:{card.version}",
        office=office,
        at=at,
        data={"office": office, "service": card.service},
    )


def difference_settled(
    card: Card, kind: DiscrepancyKind, settlement: str, *, office: str, sender: str | None, at: datetime
) -> list[dict[str, Any]]:
    """Return the messages of a settled difference, for both sides."""
    sides = {card.department, card.origin, sender or card.origin} - {office}
    return [
        _row(
            card.number,
            "discrepancy.settled",
            code,
            cause=f"{card.number}:{card.version}:{kind}",
            office=office,
            at=at,
            data={"office": office, "kind": kind.value, "settlement": settlement},
        )
        for code in sorted(sides)
    ]


def _row(
    subject: str, type_: str, code: str, *, cause: str, office: str, at: datetime, data: dict[str, Any]
) -> dict[str, Any]:
    return message_row(
        type=type_,
        queue=queue_for(code),
        subject=subject,
        cause=cause,
        source=office,
        at=at,
        data={"to": code, **{name: value for name, value in data.items() if value is not None}},
    )
