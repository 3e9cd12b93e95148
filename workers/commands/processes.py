"""`up`, `web`, `relay`, `worker`, `beat`, `flower`: the processes, together or one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workers import processes
from workers.figures import keep_figures, tell_figures
from workers.installation import current_settings

if TYPE_CHECKING:
    from config.settings import Settings


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for command in (up, web, relay, worker, beat, flower):
        app.command(rich_help_panel="Processes")(command)


def up() -> None:
    """Run everything on this machine: database, broker, pages, relay, worker, beat, Flower; restart what dies."""
    settings = current_settings()
    keep_figures(settings)
    from workers.supervisor import supervise  # noqa: PLC0415 - `--help` needs none of it

    supervise(settings)


def web() -> None:
    """Serve the pages and the HTTP API."""
    processes.web(_counting())


def relay(
    *,
    without_broker: Annotated[
        bool, typer.Option("--without-broker", help="Handle the messages here, while the broker is down.")
    ] = False,
) -> None:
    """Carry messages from the database to the broker; any number of relays may run."""
    settings = _counting()
    tell_figures(settings)
    processes.relay(settings, without_broker=without_broker)


def worker(
    office: Annotated[
        list[str] | None,
        typer.Option(help="Serve this queue only, such as department.aksu; may be given several times."),
    ] = None,
    excepted: Annotated[
        list[str] | None,
        typer.Option("--except", help="Serve all queues but this; may be given several times."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name in Flower; its office unless given, else worker.", show_default=False),
    ] = None,
) -> None:
    """Handle messages: a Celery worker for all queues, for those of named offices, or for all but those."""
    settings = _counting()
    tell_figures(settings)
    processes.worker(settings, office or (), excepted=excepted or (), name=name)


def beat() -> None:
    """Tick, so that the database is asked what is due."""
    processes.beat(current_settings())


def flower() -> None:
    """Show what the workers do, on loopback."""
    processes.flower(current_settings())


def _counting() -> Settings:
    settings = current_settings()
    keep_figures(settings)
    return settings
