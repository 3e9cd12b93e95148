import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from workers.child import FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS, Child, Phase
from workers.readiness import tell_ready


def wait(ask: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not ask():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def started(child: Child) -> Child:
    reading, writing = os.pipe()
    child.start(release=lambda: os.close(writing), lifeline=reading)
    os.close(reading)
    os.close(writing)
    return child


def test_the_pause_doubles_up_to_a_limit_and_starts_afresh_after_a_steady_time() -> None:
    child = Child(name="web", started_at=time.monotonic())
    pauses = [child.plan_restart() for _ in range(12)]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    child.started_at -= STEADY_SECONDS + 1
    assert child.plan_restart() == FIRST_PAUSE
    assert child.phase is Phase.WAITING


def test_a_program_runs_in_a_group_of_its_own_and_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $! $$ > {pids}.new; mv {pids}.new {pids}; wait"
    child = started(Child(name="x", command=["/bin/sh", "-c", script], answers=pids.exists))
    assert child.pid is not None
    wait(child.look_if_ready)
    below, own = map(int, pids.read_text().split())
    assert os.getpgid(below) == own == child.pid
    os.kill(child.pid, signal.SIGKILL)
    wait(child.look_if_ended)
    assert child.how_it_ended() == "SIGKILL"
    # The orphan is reaped by init; until then it may still be listed, but no longer runs.
    wait(lambda: not Path(f"/proc/{below}").exists() or " Z " in Path(f"/proc/{below}/stat").read_text())


def test_the_exit_code_and_the_output_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    child = started(Child(name="x", command=["/bin/sh", "-c", "echo said; echo >&2 louder; exit 7"], log=log))
    wait(child.look_if_ended)
    assert child.how_it_ended() == "exit code 7"
    assert log.read_text() == "said\nlouder\n"
    assert not child.look_if_ended()


def test_a_fork_tells_when_it_is_ready_and_heeds_a_request_to_stop() -> None:
    def body() -> None:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        tell_ready()
        time.sleep(60)

    child = started(Child(name="x", body=body))
    wait(child.look_if_ready)
    assert child.phase is Phase.READY
    child.ask_to_stop()
    wait(child.look_if_ended)
    assert child.exit_code == 0
