"""The schedule: however many tick, however late, each moment is carried out once."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from models import Job, Run
from models.database import Database
from tasks import jobs
from tasks.names import PLAN_RUNS, TICKS
from tasks.schedule import EVERY
from workflow.turns import Turn, finish_turn, give_turn_back, take_turn

DAY = 86_400
"""An interval so long that no test crosses into the next moment; midnight aside, which is seen."""


def take(database: Database, *, every: int = DAY) -> Turn | None:
    return database.transact(lambda session: take_turn(session, PLAN_RUNS, every=every))


def shift(database: Database, **values: object) -> None:
    with database.transaction() as session:
        session.execute(update(Job).values(values))


def test_every_tick_has_its_job() -> None:
    assert set(jobs.JOBS) == TICKS == set(EVERY)


def test_of_many_ticks_for_one_moment_one_does_the_work(database: Database) -> None:
    taken: list[Turn | None] = []
    start = threading.Barrier(6)

    def tick() -> None:
        start.wait()
        taken.append(take(database))

    threads = [threading.Thread(target=tick) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([turn for turn in taken if turn]) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 1


def test_a_moment_that_failed_goes_to_the_next_tick(database: Database) -> None:
    turn = take(database)
    assert turn is not None
    assert take(database) is None
    database.transact(lambda session: give_turn_back(session, turn))
    again = take(database)
    assert again is not None
    database.transact(lambda session: finish_turn(session, again))
    database.transact(lambda session: give_turn_back(session, again))
    assert take(database) is None, "what was done stays done"


def test_a_moment_whose_worker_died_is_free_again_after_a_while(database: Database) -> None:
    first = take(database)
    assert first is not None
    shift(database, taken_at=first.due - timedelta(days=2))
    second = take(database)
    assert second is not None
    assert second.id == first.id
    assert take(database) is None


def test_one_turn_makes_up_for_a_day_of_downtime(database: Database) -> None:
    turn = take(database, every=60)
    assert turn is not None
    shift(database, due=turn.due - timedelta(days=1))
    late = take(database, every=60)
    assert late is not None
    assert late.missed in {DAY // 60 - 1, DAY // 60}  # The minute may be over.


def test_a_clock_that_was_set_back_stops_nothing(database: Database) -> None:
    turn = take(database)
    assert turn is not None
    shift(database, due=turn.due + timedelta(days=1))
    assert take(database) is not None


def test_rows_of_past_moments_do_not_pile_up(database: Database) -> None:
    turn = take(database)
    assert turn is not None
    shift(database, due=turn.due - timedelta(days=30))
    assert take(database) is not None
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 1


def test_what_was_missed_is_caught_up_by_the_job(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs of the coming days are all there after one tick, however many were missed."""
    monkeypatch.setitem(EVERY, PLAN_RUNS, DAY)
    assert jobs.carry_out(PLAN_RUNS, database)
    assert not jobs.carry_out(PLAN_RUNS, database)
    with database.reading() as session:
        planned = session.scalar(select(func.count()).select_from(Run))
        [row] = session.scalars(select(Job))
    assert planned
    assert row.done_at is not None


def test_a_job_that_fails_is_tried_at_the_next_tick(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[bool] = []

    def fail_once(_database: Database) -> None:
        done.append(True)
        if len(done) == 1:
            raise RuntimeError("for the test")

    monkeypatch.setitem(jobs.JOBS, PLAN_RUNS, fail_once)
    monkeypatch.setitem(EVERY, PLAN_RUNS, DAY)
    with pytest.raises(RuntimeError):
        jobs.carry_out(PLAN_RUNS, database)
    assert jobs.carry_out(PLAN_RUNS, database)
    assert not jobs.carry_out(PLAN_RUNS, database)
