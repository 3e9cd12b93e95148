"""The database of the trial: a PostgreSQL cluster of its own behind a proxy, or an SQLite file."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from config.errors import SettingsError
from config.language import Text
from workers.chaos.disk import SmallDisk
from workers.chaos.keeping import Keeper, Kept, NotStartedError, wait_until
from workers.chaos.proxy import Proxy
from workers.embedded import free_port

MOST_CONNECTIONS = 60
"""Of the PostgreSQL server: enough for all processes, little enough for a storm."""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": str(MOST_CONNECTIONS),
    "shared_buffers": "64MB",
    "max_wal_size": "128MB",
    "min_wal_size": "32MB",
    "wal_segment_size": "",
    "timezone": "UTC",
}


class NoServerError(SettingsError):
    """A server that the trial needs is not installed. Fact: `what`."""

    code = "no_server"
    text = Text("{what} is not installed here. Install it, or choose another with --database or --broker.")


class PostgresqlServer:
    """A cluster of our own."""

    kind = "postgresql"

    def __init__(self, folder: Path, keeper: Keeper, *, logs: Path, disk: SmallDisk) -> None:
        """Make the cluster in `folder`, start it, and make an empty database; raise NoServerError, NotStartedError."""
        self.disk = disk
        programs = _programs()
        self.port = free_port()
        self._log = logs / "postgresql.log"
        data = folder / "postgresql"
        data.mkdir(mode=0o700)
        user = None
        if os.geteuid() == 0:
            # The server refuses to run as root.
            user = "postgres"
            shutil.chown(data, user)
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-U", "shabarman", "-A", "trust", "-E", "UTF8", "--no-sync"],
            user=user,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
            cwd="/",
            capture_output=True,
            check=False,
        )
        self._log.write_bytes(made.stdout + made.stderr)
        if made.returncode:
            raise NotStartedError(name="initdb", log=self._log)
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(self.port)]
        for name, value in _SETTINGS.items():
            if value or name == "unix_socket_directories":
                command += ["-c", f"{name}={value}"]
        self.kept = keeper.add(
            Kept(
                name="database",
                command=command,
                log=self._log,
                program=True,
                user=user,
                environment={
                    "PATH": os.environ.get("PATH", ""),
                    "LC_ALL": "C.UTF-8",
                    "PYTHONPATH": os.pathsep.join(_import_path()),
                },
            )
        )
        self.proxy = Proxy(self.port)
        if not wait_until(self._answers, seconds=60):
            raise NotStartedError(name="PostgreSQL", log=self._log)
        with psycopg.connect(self._direct("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE shabarman")

    @property
    def direct_url(self) -> str:
        """Address past the proxy, for those who only look."""
        return self._direct("shabarman")

    @property
    def url(self) -> str:
        """Address through the proxy."""
        return f"postgresql://shabarman@127.0.0.1:{self.proxy.port}/shabarman"

    def restart(self) -> None:
        """End it without a word to anybody (`immediate`); the keeper starts it again, and it recovers."""
        self.kept.send(signal.SIGQUIT)

    def answers(self) -> bool:
        """Tell whether it takes statements."""
        return self._answers("shabarman")

    def _direct(self, name: str) -> str:
        return f"postgresql://shabarman@127.0.0.1:{self.port}/{name}"

    def _answers(self, name: str = "postgres") -> bool:
        try:
            with psycopg.connect(self._direct(name), connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True


class SqliteFile:
    """An embedded database."""

    kind = "sqlite"

    def __init__(self, folder: Path, *, disk: SmallDisk) -> None:
        """Choose the file in `folder`; it comes into being with its tables."""
        self.disk = disk
        self.file = folder / "shabarman.db"

    @property
    def url(self) -> str:
        """Address of the file."""
        return f"sqlite:///{self.file}"

    @property
    def direct_url(self) -> str:
        """Address for those who only look."""
        return self.url


TrialDatabase = PostgresqlServer | SqliteFile


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if found:
        if os.geteuid() == 0:
            try:
                pwd.getpwnam("postgres")
            except KeyError:
                raise NoServerError(what="The system user postgres") from None
        return found[-1].parent
    elsewhere = shutil.which("postgres")
    if elsewhere is None:
        raise NoServerError(what="PostgreSQL")
    return Path(elsewhere).parent


def _import_path() -> list[str]:
    """Return where `workers` is found by a Python that is started elsewhere."""
    return [str(Path(__file__).parents[2])]
