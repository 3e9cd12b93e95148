"""The tasks of the schedule. Rows decide which tick carries a job out: a missed, late or doubled one does no harm."""

from __future__ import annotations

from tasks.app import app
from tasks.database import database
from tasks.jobs import carry_out
from tasks.names import CHECK_CALENDAR, CHECK_DEADLINES, CHECK_OUTBOX, CLEAR_SIGN_INS, PLAN_RUNS


@app.task(name=PLAN_RUNS)
def plan_runs() -> None:
    """Plan the courier runs of the coming days; tell of those that did not depart, and move what they left behind."""
    carry_out(PLAN_RUNS, database())


@app.task(name=CHECK_DEADLINES)
def check_deadlines() -> None:
    """Tell of deadlines that are near or missed, and of results that nobody fetches."""
    carry_out(CHECK_DEADLINES, database())


@app.task(name=CHECK_CALENDAR)
def check_calendar() -> None:
    """Fill in the dates of this year and the next, and warn while the next is not confirmed."""
    carry_out(CHECK_CALENDAR, database())


@app.task(name=CHECK_OUTBOX)
def check_outbox() -> None:
    """Warn when messages stand still."""
    carry_out(CHECK_OUTBOX, database())


@app.task(name=CLEAR_SIGN_INS)
def clear_sign_ins() -> None:
    """Clear away sign-ins that have run out, and counters of failed ones that say nothing any more."""
    carry_out(CLEAR_SIGN_INS, database())
