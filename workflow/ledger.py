"""Between the desk and the database: locks rows, and writes set-based what the rules decided.

Rows are always locked in one order (packets by id, then manifests by id, then counters), so that people who
work on the same bag wait for each other and never lock each other out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from sqlalchemy import Table, bindparam, func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from barcodes.numbers import manifest_number
from config.clock import local
from config.errors import NotFoundError
from models import Discrepancy, Event, Line, Manifest, Message, Packet, Run, Scan, Serial, Staff
from models.database import say_after_commit
from models.discrepancy import DiscrepancyKind
from models.manifest import LineState, ManifestState
from models.packet import Leg, State
from models.swift import Question, among, one_of
from models.writes import WAS, Writes
from workflow import clocks, planning
from workflow.desk import Bag, Card, Desk
from workflow.people import EVERYWHERE, Actor

MOVED = "packets.moved"

REGISTER = "register"
"""Kind of the numbers under which a department registers packets."""

PACKETS = cast("Table", Packet.__table__)
MANIFESTS = cast("Table", Manifest.__table__)
LINES = cast("Table", Line.__table__)
EVENTS = cast("Table", Event.__table__)
MESSAGES = cast("Table", Message.__table__)
DISCREPANCIES = cast("Table", Discrepancy.__table__)
SERIALS = cast("Table", Serial.__table__)
SCANS = cast("Table", Scan.__table__)
RUNS = cast("Table", Run.__table__)

_CHANGING = (
    "department",
    "state",
    "state_since",
    "moved_by",
    "holder_office",
    "holder_role",
    "holder_id",
    "version",
    "manifest_id",
    "register_number",
    "executor_id",
    "outcome",
    "reason",
    "round",
    "remark",
    "details",
    "postal_number",
)
_BAG_CHANGING = (
    "state",
    "seal_number",
    "sealed_at",
    "sealed_by",
    "departed_at",
    "courier_id",
    "opened_at",
    "closed_at",
    "closed_by",
)
_OF_LINE = ("state", "live", "reason", "settled_at", "settled_by")

_BAG = tuple(name for name in Bag.__slots__ if name in MANIFESTS.c)
REPEATED = (
    select(func.count())
    .select_from(SCANS)
    .where(among(SCANS.c.id, "scans"))
    .scalar_subquery()
    .label("repeated")
)
"""A column for another question: how many of `scans` are known."""

_PACKETS = (
    select(*(PACKETS.c[name] for name in Card.__slots__), REPEATED)
    .order_by(PACKETS.c.id)
    .with_for_update(of=PACKETS)
)
_NUMBERED = Question(_PACKETS.where(among(PACKETS.c.number, "numbers")))
_NUMBERED_OR_INSIDE = Question(
    _PACKETS.where(
        or_(
            among(PACKETS.c.number, "numbers"),
            one_of(
                PACKETS.c.manifest_id, select(MANIFESTS.c.id).where(among(MANIFESTS.c.number, "manifests"))
            ),
        )
    )
)
_BAGS = Question(
    select(*(MANIFESTS.c[name] for name in _BAG), RUNS.c.centre, RUNS.c.departs_at)
    .join(RUNS, RUNS.c.id == MANIFESTS.c.run_id)
    .where(or_(among(MANIFESTS.c.id, "ids"), among(MANIFESTS.c.number, "numbers")))
    .order_by(MANIFESTS.c.id)
    .with_for_update(of=MANIFESTS)
)
_LINE_COUNTS = Question(
    select(
        LINES.c.manifest_id,
        func.max(LINES.c.position),
        func.count().filter(LINES.c.state == LineState.LISTED),
    )
    .where(among(LINES.c.manifest_id, "manifests"))
    .group_by(LINES.c.manifest_id)
)
_FORMER_LINES = Question(
    select(LINES.c.manifest_id, LINES.c.packet_id, LINES.c.position).where(
        among(LINES.c.manifest_id, "manifests"), among(LINES.c.packet_id, "packets")
    )
)


def _taking(build: Callable[[Table], postgresql.Insert | sqlite.Insert]) -> Question:
    """Return what takes numbers from a counter and tells the last of them; the counter is locked by it."""
    statement = build(SERIALS).values({name: bindparam(name) for name in ("office", "year", "kind", "last")})
    return Question(
        statement.on_conflict_do_update(
            index_elements=[SERIALS.c.office, SERIALS.c.year, SERIALS.c.kind],
            set_={"last": SERIALS.c.last + statement.excluded.last},
        ).returning(SERIALS.c.last)
    )


_TAKE_NUMBERS = {"postgresql": _taking(postgresql.insert), "sqlite": _taking(sqlite.insert)}


class SqlLedger:
    """Loads a desk from one session, and saves it to the same."""

    def __init__(self, session: Session) -> None:
        """Work in `session`, whose transaction somebody else commits."""
        self.session = session
        self._counters: dict[tuple[str, str, int], int] = {}
        """(office, kind, year) → last number taken."""
        self._stood: dict[tuple[str, str, int], int] = {}
        """The same → what stands in the database; locked by this transaction, or to be found so when it is written."""

    def desk(
        self,
        *,
        by: Actor,
        now: datetime,
        numbers: Collection[str] = (),
        manifests: Collection[str] = (),
        contents: bool = False,
        scans: Collection[str] = (),
    ) -> Desk:
        """Lock the packets and manifests with these numbers, and put them on a new desk.

        With `contents`, all packets that travel by these manifests come along. Unknown numbers are simply not
        there. `scans` are the ids of scans; the desk tells whether any of them may be known.
        """
        facts: dict[str, Any] = {"numbers": numbers, "scans": scans}
        if contents and manifests:
            rows = _NUMBERED_OR_INSIDE.ask(self.session, manifests=manifests, **facts)
        else:
            rows = _NUMBERED.ask(self.session, **facts) if numbers else []
        cards = {}
        for row in rows:
            card = Card(**dict(zip(Card.__slots__, row, strict=False)))
            cards[card.number] = card
        desk = Desk(by=by, now=now, ledger=self, cards=cards, names=self.name_of)
        desk.repeated = bool(scans) and (not rows or rows[0][-1] > 0)
        self._add_bags(desk, {card.manifest_id for card in cards.values()} - {None}, manifests)
        missing = [card.id for card in cards.values() if card.state is State.MISSING]
        if missing:
            senders = self.session.execute(
                select(DISCREPANCIES.c.packet_id, DISCREPANCIES.c.sender).where(
                    DISCREPANCIES.c.packet_id.in_(missing),
                    DISCREPANCIES.c.kind == DiscrepancyKind.MISSING,
                    DISCREPANCIES.c.settled_at.is_(None),
                )
            )
            desk.missing_from = {row.packet_id: row.sender for row in senders}
        return desk

    def _add_bags(self, desk: Desk, ids: Collection[int | None], numbers: Collection[str]) -> None:
        if not ids and not numbers:
            return
        names = (*_BAG, "centre", "departs_at")
        rows = _BAGS.ask(self.session, ids=ids, numbers=numbers)
        found = {bag.id: bag for bag in (Bag(**dict(zip(names, row, strict=True))) for row in rows)}
        for manifest_id, last, listed in _LINE_COUNTS.ask(self.session, manifests=list(found)):
            found[manifest_id].lines, found[manifest_id].listed = last, listed
        # Accepted, collected, taken out: only then can a packet that is on none of these lists have been on one.
        back = [card.id for card in desk.cards.values() if card.version > 2 and card.manifest_id not in found]
        if back and found:
            for manifest_id, packet_id, position in _FORMER_LINES.ask(
                self.session, manifests=list(found), packets=back
            ):
                found[manifest_id].former[packet_id] = position
        desk.bags |= found

    def card(self, desk: Desk, number: str) -> Card:
        """Return the packet with `number`; raise NotFoundError when there is none, or it is no business of the actor.

        For an office that has nothing to do with a packet it does not exist, whatever it asks for.
        """
        found = desk.cards.get(number)
        if found is None:
            raise NotFoundError(what=number)
        offices = {found.origin, found.department, found.holder_office, desk.missing_from.get(found.id)}
        bag = desk.bag_of(found)
        if bag is not None:
            offices |= {bag.origin, bag.destination, bag.centre}
        if desk.by.office not in offices and not desk.by.roles & EVERYWHERE:
            raise NotFoundError(what=number)
        return found

    def bag(self, desk: Desk, manifest_id: int) -> Bag:
        """Return a manifest by its id, locked now when it is not on the desk yet."""
        if manifest_id not in desk.bags:
            self._add_bags(desk, [manifest_id], ())
        return desk.bags[manifest_id]

    def name_of(self, staff_id: int) -> str:
        """Return the name of one person, for an answer."""
        return self.session.scalar(select(Staff.name).where(Staff.id == staff_id)) or str(staff_id)

    def serial(self, office: str, kind: str, now: datetime, *, count: int = 1) -> tuple[int, int]:
        """Take `count` numbers of `kind` and return the year (time of Almaty) and the last of them."""
        year = local(now).year
        key = office, kind, year
        if key in self._counters:
            self._counters[key] += count
        else:
            take = _TAKE_NUMBERS[self.session.get_bind().dialect.name]
            ((last,),) = take.ask(self.session, office=office, kind=kind, year=year, last=count)
            self.stood(office, kind, year, at=last)
        return year, self._counters[key]

    def stood(self, office: str, kind: str, year: int, *, at: int) -> None:
        """Keep that the last number taken stands `at` this in the database."""
        self._counters[office, kind, year] = self._stood[office, kind, year] = at

    def knows(self, office: str, kind: str, year: int) -> bool:
        """Tell whether the last number taken is known."""
        return (office, kind, year) in self._counters

    def clocks(self) -> clocks.KnownClocks | None:
        """Return the clocks of the packets on the desk where they are known: here they are asked for when needed."""
        return None

    def open_bag(self, desk: Desk, *, leg: Leg, destination: str) -> Bag:
        """Return the open manifest from the actor's office to `destination`, made now when there is none."""
        here = desk.by.office
        for bag in desk.bags.values():
            if (bag.origin, bag.destination, bag.leg, bag.state) == (
                here,
                destination,
                leg,
                ManifestState.OPEN,
            ):
                return bag
        number = self.session.scalar(
            select(MANIFESTS.c.number).where(
                MANIFESTS.c.origin == here,
                MANIFESTS.c.destination == destination,
                MANIFESTS.c.leg == leg,
                MANIFESTS.c.state == ManifestState.OPEN,
            )
        )
        if number is None:
            number = self._new_bag(desk, leg=leg, destination=destination)
        self._add_bags(desk, (), [number])
        bag = next(bag for bag in desk.bags.values() if bag.number == number)
        if bag.state is not ManifestState.OPEN:
            # Sealed by somebody between our look and our lock: it is no longer found, and a new one is made.
            return self.open_bag(desk, leg=leg, destination=destination)
        return bag

    def _new_bag(self, desk: Desk, *, leg: Leg, destination: str) -> str:
        year, serial = self.serial(desk.by.office, "manifest", desk.now)
        number = manifest_number(desk.by.office, year, serial)
        self.session.execute(
            insert(MANIFESTS).values(
                number=number,
                run_id=planning.next_run(
                    self.session, leg=leg, origin=desk.by.office, destination=destination, now=desk.now
                ),
                leg=leg,
                origin=desk.by.office,
                destination=destination,
                state=ManifestState.OPEN,
                created_at=desk.now,
                created_by=desk.by.id,
            )
        )
        return number

    def save(self, desk: Desk, *, scans: Sequence[Mapping[str, Any]] = ()) -> None:
        """Write everything that was done on `desk`, and the rows of `scans` that led to it.

        Raises ChangedMeanwhileError where packets, clocks or registers do not stand as they were seen. Should a lock
        ever have failed unseen, the key of events refuses a second event with the same number.
        """
        writes = Writes()
        writes.insert(SCANS, scans)
        version: dict[int, int] = {}
        for event in desk.events:
            version.setdefault(event["packet_id"], event["previous"])
        # In one order, as rows are locked.
        writes.update(
            PACKETS,
            [
                {name: getattr(card, name) for name in ("id", *_CHANGING)}
                | {WAS + "version": version[card.id]}
                for card in sorted(desk.moved.values(), key=lambda card: card.id)
            ],
            was=("version",),
        )
        writes.insert(EVENTS, desk.events)
        clocks.keep(self.session, desk.entered, writes, known=self.clocks())
        _save_lines(desk, writes)
        writes.update(
            MANIFESTS,
            [
                {"id": bag.id} | {name: getattr(bag, name) for name in _BAG_CHANGING}
                for bag in desk.changed_bags.values()
            ],
        )
        writes.update(DISCREPANCIES, desk.settlements, by=("packet_id", "kind"), only="settled_at IS NULL")
        writes.insert(DISCREPANCIES, desk.differences)
        writes.update(
            SERIALS,
            [
                {
                    "office": key[0],
                    "kind": key[1],
                    "year": key[2],
                    "last": last,
                    WAS + "last": self._stood[key],
                }
                for key, last in sorted(self._counters.items())
                if last != self._stood[key]
            ],
            by=("office", "kind", "year"),
            was=("last",),
        )
        writes.insert(MESSAGES, desk.messages)
        writes.send(self.session)
        if desk.messages:
            self.session.info["told"] = True
        if desk.events:
            numbers = {card.id: card.number for card in (*desk.cards.values(), *desk.moved.values())}
            say_after_commit(
                self.session,
                MOVED,
                packets=[numbers.get(event["packet_id"]) for event in desk.events],
                moves=[str(event["move"]) for event in desk.events],
                office=desk.by.office,
                staff=desk.by.id,
            )


def _save_lines(desk: Desk, writes: Writes) -> None:
    # In the order in which things happened: what was listed may be settled in the same list of scans, and
    # what was taken out may be listed again.
    key = ("manifest_id", "packet_id")
    for settling, lines in groupby(desk.lines, key=lambda line: "position" not in line):
        writes.then(LINES)
        if settling:
            writes.update(LINES, list(lines), by=key)
        else:
            # One that was taken out of a bag may be put into it again.
            writes.insert(LINES, list(lines), again=_OF_LINE, key=key)
