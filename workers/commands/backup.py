"""`backup`, `restore`: copies of the installation, and the way back."""

from pathlib import Path
from typing import Annotated

import typer

from config.clock import utc_now
from config.language import Text, language_of_environment
from workers.installation import current_settings

# ruff: noqa: PLC0415 - `--help` needs none of what the commands load


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for command in (backup, restore):
        app.command(rich_help_panel="Upkeep")(command)


def backup(
    *,
    into: Annotated[Path, typer.Option(help="Folder of the backups.")],
    settings: Annotated[
        Path | None,
        typer.Option(help="Folder of settings that goes into the backup, such as /etc/shabarman."),
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="How many backups stay in the folder; all of them unless given.")
    ] = None,
) -> None:
    """Copy the database and the settings into one file, while all go on working. The broker needs no backup."""
    from workers.backup.making import make

    typer.echo(make(current_settings(), into=into, now=utc_now(), others=settings, keep=keep))


def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Throw away what is in the database now.")
    ] = False,
    gap: Annotated[
        int,
        typer.Option(
            min=0, help="Numbers left out for each office: those that were printed after the backup."
        ),
    ] = 500,
    settings: Annotated[
        Path | None, typer.Option(help="Folder into which the settings go; what is there already stays.")
    ] = None,
) -> None:
    """Bring a backup back, publish again what was under way, and check the whole; exit code 1 when something is broken.

    Stop all processes first.
    """
    from workers.backup.restoring import restore as bring_back

    done = bring_back(current_settings(), file, now=utc_now(), replace=replace, gap=gap, others=settings)
    told = Text(
        "Brought back: the state of {moment}, tables of step {step}. {count} messages are told again."
    )
    language = language_of_environment()
    typer.echo(told.render(language, moment=done.about.made_at, step=done.about.step, count=done.again))
    if done.archives:
        needed = Text("Bring these archives back from their copies: {files}.")
        typer.echo(needed.render(language, files=", ".join(done.archives)), err=True)
    for path in done.settings:
        typer.echo(path)
    for finding in done.report.broken:
        typer.echo(f"{finding.invariant} {finding.subject}: {finding.detail}", err=True)
    raise typer.Exit(0 if done.report.ok else 1)
