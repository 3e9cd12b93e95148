"""What can be wrong with a backup, or in the way of bringing one back."""

from config.errors import ConflictError, SettingsError, ShabarmanError, UnavailableError
from config.language import Text


class NoToolError(SettingsError):
    """A program of PostgreSQL is not installed. Fact: `program`."""

    code = "no_tool"
    text = Text(
        "The program {program} is not here. Install PostgreSQL's client programs (Debian: postgresql-client)."
    )


class CopyFailedError(UnavailableError):
    """A program that copies the database failed. Facts: `program`, `cause`."""

    code = "copy_failed"
    text = Text("{program} failed: {cause}. Nothing was kept; remove the cause and try again.")


class BrokenBackupError(ShabarmanError):
    """A file is no backup, or not whole. Facts: `file`, `cause`."""

    code = "broken_backup"
    text = Text("{file} is no whole backup ({cause}). Take another one.")


class OtherKindError(ConflictError):
    """The backup is of another kind of database than the one that is set. Facts: `there`, `here`."""

    code = "other_kind"
    text = Text(
        "The backup is of {there} and the database that is set is {here}. Correct SHABARMAN_DATABASE_URL; "
        "a backup goes back into the same kind of database."
    )


class NewerBackupError(ConflictError):
    """The backup was made by a newer version. Facts: `there`, `here`."""

    code = "newer_backup"
    text = Text(
        "The backup is at step {there}, this version knows steps up to {here}. Install that version first."
    )


class NotEmptyError(ConflictError):
    """The database holds something already."""

    code = "not_empty"
    text = Text(
        "The database is not empty. Make a new one and set its address, or say --replace: then all that is in it now "
        "is thrown away."
    )


class InUseError(ConflictError):
    """Processes still use the database. Fact: `count`."""

    code = "in_use"
    text = Text(
        "{count} others are connected to the database. Stop all processes of this installation first."
    )
