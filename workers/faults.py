"""What goes wrong outside of us, as errors of our tree: a sentence that says what to do, and an exit code."""

import sys

from config.errors import SettingsError, ShabarmanError
from config.language import Text, language_of_environment

BUG = 70
"""Exit code of a process that ended by a fault of our own code (EX_SOFTWARE)."""


class FileFaultError(SettingsError):
    """A file or folder cannot be used; `path` and `cause` say which and why."""

    code = "file_fault"
    text = Text("{path} cannot be used: {cause}. Check that it exists and that you may read and write there.")


class SettingError(SettingsError):
    """A setting has a value that cannot be used; `variable` and `cause` say which and why."""

    code = "setting"
    text = Text("The setting {variable} cannot be used: {cause}. Correct it and start again.")


def say(error: ShabarmanError) -> int:
    """Write the sentence of `error` to stderr in the person's language, and return the exit code."""
    print(error.sentence(language_of_environment()), file=sys.stderr)  # noqa: T201
    return error.exit_code


def expected(error: Exception) -> ShabarmanError | None:
    """Return the error of our tree that `error` of a library stands for; None for a fault of our own code."""
    if isinstance(error, OSError) and error.filename is not None:
        return FileFaultError(path=error.filename, cause=error.strerror or str(error))
    kind = f"{type(error).__module__}.{type(error).__name__}"
    if kind.startswith("pydantic") and hasattr(error, "errors"):
        return setting_fault(error)
    if kind.startswith(("kombu.exceptions.OperationalError", "redis.exceptions.", "amqp.exceptions.")):
        from routing.link import BrokerDownError  # noqa: PLC0415 - the command line answers `--help` without it

        return BrokerDownError(cause=first_line(error))
    if kind == "sqlalchemy.exc.ArgumentError":
        return SettingError(variable="SHABARMAN_DATABASE_URL", cause=first_line(error))
    return None


def setting_fault(error: Exception) -> SettingError:
    """Return the sentence for a `pydantic.ValidationError`: the variable and what is wrong with it."""
    fault = error.errors()[0]  # type: ignore[attr-defined] # pydantic is not imported for `--help`
    name = str(fault["loc"][0]) if fault["loc"] else "?"
    variable = name if name.isupper() else f"SHABARMAN_{name.upper()}"
    return SettingError(variable=variable, cause=f"{fault['msg']}: {fault['input']!r}")


def first_line(error: BaseException) -> str:
    """Return the first line of what `error` says, or its name where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
