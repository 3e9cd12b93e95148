"""`alive`: whether a process of this machine goes round its work; for probes of an engine of containers."""

from typing import Annotated, Literal

import typer

from config.alive import silent_seconds
from config.errors import ConflictError
from config.language import Text
from workers.installation import current_settings


class SilentError(ConflictError):
    """A process of this machine gave no sign of life lately. Facts: `process`, `seconds`."""

    code = "silent"
    text = Text("The {process} of this machine has not gone round its work for {seconds} s.")


class NeverAliveError(ConflictError):
    """A process of this machine gave no sign of life at all. Fact: `process`."""

    code = "never_alive"
    text = Text("The {process} of this machine has not begun its work.")


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    app.command(rich_help_panel="Upkeep")(alive)


def alive(
    process: Annotated[Literal["relay", "worker", "beat"], typer.Argument(help="Which process.")],
    *,
    within: Annotated[float, typer.Option(min=1, help="Seconds within which it gave a sign of life.")] = 60,
) -> None:
    """Tell whether a process of this home folder goes round its work; exit code 1 when it stands still.

    Neither broker nor database are asked: a process that waits for them is alive.
    """
    seconds = silent_seconds(current_settings().home, process)
    if seconds is None:
        raise NeverAliveError(process=process)
    if seconds > within:
        raise SilentError(process=process, seconds=round(seconds))
