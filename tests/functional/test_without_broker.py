"""`SHABARMAN_BROKER_URL=none`: the smallest office. Pages and a relay, and nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tasks.jobs import JOBS
from tests.functional.installation import Installation, eventually


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("alone") / "home", SHABARMAN_BROKER_URL="none")
    with made.start("up") as process:
        eventually(lambda: made.all_ready() or process.poll() is not None)
        assert process.poll() is None, made.said()
        yield made


def test_two_processes_do_it_all(alone: Installation) -> None:
    assert set(alone.processes()) == {"prepare", "web", "relay"}
    assert "Flower" not in alone.said()
    parts = eventually(lambda: _parts_when_well(alone))
    assert parts["broker"] == {"status": "ok", "needed": False}


def _parts_when_well(alone: Installation) -> dict[str, Any]:
    status, body = alone.get("/health/ready")
    if status != 200 or json.loads(body)["status"] != "ok":
        return {}
    parts: dict[str, Any] = json.loads(body)["parts"]
    return parts


def test_whole_courier_days_are_told_without_a_broker(alone: Installation) -> None:
    done = alone.run("simulate", "--packets", "10", "--seed", "3", "--json")
    assert done.returncode == 0, done.stderr
    played = json.loads(done.stdout)
    assert (played["lost"], played["doubled"]) == (0, 0)
    assert json.loads(alone.run("verify", "--json").stdout)["ok"] is True


def test_the_relay_plans_the_runs(alone: Installation) -> None:
    shown = alone.python(
        "from config.settings import settings; from models.database import Database; from models import Job, Run;"
        "from sqlalchemy import func, select; d = Database(settings().effective_database_url);\n"
        "with d.reading() as s: print(s.scalar(select(func.count()).select_from(Run)) > 0,"
        " s.scalar(select(func.count(func.distinct(Job.job)))))\n"
        "d.close()"
    )
    assert shown.stdout == f"True {len(JOBS)}\n", shown.stderr


def test_what_needs_a_broker_says_that_there_is_none_on_purpose(alone: Installation) -> None:
    refused = alone.run("worker")
    assert refused.returncode == 2
    assert "SHABARMAN_BROKER_URL=none" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_broker_helps_while_a_broker_is_down(alone: Installation) -> None:
    """Beside the other relay, which is on the same database, and does no harm."""
    beside = Installation(alone.home, SHABARMAN_BROKER_URL="redis://127.0.0.1:1/0")
    beside.home = alone.home.with_name("beside")  # Its words go to a file of their own.
    refused = beside.run("relay")
    assert refused.returncode == 3
    assert "does not answer" in refused.stderr
    with beside.start("relay", "--without-broker") as process:
        eventually(lambda: "relay.alone" in beside.said())
        assert process.poll() is None
