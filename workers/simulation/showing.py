"""What came of a simulation, as tables for people."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from workers.simulation.outcome import Outcome
from workers.simulation.report import in_hours, limit_in_words

HEADINGS = ("step", "limit", "count", "median", "longest", "late", "explained")
NUMBERS = frozenset({"count", "median", "longest", "late", "explained"})


def show(outcome: Outcome, *, language: str) -> None:
    """Print an outcome, and below it every step beside its limit."""
    table = Table(show_header=False)
    for name, value in outcome.as_json().items():
        if name in {"examples", "steps"}:
            continue
        shown = (
            "  ".join(f"{key} {held}" for key, held in value.items())
            if isinstance(value, dict)
            else ", ".join(map(str, value))
            if isinstance(value, list)
            else str(value)
        )
        table.add_row(name, shown)
    console = Console()
    console.print(table)
    for (code, channel), rows in groupby(outcome.steps, key=lambda row: (row["service"], row["channel"])):
        console.print(_of_steps(f"{code}, {channel}", rows, language=language))


def _of_steps(way: str, rows: Iterable[dict[str, Any]], *, language: str) -> Table:
    table = Table(title=way, title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in NUMBERS else "left")
    for row in rows:
        names = " + ".join(row["together"]) or row["step"]
        table.add_row(
            f"{names}, again" if row["again"] else names,
            limit_in_words(row["limit"], language),
            str(row["count"]),
            in_hours(row["median_minutes"]),
            in_hours(row["longest_minutes"]),
            f"{row['share_late']:.1%}",
            f"{row['explained']}/{row['late']}",
        )
    return table
