"""The processes that carry messages: those of a running `shabarman up`, or own ones for the time of a simulation."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.errors import UnavailableError
from config.language import Text
from config.settings import Settings
from routing.broker import broker_url, is_brokerless
from workers import embedded
from workers.home import Home, HomeTakenError, home_at

START_PATIENCE = 60.0
"""Seconds that a process may take to become ready."""
STOP_PATIENCE = 25.0
"""Seconds between SIGTERM and SIGKILL; a worker puts back what it has fetched."""

# Both end with this process, whatever ends it: the kernel tells them.
_OURS = "import sys; from workers.kernel import end_with_parent; end_with_parent(int(sys.argv.pop(1))); "
_COMMAND = _OURS + "from workers.cli import main; main()"
_PROGRAM = _OURS + "import os; os.execv(sys.argv[1], sys.argv[1:])"


class CarrierError(UnavailableError):
    """A process that the simulation needs did not start. Facts: `name`, `log`."""

    code = "carrier"
    text = Text("The process {name} did not start. Its own words are in {log}.")


@contextmanager
def carriers(settings: Settings, *, alone: bool = False, running: bool = False) -> Iterator[str | None]:
    """Have a broker, a relay and a worker at work for the time of a block, and yield the broker's address.

    Where there is to be no broker the relay does it alone, and there is no address.

    A `shabarman up` on the same home folder is used as it is, and so are services that are `running`; otherwise they
    are started, and stopped afterwards.
    Raises HomeTakenError where it runs and the caller must be `alone`, CarrierError,
    `workers.embedded.NoBrokerServerError` or `routing.broker.NoBrokerError`.
    """
    if running:
        yield None if is_brokerless(settings) else broker_url(settings)
        return
    home = home_at(settings.home)
    home.make()
    with ExitStack() as stack:
        try:
            # While this process has the folder, no `shabarman up` begins to use the same broker.
            stack.enter_context(home.lock(patience=0))
        except HomeTakenError:
            if alone:
                raise
            _wait_for_up(home, ("relay",) if is_brokerless(settings) else ("relay", "worker"))
        else:
            if not settings.broker_url:
                stack.enter_context(_broker(home))
            names = ("relay",) if is_brokerless(settings) else ("relay", "worker")
            stack.enter_context(_relay_and_worker(home, names))
        yield None if is_brokerless(settings) else broker_url(settings)


def _wait_for_up(home: Home, names: Sequence[str]) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while not all(_phase(home, name) == "ready" for name in names):
        if time.monotonic() > deadline:
            raise CarrierError(name="shabarman up", log=home.log("up"))
        time.sleep(0.1)


def _phase(home: Home, name: str) -> str | None:
    try:
        kept = json.loads(home.processes.read_text(encoding="utf-8"))["processes"][name]["phase"]
    except (FileNotFoundError, KeyError):
        return None
    return str(kept)


@contextmanager
def _broker(home: Home) -> Iterator[None]:
    broker = embedded.plan(home)
    broker.prepare()
    with _running(_PROGRAM, broker.command, log=home.log("broker")) as process:
        deadline = time.monotonic() + START_PATIENCE
        while not broker.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise CarrierError(name="broker", log=home.log("broker"))
            time.sleep(0.02)
        try:
            yield
        finally:
            broker.forget()


@contextmanager
def _relay_and_worker(home: Home, names: Sequence[str]) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="sim-") as folder, ExitStack() as stack:
        waiting = []
        for name in names:
            place = Path(folder) / name
            told = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            told.bind(str(place))
            told.settimeout(0.1)
            arguments = [name] if name == "relay" else [name, "--name", "simulation"]
            process = stack.enter_context(_running(_COMMAND, arguments, log=home.log(name), notify=place))
            waiting.append((name, told, process))
        for name, told, process in waiting:
            _wait_until_ready(home, name, told, process)
        try:
            yield
        finally:
            # Both at once: each takes its time to stop cleanly.
            for _, _, process in waiting:
                process.terminate()


def _wait_until_ready(home: Home, name: str, told: socket.socket, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while True:
        try:
            if told.recv(100).startswith(b"READY"):
                return
        except TimeoutError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise CarrierError(name=name, log=home.log(name)) from None


@contextmanager
def _running(
    code: str, arguments: Sequence[str], *, log: Path, notify: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python code in a process of its own for the time of a block."""
    environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    if notify is not None:
        environment["NOTIFY_SOCKET"] = str(notify)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(os.getpid()), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C is for us alone: we stop them in order.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
