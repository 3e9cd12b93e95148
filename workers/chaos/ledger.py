"""What was meant, written down by those who meant it, and compared with what the database has in the end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.offices import office
from models import Event, Message, Notice, Packet
from workers.simulation.ledger import MeantLedger, Told

NAMED_AGAIN = "reassign"
"""The one move that a request sent twice makes twice: the same executor is named once more, and nobody is told."""


@dataclass(slots=True, kw_only=True)
class Found:
    """How the effects differ from what was meant."""

    meant: int = 0
    effects: int = 0
    lost: int = 0
    doubled: int = 0
    misrouted: int = 0
    examples: list[str] = field(default_factory=list)


class Ledger:
    """News and moves that were meant; written from many threads."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.Lock()
        self._news = MeantLedger()
        self._moves: Counter[tuple[str, str]] = Counter()
        self.surprises: list[str] = []
        """Answers that were not what the people expected."""
        self.unanswered: list[str] = []
        """What nobody answered until the end."""

    def tell(self, news: str, subjects: Iterable[str], *offices: str) -> None:
        """Write down that each of `offices` must be told `news` about each of `subjects` once more."""
        with self._lock:
            for subject in subjects:
                self._news.tell(news, subject, *offices)

    def moved(self, move: str, numbers: Iterable[str]) -> None:
        """Write down that each packet made this move once more."""
        with self._lock:
            for number in numbers:
                self._moves[number, move] += 1

    def astray(self, number: str) -> None:
        """Write down a packet that was accepted for another department than the applicant's."""
        with self._lock:
            self._news.astray.append(number)

    def surprise(self, what: str) -> None:
        """Write down an answer that was not what a person expected."""
        with self._lock:
            self.surprises.append(what)

    def compare(self, session: Session) -> Found:
        """Compare with notices and events; call it when everything is quiet."""
        rows = session.execute(
            select(Message.type, Message.subject, Message.queue, Notice.office, Notice.id).join(
                Notice, Notice.message_id == Message.id, isouter=True
            )
        ).all()
        told: list[Told] = [(row.type, row.subject, row.office) for row in rows if row.id is not None]
        difference = self._news.compare(told)
        found = Found(
            meant=sum(self._news.meant.values()),
            effects=len(told),
            lost=difference.lost,
            doubled=difference.doubled,
            misrouted=difference.misrouted,
            examples=list(difference.examples),
        )
        for row in rows:
            if row.id is not None and row.queue != _queue_of(row.office):
                found.misrouted += 1
                found.examples.append(f"{row.type} {row.subject} for {row.office} went through {row.queue}")
        self._compare_moves(_moves(session), found)
        return found

    def _compare_moves(self, made: Sequence[tuple[str, str]], found: Found) -> None:
        counted = Counter(made)
        found.meant += sum(self._moves.values())
        found.effects += len(made)
        for key in sorted(self._moves.keys() | counted.keys()):
            meant, times = self._moves[key], counted[key]
            found.lost += max(meant - times, 0)
            found.doubled += max(times - meant, 0)
            if meant != times:
                found.examples.append(f"{' '.join(key)}: meant {meant}, made {times}")


def _moves(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(select(Packet.number, Event.move).join(Packet, Packet.id == Event.packet_id))
    return [(row.number, row.move) for row in rows if row.move != NAMED_AGAIN]


def _queue_of(code: str) -> str:
    place = office(code)
    return f"{place.kind}.{place.district}"
