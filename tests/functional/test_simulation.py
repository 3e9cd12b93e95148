"""Whole courier days through real processes: nothing is lost, doubled or misrouted, and nothing stays behind."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from config.services import service, services
from tests.functional.installation import ROOT, Installation, eventually
from tests.integration.servers import postgresql_database

PATIENCE = 1200.0
"""Seconds that a simulation may take on a busy machine."""
PACKETS = 40
"""Enough for every district, and for everything that can happen to a packet."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """Return an installation in which nothing runs, on an empty SQLite file and on PostgreSQL."""
    if request.param == "sqlite":
        yield Installation(tmp_path / "home")
        return
    with postgresql_database() as database:
        yield Installation(tmp_path / "home", SHABARMAN_DATABASE_URL=database.url)


def simulate(installation: Installation, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run a simulation to its end; return its exit code, its JSON and what it said besides."""
    finished = subprocess.run(
        [sys.executable, "-m", "workers.cli", "simulate", *arguments, "--json"],
        env=installation.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert finished.stdout, finished.stderr
    return finished.returncode, json.loads(finished.stdout), finished.stderr


def left_behind(installation: Installation) -> list[psutil.Process]:
    """Return the processes that were started for this installation and are still there."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except psutil.Error:
            continue
        if environment.get("SHABARMAN_HOME") == str(installation.home):
            found.append(process)
    return found


def test_whole_days_end_with_nothing_lost_and_nothing_doubled(house: Installation) -> None:
    code, outcome, said = simulate(house, "--packets", str(PACKETS), "--days", "1", "--seed", "3")
    assert code == 0, said
    assert (outcome["lost"], outcome["doubled"], outcome["misrouted"], outcome["surprises"]) == (0, 0, 0, 0)
    assert outcome["verified"] is True
    assert set(outcome["states"]) == {"handed_over", "withdrawn", "lost"}
    assert sum(outcome["states"].values()) == outcome["packets"] == PACKETS
    assert set(outcome["messages"]) == {"done"}
    assert outcome["messages"]["done"] == sum(outcome["by_type"].values()) > 5 * PACKETS
    # Nobody has to be told of what is decided where it was accepted.
    carried = outcome["ways"]["child_allowance, centre"] + outcome["ways"]["child_allowance, akimat"]
    assert outcome["by_type"]["packet.accepted"] == carried < PACKETS
    assert outcome["by_type"]["packet.handed_over"] >= outcome["states"]["handed_over"] - (PACKETS - carried)
    assert outcome["scans"].keys() >= {
        "taken",
        "already",
        "elsewhere",
        "unexpected",
        "bad_check",
        "wrong_state",
    }
    assert 0 < outcome["latency_ms"]["p50"] <= outcome["latency_ms"]["p99"] <= outcome["latency_ms"]["max"]
    assert left_behind(house) == []
    assert not (house.home / "run" / "broker.url").exists()

    checked = house.run("verify", "--json")
    assert checked.returncode == 0, checked.stdout
    report = json.loads(checked.stdout)
    assert report["ok"] is True
    assert report["checked"]["packets"] == PACKETS


def test_weeks_compare_every_step_with_its_limit(tmp_path: Path) -> None:
    house = Installation(tmp_path / "home", SHABARMAN_CENTRE_RUN_TIMES="1001=09:30,14:00;1006=11:00")
    code, outcome, said = simulate(
        house, "--packets", "30", "--days", "8", "--from", "2025-03-17", "--seed", "4"
    )
    assert code == 0, said
    assert (outcome["lost"], outcome["doubled"], outcome["misrouted"], outcome["surprises"]) == (0, 0, 0, 0)
    assert outcome["verified"] is True
    assert set(outcome["states"]) <= {"handed_over", "withdrawn", "lost"}
    assert set(outcome["offices"]) == {"centre", "department", "akimat"}

    # Every way that was played stands in the report, with each step that its route has, and with its limit.
    rows = {(row["service"], row["channel"], row["step"], row["again"]): row for row in outcome["steps"]}
    assert {f"{code}, {channel}" for code, channel, _, _ in rows} == set(outcome["ways"])
    assert {code for code, _, _, _ in rows} == {held.code for held in services()}
    for way, times in outcome["ways"].items():
        code_, channel = way.split(", ")
        shown = {
            name
            for row in rows.values()
            if (row["service"], row["channel"]) == (code_, channel)
            for name in row["together"]
        }
        assert shown >= {step.code for step in service(code_).routes[channel].steps} - {"complete"}
        accepted = rows[code_, channel, "accept", False]
        assert accepted["count"] == times
        first = service(code_).routes[channel].steps[0]
        assert first.limit is not None
        assert accepted["limit"] == [first.limit.as_json()]
    assert rows["child_allowance", "akimat", "carry", False]["limit"] == []
    assert rows["sanatorium", "department", "prepare", False]["limit"] == [{"days": 1}, {"days": 9}]
    for row in rows.values():
        assert 0 <= row["median_minutes"] <= row["longest_minutes"]
        assert row["share_late"] == round(row["late"] / row["count"], 4)
        assert row["explained"] <= row["late"] <= row["count"]
    assert sum(row["late"] for row in rows.values())
    assert sum(row["explained"] for row in rows.values())

    # Nauryz from a Friday to Sunday, and Monday in exchange: no run, and nobody at work.
    assert outcome["days_off"] == ["2025-03-21", "2025-03-24"]
    with sqlite3.connect(house.home / "shabarman.db") as kept:
        for table, column in (("events", "at"), ("runs", "departs_at")):
            busy = {day for (day,) in kept.execute(f"SELECT DISTINCT date({column}) FROM {table}")}  # noqa: S608
            assert not busy & {f"2025-03-{day}" for day in (21, 22, 23, 24)}, table
            assert busy >= {"2025-03-18", "2025-03-20"}, table
        # Couriers leave at the times of their own centre, five hours ahead of UTC.
        left = (
            "SELECT DISTINCT time(departed_at) FROM manifests m JOIN runs r ON r.id = m.run_id WHERE centre "
        )
        times = {
            which: {at for (at,) in kept.execute(left + which)}
            for which in ("= '1001'", "= '1006'", "NOT IN ('1001', '1006')")
        }
    assert set() < times["= '1001'"] <= {"04:30:00", "09:00:00"}
    assert times["= '1006'"] == {"06:00:00"}
    assert times["NOT IN ('1001', '1006')"] == {"05:00:00", "10:00:00"}

    # What no message tells of, and what sweeps tell.
    did = outcome["did"]
    assert did["reminded of unclaimed results"] == did["unclaimed results sent back"] == 1
    assert did.keys() >= {"absences", "posted", "return slips"}
    assert outcome["by_type"]["result.unclaimed"] == outcome["by_type"]["result.returned"] == 1
    assert outcome["alarms"].keys() >= {"deadline.near", "deadline.missed"}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_a_simulation_that_is_stopped(tmp_path: Path, how: signal.Signals) -> None:
    house = Installation(tmp_path / "home")
    with house.start("simulate", "--packets", "3000", "--days", "2") as process:
        # The broker, the relay, and the worker with its children.
        eventually(lambda: len(left_behind(house)) > 4 or process.poll() is not None)
        assert process.poll() is None, house.said()
        time.sleep(0.5)
        process.send_signal(how)
        process.wait(60)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[how]
    eventually(lambda: not left_behind(house))


def test_the_processes_of_a_running_house_are_used_as_often_as_one_likes(running: Installation) -> None:
    before = {name: row["pid"] for name, row in running.processes().items()}
    outcomes = [simulate(running, "--packets", "8", "--days", "1") for _ in range(2)]
    assert [code for code, _, _ in outcomes] == [0, 0], outcomes
    first, second = (outcome for _, outcome, _ in outcomes)
    assert first["messages"] == {"done": sum(first["by_type"].values())}
    # The same days once more, in the same database.
    assert [second[name] for name in ("states", "by_type", "runs")] == [
        first[name] for name in ("states", "by_type", "runs")
    ]
    # The sweeps of this house go by the real clock: weeks of another one are not played beside them.
    weeks = running.run("simulate", "--packets", "1", "--days", "1", "--from", "2025-03-17")
    assert (weeks.returncode, "already runs on" in weeks.stderr) == (1, True)
    assert {name: row["pid"] for name, row in running.processes().items()} == before
    assert running.all_ready()


def test_verify_says_what_is_broken_and_exits_with_one(tmp_path: Path) -> None:
    house = Installation(tmp_path / "home")
    assert house.run("migrate").returncode == 0
    broken = house.python(
        "import os, sqlite3; db = sqlite3.connect(os.environ['SHABARMAN_HOME'] + '/shabarman.db');"
        'db.execute("INSERT INTO messages (type, queue, subject, cause, body, state, attempts, publications) '
        "VALUES ('packet.accepted', 'department.aksu', '1', '1:1', '{}', 'pending', 0, 0)\"); db.commit()"
    )
    assert broken.returncode == 0, broken.stderr
    as_json, for_people = house.run("verify", "--json"), house.run("verify")
    assert (as_json.returncode, for_people.returncode) == (1, 1)
    report = json.loads(as_json.stdout)
    assert report["ok"] is False
    assert report["counts"] == {"message_names_its_office": 1, "message_unmeant": 1}
    assert "message_unmeant" in for_people.stdout


def test_verify_needs_a_migrated_database(tmp_path: Path) -> None:
    answer = Installation(tmp_path / "home").run("verify", "--json")
    assert answer.returncode == 2
    assert "shabarman migrate" in answer.stderr
