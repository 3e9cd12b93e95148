"""A relay and a real Celery worker around one database and one broker; or a lone relay, where there is no broker."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError

from models.database import Database
from routing.poke import Poker
from tests.integration.servers import Broker, free_port
from tests.integration.tasks.post import SECRET, quick, states
from workers.lone_relay import LoneRelay
from workers.relay import Relay

ROOT = Path(__file__).parents[3]

PATIENCE = 60.0
"""Seconds that anything may take on a busy machine before a test gives up."""


class Letters:
    """A mail server that keeps what it takes; it refuses, or does not answer, while it is told to."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.answer = "250 OK"
        self.began = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.url = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.began.set()
        while not self.go_on.is_set():  # noqa: ASYNC110 - set from the thread of the test
            await asyncio.sleep(0.02)
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            letter = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(letter, EmailMessage)
            self.taken.append(letter)
        return self.answer


@contextmanager
def mail_server() -> Iterator[Letters]:
    letters = Letters()
    server = Controller(letters, hostname="127.0.0.1", port=free_port())
    server.start()
    letters.url = f"smtp://127.0.0.1:{server.port}"
    try:
        yield letters
    finally:
        server.stop()


@dataclass
class Worker:
    """A real `celery worker` in a process group of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def lives(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """End the worker and its children with no chance to say anything."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask the worker to end, as a supervisor does, and return its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE)
        finally:
            if self.lives:
                self.kill()


@contextmanager
def worker(environment: dict[str, str], log: Path, *, target: str = "tasks.app") -> Iterator[Worker]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            (sys.executable, "-m", "celery", "-A", target, "worker", "-c", "2", "-l", "INFO"),
            cwd=ROOT,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "REMAP_SIGTERM": "SIGQUIT"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    started = Worker(process, log)
    try:
        assert until(lambda: b" ready." in log.read_bytes() or not started.lives)
        assert started.lives, log.read_text()[-4000:]
        yield started
    finally:
        if started.lives:
            started.stop()


def until(condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds; tell whether it did before the patience was over."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def arrive(broker: Broker, ids: list[int], *, queue: str = "centre.aksu") -> bool:
    """Wait until tasks with all of `ids` were in a queue, whose broker may still be on its way back."""
    seen: set[int] = set()

    def look() -> bool:
        with suppress(OSError, AMQPError, KombuError):
            for message in broker.take(queue):
                seen.update(json.loads(message.body)[0][0])
        return seen >= set(ids)

    return until(look)


@contextmanager
def relaying(relay: Relay | LoneRelay) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive()


@dataclass
class House:
    """Everything that carries a message, running."""

    database: Database
    letters: Letters
    environment: dict[str, str]
    stands_on: Broker | None
    has_at_work: Worker | None

    @property
    def broker(self) -> Broker:
        assert self.stands_on is not None, "this house has no broker"
        return self.stands_on

    @property
    def worker(self) -> Worker:
        assert self.has_at_work is not None, "this house has no worker"
        return self.has_at_work

    def all_are(self, state: str, ids: list[int]) -> bool:
        return until(lambda: set(states(self.database, ids)) == {state})


@contextmanager
def house(
    database_url: str, broker: Broker | None, folder: Path, *, target: str = "tasks.app"
) -> Iterator[House]:
    """Run a relay and a worker whose pauses are short; without a broker a lone relay."""
    with ExitStack() as stack:
        letters = stack.enter_context(mail_server())
        settings = quick(lease_seconds=5, retry_seconds=1, message_attempts=3, smtp_url=letters.url)
        environment = {
            "SHABARMAN_HOME": str(folder),
            "SHABARMAN_SECRET": SECRET,
            "SHABARMAN_DATABASE_URL": database_url,
            "SHABARMAN_BROKER_URL": broker.url if broker else "none",
            "SHABARMAN_SMTP_URL": letters.url,
            "SHABARMAN_RETRY_SECONDS": "1",
            "SHABARMAN_MESSAGE_ATTEMPTS": "3",
        }
        database, relays = Database(database_url), Database(database_url)
        stack.callback(database.close)
        stack.callback(relays.close)
        started = None
        if broker is None:
            stack.enter_context(relaying(LoneRelay(relays, settings)))
        else:
            database.after_commit.append(Poker(broker.url).poke)
            started = stack.enter_context(worker(environment, folder / "worker.log", target=target))
            stack.enter_context(relaying(Relay(relays, broker.url, settings)))
        yield House(database, letters, environment, broker, started)
