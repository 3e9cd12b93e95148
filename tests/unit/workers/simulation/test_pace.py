"""The pace of weeks: everything in working time, most of it within its limit, some of it late."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from config.calendar import BY_SEED
from config.clock import ALMATY
from config.settings import Settings
from workers.simulation.agenda import Agenda
from workers.simulation.order import Order, TooRecentError
from workers.simulation.pace import LATE, TOGETHER, Pace
from workers.simulation.papers import Paper
from workers.simulation.plan import Applicant, plan
from workflow.timing import Timing, route_of

FIRST = date(2026, 3, 16)
TIMING = Timing(BY_SEED, Settings())


def pace(seed: int = 1) -> Pace:
    return Pace(TIMING, random.Random(seed))


def paper(applicant: Applicant) -> Paper:
    return Paper(
        applicant=applicant,
        origin=applicant.office.code,
        department=applicant.office.code,
        out=applicant.out,
        back=applicant.back,
        rounds=0,
    )


APPLICANTS = plan(packets=700, days=28, seed=1, weeks=True)


def test_applicants_come_while_the_office_is_open() -> None:
    keeping = pace()
    days = set()
    for applicant in APPLICANTS:
        comes = keeping.visit(applicant, first=FIRST, days=28)
        assert TIMING.hours(applicant.office.code).is_open(comes)
        days.add(comes.astimezone(ALMATY).date())
    assert min(days) == FIRST
    assert max(days) < FIRST + timedelta(days=28)
    # Nauryz: nobody works from the 21st to the 24th.
    assert not days & {date(2026, 3, day) for day in (21, 22, 23, 24)}


def test_an_office_that_is_closed_all_those_days_is_visited_on_the_first_day_on_which_it_is_open() -> None:
    (applicant,) = plan(packets=1, days=1, seed=1, channels=["department"])
    comes = pace().visit(applicant, first=date(2026, 3, 21), days=3)
    assert comes.astimezone(ALMATY).date() == date(2026, 3, 26)


@pytest.mark.parametrize("step", ["accept", "register", "pass_to_head", "resolve", "prepare", "sign", "send"])
def test_most_steps_are_done_within_their_limit_and_all_of_them_at_work(step: str) -> None:
    keeping, late, timed = pace(), 0, 0
    now = datetime(2026, 3, 19, 11, 30, tzinfo=UTC)
    for applicant in APPLICANTS:
        here = applicant.office.code
        hours = TIMING.hours(here)
        done = keeping.moment(paper(applicant), step, here=here, now=now)
        assert done > now
        assert any(begin <= done <= end for begin, end in hours.intervals(done.astimezone(ALMATY).date()))
        route = route_of(applicant.service, applicant.office.kind)
        assert route is not None
        held = [route.step(code) for code in TOGETHER.get(step, (step,))]
        limits = [one.limit.as_json() for one in held if one is not None and one.limit is not None]
        if limits:
            timed += 1
            late += done > TIMING.due(limits, now, office=here)
    assert timed
    assert 0 < late / timed < 3 * LATE


def test_what_happens_happens_in_the_order_of_its_moments() -> None:
    agenda, happened = Agenda(), []
    begin = datetime(2026, 3, 16, tzinfo=UTC)
    for name, minutes in (("third", 5), ("first", 0), ("second", 0)):
        agenda.enter(begin + timedelta(minutes=minutes), lambda name=name: happened.append(name))  # type: ignore[misc]
    while (ahead := agenda.take()) is not None:
        ahead[1]()
    assert happened == ["first", "second", "third"]


def test_weeks_lie_behind_us_with_all_that_follows_them() -> None:
    order = Order(packets=1, days=28, seed=1, first=FIRST)
    assert order.applicants(today=date(2026, 6, 27))
    with pytest.raises(TooRecentError, match="Begin on 2026-03-15 or before"):
        order.applicants(today=date(2026, 6, 26))
    assert [day.day for day in order.days_off(TIMING)] == [23, 24, 25]
