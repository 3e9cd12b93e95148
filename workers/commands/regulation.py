"""`offices`, `services`: the regulation as data."""

import json
import sys
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command(rich_help_panel="The regulation")(offices)
    app.command(rich_help_panel="The regulation")(services)


def offices(*, as_json: AsJson = False) -> None:
    """List the 19 departments, 19 centres and 254 village akimats: codes, names, addresses, hours."""
    from config import offices as register_of_offices  # noqa: PLC0415 - `--help` needs none of it

    known = register_of_offices.offices()
    if as_json:
        _print_json([register_of_offices.as_json(office) for office in known])
        return
    _print_table(
        ("code", "kind", "district", "name"),
        [(office.code, office.kind, office.district, office.name_kk) for office in known],
    )


def services(*, as_json: AsJson = False) -> None:
    """List the seven services: where each is accepted, its steps and limits."""
    from config import services as list_of_services  # noqa: PLC0415 - as above

    known = list_of_services.services()
    if as_json:
        _print_json([list_of_services.as_json(service) for service in known])
        return
    _print_table(
        ("N", "code", "name"),
        [(str(service.number), service.code, service.name_kk) for service in known],
    )


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _print_table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    # A pipe has no width: a row stays one line, so that grep finds it whole.
    Console(width=None if sys.stdout.isatty() else 1000).print(table)
