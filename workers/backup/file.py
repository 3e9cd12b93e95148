"""The file of a backup: a tar with the copy of the database, the settings, and a page that says what is in it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from workers.backup.errors import BrokenBackupError

FORMAT = 1
ABOUT = "about.json"
DATABASE = "database"
SETTINGS = "settings/"

_BEGIN, _END = "shabarman-", ".tar"
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a backup holds."""

    made_at: str
    """When, UTC."""
    kind: str
    """`postgresql` or `sqlite`."""
    step: str
    """Of the migrations that its tables are at."""
    digests: dict[str, str]
    """Member → SHA-256, hex."""
    archives: dict[str, str] = field(default_factory=dict)
    """Archives that belong to it and are copied by themselves, because they never change: file → SHA-256, hex."""
    format: int = FORMAT


def name_at(now: datetime) -> str:
    """Return the name of a backup that is made `now`; names sort by age."""
    return f"{_BEGIN}{now:%Y%m%dT%H%M%SZ}{_END}"


def kept_in(folder: Path) -> list[Path]:
    """Return the backups in a folder, the oldest first."""
    return sorted(folder.glob(f"{_BEGIN}????????T??????Z{_END}"))


def write(
    file: Path,
    *,
    database: Path,
    settings: Path | None,
    made_at: datetime,
    kind: str,
    step: str,
    archives: dict[str, str] | None = None,
) -> None:
    """Write a backup; it appears under its name when it is whole and on disk, readable by its owner alone."""
    members = {DATABASE: database}
    if settings is not None:
        members |= {
            f"{SETTINGS}{path.relative_to(settings)}": path
            for path in sorted(settings.rglob("*"))
            if path.is_file()
        }
    about = About(
        made_at=made_at.isoformat(),
        kind=kind,
        step=step,
        digests={name: _digest_of(path) for name, path in members.items()},
        archives=archives or {},
    )
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as raw:
            with tarfile.open(fileobj=raw, mode="w") as tar:
                page = json.dumps(asdict(about), indent=1).encode()
                head = tarfile.TarInfo(ABOUT)
                head.size, head.mode = len(page), 0o600
                tar.addfile(head, io.BytesIO(page))
                for name, path in members.items():
                    tar.add(path, arcname=name, filter=_nobody)
            raw.flush()
            os.fsync(raw.fileno())
        check(fresh)
        fresh.rename(file)
    finally:
        fresh.unlink(missing_ok=True)


def check(file: Path) -> About:
    """Read a backup wholly and return what it holds; raise BrokenBackupError when a byte of it is wrong."""
    with _opened(file) as tar:
        about = _about(file, tar)
        for name, digest in about.digests.items():
            found = hashlib.sha256()
            member = tar.extractfile(name)
            while piece := member.read(_PIECE) if member else b"":
                found.update(piece)
            if found.hexdigest() != digest:
                raise BrokenBackupError(file=file, cause=f"{name}: SHA-256")
    return about


@contextmanager
def reading(file: Path, member: str) -> Iterator[IO[bytes]]:
    """Open one member of a backup that was checked, for the time of a block."""
    with _opened(file) as tar:
        held = tar.extractfile(member)
        assert held is not None
        yield held


def unpack(file: Path, member: str, to: Path) -> None:
    """Write one member of a backup that was checked to `to`, readable by its owner alone."""
    place = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with reading(file, member) as held, os.fdopen(place, "wb") as out:
        shutil.copyfileobj(held, out, _PIECE)


def unpack_settings(file: Path, about: About, folder: Path) -> list[Path]:
    """Write the settings of a backup into `folder`, and return the files; what is there already stays as it is."""
    written = []
    for member in about.digests:
        if not member.startswith(SETTINGS):
            continue
        place = folder / member.removeprefix(SETTINGS)
        if ".." in place.parts or place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unpack(file, member, place)
        written.append(place)
    return written


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, mode="r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise BrokenBackupError(file=file, cause=str(error)) from error


def _about(file: Path, tar: tarfile.TarFile) -> About:
    page = tar.extractfile(ABOUT)
    try:
        return About(**json.loads(page.read() if page else b""))
    except (ValueError, TypeError) as error:
        raise BrokenBackupError(file=file, cause=ABOUT) from error


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out whose file it was on this machine."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
