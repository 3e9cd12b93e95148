"""Runs on real databases: planned by the calendar, told when they are late, and what they leave behind."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select

import config.calendar
from config.calendar import BY_SEED
from config.clock import ALMATY
from config.offices import districts
from config.public_days import DayKind
from config.settings import Settings
from models import Deadline, Manifest, Packet, Run, Staff
from models.database import Database
from models.office import OfficeKind
from models.scan import Station
from routing.timetable import NoRunError, departures
from tests.integration.workflow.crew import Crew
from tests.integration.workflow.test_deadlines import at, told
from workflow import calendar, runs
from workflow.planning import plan_runs


@pytest.fixture
def crew(database: Database) -> Crew:
    return Crew.of(database)


def left_behind(crew: Crew, manifest: str) -> tuple[datetime, list[str]]:
    """Return the departure that the manifest waits for, and why it was left behind so far."""
    with crew.database.reading() as session:
        row = session.execute(
            select(Manifest, Run).join(Run, Run.id == Manifest.run_id).where(Manifest.number == manifest)
        ).one()
        return row.Run.departs_at, [left["why"] for left in row.Manifest.left_behind]


def move(crew: Crew, moment: str) -> int:
    return crew.database.transact(lambda s: runs.move_left_behind(s, now=at(moment)))


def tell(crew: Crew, moment: str) -> int:
    return crew.database.transact(lambda s: runs.tell_late(s, now=at(moment)))


def plan(crew: Crew, moment: str) -> int:
    return crew.database.transact(lambda s: plan_runs(s, now=at(moment)))


def planned(crew: Crew, *, centre: str = "1001") -> list[tuple[str, str | None]]:
    with crew.database.reading() as session:
        rows = session.execute(
            select(Run.departs_at, Run.cancelled).where(Run.centre == centre).order_by(Run.departs_at)
        )
        return [(f"{row.departs_at.astimezone(ALMATY):%d.%m %H:%M}", row.cancelled) for row in rows]


def test_two_runs_a_day_and_none_on_days_off(crew: Crew) -> None:
    assert plan(crew, "2026-03-19 12:00") == 4 * len(districts())
    # Thursday afternoon and Friday; then Saturday, Sunday and the days of Nauryz.
    assert [day for day, _ in planned(crew)] == ["19.03 15:00", "20.03 10:00", "20.03 15:00", "26.03 10:00"]
    assert plan(crew, "2026-03-19 12:01") == 0
    # Late by a day: nothing is planned for what is over.
    assert plan(crew, "2026-03-20 11:00") == 2 * len(districts())
    assert planned(crew)[-2:] == [("26.03 15:00", None), ("27.03 10:00", None)]


def test_a_holiday_declared_today_cancels_runs_and_takes_them_up_again(crew: Crew) -> None:
    crew.now = at("2026-11-23 11:00")
    plan(crew, "2026-11-23 11:00")
    manifest = crew.collect(crew.accept())
    crew.seal(manifest)

    def correct(kind: DayKind) -> None:
        crew.do(
            lambda s: calendar.set_days(
                s,
                [date(2026, 11, 23)],
                kind=kind,
                kinds=list(OfficeKind),
                source="Decree 1",
                by="op",
                now=crew.now,
            )
        )

    correct(DayKind.HOLIDAY)
    plan(crew, "2026-11-23 11:10")
    assert planned(crew)[0] == ("23.11 15:00", "holiday")
    assert move(crew, "2026-11-23 11:11") == 1
    assert left_behind(crew, manifest) == (at("2026-11-24 10:00"), ["holiday"])
    correct(DayKind.ORDINARY)
    plan(crew, "2026-11-23 11:20")
    assert planned(crew)[0] == ("23.11 15:00", None)


def test_after_the_cut_off_a_packet_goes_with_the_next_run(crew: Crew) -> None:
    crew.now = at("2026-11-23 09:40")
    first = crew.collect(crew.accept())
    assert left_behind(crew, first)[0] == at("2026-11-23 10:00")
    crew.seal(first)
    crew.now = at("2026-11-23 09:45")
    second = crew.collect(crew.accept())
    assert left_behind(crew, second)[0] == at("2026-11-23 15:00")


def test_what_is_left_behind_goes_on_the_next_run_and_says_why(crew: Crew) -> None:
    first, second, third = (
        crew.accept(), crew.accept(residence="2001"), crew.accept(residence="2002"),
    )  # fmt: skip
    taken = crew.collect(first)
    crew.seal(taken)
    sealed = crew.collect(second)
    crew.seal(sealed)
    crew.now = at("2026-11-23 09:40")
    still_open = crew.collect(third)
    # The open one is a second bag to the same office: it has a run of its own.
    assert left_behind(crew, still_open)[0] == at("2026-11-23 15:00")
    crew.now = at("2026-11-23 09:59")
    crew.scan("courier.aksu", Station.DEPART, taken)
    assert move(crew, "2026-11-23 10:05") == 0  # the courier is still scanning
    assert move(crew, "2026-11-23 10:15") == 1
    assert move(crew, "2026-11-23 10:16") == 0
    assert left_behind(crew, sealed) == (at("2026-11-23 15:00"), ["not_taken"])
    assert left_behind(crew, taken) == (at("2026-11-23 10:00"), [])
    with crew.database.reading() as session:
        clock = session.scalars(
            select(Deadline)
            .join(Packet, Packet.id == Deadline.packet_id)
            .where(Packet.number == second, Deadline.closed_at.is_(None))
        ).one()
    # The clock says why, and is not made longer by it.
    assert clock.changes[-1]["why"] == "not_taken"
    assert clock.due_at == at("2026-11-23 12:00")


def test_an_open_bag_is_left_behind_as_not_sealed(crew: Crew) -> None:
    taken, still_open = crew.collect(crew.accept()), crew.collect(crew.accept(residence="2001"))
    crew.seal(taken)
    crew.scan("courier.aksu", Station.DEPART, taken)
    assert move(crew, "2026-11-23 10:20") == 1
    assert left_behind(crew, still_open) == (at("2026-11-23 15:00"), ["not_sealed"])


def test_a_run_that_did_not_depart_is_told_to_operators_once_and_in_their_hours(crew: Crew) -> None:
    with crew.database.transaction() as session:
        session.add(
            Staff(login="operator", name="Operator", office="2001", roles=["operator"], created_at=crew.now)
        )
    plan(crew, "2026-11-23 09:00")
    manifest = crew.collect(crew.accept())
    crew.seal(manifest)
    assert tell(crew, "2026-11-23 10:14") == 0
    assert tell(crew, "2026-11-23 13:30") == 0  # the operator's break
    assert tell(crew, "2026-11-23 14:00") == 1
    assert tell(crew, "2026-11-23 14:01") == 0
    assert told(crew, "run.late") == [("run.late", "2001", "operator")]
    # Its bags wait for a courier who is late, until the next run is about to leave.
    assert move(crew, "2026-11-23 14:44") == 0
    assert move(crew, "2026-11-23 14:45") == 1
    assert left_behind(crew, manifest) == (at("2026-11-24 10:00"), ["run_did_not_depart"])


def test_a_run_for_which_there_is_nothing_to_carry_is_never_late(crew: Crew) -> None:
    plan(crew, "2026-11-23 09:00")
    assert tell(crew, "2026-11-23 17:00") == 0
    # What is accepted and decided at the department itself does not travel.
    number = crew.accept(by="registrar.alakol", service="sanatorium")
    crew.now = at("2026-11-23 09:55")
    crew.accept()  # after the cut-off of the first run, and in a bag before the second
    assert tell(crew, "2026-11-23 12:00") == 0
    assert crew.packet(number).origin == crew.packet(number).department


def test_a_run_is_late_when_papers_wait_for_it_that_nobody_put_into_a_bag(crew: Crew) -> None:
    plan(crew, "2026-11-23 09:00")
    crew.accept()
    assert tell(crew, "2026-11-23 10:14") == 0
    assert tell(crew, "2026-11-23 10:15") == 1
    assert tell(crew, "2026-11-23 10:16") == 0
    assert told(crew, "run.late") == []  # nobody operates this house
    # They still wait when the next run is due, and at the centre of the neighbours nothing does.
    assert tell(crew, "2026-11-23 15:15") == 1
    with crew.database.reading() as session:
        late = session.scalars(select(Run).where(Run.late_told_at.is_not(None)).order_by(Run.id)).all()
    assert [(run.centre, run.departs_at) for run in late] == [
        ("1001", at("2026-11-23 10:00")),
        ("1001", at("2026-11-23 15:00")),
    ]


def test_a_signed_result_waits_for_a_run_once_the_office_had_its_time_to_send_it(crew: Crew) -> None:
    plan(crew, "2026-11-23 09:00")
    number = crew.accept()
    out = crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, out, number)
    crew.now = at("2026-11-23 14:10")
    crew.decide(number)
    assert crew.packet(number).state_since < at("2026-11-23 14:45") - timedelta(minutes=15)
    # Signed at a quarter past two, thirty minutes to send it: it may still miss the run at three.
    assert tell(crew, "2026-11-23 15:30") == 0
    assert tell(crew, "2026-11-24 10:15") == 1


def test_centres_may_have_times_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHABARMAN_CENTRE_RUN_TIMES", "1001=14:00,09:30; 1002=11:00")
    own = Settings()
    assert own.run_times_of("1001") == (time(9, 30), time(14, 0))
    assert own.run_times_of("1002") == (time(11, 0),)
    assert own.run_times_of("1003") == (time(10, 0), time(15, 0))
    monkeypatch.setattr(config.calendar, "settings", lambda: own)
    found = departures(at("2026-11-20 12:00"), centre="1002", dates=BY_SEED)
    # Friday's run is over; on Saturday the centre works and the department does not.
    assert next(iter(found)) == at("2026-11-23 11:00")


def test_times_at_which_the_centre_is_closed_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHABARMAN_RUN_TIMES", "21:00")
    own = Settings()
    monkeypatch.setattr(config.calendar, "settings", lambda: own)
    with pytest.raises(NoRunError):
        next(iter(departures(at("2026-11-20 12:00"), centre="1002", dates=BY_SEED)))


def test_planning_on_two_machines_plans_once(crew: Crew) -> None:
    for _ in range(2):
        plan(crew, "2026-11-23 09:00")
    with crew.database.reading() as session:
        doubled = session.execute(
            select(Run.centre).group_by(Run.centre, Run.departs_at).having(func.count() > 1)
        ).all()
        assert doubled == []
        assert session.scalar(select(func.count(Run.id))) == 10 * len(districts())
