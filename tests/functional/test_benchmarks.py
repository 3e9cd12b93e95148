"""The benchmarks run: in small, against the real processes, so that none of them rots between two measurements."""

from collections.abc import Callable, Iterator

import pytest

from bench import core, http, latency, profiles, statements, verbs
from bench.ground import Postgresql, broker, opened
from bench.measuring import Table
from bench.stock import stock

pytestmark = [pytest.mark.postgresql, pytest.mark.redis, pytest.mark.browser]

Figures = dict[str, float]
RUNS: dict[str, Callable[[Postgresql], Figures]] = {
    "core": lambda store: core.measure("ours", store, "redis", scans=40, at_once=1),
    "core of the naive design": lambda store: core.measure("naive", store, "redis", scans=40, at_once=1),
    "http": lambda store: http.measure("ours", store, scans=40, at_once=1),
    "http of the naive design": lambda store: http.measure("naive_http", store, scans=40, at_once=1),
    "latency": lambda store: latency.measure("ours", store, seconds=2, pace=10),
    "latency in a browser": lambda store: latency.measure("ours", store, seconds=2, pace=19, seeing=True),
    "latency beside a backlog": lambda store: latency.measure(
        "ours", store, seconds=2, pace=10, backlog=2000
    ),
}


PARTS = {"single": ["scanning"], "task": ["relaying", "looking", "handling"]}


@pytest.fixture(scope="module")
def store() -> Iterator[Postgresql]:
    made = Postgresql(stock(600))
    yield made
    made.close()


@pytest.mark.parametrize("name", RUNS)
def test_a_round_measures_something(store: Postgresql, name: str) -> None:
    figures = RUNS[name](store)
    assert figures
    assert all(figure > 0 for figure in figures.values()), figures


@pytest.mark.parametrize("path", ["single", "task"])
def test_the_server_tells_what_it_does_for_a_turn(
    store: Postgresql, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "TURNS", 2)
    tables = profiles.tables(path)
    with broker("redis") as served, store.fresh() as url:
        profiles.figures(path, url, served.url, tables, seconds=0.1, plans=False)
    turns = tables["turns"]
    assert set(turns.rounds) == {f"{path}: {part}" for part in PARTS[path]}
    for row in turns.rounds:
        shown = [name for name in tables["statements"].rounds if name.startswith(f"{row}: ")]
        assert sum(tables["statements"].median(name, "times") for name in shown) == (
            turns.median(row, "statements") - turns.median(row, "begin, end")
        )
        assert not any(tables["statements"].median(name, "read whole") for name in shown)


def test_large_commands_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "DEPARTING", 20)
    monkeypatch.setattr(verbs, "CLOSING", 10)
    store, table = Postgresql(lambda _database: None), Table("verbs", "Large commands", ("ms",))
    try:
        with store.fresh() as url, opened(url) as database:
            verbs.measure(database, table)
    finally:
        store.close()
    assert set(table.rounds) == {
        verbs.DEPART,
        verbs.CLOSE,
        verbs.CLOSE_MISSING,
        verbs.FLOOR + verbs.DEPART,
        verbs.FLOOR + verbs.CLOSE_MISSING,
    }
