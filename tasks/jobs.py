"""The jobs of the schedule: what is carried out when a moment of one has come. Each asks the database what is due.

The database tells them the time as well: a machine whose clock jumps warns nobody too early and plans no run twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog

from config.errors import UnavailableError
from config.settings import settings
from models.clock import database_time
from models.database import Database
from tasks.names import CHECK_CALENDAR, CHECK_DEADLINES, CHECK_OUTBOX, CLEAR_SIGN_INS, PLAN_RUNS
from tasks.schedule import EVERY
from workflow import calendar, deadlines, outbox, runs, tries, unclaimed
from workflow.planning import plan_runs as plan
from workflow.turns import finish_turn, give_turn_back, take_turn

CAUGHT_UP = "schedule.caught_up"
PLANNED = "runs.planned"
LEFT_BEHIND = "runs.left_behind"
RUN_LATE = "runs.late"
DEADLINES_TOLD = "deadlines.told"
UNCLAIMED = "results.unclaimed"
SEEDED = "calendar.seeded"
UNCONFIRMED = "calendar.unconfirmed"
OLD = "messages.old"
CLEARED = "sign_ins.cleared"

OLD_AFTER = 300
"""Seconds after which an unfinished message is worth a warning."""

log = structlog.get_logger(__name__)


def plan_runs(database: Database) -> None:
    """Plan the courier runs of the coming days; tell of those that did not depart, and move what they left behind."""
    planned = database.transact(lambda session: plan(session, now=database_time(session)))
    if planned:
        log.info(PLANNED, count=planned)
    late = database.transact(lambda session: runs.tell_late(session, now=database_time(session)))
    if late:
        log.warning(RUN_LATE, count=late)
    moved = database.transact(lambda session: runs.move_left_behind(session, now=database_time(session)))
    if moved:
        log.warning(LEFT_BEHIND, count=moved)


def check_deadlines(database: Database) -> None:
    """Tell of deadlines that are near or missed, and of results that nobody fetches; a long list part by part."""
    told = deadlines.AT_ONCE
    while told >= deadlines.AT_ONCE:
        told = database.transact(lambda session: deadlines.check(session, now=database_time(session)))
        if told:
            log.info(DEADLINES_TOLD, count=told)
    waiting = database.transact(lambda session: unclaimed.remind(session, now=database_time(session)))
    if waiting:
        log.info(UNCLAIMED, count=waiting)


def check_calendar(database: Database) -> None:
    """Fill in the dates of this year and the next, and warn while the next is not confirmed."""
    seeded = database.transact(lambda session: calendar.seed(session, now=database_time(session)))
    if seeded:
        log.info(SEEDED, years=seeded)
    unconfirmed = database.transact(lambda session: calendar.warn(session, now=database_time(session)))
    if unconfirmed:
        log.warning(UNCONFIRMED, year=unconfirmed)


def check_outbox(database: Database) -> None:
    """Warn when messages stand still."""
    with database.reading() as session:
        age = outbox.oldest_seconds(session)
        waiting = outbox.unfinished(session) if age > OLD_AFTER else {}
    if waiting:
        log.warning(OLD, oldest_seconds=round(age), **waiting)


def clear_sign_ins(database: Database) -> None:
    """Clear away sign-ins that have run out, and counters of failed ones that say nothing any more."""
    lasting = tries.Lasting(idle=settings().session_minutes, longest=settings().session_longest_minutes)
    cleared = database.transact(
        lambda session: tries.clear(session, now=database_time(session), lasting=lasting)
    )
    if cleared:
        log.info(CLEARED, count=cleared)


JOBS: Mapping[str, Callable[[Database], None]] = {
    PLAN_RUNS: plan_runs,
    CHECK_DEADLINES: check_deadlines,
    CHECK_CALENDAR: check_calendar,
    CHECK_OUTBOX: check_outbox,
    CLEAR_SIGN_INS: clear_sign_ins,
}
"""Task → its job."""


def carry_out(job: str, database: Database) -> bool:
    """Carry a job out if its present moment is not taken yet, and tell whether it was carried out now.

    A job that fails gives its moment back, for the next tick. Raises what the job raises.
    """
    turn = database.transact(lambda session: take_turn(session, job, every=int(EVERY[job])))
    if turn is None:
        return False
    if turn.missed:
        log.warning(CAUGHT_UP, job=job, missed=turn.missed)
    try:
        JOBS[job](database)
    except BaseException:
        # Where even this fails, the moment is free again after a while.
        with suppress(UnavailableError):
            database.transact(lambda session: give_turn_back(session, turn))
        raise
    database.transact(lambda session: finish_turn(session, turn))
    return True
