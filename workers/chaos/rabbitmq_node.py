"""A RabbitMQ node of our own, with its own name, ports and data, behind a proxy."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import amqp
from kombu import Connection

from routing.queues import DEAD, names
from workers.chaos.databases import NoServerError
from workers.chaos.disk import SmallDisk
from workers.chaos.keeping import Keeper, Kept, NotStartedError, wait_until
from workers.chaos.proxy import Proxy
from workers.chaos.tapping import AmqpTap, Taken
from workers.embedded import free_port

PATIENCE = 5.0
"""Seconds that any one answer may take."""

DISK_LIMIT_MEGABYTES = 64
"""Below this the node takes no more messages. On a disk without a free byte its quorum queues die, and stay so until
somebody starts it again (seen with 3.10.8): the limit is what keeps it from there."""

ORDER_PATIENCE = 30.0
"""Seconds that an order to the node may take; each starts a virtual machine of its own."""


class RabbitmqNode:
    """A RabbitMQ node of our own, with its own name, ports and data."""

    kind = "rabbitmq"

    def __init__(self, folder: Path, keeper: Keeper, *, logs: Path, disk: SmallDisk) -> None:
        """Start the node with its data in `folder`; raise NoServerError or NotStartedError."""
        self.disk = disk
        programs = _rabbitmq_programs()
        port, distribution, mapper = free_port(), free_port(), free_port()
        config = folder / "rabbitmq.conf"
        config.write_text(
            f"listeners.tcp.1 = 127.0.0.1:{port}\n"
            "raft.wal_max_size_bytes = 33554432\n"
            f"disk_free_limit.absolute = {DISK_LIMIT_MEGABYTES}MB\n"
            "vm_memory_high_watermark.absolute = 1GB\n",
            encoding="utf-8",
        )
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "RABBITMQ_NODENAME": f"chaos{os.getpid()}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution),
            "ERL_EPMD_PORT": str(mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_FLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(logs / "rabbitmq"),
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }
        self._control = programs / "rabbitmqctl"
        if epmd := _mapper_program():
            # Ours from the start, so that the node leaves none behind.
            keeper.add(
                Kept(
                    name="epmd",
                    command=[epmd, "-port", str(mapper), "-address", "127.0.0.1"],
                    log=logs / "epmd.log",
                    program=True,
                    environment=self._environment,
                )
            )
            wait_until(lambda: _listens(mapper), seconds=10)
        log = logs / "broker.log"
        self.kept = keeper.add(
            Kept(
                name="broker",
                command=[str(programs / "rabbitmq-server")],
                log=log,
                program=True,
                environment=self._environment,
            )
        )
        self.direct_url = f"amqp://guest:guest@127.0.0.1:{port}//"
        self._tap = AmqpTap()
        self.proxy: Proxy | None = Proxy(port, tap=self._tap.hear)
        self.url = f"amqp://guest:guest@127.0.0.1:{self.proxy.port}//"
        self.tap = self._tap
        if not wait_until(self.answers, seconds=120):
            raise NotStartedError(name="RabbitMQ", log=log)

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        try:
            with Connection(self.direct_url, connect_timeout=2) as connection:
                connection.connect()
        except (OSError, amqp.exceptions.AMQPError):
            return False
        return True

    def end(self) -> None:
        """End what an order that came too late may have left behind; call it after the node has ended."""
        mapper = self._environment["ERL_EPMD_PORT"]
        if epmd := _mapper_program():
            subprocess.run([epmd, "-port", mapper, "-kill"], capture_output=True, check=False, timeout=10)

    def wipe(self) -> None:
        """Empty all queues."""
        with self._channel() as opened, opened.channel() as channel:
            for queue in (*names(), DEAD):
                channel.queue_purge(queue)

    def fill(self) -> None:
        """Leave no memory for anything more: publishers are held back. Raises subprocess.SubprocessError."""
        self._order("set_vm_memory_high_watermark", "absolute", "1")

    def relieve(self) -> None:
        """Give the memory back; raise subprocess.SubprocessError when the node does not answer."""
        self._order("set_vm_memory_high_watermark", "absolute", "1GB")

    def put(self, letters: Sequence[Taken]) -> None:
        """Put raw letters into their queues, as a stranger with the address could."""
        with self._channel() as opened, opened.channel() as channel:
            for letter in letters:
                message = amqp.Message(letter.body, **letter.properties)
                channel.basic_publish(message, exchange="", routing_key=letter.queue)

    def _channel(self) -> Any:  # noqa: ANN401 - a connection of the library
        connection = amqp.Connection(
            self.direct_url.split("@")[1].rstrip("/"),
            userid="guest",
            password="guest",  # noqa: S106 - of a node on loopback that lives for minutes
            connect_timeout=PATIENCE,
            read_timeout=PATIENCE,
            write_timeout=PATIENCE,
        )
        connection.connect()
        return connection

    def _order(self, *words: str) -> None:
        subprocess.run(
            [self._control, "-q", *words],
            env=self._environment,
            capture_output=True,
            check=True,
            timeout=ORDER_PATIENCE,
            start_new_session=True,
        )


def _rabbitmq_programs() -> Path:
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"))
    if found:
        return found[-1]
    elsewhere = shutil.which("rabbitmq-server")
    if elsewhere is None:
        raise NoServerError(what="RabbitMQ")
    return Path(elsewhere).parent


def _mapper_program() -> str | None:
    return shutil.which("epmd")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
