"""The copy of a database: PostgreSQL's own programs, SQLite's own copy while others write."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

from sqlalchemy.engine import URL

from workers.backup.errors import CopyFailedError, NoToolError


def dump_postgresql(address: URL, to: Path) -> None:
    """Write everything of a database, as of one moment, while others work; raise NoToolError, CopyFailedError."""
    # Owners and rights are those of the database it goes back into.
    _run(address, "pg_dump", "--format=custom", "--no-owner", "--no-acl", f"--file={to}")


def load_postgresql(address: URL, source: IO[bytes]) -> None:
    """Bring a copy into an empty database, all of it or nothing; raise NoToolError, CopyFailedError."""
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-acl")
    _run(address, "pg_restore", *options, "--dbname", address.database or "", source=source)


def copy_sqlite(source: Path, to: Path) -> None:
    """Copy an SQLite file as of one moment, while others work; raise CopyFailedError when the copy is not sound."""
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as there,
        closing(sqlite3.connect(to)) as here,
    ):
        there.backup(here)
        (answer,) = here.execute("PRAGMA integrity_check").fetchone()
    if answer != "ok":
        raise CopyFailedError(program="SQLite", cause=answer)


def _run(address: URL, program: str, *arguments: str, source: IO[bytes] | None = None) -> None:
    # Not on the command line, which everybody on the machine can read.
    environment = dict(os.environ) | {
        "PGHOST": address.host or "",
        "PGPORT": str(address.port or 5432),
        "PGUSER": address.username or "",
        "PGPASSWORD": str(address.password or ""),
        "PGDATABASE": address.database or "",
        "PGAPPNAME": f"shabarman {program}",
        **{f"PG{name.upper()}": str(value) for name, value in address.query.items()},
    }
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [_found(program), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL if source is None else subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
        ) as process,
    ):
        if source is not None and process.stdin is not None:
            # A program that has had enough says why itself.
            with suppress(BrokenPipeError), process.stdin as pipe:
                shutil.copyfileobj(source, pipe, PIECE)
        code = process.wait()
        said.seek(0)
        if code:
            raise CopyFailedError(program=program, cause=_cause(said.read().decode(errors="replace")))


PIECE = 1024 * 1024
"""Bytes at a time."""


def _found(program: str) -> str:
    """Return the newest of its kind: an older one refuses a newer server."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: int(path.parts[-3])
    )
    found = str(debian[-1]) if debian else shutil.which(program)
    if found is None:
        raise NoToolError(program=program)
    return found


def _cause(said: str) -> str:
    """Return the line that names the error; what follows it are details."""
    lines = said.strip().splitlines() or ["?"]
    return next((line for line in lines if "error:" in line), lines[-1])
