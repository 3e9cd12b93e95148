"""`credentials`: least credentials for each process, as files."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    app.command(rich_help_panel="Install")(credentials)


def credentials(
    folder: Annotated[Path, typer.Argument(help="Where the files go; made where it is not there.")],
    *,
    database: Annotated[str, typer.Option(help="PostgreSQL, without user: postgresql://database:5432")],
    broker: Annotated[
        str, typer.Option(help="Redis or RabbitMQ, without user: redis://broker:6379/0, amqp://broker:5672")
    ],
    name: Annotated[
        str,
        typer.Option(help="Of the installation: its database, virtual host and users are named after it."),
    ] = "shabarman",
    district: Annotated[
        list[str] | None, typer.Option(help="Has workers of its own; may be given several times.")
    ] = None,
) -> None:
    """Make least credentials for web, relay, worker, beat and Flower; safe to repeat, passwords stay as they are.

    Environment files for the processes, and for the administrators of the servers an ACL file (Redis), definitions
    (RabbitMQ) and a script of roles (PostgreSQL).
    """
    from workers.credentials.writing import Installation, write  # noqa: PLC0415 - `--help` needs none of it

    wanted = Installation(name=name, database=database, broker=broker, districts=district or ())
    for path in write(folder, wanted):
        typer.echo(path)
