"""Making archives: one month after the other, each in steps that may be interrupted anywhere and repeated.

The packets are marked, the file is written, read back and sealed, the rows go. Whoever comes next goes on where the one
before was interrupted. Two that work side by side, on one machine or on two, write the same file, and one of them seals
it: the other one's is thrown away before it has its name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import ShabarmanError
from models import Archive
from models.database import Database
from models.patience import allow_long_statements
from workers.archive import file
from workers.archive.checking import unknown
from workers.archive.errors import (
    ArchivingError,
    BrokenArchiveError,
    MissingArchiveError,
    NewerArchiveError,
    WholeArchiveError,
)
from workflow import archiving
from workflow.histories import History, histories

Step = Callable[[str, str, int], None]
"""Is told of each step: what was done (`marked`, `written`, `checked`, `named`, `sealed`, `removed`), in which file,
and to how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One archive as it is now."""

    month: str
    file: str
    packets: int
    """Lines of packets in the file."""
    scans: int
    rows: int
    size: int
    """Bytes."""
    sha256: str
    stayed: int
    """Lines that do not count: what they tell of changed meanwhile, and stayed in the database."""

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)


HELD_BY = (MissingArchiveError, BrokenArchiveError, NewerArchiveError)
"""What keeps one archive from going on, and no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A sealed archive whose file is not what was sealed: its packets stay in the database meanwhile."""

    file: str
    error: ShabarmanError


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run brought."""

    made: list[Made]
    held: list[Held]
    """Empty where all is well."""
    unknown: list[str]
    """Files of the folder that no archive of this database knows; they are left alone."""


def archive(
    database: Database,
    folder: Path,
    *,
    now: datetime,
    months: int,
    by: str,
    on_step: Step = lambda _what, _file, _count: None,
) -> Outcome:
    """Take everything out of the database that ended `months` whole months ago or longer, and return the archives.

    An archive whose sealed file is gone or broken is told of in the outcome, and holds up no other. Raises
    ArchivingError, BrokenArchiveError where a new file reads back otherwise than it was written, or OSError where it
    cannot be written; what was done until then holds, and the next call goes on.
    """
    made: list[Made] = []
    held: list[Held] = []

    def carry_on(one: Archive) -> None:
        if not _write(database, folder, one.id, now=now, on_step=on_step):
            return
        try:
            made.append(_let_go(database, folder, one.id, now=now, on_step=on_step))
        except HELD_BY as error:
            held.append(Held(file=_known(database, one.id).file, error=error))

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder):
        file.clear(folder)
        for one in _unfinished(database):
            carry_on(one)
        before, after = archiving.first_kept(now, months), None
        while (month := _next_month(database, after=after, before=before)) is not None:
            one = database.transact(
                lambda session, month=month: archiving.begin(  # type: ignore[misc]
                    session,
                    month=month,
                    taken={path.name for path in folder.iterdir()},
                    version=version("shabarman"),
                    by=by,
                    now=now,
                )
            )
            carry_on(one)
            # What stayed of this month is left for the next time: whatever holds it, this one need not wait.
            after = archiving.span_of(month)[1]
        with database.reading() as session:
            strange = unknown(session, folder)
    return Outcome(made=made, held=held, unknown=strange)


