"""What an operator sees of a running house: figures of all its processes, and one thread from a scan to its notice."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.functional.installation import ROOT, Installation, eventually
from tests.integration.servers import missing

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "shabarman.json"

_NAME = re.compile(r"\bshabarman_[a-z_]+\b")


def promtool(*arguments: str) -> str:
    program = shutil.which("promtool")
    if program is None:
        missing("promtool in PATH (Debian package prometheus)")
    checked = subprocess.run(
        [str(program), *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    return checked.stdout


@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "prometheus.yml"), ("check", "rules", "rules.yml"), ("test", "rules", "tests.yml")],
)
def test_prometheus_takes_the_files(arguments: tuple[str, ...]) -> None:
    assert "SUCCESS" in promtool(*arguments)


def accept(running: Installation, *, request_id: str) -> str:
    """Accept one packet over the API and return its number."""
    token = running.run("token", "inspector.aksu").stdout.strip()
    asked = urllib.request.Request(
        f"http://127.0.0.1:{running.port}/api/v1/packets",
        data=json.dumps(
            {"service": "child_allowance", "applicant_name": "Applicant 1", "residence": "2002"}
        ).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "X-Request-ID": request_id,
        },
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - our own server
        return str(json.load(answer)["number"])


def lines(running: Installation, process: str) -> list[dict[str, Any]]:
    """Return the log of one process, line by line."""
    text = (running.home / "logs" / f"{process}.log").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def of_event(running: Installation, process: str, event: str, word: str) -> dict[str, Any]:
    """Return the line with `event` in which `word` is found, as grep finds it."""
    return next(
        (
            line
            for line in lines(running, process)
            if line["event"] == event and word in json.dumps(line, ensure_ascii=False)
        ),
        {},
    )


def test_one_packet_is_followed_by_grep_from_its_request_to_its_notice(running: Installation) -> None:
    number = accept(running, request_id="request-of-the-test")
    handled = eventually(lambda: of_event(running, "worker", "messages.handled", number))
    moved = of_event(running, "web", "packets.moved", number)
    assert (moved["request_id"], moved["moves"], moved["packets"]) == (
        "request-of-the-test",
        ["accept"],
        [number],
    )
    assert of_event(running, "web", "request.done", "request-of-the-test")["status"] == 201
    published = of_event(running, "relay", "messages.published", "request-of-the-test")
    assert number in published["packets"]
    assert "request-of-the-test" in handled["requests"]
    (message,) = set(published["messages"]) & set(handled["messages"])
    database = sqlite3.connect(running.home / "shabarman.db")
    told = database.execute("SELECT subject FROM notices WHERE message_id = ?", (message,)).fetchall()
    database.close()
    assert told == [(number,)]


def figures(running: Installation) -> dict[str, float]:
    """Return each sample of /metrics by its name and labels."""
    status, text = running.get("/metrics")
    assert status == 200
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")
    }


def test_the_pages_tell_what_relay_and_worker_counted(running: Installation) -> None:
    before = figures(running)
    accept(running, request_id="request-for-figures")
    eventually(
        lambda: (
            figures(running)['shabarman_messages_handled_total{outcome="done"}']
            > before['shabarman_messages_handled_total{outcome="done"}']
        )
    )
    after = figures(running)
    assert after["shabarman_messages_published_total"] > before["shabarman_messages_published_total"]
    assert after["shabarman_handling_seconds_count"] > before["shabarman_handling_seconds_count"]
    eventually(lambda: figures(running)['shabarman_processes_alive{role="worker"}'] == 1)
    assert figures(running)['shabarman_processes_alive{role="relay"}'] == 1


@pytest.mark.parametrize("file", [PROMETHEUS / "rules.yml", DASHBOARD], ids=lambda file: file.name)
def test_every_figure_that_is_asked_for_is_told(running: Installation, file: Path) -> None:
    accept(running, request_id="request-for-names")
    running.get("/sign-in")
    wanted = set(_NAME.findall(file.read_text(encoding="utf-8")))
    assert len(wanted) > 8

    def told() -> set[str]:
        # A family without samples, such as packets that are late where none is, is there with its description.
        return set(_NAME.findall(running.get("/metrics")[1]))

    eventually(lambda: not wanted - told())


def test_the_dashboard_can_be_read() -> None:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    for one, place in enumerate(places):
        for other in places[:one]:
            apart = (
                place["x"] >= other["x"] + other["w"]
                or other["x"] >= place["x"] + place["w"]
                or place["y"] >= other["y"] + other["h"]
                or other["y"] >= place["y"] + place["h"]
            )
            assert apart, panels[one]["title"]
