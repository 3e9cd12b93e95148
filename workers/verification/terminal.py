"""`shabarman verify`: the verification for people and for programs."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from workers.installation import migrated_database
from workers.verification.checking import INVARIANTS, PATIENCE_SECONDS, verify
from workers.verification.report import Report


def command(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for programs.")] = False,
    patience: Annotated[
        int, typer.Option(min=0, help="Seconds that a message's lease may have run out.")
    ] = PATIENCE_SECONDS,
) -> None:
    """Check the invariants over the whole database; exit code 1 when one is broken."""
    with migrated_database() as database, database.reading() as session, _progress() as progress:
        shown = progress.add_task("verify", total=len(INVARIANTS))

        def advance(name: str) -> None:
            progress.update(shown, description=name, advance=1)

        report = verify(session, patience_seconds=patience, on_check=advance)
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        _print(report)
    raise typer.Exit(0 if report.ok else 1)


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _print(report: Report) -> None:
    console = Console()
    console.print("  ".join(f"{name} {count}" for name, count in report.checked.items()))
    for title, findings in (("Broken", report.broken), ("Warnings", report.warnings)):
        if not findings:
            continue
        table = Table("Invariant", "Subject", "What is wrong", title=title, title_justify="left")
        for finding in findings:
            table.add_row(finding.invariant, finding.subject, finding.detail)
        console.print(table)
    for name, count in report.counts.items():
        console.print(f"{name}: {count}")
    if report.ok:
        console.print("Every invariant holds.")
