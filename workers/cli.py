"""`shabarman`: the command line. Only names and options are loaded here; each command loads what it needs."""

import sys
import traceback
from typing import Annotated

import typer

from config.errors import ShabarmanError
from workers.commands import (
    alive,
    archive,
    backup,
    calendar,
    credentials,
    database,
    doctor,
    messages,
    numbers,
    papers,
    people,
    processes,
    regulation,
    trials,
)
from workers.commands.listing import Listing
from workers.faults import BUG, expected, say

app = typer.Typer(
    name="shabarman",
    cls=Listing,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - as Typer calls it
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - nothing else needs it

        typer.echo(version("shabarman"))
        raise typer.Exit


@app.callback()
def _options(
    *,
    _asked: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Move document packets between public service centres and district departments."""


for group in (
    processes,
    database,
    doctor,
    regulation,
    numbers,
    messages,
    calendar,
    papers,
    people,
    trials,
    credentials,
    backup,
    archive,
    alive,
):
    group.register(app)


def main() -> None:
    """Run one command; an expected fault is one sentence on stderr and an exit code, never a traceback."""
    try:
        app(prog_name="shabarman")
    except ShabarmanError as error:
        sys.exit(say(error))
    except BrokenPipeError:
        # The reader of our output, `head` for one, has seen enough.
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the last place; what is not expected ends with its traceback
        told = expected(error)
        if told is None:
            traceback.print_exc()
            sys.exit(BUG)
        sys.exit(say(told))


if __name__ == "__main__":
    main()
