"""Profiles of the hottest paths: where the time goes here, what the server does, and how often it is asked.

`python -m bench.profiles [--seconds N] [--path NAME] [--plans]`

Each path is a turn that is repeated: `single`, one scan (the registration of a packet); `lists`, a list of 50; `task`,
a relay's step and a worker's task for one message; `tasks`, the same for 50. The figures of a turn are taken in this
process, undisturbed; then the statements of some turns are explained by the server; then a process of its own walks the
path twice for N seconds under py-spy.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import closing

from bench.ground import Postgresql, broker
from bench.measuring import Table, options
from bench.paths import PACKETS_A_SECOND, PATHS, WARM_TURNS, Clock, Walk
from bench.sampling import NAMES, WAITS, Profile, sample
from bench.statements import Part, connections, planned, watch
from bench.stock import stock
from config import logs

MOST_FUNCTIONS = 12
WORDS = 60
"""Characters of a statement that are shown."""

TURN = ("wall us", "client CPU us", "server CPU us", "statements", "begin, end", "trips", "parsed")
LAYER = ("samples", "samples %", "work %", "CPU us", "wall us")
FUNCTION = ("work %", "CPU us", "wall us")
STATEMENT = (
    "times",
    "ms",
    "trigger ms",
    "hit",
    "read",
    "dirtied",
    "rows",
    "written",
    "read whole",
    "planned anew",
)


def tables(path: str | None) -> dict[str, Table]:
    """Return the tables of one path, or of all, without rows."""
    suffix = f"-{path}" if path else ""
    kinds = {
        "turns": ("", "What a turn takes, and what it sends to PostgreSQL", TURN),
        "layers": ("-layers", "In which layer the process was", LAYER),
        "functions": ("-functions", "Functions of ours, with all that they call", FUNCTION),
        "statements": ("-statements", "Statements of a turn, by the server itself", STATEMENT),
    }
    return {
        kind: Table(f"profiles{name}{suffix}", title, columns)
        for kind, (name, title, columns) in kinds.items()
    }


def figures(
    path: str, url: str, broker_url: str, noted: Mapping[str, Table], *, seconds: float, plans: bool
) -> None:
    """Note what a turn takes, and what it sends to the server."""
    with connections() as opened, closing(Walk(path, url, broker_url)) as walk:
        walk.turns(WARM_TURNS)
        clock = Clock(url)
        walk.measure = clock.measured
        while clock.seconds < seconds and walk.turn():
            pass
        parts = watch(walk, opened, plans=plans)
        anew = planned(opened)
    for name, part in parts.items():
        row = f"{path}: {name}"
        turns, *taken = clock.sums[name]
        each = {column: 1e6 * sum_ / turns for column, sum_ in zip(TURN, taken, strict=False)}
        for sent in part.trips:
            noted["turns"].add(row, each | sent)
        _note_statements(row, part, noted["statements"], anew=anew)
        for plan in part.plans:
            print(f"\n{row}\n{plan}")


def _note_statements(row: str, part: Part, table: Table, *, anew: Mapping[str, bool]) -> None:
    names: dict[str, str] = {}
    for turn, triggers in zip(part.explained, part.trigger_ms, strict=True):
        for statement, explained in turn.items():
            if statement not in names:
                names[statement] = f"{row}: {len(names) + 1}. {' '.join(statement.split())[:WORDS]}"
            # What is not prepared is planned with each use.
            more = {
                "trigger ms": triggers.get(statement, 0.0),
                "planned anew": float(anew.get(statement, True)),
            }
            table.add(names[statement], explained.figures() | more)


def profile(path: str, url: str, broker_url: str, noted: Mapping[str, Table], *, seconds: float) -> None:
    """Note the layers and the functions in which the time of a turn goes."""
    busy, even = (sample(path, url, broker_url, seconds=seconds, idle=idle) for idle in (False, True))
    for name, seen in busy.items():
        _note_layers(f"{path}: {name}", seen, even[name], noted)
        _note_functions(f"{path}: {name}", seen, even[name], noted)


def _note_layers(row: str, busy: Profile, even: Profile, noted: Mapping[str, Table]) -> None:
    for layer in NAMES:
        count = busy.layers[layer]
        found = {
            "samples": count,
            "samples %": 100 * count / busy.samples,
            "wall us": even.microseconds(even.layers[layer]),
        }
        if layer not in WAITS:
            found |= _work(row, count, busy, noted)
        noted["layers"].add(f"{row}: {layer}", found)


def _note_functions(row: str, busy: Profile, even: Profile, noted: Mapping[str, Table]) -> None:
    for function, count in busy.functions.most_common(MOST_FUNCTIONS):
        noted["functions"].add(
            f"{row}: {function.name} ({function.file})",
            _work(row, count, busy, noted) | {"wall us": even.microseconds(even.functions[function])},
        )


def _work(row: str, count: int, busy: Profile, noted: Mapping[str, Table]) -> dict[str, float]:
    """Return the share of the work, and its part of the CPU time of a turn that nobody looked at.

    Who looks at a process cannot tell one that computes from one that waits for its turn on a core; the clock can.
    """
    share = count / busy.work
    return {"work %": 100 * share, "CPU us": share * noted["turns"].median(row, "client CPU us")}


def show(table: Table) -> None:
    """Print a table with rows as long as statements are, and leave out what is nothing."""
    width = max(map(len, table.rounds)) + 1
    sizes = [max(len(column), 8) + 2 for column in table.columns]
    heads = "".join(f"{column:>{size}}" for column, size in zip(table.columns, sizes, strict=True))
    print(f"\n{table.title}\n{'':{width}}{heads}")
    for row, rounds in table.rounds.items():
        cells = (
            f"{table.median(row, column):{size}.4g}" if column in rounds[0] else f"{'–':>{size}}"
            for column, size in zip(table.columns, sizes, strict=True)
        )
        print(f"{row:{width}}{''.join(cells)}")
    for note in table.notes:
        print(f"  {note}")


def main(given: Sequence[str] | None = None) -> int:
    """Print and write all tables."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--seconds", type=float, default=6, help="measured seconds of each recording")
    parser.add_argument("--path", choices=PATHS, help="one path instead of all of them")
    parser.add_argument("--plans", action="store_true", help="print the plans whole")
    chosen = parser.parse_args(given)
    logs.configure("bench", level="WARNING")
    paths = [chosen.path] if chosen.path else list(PATHS)
    noted = tables(chosen.path)
    # One recording of each kind in each round, the undisturbed turns, and those that are explained.
    seconds = chosen.seconds * 3
    store = Postgresql(stock(int(max(PACKETS_A_SECOND[path] for path in paths) * seconds) + 10_000))
    try:
        with broker("redis") as served:
            for path in paths:
                for _ in range(chosen.rounds):
                    with store.fresh() as url:
                        figures(path, url, served.url, noted, seconds=chosen.seconds / 2, plans=chosen.plans)
                        profile(path, url, served.url, noted, seconds=chosen.seconds)
    finally:
        store.close()
    for table in noted.values():
        show(table)
        table.write(
            chosen.results if chosen.store else chosen.out,
            settings={"rounds": chosen.rounds, "seconds": chosen.seconds},
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
