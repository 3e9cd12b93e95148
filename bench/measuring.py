"""What every benchmark does with its figures: medians of interleaved rounds, a table, a file, and a comparison."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results"
WORSE = 0.75
"""A ratio that falls below this share of the stored one is told; less is the noise of machines."""

LIBRARIES = ("celery", "kombu", "redis", "sqlalchemy", "psycopg", "fastapi", "uvicorn")


def options(description: str | None, *, rounds: int = 5) -> argparse.ArgumentParser:
    """Return the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument(
        "--store", action="store_true", help="keep as the result that later ones are compared with"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results that are kept")
    parser.add_argument("--out", type=Path, default=Path("var/bench"), help="folder of what is not kept")
    return parser


@dataclass(slots=True)
class Table:
    """The rows of one benchmark, each with the medians of its rounds."""

    name: str
    title: str
    columns: Sequence[str]
    notes: list[str] = field(default_factory=list)
    ratios: dict[str, float] = field(default_factory=dict)
    """Ratios that are compared with the stored ones; more is better."""
    rounds: defaultdict[str, list[Mapping[str, float]]] = field(default_factory=lambda: defaultdict(list))
    results: Path = RESULTS
    """Folder of the results with which this one is compared."""

    def add(self, row: str, figures: Mapping[str, float]) -> None:
        """Add one round of one row."""
        self.rounds[row].append(figures)

    def median(self, row: str, column: str) -> float:
        """Return the median of a row's rounds."""
        return statistics.median(one[column] for one in self.rounds[row] if column in one)

    def compare(self, what: str, ours: str, peer: str, column: str, *, less_is_better: bool = False) -> float:
        """Note the ratio of two rows; each round is compared with the peer of the same round."""
        pairs = zip(self.rounds[ours], self.rounds[peer], strict=False)
        ratio = statistics.median(one[column] / other[column] for one, other in pairs)
        self.ratios[what] = 1 / ratio if less_is_better else ratio
        return self.ratios[what]

    def show(self) -> None:
        """Print the table, its notes, and its ratios beside the stored ones."""
        width = max(map(len, self.rounds)) + 2
        print(f"\n{self.title}\n{'':{width}}" + "".join(f"{column:>18}" for column in self.columns))
        for row, rounds in self.rounds.items():
            cells = (
                f"{self.median(row, column):18.6g}" if column in rounds[0] else f"{'–':>18}"
                for column in self.columns
            )
            print(f"{row:{width}}" + "".join(cells))
        for note in self.notes:
            print(f"  {note}")
        stored = self.stored()
        for what, ratio in self.ratios.items():
            before = stored.get(what)
            beside = "" if before is None else f"   stored {before:.2f}"
            beside += "   WORSE" if before is not None and ratio < before * WORSE else ""
            print(f"  {what}: {ratio:.2f}{beside}", flush=True)

    def stored(self) -> dict[str, float]:
        """Return the ratios of the last stored result."""
        file = self.results / f"{self.name}.json"
        if not file.exists():
            return {}
        found: dict[str, float] = json.loads(file.read_text(encoding="utf-8"))["ratios"]
        return found

    def end(self, chosen: argparse.Namespace, **settings: Any) -> int:  # noqa: ANN401 - whatever was set
        """Print and write everything; return the exit code, 1 when a ratio fell behind the stored one."""
        self.results = chosen.results
        self.show()
        holds = self.holds()
        self.write(chosen.results if chosen.store else chosen.out, settings=settings)
        return 0 if holds else 1

    def holds(self) -> bool:
        """Tell whether no ratio fell behind the stored one."""
        stored = self.stored()
        return all(ratio >= stored.get(what, 0) * WORSE for what, ratio in self.ratios.items())

    def write(self, folder: Path, *, settings: Mapping[str, Any]) -> None:
        """Write everything as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "title": self.title,
            "machine": machine(),
            "versions": {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()},
            "settings": dict(settings),
            "medians": {
                row: {column: self.median(row, column) for column in rounds[0]}
                for row, rounds in self.rounds.items()
            },
            "rounds": self.rounds,
            "ratios": self.ratios,
            "notes": self.notes,
        }
        (folder / f"{self.name}.json").write_text(
            json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def machine() -> dict[str, Any]:
    """Return what the figures were taken on, and how busy it was."""
    return {
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(terse=True),
        "load": round(psutil.getloadavg()[0], 1),
    }


def interleaved(ways: Iterable[str], run: Callable[[str], None], *, rounds: int) -> None:
    """Let every way have its turn in each round, in turning order, so that a busy minute hits all alike."""
    names = list(ways)
    for turn in range(rounds):
        for place in range(len(names)):
            run(names[(place + turn) % len(names)])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
