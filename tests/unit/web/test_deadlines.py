"""Working time in words."""

from datetime import datetime

import pytest

from config.calendar import BY_SEED
from config.clock import ALMATY
from web.views.deadlines import STEPS, left
from web.words import WHY
from workers.verification.deadlines import TIMED
from workflow.timing import STEPS as TIMED_STEPS


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ALMATY)


@pytest.mark.parametrize(
    ("now", "due_at", "words"),
    [
        ("2026-11-23 09:20", "2026-11-23 10:00", "40 working minutes left"),
        ("2026-11-23 12:40", "2026-11-23 14:20", "40 working minutes left"),
        ("2026-11-20 17:40", "2026-11-23 09:20", "40 working minutes left"),
        ("2026-11-23 09:00", "2026-11-23 15:30", "5 h 30 min of working time left"),
        ("2026-11-23 17:00", "2026-11-26 18:00", "3 working days left"),
        ("2026-03-20 12:00", "2026-03-27 18:00", "2 working days left"),
        ("2026-11-23 10:05", "2026-11-23 10:00", "5 working minutes late"),
        ("2026-11-23 18:30", "2026-11-23 18:00", "0 working minutes late"),
        ("2026-11-24 10:00", "2026-11-23 17:30", "90 working minutes late"),
        ("2026-11-26 10:00", "2026-11-23 17:30", "3 working days late"),
    ],
)
def test_what_is_left_is_said_in_working_time(now: str, due_at: str, words: str) -> None:
    assert left(BY_SEED, "2001", due_at=at(due_at), now=at(now), language="en") == words


def test_every_step_that_is_timed_has_a_name() -> None:
    for alternatives in TIMED_STEPS.values():
        for codes in alternatives:
            assert set(codes) & set(STEPS)
    assert "'hand_over'" in TIMED
    assert all(text.render("kk") for text in [*STEPS.values(), *WHY.values()])
