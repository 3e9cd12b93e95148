"""The desk: what one transaction has in its hands, and the one function that moves a packet.

Everything here is plain Python: `workflow.ledger` puts rows on the desk, locked but for a glance, and writes set-based
what changed; the rules of the trip in between never see the database. So one scan and two hundred take one path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from config.errors import ConflictError
from config.language import Text
from models.discrepancy import DiscrepancyKind
from models.manifest import LineState, ManifestState
from models.packet import FINAL, Channel, Leg, Outcome, State
from models.staff import Role
from workflow import moves, news
from workflow.moves import Move
from workflow.people import Actor
from workflow.protocol import Scanned
from workflow.timing import UNCLAIMED, Entered


class IllegalMoveError(ConflictError):
    """The table of moves does not know this step."""

    code = "wrong_state"
    text = Text(
        "Packet {number} is in the state “{state}”; that does not go together with “{move}”. "
        "Look the packet up to see what comes next."
    )


class Holder(NamedTuple):
    """Who has the paper: an office, the role in it, and the person where one is known by name."""

    office: str
    role: Role
    id: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Card:
    """One packet on the desk; its fields are the columns that a move may change, and a few that rules read."""

    id: int
    number: str
    service: str
    channel: Channel
    origin: str
    department: str
    state: State
    state_since: datetime
    moved_by: int
    holder_office: str | None
    holder_role: Role | None
    holder_id: int | None
    version: int
    manifest_id: int | None
    register_number: str | None
    executor_id: int | None
    outcome: Outcome | None
    reason: str | None
    round: int
    remark: str | None
    details: dict[str, Any]
    postal_number: str | None
    accepted_by: int

    @property
    def direct(self) -> bool:
        """Whether the office that accepted the papers decides itself: no courier, no manifest."""
        return self.origin == self.department

    @property
    def leg(self) -> Leg:
        """Which way the papers travel; a missing packet has an outcome only when it went missing as a result."""
        if self.state is State.MISSING:
            return Leg.BACK if self.outcome is not None else Leg.OUT
        return moves.leg_of(self.state)


@dataclass(slots=True, kw_only=True, eq=False)
class Bag:
    """One manifest on the desk."""

    id: int
    number: str
    run_id: int
    centre: str
    """The centre whose courier carries it."""
    departs_at: datetime
    """Planned departure of its run."""
    leg: Leg
    origin: str
    destination: str
    state: ManifestState
    seal_number: str | None
    created_by: int
    sealed_at: datetime | None = None
    sealed_by: int | None = None
    departed_at: datetime | None = None
    courier_id: int | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: int | None = None
    lines: int = 0
    """Last line number given out."""
    listed: int = 0
    """Lines that nobody has settled yet."""
    former: dict[int, int] = field(default_factory=dict)
    """Packet id → line number, of packets on the desk that were on this list before; they keep their line."""


class Ledger(Protocol):
    """What the desk asks of the database while rules run."""

    def open_bag(self, desk: Desk, *, leg: Leg, destination: str) -> Bag:
        """Return the open manifest from the actor's office to `destination`, made now when there is none."""

    def serial(self, office: str, kind: str, now: datetime) -> tuple[int, int]:
        """Return the year and the next number of `kind` for `office`."""


