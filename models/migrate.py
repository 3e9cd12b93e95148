"""Bring a database to the tables of this version, and seed the offices from the regulation."""

import time
from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from config.errors import SettingsError, UnavailableError
from config.language import Text
from config.offices import offices
from models.compatibility import oldest_program
from models.database import Database
from models.office import Office, OfficeKind
from models.patience import allow_long_statements
from models.rights import give_rights

_ONE_MIGRATION_AT_A_TIME = 8_072_834_311
"""Key of PostgreSQL's advisory lock; any number that nobody else uses."""


class UnmigratedError(SettingsError):
    """The database has not the tables that this version needs."""

    code = "unmigrated"
    text = Text(
        "The database is at step {found}, this version needs {needed}. Run `shabarman migrate` first."
    )


class OutdatedError(SettingsError):
    """The database has the tables of a later version, with which this one does not work."""

    code = "outdated"
    text = Text(
        "The database is at step {found}, and this version knows steps up to {needed}: a newer version works here. "
        "Install that one, and start it."
    )


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("models") / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


@cache
def newest() -> str:
    """Return the step that this version needs."""
    head = ScriptDirectory.from_config(_alembic()).get_current_head()
    assert head is not None
    return head


@cache
def known() -> frozenset[str]:
    """Return all steps that this version knows; numbers say nothing about their order."""
    return frozenset(step.revision for step in ScriptDirectory.from_config(_alembic()).walk_revisions())


def current(connection: Connection) -> str | None:
    """Return the step that the database is at, None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def require_migrated(database: Database) -> None:
    """Raise UnmigratedError, or OutdatedError, unless this version works with the tables that the database has.

    Those are its own, and later ones that only add to them: while a site is renewed, old and new programs work side by
    side.
    """
    with database.reading() as session:
        _require_workable(session.connection())


def _require_workable(connection: Connection) -> str:
    """Return the step that the database is at, if this version works with it; raise as `require_migrated`."""
    found, needed = current(connection), newest()
    if found is None or (found != needed and found in known()):
        raise UnmigratedError(found=found or "0", needed=needed)
    # A step that we do not know is a later one; it says from which step on programs still work with it.
    if found not in known() and oldest_program(connection) not in known():
        raise OutdatedError(found=found, needed=needed)
    return found


LOCK_SECONDS = 3
"""How long a step waits for a table that somebody uses. All who come after wait behind it, so it is short."""

LOCK_TRIES = 40
LOCK_PAUSE = 0.5


def migrate(database: Database) -> str:
    """Bring the tables to this version, seed the offices, give the roles their rights, and return the step.

    Safe to run twice, by two at once, and while all others work: each step is a transaction of its own that waits for
    no table longer than a moment, and tries again later. A database of a later version, with which this one works, is
    left as it is. Raises OutdatedError, and UnavailableError for a table that is never free.
    """
    while True:
        step, finished = _patiently(database)
        if finished:
            return step


def _patiently(database: Database) -> tuple[str, bool]:
    for attempt in range(1, LOCK_TRIES + 1):
        try:
            with database.transaction() as session:
                return _next_step(session, on_postgresql=database.dialect == "postgresql")
        except UnavailableError as error:
            waited = getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) == LOCK_NOT_AVAILABLE
            if not waited or attempt == LOCK_TRIES:
                raise
            time.sleep(LOCK_PAUSE)
    raise AssertionError("unreachable")


LOCK_NOT_AVAILABLE = "55P03"


def _next_step(session: Session, *, on_postgresql: bool) -> tuple[str, bool]:
    """Carry out one step, and return where the database is then, and whether all is done."""
    connection = session.connection()
    if on_postgresql:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_MIGRATION_AT_A_TIME})
        # The lock of the table is waited for a moment only; what is done with it may take its time.
        allow_long_statements(session)
        session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
    found = current(connection)
    if found is not None and found not in known():
        return _require_workable(connection), True
    if found != newest():
        config = _alembic()
        config.attributes["connection"] = connection
        # A new database has nobody who would wait.
        command.upgrade(config, "head" if found is None else "+1")
        found = current(connection)
        assert found is not None
    if found == newest():
        seed_offices(session)
        if on_postgresql:
            give_rights(connection)
    return found, found == newest()


def seed_offices(session: Session) -> None:
    """Insert the offices of the regulation, and correct the names of those that are there."""
    known = {row.code: row for row in session.scalars(select(Office))}
    for office in offices():
        row = known.get(office.code) or Office(code=office.code)
        row.kind = OfficeKind(office.kind)
        row.district = office.district
        row.name_kk = office.name_kk
        row.name_ru = office.name_ru
        session.add(row)
