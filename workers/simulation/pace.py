"""How long people take: each step within the limit that the regulation sets, and now and then longer."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta

from config.clock import ALMATY, local
from config.working_time import ONE_DAY, WorkingTime
from workers.simulation.papers import Paper
from workers.simulation.plan import Applicant
from workflow.timing import Timing, route_of

LATE = 0.04
"""Share of the steps that take longer than their limit."""
MOST_LATE = 180.0
"""Working minutes by which a step is late at most."""
USUAL = (0.1, 0.9)
"""Share of its limit that a step takes otherwise."""
LEFT = (0.02, 0.2)
"""The same of what completing takes where the text does not limit it."""
UNLIMITED = 45.0
"""Working minutes that are taken for a step without a limit."""

TOGETHER = {
    "prepare": ("examine", "prepare"),
    "send": ("complete", "send"),
    "hand_over": ("take_over", "hand_over"),
}
"""Steps that nothing but the last of them shows: the time of all of them goes by."""


class Pace:
    """When people do what is theirs to do, in the working time of their office."""

    def __init__(self, timing: Timing, dice: random.Random) -> None:
        """Count by the calendar and the limits of `timing`."""
        self.timing, self.dice = timing, dice

    def visit(self, applicant: Applicant, *, first: date, days: int) -> datetime:
        """Return when an applicant comes: on one of the days from `first` on, while the office is open.

        Raises config.working_time.NeverOpenError where it is open on none of them nor soon after.
        """
        hours = self.timing.hours(applicant.office.code)
        open_on = [day for day in (first + number * ONE_DAY for number in range(days)) if hours.works_on(day)]
        day = self.dice.choice(open_on) if open_on else _next_working_day(hours, first + days * ONE_DAY)
        intervals = hours.intervals(day)
        whole = sum((end - begin for begin, end in intervals), timedelta())
        return hours.add(intervals[0][0], whole * self.dice.uniform(0.0, 0.98))

    def moment(self, paper: Paper, step: str, *, here: str, now: datetime) -> datetime:
        """Return when a step that begins now in an office will be done."""
        hours = self.timing.hours(here)
        route = route_of(paper.applicant.service, paper.applicant.office.kind)
        steps = [route.step(code) for code in TOGETHER.get(step, (step,))] if route else []
        limits = [held.limit.as_json() for held in steps if held is not None and held.limit is not None]
        if step == "complete" and not limits:
            # The executor's time only stood still: a small part of it is left.
            left = hours.between(now, self.moment(paper, "prepare", here=here, now=now))
            return hours.add(now, left * self.dice.uniform(*LEFT))
        due = self.timing.due(limits, now, office=here) if limits else hours.add_minutes(now, UNLIMITED)
        if limits and self.dice.random() < LATE:
            return hours.add_minutes(due, self.dice.uniform(2.0, MOST_LATE))
        return hours.add(now, hours.between(now, due) * self.dice.uniform(*USUAL))

    def after(self, days: int, *, here: str, now: datetime) -> datetime:
        """Return a moment of the working day that comes so many working days later."""
        return self.timing.hours(here).add_working_days(now, days) - timedelta(
            minutes=self.dice.uniform(5.0, 200.0)
        )


def _next_working_day(hours: WorkingTime, day: date) -> date:
    return local(hours.next_open(datetime.combine(day, time(0), tzinfo=ALMATY))).date()
