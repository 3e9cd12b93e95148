"""Processes of the trial come back when they die, and none is left at the end."""

import os
import signal
import sys
import time
from pathlib import Path

from workers.chaos.keeping import RESTART_SECONDS, Keeper, Kept, wait_until

# A child of its own, so that a whole family has to go.
SLEEPER = "import subprocess, sys; subprocess.Popen(['sleep', '600']).wait()"


def _sleeper(folder: Path) -> Kept:
    return Kept(
        name="sleeper",
        command=[sys.executable, "-c", SLEEPER],
        log=folder / "log",
        program=True,
        environment=dict(os.environ),
    )


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_dies_is_started_again_after_a_pause(tmp_path: Path) -> None:
    with Keeper() as keeper:
        kept = keeper.add(_sleeper(tmp_path))
        assert wait_until(lambda: len(kept.children()) == 1, seconds=20)
        first, below = kept.pid, kept.children()
        began = time.monotonic()
        kept.send(signal.SIGKILL)
        assert wait_until(lambda: kept.pid not in {first, None}, seconds=20)
        assert time.monotonic() - began >= RESTART_SECONDS
        assert wait_until(lambda: all(map(_is_gone, below)), seconds=5), "its child outlived it"


def test_the_end_takes_whole_families_also_those_that_stand_still(tmp_path: Path) -> None:
    with Keeper() as keeper:
        kept = keeper.add(_sleeper(tmp_path))
        assert wait_until(lambda: len(kept.children()) == 1, seconds=20)
        assert kept.pid is not None
        family = [kept.pid, *kept.children()]
        kept.send_to_family(signal.SIGSTOP)
    assert wait_until(lambda: all(map(_is_gone, family)), seconds=5)
