"""Make a backup."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from config.settings import Settings
from models.database import Database
from models.migrate import current
from workers.archive.checking import sealed
from workers.backup import copying, file
from workers.installation import migrated_database


def make(
    settings: Settings, *, into: Path, now: datetime, others: Path | None = None, keep: int | None = None
) -> Path:
    """Copy the database, and the settings in the folder `others`, into a new file in `into`; return it.

    All may go on working meanwhile: the copy shows one moment. Of the backups that are there the newest `keep` stay.
    Raises UnmigratedError, UnavailableError, NoToolError, CopyFailedError.
    """
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    with migrated_database(settings) as database:
        step = _step(database)
        kind = database.dialect
    made = into / file.name_at(now)
    with tempfile.TemporaryDirectory(prefix=".shabarman-", dir=into) as folder:
        copy = Path(folder) / file.DATABASE
        address = make_url(settings.effective_database_url)
        if kind == "postgresql":
            copying.dump_postgresql(address, copy)
        else:
            copying.copy_sqlite(Path(address.database or ""), copy)
        # Asked after the copy: every archive that it knows is among them, and so may be one that was sealed meanwhile.
        with migrated_database(settings) as database, database.reading() as session:
            archives = {one.file: str(one.sha256) for one in sealed(session)}
        file.write(made, database=copy, settings=others, made_at=now, kind=kind, step=step, archives=archives)
    if keep is not None:
        for old in file.kept_in(into)[:-keep]:
            old.unlink()
    return made


def _step(database: Database) -> str:
    with database.reading() as session:
        return current(session.connection()) or "0"
