"""`shabarman chaos`: a trial by faults, for operators and for CI."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from workers.chaos import trial
from workers.chaos.kinds import all_kinds
from workers.chaos.outcome import Outcome
from workers.chaos.world import BrokerKind, DatabaseKind

START_AND_END = 600
"""Seconds that building, healing and comparing may take together; after that the trial ends itself."""


class OverdueError(Exception):
    """The trial took far longer than it was asked to."""


def command(
    *,
    seconds: Annotated[int, typer.Option(min=5, max=86_400, help="How long something is being broken.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed breaks the same things.")] = 1,
    database: Annotated[DatabaseKind, typer.Option(help="Which database the house has.")] = "postgresql",
    broker: Annotated[BrokerKind, typer.Option(help="Which broker the house has.")] = "redis",
    spacing: Annotated[
        float, typer.Option(min=0.2, help="Seconds from one fault to the next, in the middle.")
    ] = 4.5,
    crews: Annotated[int, typer.Option(min=1, max=12, help="Crews that carry packets meanwhile.")] = 3,
    only: Annotated[list[str] | None, typer.Option(help="Only this kind of fault; may be repeated.")] = None,
    logs: Annotated[Path | None, typer.Option(help="Folder to which the logs are copied at the end.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for programs.")] = False,
) -> None:
    """Break a house of its own in every way while people work in it, and compare what was meant with what came of it.

    Nothing of this installation is touched. Exit code 1 when anything was lost, doubled, late or misrouted, or
    when the house took a minute or longer to work again.
    """
    known = {kind.name for kind in all_kinds()}
    for name in only or ():
        if name not in known:
            raise typer.BadParameter(f"{name} is none of {', '.join(sorted(known))}", param_hint="--only")
    with _bounded(seconds + START_AND_END):
        outcome = trial.run(
            seconds=seconds,
            seed=seed,
            database=database,
            broker=broker,
            spacing=spacing,
            crews=crews,
            only=only or (),
            keep=logs,
            note=_note,
        )
    _print(outcome, console=Console(stderr=as_json))
    if as_json:
        typer.echo(json.dumps(outcome.as_json(), ensure_ascii=False, indent=2))
    raise typer.Exit(0 if outcome.ok else 1)


def _note(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def _bounded(seconds: int) -> Iterator[None]:
    """End in good order by SIGTERM, as by Ctrl-C, and when the time is over."""

    def end(_signal: int, _frame: object) -> None:
        raise SystemExit(143)

    def overdue(_signal: int, _frame: object) -> None:
        raise OverdueError(f"still not done after {seconds} s")

    before = signal.signal(signal.SIGTERM, end), signal.signal(signal.SIGALRM, overdue)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGALRM, before[1])


def _print(outcome: Outcome, *, console: Console) -> None:
    table = Table("Fault", "Times", "Median, s", "Longest, s", title="Time until the house worked again")
    for kind, row in outcome.faults().items():
        table.add_row(kind, str(int(row["times"])), f"{row['median_s']:.1f}", f"{row['longest_s']:.1f}")
    for kind, why in outcome.left_out.items():
        table.add_row(kind, "–", why, "")
    console.print(table)
    for name, value in outcome.as_json().items():
        if name in {"faults", "left_out", "examples"}:
            continue
        shown = (
            "  ".join(f"{key} {held}" for key, held in value.items())
            if isinstance(value, dict)
            else str(value)
        )
        console.print(f"{name}: {shown}")
    for example in outcome.examples[:20]:
        console.print(example, markup=False)
