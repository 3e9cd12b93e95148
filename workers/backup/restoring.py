"""Bring a backup back: into an empty database, up to the tables of this version, with everything told again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, inspect, text, update
from sqlalchemy.engine import make_url

from config.settings import Settings
from models.database import Database
from models.migrate import known, migrate, newest
from models.office import Serial
from workers.archive.checking import missing
from workers.backup import copying, file
from workers.backup.errors import InUseError, NewerBackupError, NotEmptyError, OtherKindError
from workers.home import home_at
from workers.verification import Report, verify
from workflow import leases
from workflow.deadlines import adopt

GAP = 500
"""Numbers left out for each office and kind: those that were given out, and printed, after the backup."""

_LAST_SERIAL = 999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was brought back."""

    about: file.About
    again: int
    """Messages that are told again, because nobody knows whether the broker still has them."""
    settings: list[Path]
    report: Report
    archives: list[str]
    """Archives that the database needs and that do not lie in their folder; to be brought back from their copies."""


def restore(
    settings: Settings,
    source: Path,
    *,
    now: datetime,
    replace: bool = False,
    gap: int = GAP,
    others: Path | None = None,
) -> Restored:
    """Bring the backup `source` into the database that is set, and its settings into the folder `others`.

    With `replace` what is in the database now is thrown away. Raises BrokenBackupError, OtherKindError,
    NewerBackupError, NotEmptyError, InUseError, CopyFailedError, or HomeTakenError.
    """
    about = file.check(source)
    database = Database(settings.effective_database_url)
    try:
        if about.kind != database.dialect:
            raise OtherKindError(there=about.kind, here=database.dialect)
        if about.step not in known():
            raise NewerBackupError(there=about.step, here=newest())
        if about.kind == "postgresql":
            _into_postgresql(database, settings, source, replace=replace)
        else:
            _into_sqlite(settings, source, replace=replace, now=now)
        migrate(database)
        database.transact(lambda session: adopt(session, now=now))
        again = database.transact(leases.call_back_all)
        if gap:
            # What was printed after the backup is on papers; the same number must not be given twice.
            moved = update(Serial).values(last=func.least(Serial.last + gap, _LAST_SERIAL))
            if database.dialect == "sqlite":
                moved = update(Serial).values(last=func.min(Serial.last + gap, _LAST_SERIAL))
            database.transact(lambda session: session.execute(moved))
        with database.reading() as session:
            report = verify(session)
            archives = missing(session, settings.effective_archive_folder)
    finally:
        database.close()
    written = file.unpack_settings(source, about, others) if others is not None else []
    return Restored(about=about, again=again, settings=written, report=report, archives=archives)


def _into_postgresql(database: Database, settings: Settings, source: Path, *, replace: bool) -> None:
    with database.transaction() as session:
        connection = session.connection()
        others = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                # Of others' connections no more than this can be seen; the server's own have no user.
                "AND pid != pg_backend_pid() AND usename IS NOT NULL"
            )
        )
        if others:
            raise InUseError(count=others)
        if _holds_anything(connection):
            if not replace:
                raise NotEmptyError
            schema = str(connection.scalar(text("SELECT quote_ident(current_schema())")))
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    database.close()
    with file.reading(source, file.DATABASE) as copy:
        copying.load_postgresql(make_url(settings.effective_database_url), copy)


def _into_sqlite(settings: Settings, source: Path, *, replace: bool, now: datetime) -> None:
    home = home_at(settings.home)
    home.make()
    place = Path(make_url(settings.effective_database_url).database or "")
    # Nobody starts on this folder meanwhile, and nobody runs on it now.
    with home.lock(patience=0):
        if place.exists():
            if not replace:
                raise NotEmptyError
            # Put aside with what belongs to it, and not thrown away: there is room for it on the same disk.
            for part in (place, *(place.with_name(f"{place.name}-{end}") for end in ("wal", "shm"))):
                if part.exists():
                    part.rename(part.with_name(f"{part.name}.before-{now:%Y%m%dT%H%M%SZ}"))
        # Not written in place: a restore that is interrupted leaves no half of a database.
        fresh = place.with_name(f"{place.name}.restored")
        fresh.unlink(missing_ok=True)
        file.unpack(source, file.DATABASE, fresh)
        fresh.rename(place)


def _holds_anything(connection: Connection) -> bool:
    return bool(inspect(connection).get_table_names())
