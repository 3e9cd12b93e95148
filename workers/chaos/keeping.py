"""Processes that are kept: started again when they die, as systemd would, and all ended at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from config.errors import UnavailableError
from config.language import Text

RESTART_SECONDS = 1.0
"""Pause before what died is started again (`RestartSec` of a unit)."""

LOOK_SECONDS = 0.05

STOP_PATIENCE = 10.0
"""Seconds between SIGTERM and SIGKILL at the end."""

# The kernel ends what we started, whatever ends us.
_OURS = "import sys; from workers.kernel import end_with_parent; end_with_parent(int(sys.argv.pop(1))); "
_COMMAND = _OURS + "from workers.cli import main; main()"
_PROGRAM = _OURS + "import os; os.execv(sys.argv[1], sys.argv[1:])"
# The kernel forgets the wish above when the user changes, so that comes first; what Python needs is loaded before.
_AS_USER = (
    "import os, pwd, sys; from workers.kernel import end_with_parent; user = pwd.getpwnam(sys.argv.pop(1)); "
    "os.setgroups([]); os.setgid(user.pw_gid); os.setuid(user.pw_uid); "
    "end_with_parent(int(sys.argv.pop(1))); os.execv(sys.argv[1], sys.argv[1:])"
)


class NotStartedError(UnavailableError):
    """A process that the trial needs did not start. Facts: `name`, `log`."""

    code = "not_started"
    text = Text("The process {name} did not start. Its own words are in {log}.")


@dataclass(slots=True, kw_only=True)
class Kept:
    """One process that is to run until the end."""

    name: str
    command: Sequence[str]
    """Arguments of `shabarman`, or a program with its arguments."""
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    program: bool = False
    """Whether `command` is a program of its own."""
    user: str | None = None
    """System user to run as, where that is not ours."""
    more: dict[str, str] = field(default_factory=dict)
    """Further variables for the next start; a fault may set some."""
    wanted: bool = True
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    due_at: float = 0.0

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        process = self.process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start it; it ends with the calling thread at the latest."""
        code = _AS_USER if self.user else _PROGRAM if self.program else _COMMAND
        first = [self.user] if self.user else []
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, *first, str(os.getpid()), *self.command],
                env={**self.environment, **self.more},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C is for us alone, and its children are found by their group.
                start_new_session=True,
            )
        self.starts += 1

    def send(self, number: signal.Signals) -> bool:
        """Send a signal to the process alone, and tell whether it was there."""
        pid = self.pid
        if pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def send_to_family(self, number: signal.Signals) -> None:
        """Send a signal to the process and to all below it."""
        pid = self.pid
        if pid is None:
            return
        for one in (pid, *descendants(pid)):
            with suppress(ProcessLookupError):
                os.kill(one, number)

    def children(self) -> list[int]:
        """Return the ids of the processes below it."""
        return descendants(self.pid) if self.pid is not None else []


class Keeper:
    """Starts and restarts processes from one thread of its own, whose end would end them."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self.all: list[Kept] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(STOP_PATIENCE * 4)

    def add(self, kept: Kept) -> Kept:
        """Keep one more process from now on."""
        self.all.append(kept)
        return kept

    def named(self, beginning: str) -> list[Kept]:
        """Return the processes whose names begin so."""
        return [kept for kept in self.all if kept.name.startswith(beginning)]

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            for kept in list(self.all):
                self._look(kept)
        self._end()

    @staticmethod
    def _look(kept: Kept) -> None:
        now = time.monotonic()
        if kept.process is not None and kept.process.poll() is not None:
            end_group(kept.process.pid)
            kept.process = None
            kept.due_at = now + RESTART_SECONDS
        if kept.process is None and kept.wanted and now >= kept.due_at:
            kept.start()

    def _end(self) -> None:
        for kept in self.all:
            process = kept.process
            if process is None:
                continue
            kept.send_to_family(signal.SIGCONT)
            process.terminate()
        deadline = time.monotonic() + STOP_PATIENCE
        for kept in reversed(self.all):
            process = kept.process
            if process is None:
                continue
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0.01))
            end_group(process.pid)
            process.wait()


def end_group(leader: int) -> None:
    """Kill what is left of the process group of a process of ours."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes below `pid`, as /proc tells them."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                # Behind the name in parentheses: the state, then the parent.
                parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
                below.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = below.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def wait_until(ask: Callable[[], bool], *, seconds: float, stop: threading.Event | None = None) -> bool:
    """Ask until the answer is true, at most `seconds` long or until `stop` is set, and return the last answer."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline or (stop is not None and stop.is_set()):
            break
        time.sleep(0.05)
    return answer
