"""This installation as a command finds it: its settings, its home folder and its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workers.faults import setting_fault

if TYPE_CHECKING:
    from config.settings import Settings
    from models.database import Database


def current_settings() -> Settings:
    """Return the settings of this process; raise SettingError, naming the variable, for one that cannot be used."""
    from pydantic import ValidationError  # noqa: PLC0415 - the command line answers `--help` without it

    from config.settings import settings  # noqa: PLC0415 - as above

    try:
        return settings()
    except ValidationError as error:
        raise setting_fault(error) from None


@contextmanager
def migrated_database(settings: Settings | None = None) -> Iterator[Database]:
    """Open the database of `settings`, else of this installation, for the time of a block.

    Raises UnmigratedError for tables of another version, and UnavailableError when it does not answer.
    """
    settings = settings or current_settings()
    from models.database import Database  # noqa: PLC0415 - as above
    from models.migrate import UnmigratedError, newest, require_migrated  # noqa: PLC0415 - as above

    if settings.database_url is None and not (settings.home / "shabarman.db").exists():
        # Asking SQLite would make an empty file, or fail for want of the folder.
        raise UnmigratedError(found="0", needed=newest())
    database = Database(settings.effective_database_url)
    try:
        require_migrated(database)
        yield database
    finally:
        database.close()


def require_sound_database(settings: Settings) -> None:
    """Raise unless the database is there with the tables of this version, and agrees with us about the time.

    UnavailableError, UnmigratedError or ClockOffError.
    """
    with migrated_database(settings) as database:
        require_right_clock(database, settings)


def require_right_clock(database: Database, settings: Settings) -> None:
    """Raise ClockOffError when the clock of this machine is off against the database's."""
    from config.clock import utc_now  # noqa: PLC0415 - as above
    from models.clock import require_clock  # noqa: PLC0415 - as above

    require_clock(database, clock=utc_now, seconds=settings.clock_seconds)