def again(database: Database, folder: Path, name: str, *, now: datetime) -> int:
    """Give up the sealed archive of the file `name`, which is gone or broken; return how many packets are free again.

    Whatever of it is still in the database goes into another file the next time. What had gone already was in that file
    alone. Raises ArchivingError, UnknownArchiveError, and WholeArchiveError where the file is as it was sealed.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder):
        with database.reading() as session:
            one = archiving.unfinished(session, name)
        try:
            _whole(folder, one)
        except HELD_BY as error:
            if isinstance(error.__cause__, PermissionError):
                raise  # It may be whole: somebody else is to look.
        else:
            raise WholeArchiveError(file=name)
        freed = 0
        while count := database.transact(lambda session: archiving.free(session, one.id)):
            freed += count
        database.transact(lambda session: archiving.give_up(session, one.id, now=now))
        return freed


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others of this machine away from a folder; those elsewhere do no harm, see above."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ArchivingError(folder=folder) from None
        yield
    finally:
        os.close(place)


def _unfinished(database: Database) -> list[Archive]:
    with database.reading() as session:
        return list(
            session.scalars(select(Archive).where(Archive.finished_at.is_(None)).order_by(Archive.id))
        )


def _next_month(database: Database, *, after: datetime | None, before: datetime) -> str | None:
    with database.reading() as session:
        allow_long_statements(session)
        return archiving.next_month(session, after=after, before=before)


def _let_go(database: Database, folder: Path, archive_id: int, *, now: datetime, on_step: Step) -> Made:
    """Let everything go that is in the sealed file of an archive, and finish it."""
    one = _known(database, archive_id)
    _whole(folder, one)
    _remove(database, folder / one.file, one, now=now, on_step=on_step)
    with database.transaction() as session:
        done = session.get_one(Archive, one.id)
        done.finished_at = done.finished_at or now
        assert done.sha256 is not None
        return Made(
            month=done.month,
            file=done.file,
            packets=done.packets,
            scans=done.scans,
            rows=done.rows,
            size=done.size,
            sha256=done.sha256,
            stayed=done.stayed,
        )


def _write(database: Database, folder: Path, archive_id: int, *, now: datetime, on_step: Step) -> bool:
    """See that an archive is sealed, by us or by somebody who works beside us; return False where nothing had to go."""
    while (one := _found(database, archive_id)) is not None and one.sealed_at is None:
        _write_once(database, folder, one, now=now, on_step=on_step)
    return one is not None


def _write_once(database: Database, folder: Path, one: Archive, *, now: datetime, on_step: Step) -> None:
    """Mark what goes, write the file and seal it, unless somebody who works beside us changed anything meanwhile."""
    for take in (archiving.mark, archiving.mark_scans):
        while taken := database.transact(lambda session, take=take: _patiently(session, take, one)):  # type: ignore[misc]
            on_step("marked", one.file, taken)
    place = folder / one.file
    messages = _messages(database, one)
    records = _records(database, one, messages, on_step)
    with file.written(place, month=one.month, part=one.part, records=records) as (fresh, contents):
        on_step("checked", one.file, contents.packets)
        if not contents.packets and not contents.scans:
            database.transact(lambda session: _drop(session, one))
            return
        if _messages(database, one) != messages:
            # A packet that was marked after we had asked for messages lies in the file without its own.
            return
        with database.transaction() as session:
            # Locked: of two, one seals its file, and the other one's never gets the name.
            row = session.get(Archive, one.id, with_for_update=True)
            if row is None or row.sealed_at is not None:
                return
            if row.file != one.file:
                return  # Somebody else found its name taken, and gave it another.
            if archiving.counts(session, one) != (contents.packets, contents.scans):
                return  # More was marked after we had looked.
            if not file.keep(fresh, place):
                # Another file has this name: that of a database of which ours is a copy, for one.
                archiving.rename(session, row, taken={path.name for path in folder.iterdir()})
                return
            on_step("named", one.file, contents.packets)
            row.packets, row.scans, row.rows = contents.packets, contents.scans, contents.rows
            row.size, row.sha256, row.sealed_at = contents.size, contents.sha256, now
    on_step("sealed", one.file, contents.packets)


def _patiently(session: Session, take: Callable[[Session, Archive], int], one: Archive) -> int:
    # The first look at a large house takes longer than any other statement may.
    allow_long_statements(session)
    return take(session, one)


def _drop(session: Session, one: Archive) -> None:
    row = session.get(Archive, one.id, with_for_update=True)
    if row is not None and row.sealed_at is None and archiving.counts(session, row) == (0, 0):
        session.delete(row)


def _messages(database: Database, one: Archive) -> Mapping[int, list[int]]:
    with database.reading() as session:
        allow_long_statements(session)
        return archiving.messages_of(session, one)


def _records(
    database: Database, one: Archive, messages: Mapping[int, list[int]], on_step: Step
) -> Iterator[file.Record]:
    """Yield everything that is marked, part by part: nobody's work waits for it."""
    last = 0
    while True:
        with database.reading() as session:
            ids = archiving.marked(session, one, after=last)
            found = histories(session, ids, messages)
        if not ids:
            break
        last = ids[-1]
        yield from ({"kind": file.PACKET, **found[packet_id]} for packet_id in ids)
        on_step("written", one.file, len(ids))
    after = ""
    while True:
        with database.reading() as session:
            scans = archiving.leaving_scans(session, one, after=after)
        if not scans:
            break
        after = scans[-1]["id"]
        yield from ({"kind": file.SCAN, "scan": scan} for scan in scans)


def _found(database: Database, archive_id: int) -> Archive | None:
    with database.reading() as session:
        return session.get(Archive, archive_id)


def _known(database: Database, archive_id: int) -> Archive:
    found = _found(database, archive_id)
    assert found is not None  # What is sealed stays, see the triggers.
    return found


def _whole(folder: Path, one: Archive) -> None:
    """Raise what is wrong with a sealed file that is not byte for byte what the database knows: then nothing goes."""
    place = folder / one.file
    try:
        digest = file.digest_of(place)
    except FileNotFoundError:
        raise MissingArchiveError(files=one.file, folder=folder) from None
    except OSError as error:
        raise BrokenArchiveError(file=place, cause=error.strerror or "?") from error
    if digest != one.sha256:
        raise BrokenArchiveError(file=place, cause="SHA-256")


def _remove(database: Database, place: Path, one: Archive, *, now: datetime, on_step: Step) -> None:
    packets: list[History] = []
    scans: list[History] = []
    messages = _messages(database, one)

    def go() -> None:
        if packets:
            gone, _ = database.transact(
                lambda session: archiving.remove(session, one.id, packets, messages=messages, now=now)
            )
            on_step("removed", one.file, gone)
            packets.clear()
        if scans:
            gone, _ = database.transact(lambda session: archiving.remove_scans(session, one.id, scans))
            on_step("removed", one.file, gone)
            scans.clear()

    for record in file.records(place):
        kind = record.pop("kind")
        if kind == file.PACKET:
            packets.append(record)
        else:
            scans.append(record["scan"])
        if len(packets) == archiving.AT_ONCE or len(scans) == archiving.AT_ONCE * 5:
            go()
    go()
