"""The clocks without a database: every limit of the regulation, and what moves do to a clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.calendar import BY_SEED, Calendar, SpecialDay
from config.clock import ALMATY
from config.public_days import DayKind
from config.services import services
from config.settings import Settings
from models.deadline import Ending
from models.packet import FINAL, State
from models.staff import Role
from workflow.moves import MOVES, Move
from workflow.promise import promised
from workflow.timing import Clock, Entered, Timing, steps_of

TIMING = Timing(BY_SEED, Settings())
OFFICES = {"centre": "1001", "department": "2001", "akimat": "3101"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ALMATY).astimezone(UTC)


MONDAY = at("2026-11-23 09:00")


def entered(
    state: State,
    *,
    service: str = "child_allowance",
    channel: str = "centre",
    move: Move = Move.RECEIVE,
    seq: int = 1,
    round_: int = 1,
    when: datetime = MONDAY,
    office: str | None = "",
    unclaimed: bool = False,
) -> Entered:
    """Return a packet of Ақсу in `state`, at the office where the state usually is."""
    origin = OFFICES[channel]
    decided_here = (service, channel) == ("aid_certificate", "akimat")
    department = origin if decided_here else OFFICES["department"]
    there = {State.ACCEPTED, State.COLLECTED, State.IN_TRANSIT, State.RESULT_IN_TRANSIT, State.READY}
    usual = None if state in FINAL else origin if state in there else department
    return Entered(
        packet_id=1,
        seq=seq,
        move=move,
        state=state,
        at=when,
        service=service,
        channel=channel,
        origin=origin,
        department=department,
        office=usual if office == "" else office,
        role=Role.EXECUTOR,
        holder_id=1,
        round=round_,
        unclaimed=unclaimed,
    )


DIRECT = (
    State.ACCEPTED, State.WITH_HEAD, State.WITH_EXECUTOR, State.FOR_SIGNATURE, State.SIGNED,
)  # fmt: skip
FIRST_THREE = ["23 09:15", "23 09:30", "3 18:00", "23 09:30", "23 09:15"]

LIMITS = {
    # Service, channel → due times on a Monday at nine, in the order of DIRECT; item 11 of each regulation.
    ("sanatorium", "department"): FIRST_THREE,  # 15 min, 30 min, 1 day and 9 days, 30 min, 15 min
    ("assistant", "department"): FIRST_THREE,
    ("wheelchair", "department"): FIRST_THREE,
    ("employment", "department"): ["23 09:05", "23 09:05", "23 09:10", "23 09:05", "23 09:05"],
    ("local_aid", "department"): [
        "23 09:15",
        "23 09:30",
        "8 18:00",
        "23 09:30",
        "23 09:15",
    ],  # 1 day, 14 days
    ("aid_certificate", "department"): ["23 09:02", "23 09:02", "23 09:04", "23 09:02", "23 09:02"],
    ("aid_certificate", "akimat"): ["23 09:02", "23 09:02", "23 09:04", "23 09:02", "23 09:02"],
    # Three working days, and three working days.
    ("child_allowance", "department"): ["23 09:15", "23 09:30", "1 18:00", "23 10:00", "23 09:30"],
}


def shown(moment: datetime) -> str:
    local = moment.astimezone(ALMATY)
    return f"{local.day} {local:%H:%M}"


@pytest.mark.parametrize(("service", "channel"), LIMITS)
def test_direct_routes_keep_the_limits_of_item_11(service: str, channel: str) -> None:
    found = []
    for state in DIRECT:
        clock = TIMING.follow((), entered(state, service=service, channel=channel))
        assert clock is not None
        found.append(shown(clock.due_at))
    assert found == LIMITS[service, channel]


@pytest.mark.parametrize(
    ("state", "step", "due"),
    [
        (State.ACCEPTED, "collect", "23 10:00"),  # annex 7, table 2, step 2; item 11: twice a day
        (State.COLLECTED, "carry", "23 12:00"),
        (State.IN_TRANSIT, "carry", "23 12:00"),
        (State.RECEIVED, "register", "23 09:30"),  # step 3: 30 minutes
        (State.REGISTERED, "pass_to_head", "23 09:15"),  # step 4: 15 minutes
        (State.WITH_HEAD, "resolve", "23 10:00"),  # step 5: 1 hour
        (State.WITH_EXECUTOR, "prepare", "24 18:00"),  # steps 6 and 7: 1 hour, 1 working day
        (State.FOR_SIGNATURE, "sign", "23 10:00"),  # step 8: 1 hour
        (State.SIGNED, "send", "23 09:30"),  # steps 9 and 10: 15 minutes each
        (State.RESULT_COLLECTED, "carry_result", "23 12:00"),
        (State.RESULT_IN_TRANSIT, "carry_result", "23 12:00"),
        (State.READY, "hand_over", "23 20:00"),  # step 11: within the working day
    ],
)
def test_the_centre_route_keeps_the_limits_of_annex_7(state: State, step: str, due: str) -> None:
    clock = TIMING.follow((), entered(state))
    assert clock is not None
    assert (clock.step, shown(clock.due_at)) == (step, due)


def test_acceptance_at_a_centre_is_over_with_the_receipt() -> None:
    first, second = TIMING.accepted(entered(State.ACCEPTED, move=Move.ACCEPT))
    # Step 1: 30 minutes.
    assert (first.step, shown(first.due_at), first.ending) == ("accept", "23 09:30", Ending.DONE)
    assert (second.step, second.closed_at) == ("collect", None)


def test_final_states_and_missing_packets_have_no_clock() -> None:
    for state in (*FINAL, State.MISSING):
        assert TIMING.follow((), entered(state)) is None


def test_every_state_of_every_route_finds_its_step_or_none() -> None:
    for service in services():
        for channel in service.channels:
            for state in set(State) - FINAL:
                steps = steps_of(entered(state, service=service.code, channel=channel))
                assert all(step in service.routes[channel].steps for step in steps)


def test_a_packet_that_lies_at_another_department_waits_for_the_next_run() -> None:
    clock = TIMING.follow((), entered(State.RECEIVED, office="2002"))
    assert clock is not None
    assert (clock.step, shown(clock.due_at)) == ("collect", "23 10:00")


def test_a_result_that_nobody_fetched_is_under_no_limit() -> None:
    ready = TIMING.follow((), entered(State.READY))
    assert ready is not None
    going = entered(State.RESULT_COLLECTED, move=Move.COLLECT, unclaimed=True, office="1001")
    assert TIMING.follow([ready], going) is None
    assert ready.ending is Ending.LEFT
    assert TIMING.follow([ready], entered(State.SIGNED, unclaimed=True)) is None


def test_a_day_off_on_the_way_counts_for_the_office_that_holds_it() -> None:
    closed = SpecialDay(day=date(2026, 11, 24), kind=DayKind.CLOSED, office_kind="department", office="2001")
    timing = Timing(Calendar([closed]), Settings())
    clock = timing.follow((), entered(State.WITH_EXECUTOR))
    assert clock is not None
    assert shown(clock.due_at) == "25 18:00"


def test_a_step_over_the_clock_change_of_2024_takes_its_working_time() -> None:
    when = at("2024-02-29 17:50")
    clock = TIMING.follow((), entered(State.RECEIVED, when=when))
    assert clock is not None
    assert clock.due_at == at("2024-03-01 09:20")
    # From ten to six in UTC+6 to twenty past nine in UTC+5.
    assert clock.due_at - clock.opened_at == timedelta(hours=16, minutes=30)


@pytest.mark.parametrize(
    ("service", "channel", "when", "promise"),
    [
        ("child_allowance", "centre", "2026-11-23 09:00", "2026-11-25 20:00"),
        ("child_allowance", "centre", "2026-11-23 09:46", "2026-11-26 20:00"),  # after the cut-off
        ("child_allowance", "centre", "2026-03-19 14:00", "2026-03-27 20:00"),  # Nauryz in between
        ("sanatorium", "department", "2026-11-23 09:00", "2026-12-04 09:45"),
        ("aid_certificate", "department", "2026-11-23 09:00", "2026-11-23 09:12"),
        ("aid_certificate", "akimat", "2026-11-23 17:55", "2026-11-24 09:07"),
    ],
)
def test_the_promise_adds_up_the_steps_and_the_runs(
    service: str, channel: str, when: str, promise: str
) -> None:
    made = promised(
        TIMING,
        service=service,
        channel=channel,
        origin=OFFICES[channel],
        department=OFFICES["akimat"] if channel == "akimat" else OFFICES["department"],
        at=at(when),
    )
    assert made == at(promise)


def test_the_holder_may_change_while_the_clock_runs_on() -> None:
    clock = TIMING.follow((), entered(State.COLLECTED, move=Move.COLLECT))
    assert clock is not None
    due_at = clock.due_at
    assert TIMING.follow([clock], entered(State.IN_TRANSIT, move=Move.DEPART)) is None
    assert (clock.closed_at, clock.due_at) == (None, due_at)


ALL_MOVES = sorted(
    {(move, before, after) for move, pairs in MOVES.items() for before, after in pairs if before},
    key=str,
)


@given(st.lists(st.sampled_from(ALL_MOVES), max_size=12), st.sampled_from(["centre", "department"]))
def test_whatever_happens_one_clock_runs_at_most(
    moves: list[tuple[Move, State, State]], channel: str
) -> None:
    state, seq, when = State.ACCEPTED, 1, MONDAY
    clocks: list[Clock] = TIMING.accepted(entered(state, move=Move.ACCEPT, channel=channel))
    for move, before, after in moves:
        if before is not state:
            continue
        seq, state, when = seq + 1, after, when + timedelta(minutes=47)
        round_ = 1 + (move is Move.SEND_BACK)
        step = entered(after, move=move, channel=channel, seq=seq, when=when, round_=round_)
        new = TIMING.follow(clocks, step)
        if new is not None:
            clocks.append(new)
        running = [clock for clock in clocks if clock.closed_at is None]
        limited = any(held.limit for held in steps_of(step))
        assert len(running) == (1 if limited else 0), (move, after)
        for clock in clocks:
            late = clock.closed_at is not None and clock.closed_at > clock.due_at
            assert (clock.late_minutes is not None) == late
            assert (clock.closed_at is None) == (clock.ending is None)
            assert clock.closed_at is None or clock.next_at is None