@dataclass(slots=True, kw_only=True)
class Desk:
    """Packets and manifests, and what was done with them so far."""

    by: Actor
    now: datetime
    ledger: Ledger
    cards: dict[str, Card] = field(default_factory=dict)
    bags: dict[int, Bag] = field(default_factory=dict)
    names: Callable[[int], str] = str
    repeated: bool = False
    """Whether some of the scans may have come before."""
    missing_from: dict[int, str] = field(default_factory=dict)
    """Packet id → office that sent it, for packets that are missing."""
    events: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)
    settlements: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    entered: list[Entered] = field(default_factory=list)
    """Each packet as it stood after each move, for the clocks of its steps."""
    moved: dict[int, Card] = field(default_factory=dict)
    changed_bags: dict[int, Bag] = field(default_factory=dict)

    def bag_of(self, card: Card) -> Bag | None:
        """Return the manifest that `card` is live on."""
        return None if card.manifest_id is None else self.bags[card.manifest_id]

    def bag_numbered(self, number: str) -> Bag | None:
        """Return the manifest with `number`, when it is on the desk."""
        return next((bag for bag in self.bags.values() if bag.number == number), None)

    def cards_in(self, bag: Bag) -> list[Card]:
        """Return the packets that travel by `bag` now."""
        return [card for card in self.cards.values() if card.manifest_id == bag.id]

    def move(
        self,
        card: Card,
        move: Move,
        to: State,
        /,
        *,
        holder: Holder | None,
        bag: Bag | None = None,
        scanned: Scanned | None = None,
        **data: Any,  # noqa: ANN401 - JSON values
    ) -> None:
        """Move `card` to the state `to`: the only way a packet changes its state.

        Writes the event and the messages that others must learn of, and hands the paper to `holder` (None in
        final states). `bag` is the manifest involved, `scanned` the scan that caused it (its time is the
        move's, but never before the move before, nor after now), `data` what else the history keeps.
        Raises IllegalMoveError when the table of moves does not know the step.
        """
        if not moves.allowed(move, card.state, to):
            raise IllegalMoveError(number=card.number, state=card.state.value, move=move.value)
        assert (holder is None) == (to in FINAL)
        assert holder is None or holder.role in moves.HOLDERS[to], (move, to, holder)
        happened = max(min(scanned.at if scanned else self.now, self.now), card.state_since)
        before = card.state
        card.state = to
        card.state_since = happened
        card.moved_by = self.by.id
        card.holder_office, card.holder_role, card.holder_id = holder or (None, None, None)
        card.version += 1
        self.moved[card.id] = card
        self._record(card, move, before, bag=bag, scan_id=scanned.id if scanned else None, data=data)
        self.messages.extend(
            news.of_move(
                card,
                move,
                before,
                at=happened,
                office=self.by.office,
                sender=bag.origin if bag else None,
                data=data,
            )
        )

    def begin(self, card: Card, **data: Any) -> None:  # noqa: ANN401 - JSON values
        """Write the first event of a packet that was accepted just now."""
        self.cards[card.number] = card
        self._record(card, Move.ACCEPT, None, bag=None, scan_id=None, data=data)
        self.messages.extend(
            news.of_move(card, Move.ACCEPT, None, at=self.now, office=self.by.office, sender=None, data=data)
        )

    def _record(
        self,
        card: Card,
        move: Move,
        before: State | None,
        *,
        bag: Bag | None,
        scan_id: str | None,
        data: dict[str, Any],
    ) -> None:
        self.entered.append(
            Entered(
                packet_id=card.id,
                seq=card.version,
                move=move,
                state=card.state,
                at=card.state_since,
                service=card.service,
                channel=card.channel.value,
                origin=card.origin,
                department=card.department,
                office=card.holder_office,
                role=card.holder_role,
                holder_id=card.holder_id,
                round=card.round,
                unclaimed=card.remark == UNCLAIMED,
                departs_at=bag.departs_at if bag else None,
            )
        )
        self.events.append(
            {
                "packet_id": card.id,
                "seq": card.version,
                "previous": card.version - 1 if card.version > 1 else None,
                "at": card.state_since,
                "recorded_at": self.now,
                "move": move.value,
                "from_state": before,
                "to_state": card.state,
                "staff_id": self.by.id,
                "office": self.by.office,
                "holder_office": card.holder_office,
                "holder_role": card.holder_role,
                "holder_id": card.holder_id,
                "manifest_id": bag.id if bag else None,
                "scan_id": scan_id,
                "data": {name: value for name, value in data.items() if value is not None},
            }
        )

    def list_on(self, card: Card, bag: Bag) -> int:
        """Put `card` on the open manifest `bag`, and return the number of its line."""
        position = _line_for(card, bag)
        bag.listed += 1
        card.manifest_id = bag.id
        self._line(card, bag, LineState.LISTED, position=position)
        return position

    def list_again(self, card: Card, bag: Bag) -> None:
        """Put the settled line of `card` on `bag` back to listed, because the settling scan is taken back."""
        bag.listed += 1
        card.manifest_id = bag.id
        self._line(card, bag, LineState.LISTED)

    def settle_line(self, card: Card, state: LineState, *, reason: str | None = None) -> Bag | None:
        """Take `card` off the manifest it is live on, saying what became of its line; return that manifest."""
        bag = self.bag_of(card)
        if bag is not None:
            bag.listed -= 1
            card.manifest_id = None
            self._line(card, bag, state, reason=reason)
        return bag

    def note_unexpected(self, card: Card, bag: Bag) -> None:
        """Add `card`, which was in the bag without being listed, to the lines of `bag` as unexpected."""
        self._line(card, bag, LineState.UNEXPECTED, position=_line_for(card, bag))

    def _line(
        self,
        card: Card,
        bag: Bag,
        state: LineState,
        *,
        reason: str | None = None,
        position: int | None = None,
    ) -> None:
        """Write a new line at `position`, or without one the state of the line that is there."""
        live = state is LineState.LISTED
        row = {
            "manifest_id": bag.id,
            "packet_id": card.id,
            "state": state,
            "live": live,
            "reason": reason,
            "settled_at": None if live else self.now,
            "settled_by": None if live else self.by.id,
        }
        self.lines.append(row if position is None else {**row, "position": position})

    def open_difference(
        self, card: Card, kind: DiscrepancyKind, *, bag: Bag | None, sender: str, reason: str | None = None
    ) -> None:
        """Record that the bag and its list differ, and tell the office that sent the papers."""
        self.differences.append(
            {
                "kind": kind,
                "packet_id": card.id,
                "manifest_id": bag.id if bag else None,
                "office": self.by.office,
                "sender": sender,
                "reason": reason,
                "opened_at": self.now,
                "opened_by": self.by.id,
            }
        )
        self.messages.append(
            news.difference_opened(
                card, kind, office=self.by.office, sender=sender, at=self.now, reason=reason
            )
        )

    def settle_quietly(self, card: Card, kind: DiscrepancyKind, settlement: str) -> None:
        """Settle the open differences of `kind` of this packet, whose news comes with another message."""
        self.settlements.append(
            {
                "packet_id": card.id,
                "kind": kind,
                "settlement": settlement,
                "settled_at": self.now,
                "settled_by": self.by.id,
            }
        )

    def settle_difference(self, card: Card, kind: DiscrepancyKind, settlement: str) -> None:
        """Settle the open difference of `kind` of this packet, and tell both sides."""
        self.settle_quietly(card, kind, settlement)
        self.messages.extend(
            news.difference_settled(
                card,
                kind,
                settlement,
                office=self.by.office,
                sender=self.missing_from.get(card.id),
                at=self.now,
            )
        )

    def advance(self, bag: Bag, state: ManifestState) -> None:
        """Move a manifest one step on, keeping who and when."""
        steps = list(ManifestState)
        assert steps.index(state) > steps.index(bag.state)
        bag.state = state
        self.changed_bags[bag.id] = bag
        match state:
            case ManifestState.SEALED:
                bag.sealed_at, bag.sealed_by = self.now, self.by.id
            case ManifestState.IN_TRANSIT:
                bag.departed_at, bag.courier_id = self.now, self.by.id
                self.messages.append(
                    news.of_bag(bag, "manifest.departed", office=self.by.office, at=self.now)
                )
            case ManifestState.RECEIVING:
                bag.opened_at = self.now
            case ManifestState.CLOSED:
                bag.closed_at, bag.closed_by = self.now, self.by.id
                self.messages.append(news.of_bag(bag, "manifest.closed", office=self.by.office, at=self.now))
            case ManifestState.OPEN:  # pragma: no cover - the first state is never advanced to
                raise AssertionError(state)


def _line_for(card: Card, bag: Bag) -> int:
    """Return the line that `card` had on the list before, else the next free one."""
    if card.id not in bag.former:
        bag.lines += 1
        bag.former[card.id] = bag.lines
    return bag.former[card.id]
