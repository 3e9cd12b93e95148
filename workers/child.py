"""One process that `shabarman up` keeps: how it is forked, how it is seen to end, and how it is ended.

Children are forked from the supervisor, which has loaded the code once: they start in milliseconds, and share its
memory.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from config.errors import ShabarmanError
from config.language import language_of_environment
from workers.faults import BUG, expected, say
from workers.kernel import end_after_parent, end_with_parent, name_process
from workers.readiness import when_ready

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0
"""Seconds before a process that died is started again; the pause doubles with each death."""

STEADY_SECONDS = 30.0
"""A process that lived this long begins with the first pause again."""

ORPHAN_GRACE = 10.0
"""Seconds that a child has for a clean stop after the supervisor was killed."""


class Phase(StrEnum):
    """How far a child is."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    ENDED = "ended"


@dataclass(slots=True, kw_only=True)
class Child:
    """One process: what it runs, and what became of it so far."""

    name: str
    body: Callable[[], None] | None = None
    """What runs in the fork; it calls `tell_ready`."""
    command: Sequence[str] = ()
    """A program to run instead; `answers` tells when it is ready."""
    answers: Callable[[], bool] | None = None
    needs: frozenset[str] = frozenset()
    """Names of what must be ready before the first start."""
    grace: float = 5.0
    """Seconds between SIGTERM and SIGKILL."""
    log: Path | None = None
    """Where its output goes; None leaves it on the terminal."""

    phase: Phase = Phase.WAITING
    pid: int | None = None
    starts: int = 0
    deaths: int = 0
    started_at: float = 0.0
    due_at: float = 0.0
    exit_code: int | None = None
    _ready_pipe: int = field(default=-1)

    def start(self, *, release: Callable[[], None], lifeline: int) -> None:
        """Fork the process; in it, `release` closes what only the supervisor uses, and `lifeline` breaks with it."""
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        supervisor = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._run(supervisor, release, lifeline, writing)
        os.close(writing)
        os.set_blocking(reading, False)
        # Both sides do it, because either may be the first to need it.
        with suppress(ProcessLookupError, PermissionError):
            os.setpgid(pid, pid)
        self.pid, self._ready_pipe = pid, reading
        self.phase, self.exit_code = Phase.STARTING, None
        self.started_at = time.monotonic()
        self.starts += 1

    def drop_pipe(self) -> None:
        """Close this side of the pipe on which the process tells that it is ready."""
        if self._ready_pipe >= 0:
            os.close(self._ready_pipe)
            self._ready_pipe = -1

    def look_if_ready(self) -> bool:
        """Note when a starting process has become ready, and tell whether that was now."""
        if self.phase is not Phase.STARTING:
            return False
        if self.answers is not None:
            ready = self.answers()
        else:
            try:
                ready = os.read(self._ready_pipe, 1) != b""
            except BlockingIOError:
                ready = False
        if ready:
            self.phase = Phase.READY
        return ready

    def look_if_ended(self) -> bool:
        """Note when the process has ended, end what is left of its group, and tell whether that was now."""
        if self.pid is None:
            return False
        # The id stays taken until the second wait, so that the group cannot be that of a stranger.
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self.drop_pipe()
        self.pid = None
        self.phase, self.exit_code = Phase.ENDED, os.waitstatus_to_exitcode(status)
        return True

    def plan_restart(self) -> float:
        """Set when a process that died is due again, and return the pause in seconds."""
        lived = time.monotonic() - self.started_at
        self.deaths = 1 if lived > STEADY_SECONDS else self.deaths + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self.deaths - 1))
        self.due_at = time.monotonic() + pause
        self.phase = Phase.WAITING
        return float(pause)

    def ask_to_stop(self) -> None:
        """Send SIGTERM, for a clean stop."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End the process and its own children at once."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def how_it_ended(self) -> str:
        """Return the exit code or the signal, for people."""
        if self.exit_code is None:
            return "?"
        if self.exit_code >= 0:
            return f"exit code {self.exit_code}"
        return signal.Signals(-self.exit_code).name

    def _run(self, supervisor: int, release: Callable[[], None], lifeline: int, ready_pipe: int) -> NoReturn:
        code = BUG
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            end_with_parent(supervisor)
            release()
            self._redirect()
            if self.command:
                os.execv(self.command[0], list(self.command))  # noqa: S606 - a fork of our own
            # Python's own answer to Ctrl-C, and its own to a reader that went away.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            name_process(f"shabarman {self.name}")
            end_after_parent(lifeline, grace=ORPHAN_GRACE)

            def tell() -> None:
                os.write(ready_pipe, b"1")
                os.close(ready_pipe)

            when_ready(tell)
            code = self._outcome()
        except BaseException:  # noqa: BLE001 - a fork must never return into the supervisor's code
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _redirect(self) -> None:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        if self.log is not None:
            output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.close(output)

    def _outcome(self) -> int:
        """Run the body, tell why it refused to go on, and return the exit code."""
        try:
            if self.body is not None:
                self.body()
        except SystemExit as asked:
            return asked.code if isinstance(asked.code, int) else int(asked.code is not None)
        except KeyboardInterrupt:
            return 130
        except Exception as error:
            told = error if isinstance(error, ShabarmanError) else expected(error)
            if self.log is None:
                if told is None:
                    raise
                return say(told)
            return _tell(self.name, error, told)
        return 0


def _tell(name: str, fault: Exception, told: ShabarmanError | None) -> int:
    """Log why a process ends, in the words of `told` where the fault is an expected one; return the exit code."""
    import structlog  # noqa: PLC0415 - loaded in a child only

    from config import logs  # noqa: PLC0415 - as above

    logs.configure(name)
    log = structlog.get_logger(name)
    if told is None:
        log.error(logs.PROCESS_DIED, exc_info=fault)
        return BUG
    log.error(logs.PROCESS_REFUSED, code=told.code, sentence=told.sentence(language_of_environment()))
    return told.exit_code
