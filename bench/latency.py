"""From the commit of a scan to its effect, at a steady pace: `python -m bench.latency [--rounds N] [--seconds N]`.

100 scans a second by 8 people at once; the same with naive Celery in turn. That a message is handled is seen from
outside, by a look every 2 ms for notices that are committed: both pay for these looks. For ours there also listens one
page in each of the 19 offices by live events over HTTP; what it hears is the bell.

With `--backlog N` as many messages wait in the queue of one office whose workers stand still, and the latency is that
of all others: `python -m bench.latency --backlog 1000000`.

With `--browser` one of the offices has its page open in Chromium too, and what counts is the frame that shows the bell,
beside what comes over HTTP for the same packets. Ours runs alone then: the naive design tells nobody.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg

from bench.core import NAIVE, PEERS, Clients, carriers, require_sound, shares
from bench.ground import Postgresql, broker, environment, opened, processes, shabarman, signed_in
from bench.measuring import Table, interleaved, options, percentile
from bench.stock import crew, stock
from bench.watching import Seen, browser, live_events, notices
from config.offices import centre_of, districts
from models.database import Database
from models.staff import Role
from tests.integration.servers import free_port

OURS = "ours"
PACE = 100
"""Scans a second."""
COLUMNS = ("handled p50 ms", "handled p99 ms", "bell p50 ms", "bell p99 ms", "scan p50 ms", "scan p99 ms")
PAINTED_COLUMNS = ("bell p50 ms", "bell p99 ms", "browser p50 ms", "browser p99 ms")
MOST_BELL_MS = 200.0
"""From the commit to the bell that somebody sees, at the p99."""

SLOW_DISTRICT = "aksu"
SEEING_DISTRICT = "alakol"
"""Where a browser is open."""

PATIENCE = 30.0


def listeners(database: Database) -> dict[str, str]:
    """Sign an inspector of each centre in; return the cookies by office."""
    people = crew(database)
    keys = {}
    for district in districts():
        office = centre_of(district.code).code
        keys[office] = signed_in(database, people[Role.INSPECTOR, office].id)
    return keys


def pile_up(url: str, count: int) -> None:
    """Let as many messages wait for the office whose workers stand still."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            """
            INSERT INTO messages (type, queue, subject, cause, body, state, attempts, publications, due_at)
            SELECT 'packet.registered', 'centre.' || %s, 'backlog', 'backlog:' || n, body, 'pending', 0, 0,
                now() - interval '1 day' + n * interval '1 millisecond'
            FROM generate_series(1, %s) n, (SELECT body FROM messages WHERE type = 'packet.accepted' LIMIT 1) one
            """,
            [SLOW_DISTRICT, count],
        )
        connection.execute("VACUUM ANALYZE messages")


def measure(
    way: str, store: Postgresql, *, seconds: int, backlog: int = 0, pace: int = PACE, seeing: bool = False
) -> dict[str, float]:
    """Run one round of one way."""
    with (
        store.fresh() as url,
        broker("redis") as served,
        opened(url) as database,
        tempfile.TemporaryDirectory(prefix="sh-bench-") as home,
        ExitStack() as stack,
    ):
        port = free_port()
        env = environment(url, served.url, Path(home))
        env |= {"SHABARMAN_PORT": str(port), "SHABARMAN_FLOWER_PORT": str(free_port())}
        work = shares(database, seconds * pace, at_once=1)
        clients = Clients(way, work, env=env, warm=2, pace=sum(map(len, work)) / pace)
        heard, painted = Seen(), None
        if way == OURS:
            if backlog:
                pile_up(url, backlog)
            worker = ["worker"]
            if backlog:
                worker += ["--except", f"centre.{SLOW_DISTRICT}"]
            commands = [shabarman(*one) for one in (["relay"], worker, ["web"], ["flower"])]
            cookies = listeners(database)
            stack.enter_context(processes(commands, env=env, folder=Path(home)))
            clients.run()
            heard = stack.enter_context(live_events(port, cookies))
            if seeing:
                painted = stack.enter_context(browser(port, cookies[centre_of(SEEING_DISTRICT).code]))
        else:
            stack.enter_context(carriers(way, env, Path(home)))
            clients.run()
        time.sleep(1.0)
        seen = stack.enter_context(notices(url))
        said = clients.run()
        committed = {number: at for one in said for number, at in one["committed"].items()}
        if backlog:
            committed = {number: at for number, at in committed.items() if not _is_of(number, SLOW_DISTRICT)}
        _wait(seen, committed)
        _wait(heard, committed if way == OURS else {})
        shown = {number: at for number, at in committed.items() if _is_of(number, SEEING_DISTRICT)}
        if painted:
            _wait(painted, shown)
        stack.close()
        clients.end()
        if way == OURS and not backlog:
            require_sound(database)
    scans = [each for one in said for each in one["times"]]
    return (
        _shares("handled", seen, committed)
        | (_shares("bell", heard, shown if painted else committed) if way == OURS else {})
        | (_shares("browser", painted, shown) if painted else {})
        | {"scan p50 ms": 1000 * percentile(scans, 0.5), "scan p99 ms": 1000 * percentile(scans, 0.99)}
    )


def _is_of(number: str, district: str) -> bool:
    return number.startswith(centre_of(district).code)


def _wait(seen: Seen, committed: Mapping[str, float]) -> None:
    until = time.monotonic() + PATIENCE
    while not committed.keys() <= seen.at.keys():
        if time.monotonic() > until:
            missing = len(committed.keys() - seen.at.keys())
            raise TimeoutError(f"{missing} of {len(committed)} were not told within {PATIENCE:.0f} s")
        time.sleep(0.05)
        seen.look()


def _shares(what: str, seen: Seen, committed: Mapping[str, float]) -> dict[str, float]:
    # A handler may be quicker than the client that only then learns of its own commit.
    waits = [1000 * max(0.0, seen.at[number] - at) for number, at in committed.items()]
    return {f"{what} p50 ms": percentile(waits, 0.5), f"{what} p99 ms": percentile(waits, 0.99)}


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; exit with 1 when a ratio fell behind the stored one."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--pace", type=int, default=PACE, help="scans a second")
    parser.add_argument("--backlog", type=int, default=0)
    parser.add_argument("--browser", action="store_true", help="with a page in Chromium")
    parser.add_argument("--template", default="")
    chosen = parser.parse_args(given)
    name = "latency"
    if chosen.backlog:
        name += "-backlog"
    elif chosen.browser:
        name += "-browser"
    if chosen.pace != PACE:
        name += f"-{chosen.pace}"
    title = f"From commit to effect, {chosen.pace} scans a second"
    if chosen.backlog:
        title += f", while {chosen.backlog:,} messages wait in another queue"
    table = Table(name, title, PAINTED_COLUMNS if chosen.browser else COLUMNS)
    store = Postgresql(stock(chosen.seconds * chosen.pace + 1500), template=chosen.template)
    ways = {OURS: (OURS, 0), NAIVE: (PEERS[NAIVE], 0)}
    full = f"{OURS}, beside a backlog"
    if chosen.backlog:
        ways = {OURS: (OURS, 0), full: (OURS, chosen.backlog)}
    elif chosen.browser:
        ways = {OURS: (OURS, 0)}
    try:

        def run(row: str) -> None:
            way, backlog = ways[row]
            figures = measure(
                way,
                store,
                seconds=chosen.seconds,
                backlog=backlog,
                pace=chosen.pace,
                seeing=chosen.browser,
            )
            table.add(row, figures)
            print(f"{row}: {table.rounds[row][-1]}", file=sys.stderr)

        interleaved(ways, run, rounds=chosen.rounds)
    finally:
        store.close()
    if chosen.backlog:
        table.compare("without : beside a backlog", full, OURS, "handled p50 ms", less_is_better=True)
    elif chosen.browser:
        for share in ("p50", "p99"):
            over_http, seen = (table.median(OURS, f"{where} {share} ms") for where in ("bell", "browser"))
            table.ratios[f"over HTTP : in the browser, {share}"] = over_http / seen
        table.ratios["goal : in the browser, p99"] = MOST_BELL_MS / table.median(OURS, "browser p99 ms")
    else:
        for share in ("p50", "p99"):
            table.compare(f"naive : ours, {share}", OURS, NAIVE, f"handled {share} ms", less_is_better=True)
    return table.end(chosen, rounds=chosen.rounds, pace=chosen.pace)


if __name__ == "__main__":
    sys.exit(main())
