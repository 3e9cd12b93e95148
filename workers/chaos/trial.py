"""One trial: a house is built, people work in it, it is broken, it heals, and the ledger is compared."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from config.errors import UnavailableError
from models import DeadLetter, Message
from models.base import database_now
from models.message import MessageState
from workers.chaos.breaking import Breaker, plan
from workers.chaos.couriers import Crew
from workers.chaos.keeping import NotStartedError, wait_until
from workers.chaos.kinds import all_kinds
from workers.chaos.ledger import Ledger
from workers.chaos.outcome import LONGEST_RECOVERY, Outcome
from workers.chaos.probing import Prober
from workers.chaos.world import BrokerKind, DatabaseKind, World, world
from workers.verification import verify
from workflow.outbox import OPEN

HEALING_SECONDS = 180.0
"""Most seconds that is waited, after the last fault, until everything was told."""

Note = Callable[[str], None]


def run(
    *,
    seconds: int,
    seed: int,
    database: DatabaseKind,
    broker: BrokerKind,
    spacing: float,
    crews: int,
    only: Collection[str],
    keep: Path | None,
    note: Note,
) -> Outcome:
    """Play, break and compare; return what came of it.

    `only` names the kinds of faults, all when it is empty; `note` is told what happens, in English.
    """
    outcome = Outcome(seconds=seconds, seed=seed, database=database, broker=broker)
    with world(database=database, broker=broker, keep=keep) as made:
        stop, over = threading.Event(), threading.Event()
        deadline = [time.monotonic() + seconds + HEALING_SECONDS]
        ledger = Ledger()
        prober = Prober(made, ledger, deadline=deadline)
        note("The servers run; waiting for the processes.")
        if (first := prober.probe()) is None:
            raise NotStartedError(name="web", log=made.process("web").log)
        note(f"The first notice came after {first:.1f} s.")
        people = [
            Crew(made, ledger, place=place, seed=seed, stop=stop, deadline=deadline) for place in range(crews)
        ]
        threads = [threading.Thread(target=crew.work, daemon=True) for crew in people]
        began = time.monotonic()
        for thread in threads:
            thread.start()

        def on_fault(kind: str, recovery: float | None) -> None:
            told = "did not recover" if recovery is None else f"recovered after {recovery:.1f} s"
            note(f"{time.monotonic() - began:7.1f} s  {kind}: {told}")

        breaker = Breaker(world=made, prober=prober, stop=over, on_fault=on_fault)
        kinds = []
        for kind in all_kinds():
            if only and kind.name not in only:
                continue
            if why := kind.impossible(made):
                outcome.left_out[kind.name] = why
            else:
                kinds.append(kind)
        try:
            breaker.run(plan(kinds, seconds=seconds, spacing=spacing, seed=seed), began=began)
            over.wait(max(began + seconds - time.monotonic(), 0))
        finally:
            over.set()
            stop.set()
        deadline[0] = time.monotonic() + HEALING_SECONDS
        note("The time is over; waiting until everything is told.")
        breaker.wait(seconds=HEALING_SECONDS)
        for thread in threads:
            thread.join(max(deadline[0] - time.monotonic(), 0))
        _become_quiet(made)
        _compare(made, ledger, breaker, outcome)
        outcome.packets = sum(crew.done for crew in people)
        outcome.scans = sum(crew.scans for crew in people)
        outcome.again = sum(crew.again for crew in people)
        outcome.restarts = {kept.name: kept.starts - 1 for kept in made.keeper.all if kept.starts > 1}
    return outcome


def _become_quiet(made: World) -> None:
    """Wait until no message is open."""

    def quiet() -> bool:
        try:
            with made.direct.reading() as session:
                return session.scalar(select(Message.id).where(Message.state.in_(OPEN)).limit(1)) is None
        except (UnavailableError, DBAPIError):
            return False

    wait_until(quiet, seconds=HEALING_SECONDS)


def _compare(made: World, ledger: Ledger, breaker: Breaker, outcome: Outcome) -> None:
    with made.direct.reading() as session:
        found = ledger.compare(session)
        report = verify(session)
        outcome.dead = session.scalar(select(func.count()).where(Message.state == MessageState.DEAD)) or 0
        outcome.put_aside = session.scalar(select(func.count()).select_from(DeadLetter)) or 0
        _measure(session, breaker.causes, outcome)
    outcome.recoveries = dict(breaker.recoveries)
    outcome.unrecovered = len(breaker.unrecovered)
    outcome.meant, outcome.effects = found.meant, found.effects
    outcome.lost, outcome.doubled, outcome.misrouted = found.lost, found.doubled, found.misrouted
    outcome.verified = report.ok
    outcome.unanswered, outcome.surprises = len(ledger.unanswered), len(ledger.surprises)
    outcome.examples += found.examples
    outcome.examples += [f"{one.invariant} {one.subject}: {one.detail}" for one in report.broken]
    outcome.examples += [*ledger.surprises, *ledger.unanswered, *breaker.unrecovered]


def _measure(session: Session, causes: list[tuple[float, float]], outcome: Outcome) -> None:
    """Fill in how long messages waited, and how many were late."""
    rows = session.execute(
        select(Message.created_at, Message.done_at, Message.id).where(Message.done_at.is_not(None))
    )
    now = session.scalars(select(database_now())).one()
    waits = []
    for created, done, message_id in rows:
        assert done is not None
        if not created <= done <= now:
            # SQLite has no clock of its own: whoever did this had a wrong one just then.
            continue
        waited = (done - created).total_seconds()
        waits.append(waited)
        if waited > LONGEST_RECOVERY:
            broken = covered(causes, created.timestamp(), done.timestamp())
            if waited - broken > LONGEST_RECOVERY:
                outcome.late += 1
                outcome.examples.append(
                    f"message {message_id} waited {waited:.0f} s, {broken:.0f} s of it broken"
                )
    waits.sort()
    for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
        if waits:
            outcome.waits_s[name] = round(waits[min(int(share * len(waits)), len(waits) - 1)], 2)


def covered(causes: list[tuple[float, float]], since: float, until: float) -> float:
    """Return for how many seconds between two moments something was being broken."""
    total, end = 0.0, since
    for began, ended in sorted(causes):
        first, last = max(began, end), min(ended, until)
        if last > first:
            total += last - first
            end = last
    return total
