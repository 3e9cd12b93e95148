"""`papers`: every paper of packets and manifests, sheets of labels, the desk card and the address labels."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from workers.commands.listing import Listing

Out = Annotated[Path, typer.Option(help="File to write; - for stdout.")]
By = Annotated[str, typer.Option(help="Login of who prints; it stands in the log.")]


class PaperName(StrEnum):
    """The papers as the command line takes them; a test keeps them equal to those of `models.printed`."""

    LABEL = "label"
    RECEIPT = "receipt"
    SLIP = "slip"
    NOTICE = "notice"
    REFUSAL = "refusal"
    REFERRAL = "referral"
    CERTIFICATE = "certificate"
    CONTROL = "control"
    MANIFEST = "manifest"
    DISCREPANCY = "discrepancy"
    BATCH_REFUSAL = "batch_refusal"
    BAG_LABEL = "bag_label"


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    group = typer.Typer(cls=Listing, no_args_is_help=True, help="Papers for the printer.")
    group.command("print")(print_one)
    group.command("labels")(labels)
    group.command("card")(card)
    group.command("addresses")(addresses)
    app.add_typer(group, name="papers", rich_help_panel="Numbers and labels")


def print_one(
    paper: Annotated[PaperName, typer.Argument(help="Which paper.")],
    number: Annotated[str, typer.Argument(help="Number of the packet or the manifest.")],
    *,
    out: Out,
    by: By,
    reason: Annotated[str, typer.Option(help="Why a batch was refused.")] = "",
    fmt: Annotated[
        Literal["svg", "png", "pdf", "zpl"], typer.Option("--format", help="Kind of file, for labels.")
    ] = "pdf",
    dpi: Annotated[int, typer.Option(help="Dots per inch of the printer, for labels.")] = 203,
) -> None:
    """Print a paper of a packet or a manifest, and log it; the second print says that it is a copy."""
    from config.clock import utc_now  # noqa: PLC0415 - `--help` needs none of it
    from models.printed import OF_MANIFEST, Paper  # noqa: PLC0415 - as above
    from workers.commands.numbers import canonical  # noqa: PLC0415 - as above
    from workers.installation import migrated_database  # noqa: PLC0415 - as above
    from workflow.people import actor  # noqa: PLC0415 - as above
    from workflow.printing import print_manifest, print_packet  # noqa: PLC0415 - as above

    code, wanted, now = canonical(number), Paper(paper.value), utc_now()
    with migrated_database() as database, database.transaction() as session:
        person = actor(session, login=by)
        if wanted in OF_MANIFEST:
            made = print_manifest(session, code, wanted, reason=reason, by=person, now=now, fmt=fmt, dpi=dpi)
        else:
            made = print_packet(session, code, wanted, by=person, now=now, fmt=fmt, dpi=dpi)
        # Before the commit: a print that could not be written is none.
        _write(out, made.data)


def labels(
    numbers: Annotated[list[str], typer.Argument(help="Numbers of packets.")],
    *,
    out: Out,
    by: By,
    sheet: Annotated[int, typer.Option(help="Labels on a sheet: 24 or 40.")] = 24,
    skip: Annotated[int, typer.Option(help="Places used up on the first sheet.")] = 0,
) -> None:
    """Print labels on sheets for laser printers, and log each."""
    from config.clock import utc_now  # noqa: PLC0415 - as above
    from workers.commands.numbers import canonical  # noqa: PLC0415 - as above
    from workers.installation import migrated_database  # noqa: PLC0415 - as above
    from workflow.people import actor  # noqa: PLC0415 - as above
    from workflow.printing import print_labels  # noqa: PLC0415 - as above

    codes = [canonical(number) for number in numbers]
    with migrated_database() as database, database.transaction() as session:
        person = actor(session, login=by)
        _write(out, print_labels(session, codes, per_sheet=sheet, skip=skip, by=person, now=utc_now()))


def card(*, out: Out) -> None:
    """Draw the desk card: the commands that a scanner can give."""
    from barcodes.papers.card import card as draw  # noqa: PLC0415 - as above

    _write(out, draw())


def addresses(
    *,
    out: Out,
    kind: Annotated[
        Literal["all", "centre", "department", "akimat"], typer.Option(help="Which offices.")
    ] = "all",
    skip: Annotated[int, typer.Option(help="Places used up on the first sheet.")] = 0,
) -> None:
    """Draw address labels of the 292 offices, 24 to a sheet."""
    from barcodes.papers.addresses import addresses as draw  # noqa: PLC0415 - as above
    from config.offices import offices  # noqa: PLC0415 - as above
    from workflow.papers import place  # noqa: PLC0415 - as above

    chosen = offices(None if kind == "all" else kind)
    _write(out, draw([place(office.code) for office in chosen], skip=skip))


def _write(out: Path, data: bytes) -> None:
    if str(out) == "-":
        typer.get_binary_stream("stdout").write(data)
    else:
        out.write_bytes(data)
