"""Checking archives: each file beside what the database knows of it, and the packets that it says are in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from config.errors import ShabarmanError
from models import Archive, Packet
from models.database import Database
from workers.archive import file
from workers.archive.errors import MissingArchiveError

AT_ONCE = 1000
"""Packets that are asked for together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found of one archive."""

    file: str
    month: str
    """Empty for a file that no archive knows."""
    packets: int
    ok: bool
    detail: str
    """What is wrong, in words and facts; empty where nothing is."""

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)


def check(
    database: Database, folder: Path, *, on_check: Callable[[str], None] = lambda _file: None
) -> list[Checked]:
    """Read every sealed archive wholly, and return what was found of each; `on_check` is told its file before.

    After them come the files of the folder that no sealed archive knows: each is a finding.
    """
    with database.reading() as session:
        strange = unknown(session, folder)
        known = sealed(session)
    found = []
    for one in known:
        on_check(one.file)
        detail = _wrong_with(database, folder / one.file, one)
        found.append(
            Checked(file=one.file, month=one.month, packets=one.packets, ok=not detail, detail=detail)
        )
    for name in strange:
        on_check(name)
        found.append(_strange(database, folder / name))
    return found


def sealed(session: Session) -> list[Archive]:
    """Return the archives whose file is needed, in the order of their months.

    One that was given up before anything of it had gone needs none: no line of it counts.
    """
    counts = or_(Archive.finished_at.is_(None), Archive.packets + Archive.scans > Archive.stayed)
    return list(
        session.scalars(
            select(Archive)
            .where(Archive.sealed_at.is_not(None), counts)
            .order_by(Archive.month, Archive.part)
        )
    )


def unknown(session: Session, folder: Path) -> list[str]:
    """Return the names of the files in the folder that no sealed archive has; nobody writes over or deletes them."""
    there = {path.name for path in folder.glob(f"[!.]*{file.SUFFIX}")}
    return sorted(there - set(session.scalars(select(Archive.file).where(Archive.sealed_at.is_not(None)))))


def require_there(database: Database, folder: Path) -> None:
    """Raise MissingArchiveError unless every sealed archive lies in the folder with its size; reads no file."""
    with database.reading() as session:
        wrong = missing(session, folder)
    if wrong:
        more = f" … ({len(wrong)})" if len(wrong) > 5 else ""
        raise MissingArchiveError(files=", ".join(wrong[:5]) + more, folder=folder)


def missing(session: Session, folder: Path) -> list[str]:
    """Return the names of the sealed archives that do not lie in the folder, or not with their size."""
    return [one.file for one in sealed(session) if not _is_there(folder / one.file, one)]


def _is_there(place: Path, one: Archive) -> bool:
    try:
        return place.stat().st_size == one.size
    except FileNotFoundError:
        return False


def _wrong_with(database: Database, place: Path, one: Archive) -> str:
    try:
        if not place.exists():
            return f"not in {place.parent}"
        if file.digest_of(place) != one.sha256:
            return "SHA-256: another file than the one that was sealed"
        contents = file.check(place)
        if (contents.packets, contents.scans, contents.rows) != (one.packets, one.scans, one.rows):
            return "other numbers of packets, scans or rows than the database knows"
        return _against_packets(database, place, one)
    except ShabarmanError as error:
        return str(error)


def _strange(database: Database, place: Path) -> Checked:
    numbers: list[str] = []
    packets = lacking = 0

    def count() -> None:
        nonlocal packets, lacking
        with database.reading() as session:
            here = session.scalar(select(func.count()).where(Packet.number.in_(numbers))) or 0
        packets, lacking = packets + len(numbers), lacking + len(numbers) - here
        numbers.clear()

    try:
        for record in file.records(place):
            if record["kind"] == file.PACKET:
                numbers.append(record["packet"]["number"])
            if len(numbers) == AT_ONCE:
                count()
        count()
    except (ShabarmanError, OSError) as error:
        detail = f"no sealed archive of this database: {error}"
    else:
        detail = f"no sealed archive of this database: {packets} packets, of which the database does not know {lacking}"
    return Checked(file=place.name, month="", packets=packets, ok=False, detail=detail)


def _against_packets(database: Database, place: Path, one: Archive) -> str:
    """Compare the lines of packets with the packets of the database."""
    here = others = 0
    numbers: list[str] = []
    scans = 0

    def count() -> None:
        nonlocal here, others
        with database.reading() as session:
            rows = session.execute(
                select(Packet.number, Packet.archive_id, Packet.archived_at).where(Packet.number.in_(numbers))
            ).all()
        gone = sum(row.archive_id == one.id for row in rows)
        here, others = here + gone, others + len(numbers) - gone
        numbers.clear()

    for record in file.records(place):
        if record["kind"] == file.PACKET:
            numbers.append(record["packet"]["number"])
        else:
            scans += 1
        if len(numbers) == AT_ONCE:
            count()
    if numbers:
        count()
    with database.reading() as session:
        meant = session.scalar(select(func.count()).where(Packet.archive_id == one.id)) or 0
        stayed = session.scalar(select(Archive.stayed).where(Archive.id == one.id)) or 0
    if here != meant:
        return f"{meant - here} packets of the database are said to be in it, and are not"
    if not others <= stayed <= others + scans:
        return f"{others} packets are in it that the database has elsewhere, {stayed} lines stayed"
    return ""
