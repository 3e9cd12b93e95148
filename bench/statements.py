"""The server's side of a path: which statements reach it, in how many trips, and how it carries each of them out.

What arrives is counted by the trace of libpq, below everything that could hide a statement. The plans come from
`auto_explain`, which a superuser may load for a session of its own: it tells of the very statements that the
application sends, prepared as they are, and tells nobody else.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.errors import Diagnostic

from bench.paths import Walk
from tests.integration.plans import GROWING

TURNS = 20

EXPLAIN = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_analyze = on;
SET auto_explain.log_buffers = on;
SET auto_explain.log_triggers = on;
SET auto_explain.log_level = notice;
"""
"""By notices: what has the level of the server's log would be written to that as well."""

_MESSAGE = re.compile(r'^([FB])\t\d+\t(\w+)(?:\t "(BEGIN|COMMIT|ROLLBACK)"$)?', re.MULTILINE)
"""Of a trace: sent or received, what, and the word that begins or ends a transaction."""

_TOLD = re.compile(r"duration: ([\d.]+) ms +plan:\n(.*)", re.DOTALL)


@dataclass(slots=True)
class Explained:
    """One statement of one turn, carried out once or more."""

    times: int = 0
    ms: float = 0
    trigger_ms: float = 0
    blocks: Counter[str] = field(default_factory=Counter)
    """`hit`, `read` or `dirtied` → blocks of 8 kB."""
    rows: int = 0
    """Rows of the answer."""
    written: int = 0
    read_whole: int = 0
    """Growing tables that were read from end to end."""

    def figures(self) -> dict[str, float]:
        """Return everything by the names of columns."""
        return {
            "times": self.times,
            "ms": self.ms,
            "trigger ms": self.trigger_ms,
            **{name: self.blocks[name] for name in ("hit", "read", "dirtied")},
            "rows": self.rows,
            "written": self.written,
            "read whole": self.read_whole,
        }


@dataclass(slots=True)
class Part:
    """What one part of a path sends, turn by turn."""

    trips: list[dict[str, float]] = field(default_factory=list)
    explained: list[dict[str, Explained]] = field(default_factory=list)
    """Statement → how it was carried out."""
    trigger_ms: list[dict[str, float]] = field(default_factory=list)
    """The same for the time of triggers, which the server only takes when it takes that of each node as well."""
    plans: list[str] = field(default_factory=list)


@contextmanager
def connections() -> Iterator[list[psycopg.Connection[Any]]]:
    """Keep in mind every connection that the driver opens during a block, whoever asks for it."""
    opened: list[psycopg.Connection[Any]] = []
    usual: Any = psycopg.Connection.__dict__["connect"]

    def connect(kind: Any, *given: Any, **options: Any) -> psycopg.Connection[Any]:  # noqa: ANN401
        connection: psycopg.Connection[Any] = usual.__func__(kind, *given, **options)
        opened.append(connection)
        return connection

    psycopg.Connection.connect = classmethod(connect)  # type: ignore[assignment]
    try:
        yield opened
    finally:
        psycopg.Connection.connect = usual  # type: ignore[method-assign]


def watch(walk: Walk, opened: Sequence[psycopg.Connection[Any]], *, plans: bool) -> dict[str, Part]:
    """Walk on, and return what each part sends; it has been walked long enough for statements to be prepared."""
    found: defaultdict[str, Part] = defaultdict(Part)

    def counting(part: Callable[..., None], *given: object) -> None:
        with _traced(opened) as sent:
            part(*given)
        found[part.__name__].trips.append(sent)

    walk.turns(TURNS, counting)
    told: list[str] = []

    def listen(notice: Diagnostic) -> None:
        told.append(notice.message_primary or "")

    def explaining(keep: Callable[[Part, list[str]], None]) -> Callable[..., None]:
        def explain(part: Callable[..., None], *given: object) -> None:
            told.clear()
            part(*given)
            keep(found[part.__name__], told)

        return explain

    for connection in _living(opened):
        connection.add_notice_handler(listen)
    _each(opened, EXPLAIN + _how(timing=False, plain=False))
    walk.turns(TURNS, explaining(lambda part, said: part.explained.append(_read(said))))
    _each(opened, _how(timing=True, plain=False))
    walk.turns(TURNS, explaining(lambda part, said: part.trigger_ms.append(_triggers(said))))
    if plans:
        _each(opened, _how(timing=True, plain=True))
        walk.turns(1, explaining(lambda part, said: part.plans.extend(said)))
    return dict(found)


