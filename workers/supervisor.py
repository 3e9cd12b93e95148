"""`shabarman up`: everything on one machine. Starts the processes, restarts what dies, and stops them in order."""

from __future__ import annotations

import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from functools import partial
from typing import IO

from config.clock import utc_now
from config.language import Text, language_of_environment
from config.settings import Settings
from routing.broker import is_brokerless
from workers import embedded, processes
from workers.child import Child, Phase
from workers.home import Home, home_at
from workers.journal import Tail
from workers.readiness import listen

STOPPING_ORDER = (("prepare", "web"), ("relay", "beat", "worker", "flower"), ("broker",))
"""People first, so that nothing new begins; the broker last, because all others talk to it."""

SHARED_CODE = (
    "workers.processes",
    "workers.web",
    "web.app",
    "workers.worker",
    "workers.relay",
    "workers.beat",
    "workers.flower",
    "celery.apps.worker",
    "celery.concurrency.prefork",
    "celery.worker.consumer",
    "kombu.transport.redis",
    "models.migrate",
    "psycopg",
)
"""Loaded once and shared by all forks. A module that cannot be loaded is left out; its process says why."""

TICK = 0.5
"""Seconds between two looks at the logs when nothing else happens."""


def supervise(settings: Settings) -> None:
    """Run everything until Ctrl-C or SIGTERM; exit code 0 after a clean stop.

    Raises HomeTakenError, PortTakenError, AddressError, NoBrokerServerError before anything is started.
    """
    began = time.monotonic()
    home = home_at(settings.home)
    home.make()
    lock = home.lock()
    pages = listen(settings.host, settings.port, variable="SHABARMAN_PORT")
    tasks = None
    if not is_brokerless(settings):
        tasks = listen(settings.flower_host, settings.flower_port, variable="SHABARMAN_FLOWER_PORT")
    broker = None if settings.broker_url else embedded.plan(home)
    supervisor = Supervisor(settings, home, lock=lock, pages=pages, tasks=tasks, broker=broker)
    sys.exit(supervisor.run(began=began))


