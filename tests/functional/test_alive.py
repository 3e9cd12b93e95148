"""`shabarman alive` beside real processes: it says yes while they go round, also without a broker, and no when not."""

import os
import signal

import pytest

from tests.functional.installation import Installation, eventually

PROCESSES = ("relay", "worker", "beat")


def is_alive(running: Installation, name: str, *, within: int = 60) -> bool:
    return running.run("alive", name, "--within", str(within)).returncode == 0


@pytest.mark.parametrize("name", PROCESSES)
def test_what_stands_still_is_seen(running: Installation, name: str) -> None:
    eventually(lambda: is_alive(running, name, within=15))
    pid = running.processes()[name]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        eventually(lambda: not is_alive(running, name, within=15))
        said = running.run("alive", name, "--within", "15")
        assert said.returncode == 1
        assert f"The {name} of this machine has not gone round" in said.stderr
    finally:
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: is_alive(running, name, within=15))


def test_who_waits_for_the_broker_is_alive(running: Installation) -> None:
    """Twenty seconds without a broker: longer than what is asked for."""
    pid = running.processes()["broker"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(4):
            for name in ("relay", "worker"):
                assert is_alive(running, name, within=30)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_who_never_began_is_not_alive(installation: Installation) -> None:
    said = installation.run("alive", "relay")
    assert said.returncode == 1
    assert "has not begun" in said.stderr
