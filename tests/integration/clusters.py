"""A PostgreSQL cluster of our own, for tests that restart it, use up its connections or fill its disk."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from models.database import Database
from models.migrate import migrate
from tests.integration.servers import free_port, missing

CONNECTIONS = 12
"""So few that a test can take all of them."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": str(CONNECTIONS),
    "superuser_reserved_connections": "0",
    "autovacuum": "off",
    "max_wal_senders": "0",
    # Not off: what was committed must be there after an immediate stop.
    "fsync": "on",
}


@dataclass
class Cluster:
    """One cluster with one migrated database."""

    programs: Path
    folder: Path
    port: int
    url: str = ""

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        self._control("start", "-w", "-l", str(self.folder / "log"), "-o", f"-p {self.port} {options}")

    def stop_at_once(self) -> None:
        """End it as a loss of power would: nobody is told, nothing is written."""
        self._control("stop", "-m", "immediate")

    def process_id(self) -> int:
        """Return the id of the server's first process."""
        return int((self.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])

    def admin(self, name: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.address(name), autocommit=True)

    def address(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def _control(self, *arguments: str) -> None:
        # Not captured: the server would hold the pipe open.
        as_postgres(str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), "-s", *arguments)


def as_postgres(*command: str) -> None:
    """Run a command as a user who may run PostgreSQL; root may not."""
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user)  # type: ignore[call-overload]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Make and start a cluster for the time of a block."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        missing("PostgreSQL's own programs (initdb)")
    # Not pytest's own folder, which the user postgres may not enter.
    folder = Path(tempfile.mkdtemp(prefix="sh-pg-"))
    folder.chmod(0o755)
    (folder / "data").mkdir(mode=0o700)
    (folder / "log").touch()
    if os.geteuid() == 0:
        for path in (folder / "data", folder / "log"):
            shutil.chown(path, "postgres", "postgres")
    made = Cluster(programs=found[-1].parent, folder=folder, port=free_port())
    as_postgres(
        str(made.programs / "initdb"),
        *("-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"),
        "--no-locale",
    )
    made.start()
    try:
        with made.admin() as connection:
            connection.execute("CREATE DATABASE shabarman")
        made.url = made.address("shabarman")
        database = Database(made.url)
        migrate(database)
        database.close()
        yield made
    finally:
        made.stop_at_once()
        shutil.rmtree(folder)


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """Have a disk of its own at `folder` for the time of a block; skips where we may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = subprocess.run(
        ("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=777", "tmpfs", str(folder)),
        capture_output=True,
        check=False,
    )
    if mount.returncode:
        pytest.skip("a small disk can be made by root only")
    try:
        yield folder
    finally:
        subprocess.run(("umount", "-l", str(folder)), check=True)


def fill(folder: Path) -> Path:
    """Take all space that is left on a disk; removing the returned file gives it back."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    return filler
