"""Every limit of the regulation, held by the item or annex that sets it: in the data, and by the clock of the step."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from config.services import services
from models.packet import State
from tests.unit.workflow.test_timing import MONDAY, OFFICES, TIMING, at, entered
from workflow.moves import Move
from workflow.timing import Clock


class Row(NamedTuple):
    """One step: its limit, when that is over for a step that begins on Monday 23 November 2026 at nine, its item."""

    step: str
    limit: dict[str, int | str] | None
    over: str | None
    item: str


def minutes(step: str, amount: int, item: str) -> Row:
    return Row(step, {"minutes": amount}, f"2026-11-23 {9 + amount // 60:02d}:{amount % 60:02d}", item)


def direct(accept: int, resolve: int, sign: int, hand_over: int, *decide: Row, annex: str) -> list[Row]:
    """Return the direct route: the second list of item 11, and both halves of the table in the annex."""
    return [
        minutes("accept", accept, f"item 11, 2); {annex}, step 1"),
        minutes("resolve", resolve, f"item 11, 3); {annex}, step 2"),
        *decide,
        minutes("sign", sign, f"item 11, 5); {annex}, step 2, completion"),
        minutes("hand_over", hand_over, f"item 11, 6); {annex}, step 3, completion"),
    ]


def days(examine: int, prepare: int, over: str) -> tuple[Row, Row]:
    """Return the two steps of the executor in calendar days, as services 1, 2, 3 and 5 have them."""
    return (
        Row("examine", {"days": examine}, "2026-11-24 18:00", "item 11, 4); annex 4, step 3"),
        Row("prepare", {"days": prepare}, over, "item 11, 4); annex 4, step 1, completion"),
    )


def short(amount: int, annex: str) -> list[Row]:
    """Return the direct route of services 4 and 6, in which every step takes as long."""
    return direct(
        amount,
        amount,
        amount,
        amount,
        minutes("examine", amount, f"item 11, 4); {annex}, step 3"),
        minutes("prepare", amount, f"item 11, 4); {annex}, step 1, completion"),
        annex=annex,
    )


def none(step: str, item: str) -> Row:
    return Row(step, None, None, item)


NINE_DAYS = direct(15, 30, 30, 15, *days(1, 9, "2026-12-02 18:00"), annex="annex 4")
FOURTEEN_DAYS = direct(15, 30, 30, 15, *days(1, 14, "2026-12-07 18:00"), annex="annex 4")
ALLOWANCE = direct(
    15,
    30,
    60,
    30,
    Row("examine", {"working_days": 3}, "2026-11-26 18:00", "item 11, 4); annex 7, table 1, step 3"),
    Row(
        "prepare",
        {"working_days": 3},
        "2026-11-26 18:00",
        "item 11, 4); annex 7, table 1, step 1, completion",
    ),
    annex="annex 7, table 1",
)
CENTRE, CARRIED = "item 11, centre route", "item 11, centre route, 3)"
SILENT = "item 3 (the text says nothing more)"
TWICE_A_DAY: dict[str, int | str] = {"runs_per_day": 2}

LIMITS: dict[tuple[str, str], list[Row]] = {
    ("sanatorium", "department"): NINE_DAYS,
    ("assistant", "department"): NINE_DAYS,
    ("wheelchair", "department"): NINE_DAYS,
    ("employment", "department"): short(5, "annex 3"),
    ("local_aid", "department"): FOURTEEN_DAYS,
    ("aid_certificate", "department"): short(2, "annex 4"),
    ("aid_certificate", "akimat"): [
        row._replace(item=f"{row.item}; akimat: item 3, annex 3") for row in short(2, "annex 4")
    ],
    ("child_allowance", "centre"): [
        minutes("accept", 30, f"{CENTRE}, 2); annex 7, table 2, step 1"),
        Row("collect", TWICE_A_DAY, "2026-11-23 10:00", f"{CARRIED}; annex 7, table 2, step 2"),
        Row("carry", TWICE_A_DAY, "2026-11-23 12:00", CARRIED),
        minutes("register", 30, f"{CENTRE}, 4); annex 7, table 2, step 3"),
        minutes("pass_to_head", 15, f"{CENTRE}, 4); annex 7, table 2, step 4"),
        minutes("resolve", 60, f"{CENTRE}, 5); annex 7, table 2, step 5"),
        minutes("examine", 60, f"{CENTRE}, 6); annex 7, table 2, step 6"),
        Row("prepare", {"working_days": 1}, "2026-11-24 18:00", f"{CENTRE}, 6); annex 7, table 2, step 7"),
        minutes("sign", 60, f"{CENTRE}, 7); annex 7, table 2, step 8"),
        minutes("complete", 15, "annex 7, table 2, step 9"),
        minutes("send", 15, f"{CENTRE}, 8); annex 7, table 2, step 10"),
        Row("carry_result", TWICE_A_DAY, "2026-11-23 12:00", CARRIED),
        none("take_over", f"{CENTRE}, 9)"),
        Row(
            "hand_over",
            {"within": "working_day"},
            "2026-11-23 20:00",
            f"{CENTRE}, 10); annex 7, table 2, step 11",
        ),
    ],
    ("child_allowance", "department"): ALLOWANCE,
    ("child_allowance", "akimat"): [
        ALLOWANCE[0]._replace(item=f"{ALLOWANCE[0].item}; akimat: item 3"),
        none("collect", SILENT),
        none("carry", SILENT),
        none("register", "item 11, 2)"),
        *ALLOWANCE[1:-1],
        none("send", SILENT),
        none("carry_result", SILENT),
        ALLOWANCE[-1],
    ],
}
"""Service and channel → its steps. Taken from the text of the resolution, not from the data."""

ROWS = [
    pytest.param(service, channel, row, id=f"{service}-{channel}-{row.step}: {row.item}")
    for (service, channel), rows in LIMITS.items()
    for row in rows
]

STATES = {
    "collect": State.ACCEPTED,
    "carry": State.COLLECTED,
    "register": State.RECEIVED,
    "pass_to_head": State.REGISTERED,
    "resolve": State.WITH_HEAD,
    "examine": State.WITH_EXECUTOR,
    "prepare": State.WITH_EXECUTOR,
    "sign": State.FOR_SIGNATURE,
    "complete": State.SIGNED,
    "send": State.SIGNED,
    "carry_result": State.RESULT_COLLECTED,
    "take_over": State.READY,
}


def clock_of(service: str, channel: str, step: str) -> Clock | None:
    """Return the clock that times a step for a packet that enters it on Monday at nine."""
    if step == "accept":
        return TIMING.accepted(entered(State.ACCEPTED, service=service, channel=channel, move=Move.ACCEPT))[0]
    travels = any(row.step == "collect" for row in LIMITS[service, channel])
    state = STATES.get(step, State.READY if travels else State.SIGNED)
    return TIMING.follow((), entered(state, service=service, channel=channel))


def test_every_step_of_every_service_and_channel_has_its_row() -> None:
    assert {
        (held.code, channel): [step.code for step in route.steps]
        for held in services()
        for channel, route in held.routes.items()
    } == {way: [row.step for row in rows] for way, rows in LIMITS.items()}


@pytest.mark.parametrize(("service", "channel", "row"), ROWS)
def test_a_limit_is_that_of_its_item(service: str, channel: str, row: Row) -> None:
    (step,) = [
        step
        for held in services()
        if held.code == service
        for step in held.routes[channel].steps
        if step.code == row.step
    ]
    assert re.match(r"item (3|11)\b|annex \d", row.item)
    assert step.source == row.item
    assert (step.limit.as_json() if step.limit else None) == row.limit
    assert bool(step.limit_printed) == (row.limit is not None)


@pytest.mark.parametrize(("service", "channel", "row"), ROWS)
def test_a_step_is_timed_by_its_limit(service: str, channel: str, row: Row) -> None:
    clock = clock_of(service, channel, row.step)
    timed = [limit for limit in clock.limits if limit["step"] == row.step] if clock else []
    if row.limit is None or row.over is None:
        assert timed == []
        return
    assert clock is not None
    (limit,) = timed
    assert row.limit.items() <= limit.items()
    assert TIMING.due([limit], MONDAY, office=clock.office) == at(row.over)
    assert clock.office in OFFICES.values()
    # Steps that share a clock follow each other: it is over no earlier than any of them.
    assert clock.due_at >= at(row.over)
    assert clock.due_at == TIMING.due(clock.limits, MONDAY, office=clock.office)
