"""`simulate`, `verify`, `chaos`: courier days, invariants, trial by faults. Their options live with what they do."""

from collections.abc import Callable
from typing import Any

import typer

_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command(rich_help_panel="Upkeep", context_settings=_PASSED_ON)(simulate)
    app.command(rich_help_panel="Upkeep", context_settings=_PASSED_ON)(verify)
    app.command(rich_help_panel="Upkeep", context_settings=_PASSED_ON)(chaos)


def simulate(context: typer.Context) -> None:
    """Play whole courier days through the real broker and workers (`simulate --help` has the options)."""
    from workers.simulation import command  # noqa: PLC0415 - `--help` needs none of it

    _pass_on(command, context)


def verify(context: typer.Context) -> None:
    """Check the invariants over the whole database; exit code 1 when one is broken."""
    from workers.verification import command  # noqa: PLC0415 - as above

    _pass_on(command, context)


def chaos(context: typer.Context) -> None:
    """Break a house of its own while people work in it, and compare (`chaos --help` has the options)."""
    from workers.chaos import command  # noqa: PLC0415 - as above

    _pass_on(command, context)


def _pass_on(command: Callable[..., Any], context: typer.Context) -> None:
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    alone.command(context.info_name)(command)
    alone(args=context.args, prog_name=context.command_path)
