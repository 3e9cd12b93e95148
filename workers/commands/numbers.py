"""`number check`, `label`: what stands on a packet."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from config.errors import BadInputError
from config.language import Text, language_of_environment
from workers.commands.listing import Listing


class NoNumberError(BadInputError):
    """A typed text is no number of ours; `advice` says what it is and what to do."""

    code = "no_number"
    text = Text("{advice}")


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    group = typer.Typer(cls=Listing, no_args_is_help=True, help="Numbers of packets and manifests.")
    group.command("check")(check)
    # With one command only the group would vanish from the name.
    group.callback()(_numbers)
    app.add_typer(group, name="number", rich_help_panel="Numbers and labels")
    app.command(rich_help_panel="Numbers and labels")(label)


def _numbers() -> None:
    """Numbers of packets and manifests."""


def check(code: Annotated[str, typer.Argument(help="As typed, or as a scanner read it.")]) -> None:
    """Print the number in digits alone; exit with 1 and the reason when it is none."""
    typer.echo(canonical(code))


def label(
    number: Annotated[str, typer.Argument(help="Number of a packet or a manifest.")],
    *,
    out: Annotated[Path, typer.Option(help="File to write; - for stdout.")],
    fmt: Annotated[
        Literal["svg", "png", "pdf", "zpl"], typer.Option("--format", help="Kind of file.")
    ] = "svg",
    dpi: Annotated[int, typer.Option(help="Dots per inch of the printer: 203, 300 or 600.")] = 203,
    district: Annotated[
        str | None, typer.Option(help="Text for where it goes, instead of what the database knows.")
    ] = None,
    service: Annotated[
        str | None, typer.Option(help="Text for the service, instead of what the database knows.")
    ] = None,
) -> None:
    """Draw one label, 58 by 40 mm: QR, bars, number, where it goes and for which service."""
    from barcodes.label import Label, render  # noqa: PLC0415 - `--help` needs none of it
    from workers.lettering import Lettering, words_for  # noqa: PLC0415 - as above

    digits = canonical(number)
    known = words_for(digits) if district is None or service is None else Lettering()
    drawn = render(
        Label(
            number=digits,
            district=known.district if district is None else district,
            service=known.service if service is None else service,
            accepted_on=known.accepted_on,
        ),
        fmt=fmt,
        dpi=dpi,
    )
    if str(out) == "-":
        typer.get_binary_stream("stdout").write(drawn)
    else:
        out.write_bytes(drawn)


def canonical(typed: str) -> str:
    """Return the number in digits alone; raise NoNumberError with the reason when it is none."""
    from barcodes.typed import read  # noqa: PLC0415 - as above

    reading = read(typed)
    if reading.code is None:
        raise NoNumberError(advice=reading.advice.render(language_of_environment()))
    return reading.code
