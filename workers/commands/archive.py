"""`archive`, `archive show`, `archive check`, `archive again`: what ended long ago, out of the database into files."""

import getpass
import json
from typing import Annotated, Any

import typer

from config.language import Text, language_of_environment
from workers.commands.listing import Listing
from workers.installation import current_settings, migrated_database

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")]

NOTHING = Text("Nothing ended so long ago.")
TAKEN = Text("{file}: packets {packets}, rows {rows}, bytes {size}, lines that stayed {stayed}.")
HELD = Text(
    "What is left of it stays in the database. Where {file} is gone for good: `shabarman archive again {file}`."
)
UNKNOWN = Text(
    "No archive of this database knows {files}. Nothing is done to it; `shabarman archive check` says what is in it."
)
FREED = Text(
    "{count} packet of {file} is in the database and goes into another file with the next `shabarman archive`.",
    "{count} packets of {file} are in the database and go into another file with the next `shabarman archive`.",
)
LIES_IN = Text("The history lies in {file}, the archive of {month}.")
IN_DATABASE = Text("The history is in the database.")


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    group = typer.Typer(cls=Listing, invoke_without_command=True, help=archive.__doc__)
    group.callback()(archive)
    group.command()(show)
    group.command()(check)
    group.command()(again)
    app.add_typer(group, name="archive", rich_help_panel="Upkeep")


def archive(
    context: typer.Context,
    *,
    months: Annotated[
        int | None,
        typer.Option(min=1, help="Whole months that history stays; else SHABARMAN_ARCHIVE_MONTHS."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take packets that ended long ago out of the database, with all of their history, into a file for each month.

    Safe to interrupt and to repeat, while all go on working. Exit code 1 when a sealed file is gone or broken: what is
    in it then stays in the database, and the others go on.
    """
    if context.invoked_subcommand is not None:
        return
    from config.clock import utc_now  # noqa: PLC0415 - `--help` needs none of it
    from workers.archive.making import archive as take_out  # noqa: PLC0415 - as above

    settings = current_settings()
    with migrated_database(settings) as database, _progress() as tell:
        outcome = take_out(
            database,
            settings.effective_archive_folder,
            now=utc_now(),
            months=months or settings.archive_months,
            by=getpass.getuser(),
            on_step=tell,
        )
    language = language_of_environment()
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in outcome.made], indent=2))
    else:
        for one in outcome.made:
            typer.echo(TAKEN.render(language, **one.as_json()))
        if not outcome.made and not outcome.held:
            typer.echo(NOTHING.render(language), err=True)
    if outcome.unknown:
        typer.echo(UNKNOWN.render(language, files=", ".join(outcome.unknown)), err=True)
    for held in outcome.held:
        typer.echo(f"{held.error.sentence(language)} {HELD.render(language, file=held.file)}", err=True)
    if outcome.held:
        raise typer.Exit(1)


def show(
    number: Annotated[str, typer.Argument(help="Number of a packet.")], *, as_json: AsJson = False
) -> None:
    """Print what happened to a packet, from the database or from its archive."""
    from config.clock import local  # noqa: PLC0415 - as above
    from workers.archive.showing import way_of  # noqa: PLC0415 - as above
    from workers.commands.numbers import canonical  # noqa: PLC0415 - as above

    settings, code = current_settings(), canonical(number)
    with migrated_database(settings) as database:
        way = way_of(database, settings.effective_archive_folder, code)
    if as_json:
        typer.echo(json.dumps(way, ensure_ascii=False, indent=2))
        return
    from datetime import datetime  # noqa: PLC0415 - as above

    language = language_of_environment()
    where = way["archive"]
    typer.echo(f"{way['number']}  {way['state']}  {way['origin']} → {way['department']}  {way['service']}")
    typer.echo(LIES_IN.render(language, **where) if where else IN_DATABASE.render(language))
    for event in way["events"]:
        at = local(datetime.fromisoformat(event["at"]))
        bag = f"  {event['manifest']}" if event["manifest"] else ""
        typer.echo(
            f"{event['seq']:>3}  {at:%Y-%m-%d %H:%M}  {event['move']:<10}  {event['to_state']:<17}  "
            f"{event['office']}  {event['who']}{bag}"
        )


def check(*, as_json: AsJson = False) -> None:
    """Read every archive wholly and compare it with the database.

    Exit code 1 when one is not as it was sealed, or the folder has a file that no archive knows.
    """
    from workers.archive.checking import check as read_all  # noqa: PLC0415 - as above

    settings = current_settings()
    with migrated_database(settings) as database:
        found = read_all(database, settings.effective_archive_folder)
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in found], indent=2))
    else:
        for one in found:
            typer.echo(f"{'ok' if one.ok else '!!'}  {one.file}  {one.packets}  {one.detail}".rstrip())
    raise typer.Exit(0 if all(one.ok for one in found) else 1)


def again(
    file: Annotated[str, typer.Argument(help="Name of a sealed file that is gone for good, or broken.")],
) -> None:
    """Give up an archive whose file is lost: what is still in the database goes into another file the next time.

    Whatever had gone already was in that file alone; `archive check` goes on missing it.
    """
    from config.clock import utc_now  # noqa: PLC0415 - as above
    from workers.archive.making import again as give_up  # noqa: PLC0415 - as above

    settings = current_settings()
    with migrated_database(settings) as database:
        freed = give_up(database, settings.effective_archive_folder, file, now=utc_now())
    typer.echo(FREED.render(language_of_environment(), file=file, count=freed))


def _progress() -> Any:  # noqa: ANN401 - a context that gives what takes the steps
    from contextlib import contextmanager  # noqa: PLC0415 - as above

    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.progress import Progress, SpinnerColumn, TextColumn  # noqa: PLC0415 - as above

    @contextmanager
    def shown() -> Any:  # noqa: ANN401 - a generator
        columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed}"))
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            tasks: dict[tuple[str, str], Any] = {}

            def tell(what: str, file: str, count: int) -> None:
                key = file, what
                if key not in tasks:
                    tasks[key] = progress.add_task(f"{file} {what}", total=None)
                progress.advance(tasks[key], count)

            yield tell

    return shown()
