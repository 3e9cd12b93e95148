"""A glance instead of locks, for scans that touch no manifest: two trips to the database instead of six.

One look reads the packets with their clocks and their registers, and locks nothing. One statement writes what the rules
made of it, or nothing at all when somebody was quicker: packets, clocks and registers must stand as they were seen, and
each scan is written once. Whoever was not alone comes again, and takes the locks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from config.clock import local
from models.swift import Question, among
from workflow.clocks import DEADLINES, KnownClocks
from workflow.desk import Bag, Card, Desk
from workflow.hours import VERSION
from workflow.ledger import PACKETS, REGISTER, REPEATED, SERIALS, SqlLedger
from workflow.people import Actor
from workflow.timing import Clock

_CARD = len(Card.__slots__)
_CLOCK = len(Clock.__slots__)
_VERSION = len(VERSION)

_LOOK = Question(
    select(
        *(PACKETS.c[name] for name in Card.__slots__),
        *(DEADLINES.c[name] for name in Clock.__slots__),
        *VERSION,
        SERIALS.c.last,
        REPEATED,
    )
    .select_from(
        PACKETS.outerjoin(
            DEADLINES, and_(DEADLINES.c.packet_id == PACKETS.c.id, DEADLINES.c.closed_at.is_(None))
        ).outerjoin(
            SERIALS,
            # A register is that of the office which holds the papers.
            and_(
                SERIALS.c.office == PACKETS.c.holder_office,
                SERIALS.c.year == bindparam("year"),
                SERIALS.c.kind == REGISTER,
            ),
        )
    )
    .where(among(PACKETS.c.number, "numbers"))
)


class LocksNeededError(Exception):
    """A glance is not enough for these scans; nothing was written."""


class Glance(SqlLedger):
    """The ledger of a session without a transaction, in which each statement is one by itself."""

    def __init__(self, session: Session) -> None:
        """Work in `session`."""
        super().__init__(session)
        self._clocks: KnownClocks | None = None

    def look(self, *, by: Actor, now: datetime, numbers: Collection[str], scans: Collection[str]) -> Desk:
        """Put the packets with these numbers on a new desk; `scans` are the ids of new scans.

        Raises LocksNeededError when one of them is not known, or a scan came before.
        """
        year = local(now).year
        rows = _LOOK.ask(self.session, numbers=numbers, scans=scans, year=year) if numbers else []
        if not rows or len(rows) != len(numbers) or rows[0][-1]:
            raise LocksNeededError
        clocks: defaultdict[int, list[Clock]] = defaultdict(list)
        cards = {}
        for row in rows:
            card = Card(**dict(zip(Card.__slots__, row, strict=False)))
            cards[card.number] = card
            clock = row[_CARD : _CARD + _CLOCK]
            if clock[0] is not None:
                clocks[card.id].append(Clock(**dict(zip(Clock.__slots__, clock, strict=True))))
            if card.holder_office is not None and row[-2] is not None:
                self.stood(card.holder_office, REGISTER, year, at=row[-2])
        self._clocks = clocks, rows[0][_CARD + _CLOCK : _CARD + _CLOCK + _VERSION]
        return Desk(by=by, now=now, ledger=self, cards=cards, names=self.name_of)

    def clocks(self) -> KnownClocks | None:
        """Return the clocks that were seen."""
        return self._clocks

    def serial(self, office: str, kind: str, now: datetime, *, count: int = 1) -> tuple[int, int]:
        """Take numbers of a register that was seen; raise LocksNeededError for any other."""
        if not self.knows(office, kind, local(now).year):
            raise LocksNeededError
        return super().serial(office, kind, now, count=count)

    def open_bag(self, *_: object, **__: object) -> Bag:
        """Raise LocksNeededError: bags are locked."""
        raise LocksNeededError
