"""Deadlines on real databases: clocks that open and close with the moves, and who is told of them when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from config.clock import ALMATY, utc_now
from config.errors import ShabarmanError
from config.offices import centre_of, department_of
from config.public_days import DayKind
from models import Deadline, Message, Packet, Staff
from models.database import Database
from models.deadline import Ending
from models.office import OfficeKind
from models.packet import Outcome
from models.scan import Station
from tasks import jobs
from tasks.names import CHECK_DEADLINES
from tests.integration.workflow.crew import Crew
from workflow import calendar, collecting, deadlines, deciding, undoing
from workflow.people import actor


@pytest.fixture
def crew(database: Database) -> Crew:
    return Crew.of(database)


def at(text: str) -> datetime:
    """Return a moment of Almaty, written as people write it."""
    return datetime.fromisoformat(text).replace(tzinfo=ALMATY).astimezone(UTC)


def clocks(crew: Crew, number: str) -> list[Deadline]:
    with crew.database.reading() as session:
        return list(
            session.scalars(
                select(Deadline)
                .join(Packet, Packet.id == Deadline.packet_id)
                .where(Packet.number == number)
                .order_by(Deadline.id)
            )
        )


def told(crew: Crew, *types: str) -> list[tuple[str, str, str | None]]:
    """Return (type, office, role) of all messages of these types, in order."""
    wanted = types or ("deadline.near", "deadline.missed")
    with crew.database.reading() as session:
        rows = session.execute(
            select(Message.type, Message.body).where(Message.type.in_(wanted)).order_by(Message.id)
        )
        return [(row.type, row.body["data"]["to"], row.body["data"].get("role")) for row in rows]


def sweep(crew: Crew, moment: datetime) -> int:
    crew.now = moment
    return crew.database.transact(lambda session: deadlines.check(session, now=moment))


def hire_operator(crew: Crew) -> None:
    with crew.database.transaction() as session:
        session.add(
            Staff(login="operator", name="Operator", office="2001", roles=["operator"], created_at=crew.now)
        )
    with crew.database.reading() as session:
        crew.people["operator"] = actor(session, login="operator")


def test_every_step_of_the_centre_route_has_its_clock(crew: Crew) -> None:
    number = crew.accept()
    out = crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, out, number)
    crew.close(out)
    crew.decide(number)
    crew.send(number, who="registrar.alakol")
    crew.scan("accumulator.aksu", Station.RECEIVE, number)
    crew.scan("inspector.aksu", Station.HAND_OVER, number)
    found = clocks(crew, number)
    assert [clock.step for clock in found] == [
        "accept", "collect", "carry", "register", "pass_to_head", "resolve", "prepare", "sign", "send",
        "carry_result", "hand_over",
    ]  # fmt: skip
    assert all(clock.ending is Ending.DONE and clock.late_minutes is None for clock in found)
    # Each one begins where the one before it ended.
    assert [clock.opened_at for clock in found[1:]] == [clock.closed_at for clock in found[:-1]]
    by_step = {clock.step: clock for clock in found}
    assert by_step["collect"].due_at == at("2026-11-23 10:00")
    assert by_step["carry"].due_at == at("2026-11-23 12:00")
    assert by_step["register"].due_at - by_step["register"].opened_at == timedelta(minutes=30)
    # An hour for the examination, then one working day for the notice.
    assert by_step["prepare"].due_at == at("2026-11-24 18:00")
    assert by_step["send"].due_at - by_step["send"].opened_at == timedelta(minutes=30)
    assert by_step["hand_over"].due_at == at("2026-11-23 20:00")


def test_the_promise_is_the_sum_of_the_steps_and_the_runs(crew: Crew) -> None:
    number = crew.accept()
    # 10:00 run, there at 12:00; 30 + 15 + 60 + 60 minutes to 16:45 with the break; a working day to Tuesday 18:00;
    # signed by 10:00 on Wednesday, sent by 10:30, 15:00 run, there at 17:00, handed over by 20:00.
    assert crew.packet(number).promised_at == at("2026-11-25 20:00")
    late = crew.accept()
    assert crew.packet(late).promised_at == at("2026-11-25 20:00")
    crew.now = at("2026-11-23 09:50")
    # After the cut-off of the first run: 15:00 run, there at 17:00, the rest a day later.
    assert crew.packet(crew.accept()).promised_at == at("2026-11-26 20:00")


def test_a_late_step_says_by_how_much_and_is_explained_by_who_was_late(crew: Crew) -> None:
    number = crew.accept()
    crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, number)
    crew.now = at("2026-11-23 14:29")
    crew.scan("registrar.alakol", Station.REGISTER, number)
    late = next(clock for clock in clocks(crew, number) if clock.step == "register")
    # Until 9:37; the break from 13 to 14 does not count.
    assert late.opened_at == at("2026-11-23 09:07")
    assert late.late_minutes == (14 * 60 + 30) - (9 * 60 + 37) - 60

    def explain(who: str, reason: str) -> str:
        by = crew.people[who]
        return crew.do(lambda s: deadlines.explain(s, number, reason=reason, by=by, now=crew.now))

    with pytest.raises(deciding.ReasonMissingError):
        explain("registrar.alakol", "  ")
    with pytest.raises(deadlines.NotYourDelayError):
        explain("head.alakol", "not mine")
    assert explain("registrar.alakol", "The power was cut.") == "register"
    with pytest.raises(deadlines.NotLateError):
        explain("registrar.alakol", "again")
    kept = next(clock for clock in clocks(crew, number) if clock.step == "register")
    assert (kept.reason, kept.reason_by) == ("The power was cut.", crew.people["registrar.alakol"].id)


def test_thresholds_are_told_once_each_to_the_holder_then_the_head_then_the_operator(crew: Crew) -> None:
    hire_operator(crew)
    number = crew.accept()
    crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, number)
    office = department_of("alakol").code
    # Received at 9:07, thirty minutes.
    assert sweep(crew, at("2026-11-23 09:29")) == 0
    assert sweep(crew, at("2026-11-23 09:30")) == 1
    assert told(crew) == [("deadline.near", office, "registrar")]
    assert sweep(crew, at("2026-11-23 09:31")) == 0
    sweep(crew, at("2026-11-23 09:37"))
    sweep(crew, at("2026-11-23 09:38"))
    assert told(crew)[1:] == [("deadline.missed", office, "registrar")]
    sweep(crew, at("2026-11-23 10:37"))
    assert told(crew)[2:] == [("deadline.missed", office, "head")]
    # 480 working minutes after 9:37 are 9:37 of the next day.
    sweep(crew, at("2026-11-24 09:36"))
    assert len(told(crew)) == 3
    sweep(crew, at("2026-11-24 09:37"))
    assert told(crew)[3:] == [("deadline.missed", "2001", "operator")]
    for minutes in range(5):
        assert sweep(crew, at("2026-11-24 12:00") + timedelta(minutes=minutes)) == 0
    assert len(told(crew)) == 4


def test_operators_hear_what_the_head_of_a_centre_would_hear_where_it_has_none(crew: Crew) -> None:
    hire_operator(crew)
    crew.accept()
    # To be on a manifest for the run at ten; the head an hour later, operators a day of eight hours later.
    sweep(crew, at("2026-11-23 10:00"))
    assert told(crew) == [("deadline.missed", "1001", "inspector")]
    sweep(crew, at("2026-11-23 11:00"))
    assert told(crew)[1:] == [("deadline.missed", "2001", "operator")]
    with crew.database.transaction() as session:
        session.add(
            Staff(login="head.centre", name="Head", office="1001", roles=["head"], created_at=crew.now)
        )
    crew.now = at("2026-11-23 11:01")
    crew.accept()
    sweep(crew, at("2026-11-23 16:00"))
    assert told(crew)[-1] == ("deadline.missed", "1001", "head")


def test_nobody_is_told_outside_working_hours_even_when_the_sweep_was_down(crew: Crew) -> None:
    crew.now = at("2026-11-20 17:40")  # Friday; the department closes at 18:00
    number = crew.accept(by="registrar.alakol", service="sanatorium")
    crew.scan("registrar.alakol", Station.PASS, number)
    # 30 minutes for the head: 18 on Friday, 12 on Monday.
    for moment in ("2026-11-20 18:10", "2026-11-21 12:00", "2026-11-22 12:00", "2026-11-23 08:59"):
        assert sweep(crew, at(moment)) == 0
    assert told(crew) == []
    # The sweep was down all Monday morning: near is passed over, missed is told at once.
    sweep(crew, at("2026-11-23 13:30"))
    assert told(crew) == []
    sweep(crew, at("2026-11-23 14:00"))
    assert told(crew) == [("deadline.missed", department_of("alakol").code, "head")]


def test_many_at_once_become_one_message(crew: Crew) -> None:
    numbers = [crew.accept() for _ in range(8)]
    crew.send(*numbers)
    crew.scan("registrar.alakol", Station.RECEIVE, *numbers)
    sweep(crew, at("2026-11-23 09:50"))
    sweep(crew, at("2026-11-23 11:00"))
    with crew.database.reading() as session:
        found = session.scalars(select(Message).where(Message.type == "deadline.missed")).all()
    assert [message.body["data"]["count"] for message in found] == [8, 8]
    assert found[0].body["data"]["numbers"] == sorted(numbers)


def test_two_sweeps_tell_no_more_than_one(crew: Crew) -> None:
    number = crew.accept()
    crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, number)
    moment = at("2026-11-23 09:40")
    with crew.database.transaction() as one:
        assert deadlines.check(one, now=moment) == 1
    with crew.database.transaction() as other:
        assert deadlines.check(other, now=moment) == 0
    assert len(told(crew)) == 1


def test_a_clock_that_jumps_back_makes_nothing_earlier(crew: Crew) -> None:
    number = crew.accept()
    before = clocks(crew, number)[-1]
    crew.now -= timedelta(hours=2)
    crew.collect(number)
    after = clocks(crew, number)
    assert after[1].closed_at == before.opened_at
    assert after[2].opened_at == before.opened_at


def test_a_machine_whose_clock_jumps_ahead_tells_nobody_too_early(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew.now = utc_now()
    crew.accept()
    crew.accept(by="registrar.alakol", service="sanatorium")
    with crew.database.reading() as session:
        before = {clock.id: (clock.told, clock.next_at) for clock in session.scalars(select(Deadline))}
    tomorrow = utc_now() + timedelta(days=7)
    for module in ("config.clock", "tasks.jobs", "workflow.turns", "workflow.deadlines"):
        monkeypatch.setattr(f"{module}.utc_now", lambda: tomorrow, raising=False)
    assert jobs.carry_out(CHECK_DEADLINES, crew.database)
    with crew.database.reading() as session:
        after = {clock.id: (clock.told, clock.next_at) for clock in session.scalars(select(Deadline))}
    assert (told(crew), after) == ([], before)


def test_a_sweep_that_was_down_for_a_day_tells_all_that_is_missed_once(crew: Crew) -> None:
    hire_operator(crew)
    number = crew.accept()
    crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, number)
    # Due at 9:37 on Monday; nobody swept until Tuesday, when the day after that is over too.
    assert sweep(crew, at("2026-11-24 09:45")) == 1
    office = department_of("alakol").code
    assert told(crew) == [
        ("deadline.missed", office, "registrar"),
        ("deadline.missed", office, "head"),
        ("deadline.missed", "2001", "operator"),
    ]
    assert sweep(crew, at("2026-11-24 09:46")) == 0
    assert sweep(crew, at("2026-11-26 12:00")) == 0


@pytest.mark.parametrize(
    ("service", "step", "due"),
    [
        ("sanatorium", "accept", "2026-11-23 09:16"),
        ("employment", "accept", "2026-11-23 09:06"),
        ("aid_certificate", "accept", "2026-11-23 09:03"),
        ("child_allowance", "accept", "2026-11-23 09:16"),
    ],
)
def test_the_direct_route_begins_with_acceptance(crew: Crew, service: str, step: str, due: str) -> None:
    (clock,) = clocks(crew, crew.accept(by="registrar.alakol", service=service))
    assert (clock.step, clock.due_at) == (step, at(due))


def through_the_head(crew: Crew, number: str) -> None:
    crew.scan("registrar.alakol", Station.PASS, number)
    head, executor = crew.people["head.alakol"], crew.people["executor.alakol"]
    crew.do(lambda s: deciding.resolve(s, [number], executor=executor.login, by=head, now=crew.now))


def send_back(crew: Crew, number: str, *, drafted: str, sent_back: str) -> Deadline:
    head, executor = crew.people["head.alakol"], crew.people["executor.alakol"]
    crew.now = at(drafted)
    crew.do(lambda s: deciding.draft(s, number, outcome=Outcome.ASSIGNED, by=executor, now=at(drafted)))
    crew.now = at(sent_back)
    crew.do(lambda s: deciding.send_back(s, number, reason="a page", by=head, now=at(sent_back)))
    return clocks(crew, number)[-1]


def test_sending_back_stops_the_clock_where_the_text_is_silent(crew: Crew) -> None:
    number = crew.accept(by="registrar.alakol", service="child_allowance")
    through_the_head(crew, number)
    prepare = clocks(crew, number)[-1]
    # Three working days for the examination, three for the notice.
    assert prepare.due_at == at("2026-12-01 18:00")
    again = send_back(crew, number, drafted="2026-12-01 17:00", sent_back="2026-12-02 09:30")
    # An hour was left.
    assert (again.step, again.round, again.due_at) == ("prepare", 2, at("2026-12-02 10:30"))


def test_sending_back_restarts_where_completion_has_its_own_limit(crew: Crew) -> None:
    number = crew.accept()
    crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, number)
    crew.scan("registrar.alakol", Station.REGISTER, number)
    through_the_head(crew, number)
    again = send_back(crew, number, drafted="2026-11-24 10:00", sent_back="2026-11-24 10:30")
    # Annex 7, table 2, step 9: 15 minutes.
    assert (again.step, again.due_at) == ("complete", at("2026-11-24 10:45"))


def test_sending_back_runs_on_where_the_data_says_so(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from importlib.resources import files  # noqa: PLC0415

    from config import services  # noqa: PLC0415

    (tmp_path / "services").mkdir()
    text = (
        files("config.regulation").joinpath("services", "7-child-allowance.toml").read_text(encoding="utf-8")
    )
    (tmp_path / "services" / "7-child-allowance.toml").write_text(
        text.replace('sent_back = "stops"', 'sent_back = "runs_on"'), encoding="utf-8"
    )
    monkeypatch.setenv("SHABARMAN_REGULATION", str(tmp_path))
    services._services.cache_clear()
    try:
        number = crew.accept(by="registrar.alakol", service="child_allowance")
        through_the_head(crew, number)
        again = send_back(crew, number, drafted="2026-12-01 17:00", sent_back="2026-12-02 09:30")
    finally:
        services._services.cache_clear()
    # The time is over already: late from the first minute.
    assert again.due_at == at("2026-12-01 18:00")


def test_what_is_taken_back_goes_on_as_if_it_had_never_stopped(crew: Crew) -> None:
    number = crew.accept()
    manifest = crew.collect(number)
    accumulator = crew.people["accumulator.aksu"]
    crew.do(lambda s: collecting.take_out(s, number, reason="a page", by=accumulator, now=crew.now))
    found = clocks(crew, number)
    assert [(clock.step, clock.ending) for clock in found] == [
        ("accept", Ending.DONE),
        ("collect", None),
        ("carry", Ending.UNDONE),
    ]
    assert found[1].changes[-1]["why"] == "take_out"
    assert crew.collect(number) == manifest
    crew.do(lambda s: undoing.undo(s, number, by=accumulator, now=crew.now))
    assert [clock.step for clock in clocks(crew, number) if clock.closed_at is None] == ["collect"]


def test_a_holiday_declared_today_moves_open_deadlines_later_and_says_why(crew: Crew) -> None:
    number = crew.accept(by="registrar.alakol", service="child_allowance")
    through_the_head(crew, number)
    before = clocks(crew, number)[-1]
    assert before.due_at == at("2026-12-01 18:00")

    def correct(kind: DayKind, day: date) -> int:
        return crew.do(
            lambda s: calendar.set_days(
                s, [day], kind=kind, kinds=list(OfficeKind), source="Decree 1", by="op", now=crew.now
            )
        )

    assert correct(DayKind.HOLIDAY, date(2026, 11, 23)) == 0  # The clock begins on the day after anyway.
    assert correct(DayKind.HOLIDAY, date(2026, 11, 25)) == 1
    after = clocks(crew, number)[-1]
    assert after.due_at == at("2026-12-02 18:00")
    assert (after.changes[-1]["why"], after.changes[-1]["source"]) == ("holiday", "Decree 1")
    # A Saturday that is worked makes nothing earlier than promised.
    assert correct(DayKind.WORKING, date(2026, 11, 28)) == 0
    assert clocks(crew, number)[-1].due_at == at("2026-12-02 18:00")
    # The promise on the receipt stays what was printed.
    assert crew.packet(number).promised_at is not None
    # New clocks count by the corrected calendar at once.
    other = crew.accept(by="registrar.alakol", service="child_allowance")
    through_the_head(crew, other)
    assert clocks(crew, other)[-1].due_at == at("2026-12-01 18:00")


def test_what_opened_while_somebody_corrected_is_moved_by_the_next_sweep(crew: Crew) -> None:
    number = crew.accept(by="registrar.alakol", service="child_allowance")
    through_the_head(crew, number)
    with crew.database.transaction() as session:
        calendar.set_days(
            session,
            [date(2026, 11, 25)],
            kind=DayKind.CLOSED,
            codes=["2002"],
            source="Order 5",
            by="op",
            now=crew.now,
        )
        # As a transaction leaves it that had read the old calendar.
        session.execute(Deadline.__table__.update().values(due_at=at("2026-12-01 18:00")))  # type: ignore[attr-defined]
    sweep(crew, crew.now + timedelta(minutes=1))
    assert clocks(crew, number)[-1].due_at == at("2026-12-02 18:00")


def test_packets_from_before_get_their_clocks(crew: Crew) -> None:
    number = crew.accept()
    done = crew.accept()
    with crew.database.transaction() as session:
        # Clocks never go but into an archive; here there were none yet.
        unguard = {
            "sqlite": "DROP TRIGGER deadlines_stay_unless_archived",
            "postgresql": "SET LOCAL session_replication_role = replica",
        }
        session.execute(text(unguard[crew.database.dialect]))
        session.execute(Deadline.__table__.delete())  # type: ignore[attr-defined]
    assert crew.do(lambda s: deadlines.adopt(s, now=crew.now)) == 2
    assert crew.do(lambda s: deadlines.adopt(s, now=crew.now)) == 0
    assert [clock.step for clock in clocks(crew, number)] == ["collect"]
    crew.collect(done)
    assert [clock.step for clock in clocks(crew, done)] == ["collect", "carry"]


def test_the_year_is_seeded_once_and_every_office_keeps_its_week(crew: Crew) -> None:
    assert crew.do(lambda s: calendar.seed(s, now=crew.now)) == [2026, 2027]
    assert crew.do(lambda s: calendar.seed(s, now=crew.now)) == []
    with crew.database.reading() as session:
        found = calendar.listed(session, 2026, code=centre_of("aksu").code)
        from workflow.hours import calendar as held  # noqa: PLC0415

        dates = held(session)
    assert date(2026, 3, 25) not in {row.day for row in found}
    assert not dates.of("1001").works_on(date(2026, 3, 24))
    assert dates.of("1001").works_on(date(2026, 3, 25))
    assert not dates.of("2001").works_on(date(2026, 3, 25))
    assert any(row.estimated for row in found)


def test_corrections_need_a_source_and_hours_that_fit(crew: Crew) -> None:
    def correct(**changes: Any) -> str:
        wanted: dict[str, Any] = {"kind": DayKind.CLOSED, "codes": ["2002"], "source": "Order 5"} | changes
        with pytest.raises(ShabarmanError) as refused:
            crew.do(lambda s: calendar.set_days(s, [date(2026, 12, 1)], by="op", now=crew.now, **wanted))
        return refused.value.code

    assert correct(source=" ") == "no_source"
    assert correct(kind=DayKind.HOURS) == "hours"
    assert correct(kind=DayKind.HOURS, hours=["13:00-09:00"]) == "hours"
    assert correct(hours=["09:00-13:00"]) == "hours"
    assert correct(codes=["9999"]) == "unknown_office"
    with pytest.raises(calendar.UnseededError):
        crew.do(lambda s: calendar.confirm(s, 2031, source="Decree", by="op", now=crew.now))


def test_operators_are_warned_from_december_until_the_next_year_is_confirmed(crew: Crew) -> None:
    hire_operator(crew)
    crew.do(lambda s: calendar.seed(s, now=crew.now))

    def warn(moment: str) -> int | None:
        return crew.database.transact(lambda s: calendar.warn(s, now=at(moment)))

    assert warn("2026-11-30 12:00") is None
    assert warn("2026-12-01 08:00") is None  # nobody is there yet
    assert warn("2026-12-01 09:00") == 2027
    assert warn("2026-12-01 12:00") is None
    assert warn("2026-12-02 12:00") == 2027
    crew.do(lambda s: calendar.confirm(s, 2027, source="Decree 9", by="op", now=crew.now))
    assert warn("2026-12-03 12:00") is None
    assert told(crew, "calendar.unconfirmed") == [("calendar.unconfirmed", "2001", "operator")] * 2
