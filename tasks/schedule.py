"""When beat ticks: short intervals only, never a time of day. Rows of the database decide who carries out what."""

from __future__ import annotations

from typing import Any

from routing.queues import UPKEEP
from tasks.names import CHECK_CALENDAR, CHECK_DEADLINES, CHECK_OUTBOX, CLEAR_SIGN_INS, PLAN_RUNS

EVERY = {
    PLAN_RUNS: 60.0,
    CHECK_OUTBOX: 60.0,
    CHECK_DEADLINES: 60.0,
    CHECK_CALENDAR: 60.0,
    CLEAR_SIGN_INS: 600.0,
}
"""Task → seconds between two of its moments, and between two ticks."""


KEPT_SECONDS = 86_400
"""After this time a tick that nobody took is dropped. Worker and beat each go by the clock of their own machine: with a
minute, all ticks of a beat that is two minutes behind would be old ones, and nothing would be done. A tick that comes
late does no harm."""


def beat_schedule() -> dict[str, dict[str, Any]]:
    """Return Celery's schedule."""
    return {
        task: {"task": task, "schedule": seconds, "options": {"queue": UPKEEP, "expires": KEPT_SECONDS}}
        for task, seconds in EVERY.items()
    }