def planned(opened: Sequence[psycopg.Connection[Any]]) -> dict[str, bool]:
    """Return the prepared statements, and whether the server makes a plan for most of their uses anew."""
    found = {}
    for connection in _living(opened):
        for statement, generic, custom in connection.execute(
            "SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements"
        ):
            found[statement] = custom > generic
        connection.rollback()
    return found


def _each(opened: Sequence[psycopg.Connection[Any]], command: str) -> None:
    for connection in _living(opened):
        connection.execute(command)
        connection.commit()


def _how(*, timing: bool, plain: bool) -> str:
    return (
        f"SET auto_explain.log_timing = {'on' if timing else 'off'};"
        f"SET auto_explain.log_format = {'text' if plain else 'json'}"
    )


@contextmanager
def _traced(opened: Sequence[psycopg.Connection[Any]]) -> Iterator[dict[str, float]]:
    """Count what goes to the server during a block; the counts are there after it."""
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        files = []
        for connection in _living(opened):
            # One for each: libpq writes behind a buffer, and lines of two connections would come out of order.
            file = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))
            connection.pgconn.trace(file.fileno())
            connection.pgconn.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)
            files.append(file)
        found: dict[str, float] = {}
        try:
            yield found
        finally:
            for connection in _living(opened):
                connection.pgconn.untrace()
        for file in files:
            file.seek(0)
            counts.update(_counted(file.read()))
    found |= {name: counts[name] for name in ("statements", "begin, end", "trips", "parsed")}


def _counted(trace: str) -> Iterator[str]:
    """Yield a word for each thing that is counted."""
    before = "B"
    for side, kind, word in _MESSAGE.findall(trace):
        if kind == "CommandComplete":
            yield "statements"
            if word:
                yield "begin, end"
        elif kind == "Parse":
            yield "parsed"
        # What is sent without waiting for an answer in between is one trip, be it one statement or a pipeline.
        if (before, side) == ("B", "F"):
            yield "trips"
        before = side


def _living(opened: Sequence[psycopg.Connection[Any]]) -> list[psycopg.Connection[Any]]:
    return [connection for connection in opened if not connection.closed]


def _told(messages: Sequence[str]) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """Yield the text, the milliseconds and the plan of each statement."""
    for message in messages:
        found = _TOLD.fullmatch(message)
        if found:
            explained = json.loads(found[2])
            yield explained["Query Text"], float(found[1]), explained


def _read(messages: Sequence[str]) -> dict[str, Explained]:
    read: defaultdict[str, Explained] = defaultdict(Explained)
    for statement, ms, explained in _told(messages):
        one, plan = read[statement], explained["Plan"]
        one.times += 1
        one.ms += ms
        one.rows += plan["Actual Rows"]
        for kind in ("Hit", "Read", "Dirtied"):
            one.blocks[kind.lower()] += plan[f"Shared {kind} Blocks"]
        for node in _nodes(plan):
            if node["Node Type"] == "ModifyTable":
                # Of the rows that reach it: without RETURNING it passes none on.
                one.written += sum(
                    round(part["Actual Rows"] * part["Actual Loops"]) for part in node["Plans"][:1]
                )
            one.read_whole += node["Node Type"] == "Seq Scan" and node["Relation Name"] in GROWING
    return dict(read)


def _triggers(messages: Sequence[str]) -> dict[str, float]:
    read: defaultdict[str, float] = defaultdict(float)
    for statement, _, explained in _told(messages):
        read[statement] += sum(trigger["Time"] for trigger in explained.get("Triggers", ()))
    return dict(read)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
