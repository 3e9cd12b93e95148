"""The file of an archive: gzip, a JSON object a line. docs/archives.md describes it; the same rows make the same bytes.

The first line says what it is, then comes a line for each packet, then one for each scan that belongs to no packet.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from workers.archive.errors import BrokenArchiveError, NewerArchiveError

FORMAT = "shabarman-archive"
VERSION = 1
SUFFIX = ".jsonl.gz"
PACKET, SCAN = "packet", "scan"

_LEVEL = 6
_PIECE = 1024 * 1024

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a file holds."""

    packets: int
    scans: int
    rows: int
    size: int
    """Bytes of the file."""
    sha256: str
    """Of the file, hex."""


@contextmanager
def written(
    file: Path, *, month: str, part: int, records: Iterable[Record]
) -> Iterator[tuple[Path, Contents]]:
    """Write a file under a name of its own beside `file`, read it back, and give its place and what it holds.

    Whoever wants to keep it calls `keep` within the block; at the end of the block it is gone otherwise. Raises
    BrokenArchiveError when what was read back is not what was written, and OSError where the disk is full.
    """
    meant = hashlib.sha256()
    with _fresh(file) as (raw, fresh):
        # Neither name nor time: the same rows make the same bytes.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=raw, mtime=0) as packed:
            head = {"kind": "archive", "format": FORMAT, "version": VERSION, "month": month, "part": part}
            for record in chain([head], records):
                line = _line(record)
                meant.update(line)
                packed.write(line)
        raw.flush()
        os.fsync(raw.fileno())
        contents, found = _read_back(fresh)
        if found != meant.hexdigest():
            raise BrokenArchiveError(file=fresh, cause="SHA-256")
        yield fresh, contents


@contextmanager
def _fresh(file: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Open a new file beside `file` that nobody else has, and hold it until it has its name or is not wanted."""
    while True:
        # No number of a process: in two containers on one volume both may have the same.
        fresh = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
            fcntl.flock(raw, fcntl.LOCK_EX)
            if not fresh.exists():
                continue  # Somebody cleared it away in the moment before it was held.
            try:
                yield raw, fresh
            finally:
                fresh.unlink(missing_ok=True)
            return


def keep(fresh: Path, file: Path) -> bool:
    """Give a file that was read back its name, on disk before this returns; return False where another has it.

    A file that is there is never written over: what it holds may be in no database any more.
    """
    try:
        file.hardlink_to(fresh)
    except FileExistsError:
        if digest_of(file) != digest_of(fresh):
            return False
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


def records(file: Path) -> Iterator[Record]:
    """Yield the packets and scans of a file; raise BrokenArchiveError or NewerArchiveError."""
    for line in lines(file):
        yield json.loads(line)


def lines(file: Path) -> Iterator[bytes]:
    """Yield the lines of packets and scans of a file as they are; errors as `records`."""
    with _opened(file) as packed:
        head = json.loads(packed.readline() or b"null")
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise BrokenArchiveError(file=file, cause="no archive")
        if head["version"] != VERSION:
            raise NewerArchiveError(file=file, version=head["version"])
        yield from packed


def check(file: Path) -> Contents:
    """Read a file wholly and return what it holds; errors as `records`."""
    return _read_back(file)[0]


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file, hex."""
    with file.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()


def rows_in(record: Record) -> int:
    """Return how many rows of tables a line holds."""
    if record["kind"] == SCAN:
        return 1
    return 1 + sum(len(rows) for rows in record.values() if isinstance(rows, list))


def _read_back(file: Path) -> tuple[Contents, str]:
    packets = scans = rows = 0
    found = hashlib.sha256()
    with _opened(file) as packed:
        for number, line in enumerate(packed):
            found.update(line)
            record = json.loads(line)
            if number == 0:
                continue
            rows += rows_in(record)
            packets += record["kind"] == PACKET
            scans += record["kind"] == SCAN
    contents = Contents(
        packets=packets, scans=scans, rows=rows, size=file.stat().st_size, sha256=digest_of(file)
    )
    return contents, found.hexdigest()


@contextmanager
def _opened(file: Path) -> Iterator[gzip.GzipFile]:
    try:
        with gzip.open(file, "rb") as packed:
            yield packed
    except (gzip.BadGzipFile, zlib.error, EOFError, ValueError, KeyError, TypeError) as error:
        raise BrokenArchiveError(file=file, cause=str(error) or type(error).__name__) from error


def _line(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def clear(folder: Path) -> None:
    """Delete what killed processes left in a folder: files that never got their name, and that nobody holds."""
    for left in folder.glob(f".*{SUFFIX}.*"):
        # Where somebody holds it, or its name has gone meanwhile, it is no leftover.
        with suppress(FileNotFoundError, BlockingIOError), left.open("rb") as raw:
            fcntl.flock(raw, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink(missing_ok=True)