class Supervisor:
    """Keeps the processes of one home folder."""

    def __init__(
        self,
        settings: Settings,
        home: Home,
        *,
        lock: IO[str],
        pages: socket.socket,
        tasks: socket.socket | None,
        broker: embedded.EmbeddedBroker | None,
    ) -> None:
        """Prepare for the processes; `pages` and `tasks` are the open ports of the web and of Flower.

        No `tasks` means no broker either: the relay handles the messages, and there is nothing for Flower to show.
        """
        self.settings, self.home, self.lock = settings, home, lock
        self.pages, self.tasks, self.broker = pages, tasks, broker
        self.language = language_of_environment()
        self.done = set[str]()
        self.children = {child.name: child for child in self._children()}
        self.tails = {name: Tail(home.log(name)) for name in self.children if name != "prepare"}
        self.stop_asked = 0
        self.failed = 0
        self.selector = selectors.DefaultSelector()
        self.lifeline, self._own_end = os.pipe()
        self._wake, self._waker = socket.socketpair()

    def run(self, *, began: float) -> int:
        """Run until asked to stop, and return the exit code; `began` is on the monotonic clock."""
        self._listen_to_signals()
        first = self._sign_ins_time()
        try:
            if self.broker is not None:
                self.broker.prepare()
            self._start_due()
            self._load_shared_code()
            told = False
            while not self.stop_asked and not self.failed:
                self._look()
                if not told and self._all_ready():
                    told = True
                    self._welcome(time.monotonic() - began, new_people=self._sign_ins_time() != first)
                self._start_due()
                self._sleep()
        finally:
            self._stop()
        return self.failed

    def _children(self) -> list[Child]:
        settings, log = self.settings, self.home.log
        broker, both = frozenset({"broker"}), frozenset({"broker", "prepare"})
        children = [
            Child(name="prepare", body=partial(processes.prepare, settings, self.home)),
            Child(name="web", body=partial(processes.web, settings, self.pages), needs=both, grace=30),
            Child(name="relay", body=partial(processes.relay, settings), needs=both),
        ]
        if self.tasks is not None:
            children += [
                Child(name="worker", body=partial(processes.worker, settings), needs=both, grace=20),
                Child(name="beat", body=partial(processes.beat, settings), needs=broker),
                Child(name="flower", body=partial(processes.flower, settings, self.tasks), needs=broker),
            ]
        if self.broker is None:
            self.done.add("broker")
        else:
            answers, command = self.broker.answers, self.broker.command
            children.insert(0, Child(name="broker", command=command, answers=answers, grace=10))
        for child in children:
            child.log = None if child.name == "prepare" else log(child.name)
        return children

    def _listen_to_signals(self) -> None:
        def stop(_signal: int, _frame: object) -> None:
            self.stop_asked += 1

        def nothing(_signal: int, _frame: object) -> None:
            """Only wake the loop."""

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, stop)
        signal.signal(signal.SIGCHLD, nothing)
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self.selector.register(self._wake, selectors.EVENT_READ)

    def _load_shared_code(self) -> None:
        for name in SHARED_CODE:
            # Whatever is wrong with a module is the fault of one process, which meets it again and says so.
            with suppress(Exception):
                importlib.import_module(name)
        # What is loaded now stays for ever: the collector need not look at it, nor unshare its memory.
        gc.collect()
        gc.freeze()

    def _start_due(self) -> None:
        now = time.monotonic()
        changed = False
        for child in self.children.values():
            if child.phase is Phase.WAITING and child.due_at <= now and child.needs <= self.done:
                child.start(release=partial(self._release, child.name), lifeline=self.lifeline)
                changed = True
        if changed:
            self._write_state()

    def _release(self, name: str) -> None:
        """Close, in a fork, what only the supervisor uses; the lock stays, so that it outlives a killed supervisor."""
        self.selector.close()
        self._wake.close()
        self._waker.close()
        os.close(self._own_end)
        for child in self.children.values():
            child.drop_pipe()
        if name != "web":
            self.pages.close()
        if name != "flower" and self.tasks is not None:
            self.tasks.close()
        if name == "broker":
            os.set_inheritable(self.lock.fileno(), True)

    def _look(self) -> None:
        changed = False
        for child in self.children.values():
            if child.look_if_ready():
                changed = True
                self.done.add(child.name)
            if child.look_if_ended():
                changed = True
                self._after_end(child)
        for name, tail in self.tails.items():
            for line in tail.serious_lines():
                self._print(f"{name}: {line}")
            tail.keep_within_bounds()
        if changed:
            self._write_state()

    def _after_end(self, child: Child) -> None:
        if child.name == "prepare":
            if child.exit_code == 0:
                self.done.add("prepare")
            else:
                self.failed = child.exit_code if child.exit_code and child.exit_code > 0 else 1
            return
        if self.broker is not None and child.name == "broker" and self.broker.home.broker_data.exists():
            self._mend_broker(child)
        pause = child.plan_restart()
        self._note(
            Text("{name} ended ({how}). It is started again in {pause} s; its log is {log}."),
            name=child.name,
            how=child.how_it_ended(),
            pause=f"{pause:.1f}",
            log=child.log,
        )

    def _mend_broker(self, child: Child) -> None:
        assert self.broker is not None
        if "broker" in self.done or child.deaths < 1:
            return
        # It ended twice without a word to us: what it kept cannot be read. The database has all of it.
        aside = self.broker.set_data_aside()
        self._note(
            Text("The broker cannot read its data; they are in {aside} now, and nothing is lost."),
            aside=aside,
        )

    def _all_ready(self) -> bool:
        return all(child.phase is Phase.READY or child.name == "prepare" for child in self.children.values())

    def _sleep(self) -> None:
        starting = any(child.phase is Phase.STARTING for child in self.children.values())
        due = [child.due_at for child in self.children.values() if child.phase is Phase.WAITING]
        until = min([0.02 if starting else TICK, *(at - time.monotonic() for at in due if at)])
        self.selector.select(max(until, 0.01))
        with suppress(BlockingIOError):
            self._wake.recv(4096)

    def _stop(self) -> None:
        self._note(Text("Stopping …"))
        self.pages.close()
        for names in STOPPING_ORDER:
            children = [self.children[name] for name in names if name in self.children]
            for child in children:
                child.ask_to_stop()
            asked, before = time.monotonic(), self.stop_asked
            while any(child.pid is not None for child in children):
                for child in children:
                    # A second Ctrl-C means now.
                    if time.monotonic() - asked > child.grace or self.stop_asked > max(before, 1):
                        child.kill()
                    child.look_if_ended()
                self.selector.select(0.02)
                with suppress(BlockingIOError):
                    self._wake.recv(4096)
        if self.tasks is not None:
            self.tasks.close()
        if self.broker is not None:
            self.broker.forget()
        self.home.processes.unlink(missing_ok=True)
        self._note(Text("Everything has stopped."))

    def _sign_ins_time(self) -> int:
        file = self.home.first_sign_ins
        return file.stat().st_mtime_ns if file.exists() else 0

    def _welcome(self, seconds: float, *, new_people: bool) -> None:
        address = f"http://{self.settings.host}:{self.settings.port}/"
        self._note(Text("Shabarman is ready after {seconds} s."), seconds=f"{seconds:.1f}")
        self._print(self._say(Text("  Pages   {address}"), address=address))
        if self.tasks is not None:
            self._print(
                self._say(
                    Text("  Flower  {address}"),
                    address=f"http://{self.settings.flower_host}:{self.settings.flower_port}/",
                )
            )
        self._print(self._say(Text("  Data    {folder}"), folder=self.home.folder))
        if new_people:
            self._print(
                self._say(
                    Text("First sign-ins, shown this once and kept in {file}:"), file=self.home.first_sign_ins
                )
            )
            for line in self.home.first_sign_ins.read_text(encoding="utf-8").splitlines():
                if not line.startswith("#"):
                    self._print(f"  {line}")
        self._print(self._say(Text("Ctrl-C stops everything.")))

    def _say(self, text: Text, **facts: object) -> str:
        return text.render(self.language, **facts)

    def _note(self, text: Text, **facts: object) -> None:
        """Show a sentence, and keep it in the supervisor's own log."""
        self._print(self._say(text, **facts))
        entry = {"timestamp": utc_now().isoformat(), "process": "up", "event": text.render(**facts)}
        with self.home.log("up").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def _print(self, line: str) -> None:
        # A terminal that went away must not stop the house.
        with suppress(OSError):
            print(line, flush=True)  # noqa: T201

    def _write_state(self) -> None:
        state = {
            child.name: {"pid": child.pid, "phase": child.phase.value, "starts": child.starts}
            for child in self.children.values()
        }
        fresh = self.home.processes.with_suffix(".new")
        fresh.write_text(json.dumps({"up": os.getpid(), "processes": state}, indent=2), encoding="utf-8")
        fresh.replace(self.home.processes)
