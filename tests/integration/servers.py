"""Real servers for the tests: databases and brokers of our own, that never touch what is there besides."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import amqp
import psycopg
import pytest
from kombu import Connection
from psycopg import sql
from redis import Redis
from redis.exceptions import RedisError

from models import Base
from models.database import Database
from models.migrate import migrate
from routing.queues import DEAD, declare, names

POSTGRESQL = os.environ.get("SHABARMAN_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres")
RABBITMQ = os.environ.get("SHABARMAN_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")


def missing(what: str) -> None:
    """Skip on a laptop; fail in CI, where a server that is not there would hide what is broken."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is needed in CI and does not answer")
    pytest.skip(f"{what} does not answer")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SqliteFiles:
    """Fresh SQLite databases, copied from one that was migrated once."""

    def __init__(self, folder: Path) -> None:
        self.template = folder / "template.db"
        database = Database(f"sqlite:///{self.template}")
        migrate(database)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()

    def fresh(self, folder: Path) -> str:
        path = folder / "shabarman.db"
        shutil.copy(self.template, path)
        return f"sqlite:///{path}"


class PostgresqlDatabase:
    """One database of a name of its own, emptied between tests, because making one takes longer than most tests."""

    def __init__(self, url: str) -> None:
        self.url = url
        # What a migration writes stays.
        self.tables = [
            table.name
            for table in reversed(Base.metadata.sorted_tables)
            if table.name not in {"offices", "compatibility"}
        ]

    def empty(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            # What a killed process left open would be waited for.
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid != pg_backend_pid()"
            )
            # History forbids deleting; as a replica no trigger fires. Quicker than TRUNCATE, which writes files.
            connection.execute("SET session_replication_role = replica")
            with connection.transaction():
                for table in self.tables:
                    connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                # Offices are entered by a migration and stay; what people say of them does not.
                connection.execute("UPDATE offices SET own_register = false WHERE own_register")


@contextmanager
def postgresql_database() -> Iterator[PostgresqlDatabase]:
    name = f"shabarman_test_{uuid4().hex[:12]}"
    try:
        admin = psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        missing(f"PostgreSQL at {urlsplit(POSTGRESQL).hostname}")
        raise
    with admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = urlunsplit(urlsplit(POSTGRESQL)._replace(path=f"/{name}"))
        try:
            database = Database(url)
            migrate(database)
            database.close()
            yield PostgresqlDatabase(url)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass
class Broker:
    """A broker of our own: nobody else's messages are in it, and it may be wiped and killed."""

    url: str
    process: subprocess.Popen[bytes] | None = None
    command: tuple[str, ...] = ()

    @property
    def is_redis(self) -> bool:
        return self.url.startswith("redis")

    def client(self) -> Redis:
        address = self.url.replace("redis+socket", "unix") if "socket" in self.url else self.url
        client: Redis = Redis.from_url(address, socket_timeout=5)
        return client

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                with self.client() as client:
                    client.ping()
            except (RedisError, OSError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def empty(self) -> None:
        """Forget everything."""
        if self.is_redis:
            with self.client() as client:
                client.flushall()
            return
        with Connection(self.url) as connection, connection.channel() as opened:
            declare(connection)  # Cheap where they are there; deleting and making them anew is not.
            channel: Any = opened
            for queue in (*names(), DEAD):
                channel.queue_purge(queue)

    def push(self, queue: str, body: bytes, **properties: object) -> None:
        """Put raw bytes into a queue, as a stranger with the address of the broker could."""
        if self.is_redis:
            with self.client() as client:
                client.lpush(queue, body)
            return
        with self._channel() as opened:
            opened.basic_publish(
                amqp.Message(body, channel=opened, **properties), exchange="", routing_key=queue
            )

    def take(self, queue: str) -> list[Any]:
        """Take what waits in a queue, as messages of kombu."""
        found = []
        with self._channel() as opened:
            while (message := opened.basic_get(queue, no_ack=True)) is not None:
                found.append(message)
        return found

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        with Connection(self.url) as connection, connection.channel() as opened:
            yield opened

    def length(self, queue: str) -> int:
        """Return how many messages wait in a queue."""
        if self.is_redis:
            with self.client() as client:
                return int(client.llen(queue))
        with self._channel() as opened:
            return int(opened.queue_declare(queue, passive=True).message_count)


@contextmanager
def redis_like(program: str, folder: Path, *, over_tcp: bool) -> Iterator[Broker]:
    """Run a Redis or Valkey server, on a socket in `folder` or on a loopback port."""
    where = ["--port", "0", "--unixsocket", str(folder / "broker.sock")]
    url = f"redis+socket://{folder / 'broker.sock'}"
    if over_tcp:
        port = free_port()
        where = ["--port", str(port), "--bind", "127.0.0.1"]
        url = f"redis://127.0.0.1:{port}/0"
    broker = Broker(
        url=url,
        command=(
            program,
            *where,
            "--dir",
            str(folder),
            "--save",
            "",
            "--appendonly",
            "yes",
            "--maxmemory-policy",
            "noeviction",
        ),
    )
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


@contextmanager
def rabbitmq() -> Iterator[Broker]:
    """Use the RabbitMQ server of the machine, in a virtual host of our own where we may make one.

    Where we may not, the server is taken to be ours: its queues are emptied between tests.
    """
    try:
        with Connection(RABBITMQ, connect_timeout=3) as connection:
            connection.connect()
    except (OSError, amqp.exceptions.AMQPError):
        missing(f"RabbitMQ at {urlsplit(RABBITMQ).hostname}")
        raise
    control = shutil.which("rabbitmqctl")
    vhost = f"shabarman_test_{uuid4().hex[:12]}"
    if control and _control(control, "add_vhost", vhost):
        user = urlsplit(RABBITMQ).username or "guest"
        _control(control, "set_permissions", "-p", vhost, user, ".*", ".*", ".*")
        try:
            yield Broker(url=urlunsplit(urlsplit(RABBITMQ)._replace(path=f"/{vhost}")))
        finally:
            _control(control, "delete_vhost", vhost)
        return
    broker = Broker(url=RABBITMQ)
    broker.empty()
    yield broker
    broker.empty()


def _control(program: str, *arguments: str) -> bool:
    return subprocess.run((program, "-q", *arguments), capture_output=True, check=False).returncode == 0
