"""The sweeps of the schedule, by the virtual clock: what `shabarman beat` makes the workers do by the real one."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from config.clock import local
from config.working_time import ONE_DAY
from models import Deadline
from workers.simulation.stage import Stage
from workflow import deadlines, planning, runs, unclaimed

EVERY = timedelta(minutes=15)
"""Between two sweeps; by the real clock it is a minute, but here nobody waits for them."""


class Sweeps:
    """Sweeps before everything that happens, and in between when a threshold of a clock has come."""

    def __init__(self, stage: Stage, *, start: datetime) -> None:
        """Begin at `start`."""
        self._stage = stage
        self._next, self._planned = start, local(start).date() - ONE_DAY

    def until(self, moment: datetime) -> None:
        """Sweep as often as it makes a difference by `moment`, and not more often than each `EVERY`."""
        if moment < self._next:
            return
        while (due := self._threshold()) is not None and (at := max(due, self._next)) < moment:
            self._sweep(at)
        self._sweep(moment)

    def _threshold(self) -> datetime | None:
        """Return when the next clock has something to tell."""
        with self._stage.hands.database.reading() as session:
            return session.scalar(select(func.min(Deadline.next_at)))

    def of_runs(self) -> None:
        """Tell of runs that did not depart, and move what they left behind: before people turn to the next run."""
        transact, did, now = self._stage.hands.database.transact, self._stage.did, self._stage.hands.now
        did["runs told as late"] += transact(lambda session: runs.tell_late(session, now=now))
        did["bags left behind"] += transact(lambda session: runs.move_left_behind(session, now=now))

    def _sweep(self, now: datetime) -> None:
        transact = self._stage.hands.database.transact
        self._next = now + EVERY
        if local(now).date() > self._planned:
            self._planned = local(now).date()
            transact(lambda session: planning.plan_runs(session, now=now))
            reminded = transact(lambda session: unclaimed.remind(session, now=now))
            self._stage.did["reminded of unclaimed results"] += reminded
        looked_at = deadlines.AT_ONCE
        while looked_at >= deadlines.AT_ONCE:
            looked_at = transact(lambda session: deadlines.check(session, now=now))
