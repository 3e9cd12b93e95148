"""What came of a simulation: the messages that it made, who was told, and how long that took."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.offices import office
from models import Message, Notice, Packet, Scan
from models.database import Database
from models.message import MessageState
from workers.simulation.ledger import MeantLedger, Told

POLL_SECONDS = 0.03
STANDSTILL_SECONDS = 300.0
"""Seconds without any message done before waiting is given up: more than a lease, and the pause after it."""

ALARMS = frozenset({"deadline.near", "deadline.missed", "run.late", "calendar.unconfirmed"})
"""News of sweeps: the people who are played do not mean them, and the sweeps of a running house tell them too."""

OPEN = (MessageState.PENDING, MessageState.PUBLISHED)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """One simulation, as `shabarman simulate --json` prints it."""

    packets: int
    days: int
    seed: int
    first: str | None = None
    """First date, where weeks are played."""
    days_off: list[str] = field(default_factory=list)
    """Dates from Monday to Friday among these days on which departments do not work."""
    runs: int = 0
    """Courier runs until everything was done."""
    offices: dict[str, int] = field(default_factory=dict)
    """Kind of office → how many accepted applications."""
    ways: dict[str, int] = field(default_factory=dict)
    """Service and channel → applications."""
    states: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    by_type: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    doubled: int = 0
    misrouted: int = 0
    alarms: dict[str, int] = field(default_factory=dict)
    """What sweeps told, with nobody's move behind it."""
    did: dict[str, int] = field(default_factory=dict)
    """How often something happened that no message tells of."""
    scans: dict[str, int] = field(default_factory=dict)
    refusals: int = 0
    """Commands that were refused, as they should be."""
    surprises: int = 0
    """Answers that were not what the people expected."""
    seconds: float = 0.0
    packets_per_second: float = 0.0
    latency_ms: dict[str, float] = field(default_factory=dict)
    """From the commit of a message to its notice, by the database's clock."""
    steps: list[dict[str, Any]] = field(default_factory=list)
    """Each step of each service and channel beside its limit, where weeks are played."""
    verified: bool = False
    examples: list[str] = field(default_factory=list)
    """The first of whatever went wrong, in words."""

    @property
    def ok(self) -> bool:
        """Tell whether nothing was lost, doubled, misrouted or surprising, and every invariant holds."""
        return self.verified and not (self.lost or self.doubled or self.misrouted or self.surprises)

    def as_json(self) -> dict[str, Any]:
        """Return one JSON object."""
        return asdict(self)


def last_message(session: Session) -> int:
    """Return the id of the last message so far."""
    return session.scalar(select(func.max(Message.id))) or 0


def wait_until_done(
    database: Database, *, after: int, on_look: Callable[[int], None] = lambda _left: None
) -> None:
    """Wait until no message with an id above `after` is open, or until nothing has moved for long.

    `on_look` is called with the number of open messages.
    """
    least, since = None, time.monotonic()
    while True:
        with database.reading() as session:
            left = (
                session.scalar(select(func.count()).where(Message.id > after, Message.state.in_(OPEN))) or 0
            )
        on_look(left)
        if least is None or left < least:
            least, since = left, time.monotonic()
        if not left or time.monotonic() - since > STANDSTILL_SECONDS:
            return
        time.sleep(POLL_SECONDS)


def count(
    session: Session,
    outcome: Outcome,
    ledger: MeantLedger,
    *,
    after: int,
    numbers: Collection[str],
    mark: str,
) -> None:
    """Fill `outcome` from the database, for the packets `numbers`, the scans of `mark` and messages above `after`."""
    ours = {subject for _, subject, _ in ledger.meant} | set(numbers)
    messages = {
        row.id: row
        for row in session.execute(
            select(
                Message.id,
                Message.type,
                Message.queue,
                Message.subject,
                Message.state,
                Message.created_at,
                Message.done_at,
            ).where(Message.id > after)
        )
        if row.subject in ours or row.type in ALARMS
    }
    alarms = {id_ for id_, row in messages.items() if row.type in ALARMS}
    told: list[Told] = []
    for row in session.execute(select(Notice.message_id, Notice.office).where(Notice.message_id > after)):
        message = messages.get(row.message_id)
        if message is None:
            continue
        if message.id not in alarms:
            told.append((message.type, message.subject, row.office))
        if message.queue != f"{office(row.office).kind}.{office(row.office).district}":
            outcome.misrouted += 1
            outcome.examples.append(f"message {message.id} for {row.office} in {message.queue}")
    difference = ledger.compare(told)
    outcome.lost, outcome.doubled = difference.lost, difference.doubled
    outcome.misrouted += difference.misrouted
    outcome.examples += difference.examples
    moved = [row for row in messages.values() if row.id not in alarms]
    outcome.messages = dict(Counter(row.state.value for row in moved))
    outcome.by_type = dict(sorted(Counter(row.type for row in moved).items()))
    outcome.alarms = dict(sorted(Counter(messages[id_].type for id_ in alarms).items()))
    waits = sorted((row.done_at - row.created_at).total_seconds() * 1000 for row in moved if row.done_at)
    outcome.latency_ms = {
        "p50": _quantile(waits, 0.50),
        "p95": _quantile(waits, 0.95),
        "p99": _quantile(waits, 0.99),
        "max": _quantile(waits, 1.0),
    }
    known = set(numbers)
    outcome.states = dict(
        Counter(
            row.state.value
            for row in session.execute(
                select(Packet.number, Packet.state).where(between(Packet.number, known))
            )
            if row.number in known
        )
    )
    outcome.scans = {
        verdict.value: times
        for verdict, times in session.execute(
            select(Scan.verdict, func.count())
            .where(Scan.id > f"{mark}-", Scan.id < f"{mark}.")
            .group_by(Scan.verdict)
            .order_by(Scan.verdict)
        )
    }


def between(column: Any, values: Collection[str]) -> Any:  # noqa: ANN401 - a column and a condition on it
    """Return the condition that keeps a question near some values, of which there may be too many to name."""
    return column.between(min(values, default=""), max(values, default=""))


def _quantile(ordered: list[float], share: float) -> float:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1) if ordered else 0.0
