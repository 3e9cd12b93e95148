"""One installation as an operator has it: a home folder, free ports, and the real command line."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil

Answer = TypeVar("Answer")

ROOT = Path(__file__).parents[2]

PATIENCE = 60.0
"""Seconds that anything may take on a busy machine before a test gives up."""


def eventually(ask: Callable[[], Answer], *, patience: float = PATIENCE) -> Answer:
    """Ask again until the answer is true, and return it."""
    deadline = time.monotonic() + patience
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"still {answer!r} after {patience} s"
        time.sleep(0.05)
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """One home folder with its ports, and `shabarman` in it."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.port, self.flower_port = free_port(), free_port()
        kept = ("HOME", "LANG", "TMPDIR", "PYTHONPATH")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            # No server of the machine is found here: the one of the Python packages has to do.
            "PATH": str(Path(sys.executable).parent),
            "PYTHONUNBUFFERED": "1",
            "SHABARMAN_HOME": str(home),
            "SHABARMAN_PORT": str(self.port),
            "SHABARMAN_FLOWER_PORT": str(self.flower_port),
            "SHABARMAN_LANGUAGE": "en",
            **settings,
        }

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return self._finish(self._command(arguments), **options)

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run some Python code to its end, in a process of its own."""
        return self._finish([sys.executable, "-c", code])

    def _finish(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            **options,
        )

    @contextmanager
    def start(self, *arguments: str, stdout: int | None = None) -> Iterator[subprocess.Popen[str]]:
        """Run one command for the time of a block; afterwards it is stopped as Ctrl-C would, or killed."""
        output = self.home.with_name(f"{self.home.name}.out").open("a+")
        with (
            output,
            subprocess.Popen(
                self._command(arguments),
                env=self.environment,
                cwd=ROOT,
                stdout=output if stdout is None else stdout,
                stderr=output,
                text=True,
            ) as process,
        ):
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    try:
                        process.wait(PATIENCE)
                    except subprocess.TimeoutExpired:
                        process.kill()

    def said(self) -> str:
        """Return what the started commands have printed so far."""
        return self.home.with_name(f"{self.home.name}.out").read_text(encoding="utf-8")

    def processes(self) -> dict[str, dict[str, Any]]:
        """Return what `up` says it runs, by name."""
        file = self.home / "run" / "processes.json"
        if not file.exists():
            return {}
        found: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["processes"]
        return found

    def all_ready(self) -> bool:
        running = {name: row for name, row in self.processes().items() if name != "prepare"}
        return bool(running) and all(row["phase"] == "ready" for row in running.values())

    def get(self, path: str, *, port: int | None = None) -> tuple[int, str]:
        """Return status and body of a page; 0 while nobody answers."""
        address = f"http://127.0.0.1:{port or self.port}{path}"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "workers.cli", *arguments]


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all that it started."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run.

    Who has ended but is not collected yet does not: an orphan is collected by the first process of the machine, which
    in a container may take its time.
    """
    return [one for one in processes if one.is_running() and _status(one) != psutil.STATUS_ZOMBIE]


def _status(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


def plain(text: str) -> str:
    """Return what a terminal shows, on one line and without colours and frames."""
    return re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m|[│╭╮╰╯─]", " ", text))
