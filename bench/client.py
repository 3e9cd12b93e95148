"""One process of scanning people: `python -m bench.client WAY`; the parent tells it what to scan, and when to begin.

It reads one JSON object from stdin (`work`: for each thread a list of lists of scans, `warm`: how many lists come
before the measured ones, `pace`: seconds between two lists of a thread, 0 for as fast as it goes), says `ready`, waits
for `warm` and `go`, and answers each with one line of JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

Job = tuple[str, int, str]
"""Office, id of the person, number of the packet."""
Scan = Callable[[Sequence[Job]], None]


def ours() -> Scan:
    """Return what scans as the application does, with the poke that follows a commit."""
    from config import logs  # noqa: PLC0415 - each way loads what it needs
    from config.clock import utc_now  # noqa: PLC0415
    from config.settings import settings  # noqa: PLC0415
    from models.database import Database  # noqa: PLC0415
    from models.scan import Station  # noqa: PLC0415
    from routing.broker import broker_url  # noqa: PLC0415
    from routing.poke import Poker  # noqa: PLC0415
    from workflow.people import actor  # noqa: PLC0415
    from workflow.protocol import Scanned  # noqa: PLC0415
    from workflow.scanning import Handful, record  # noqa: PLC0415

    logs.configure("bench", level="WARNING")
    database = Database(settings().effective_database_url)
    database.after_commit.append(Poker(broker_url(settings())).poke)
    people: dict[int, Any] = {}

    def scan(jobs: Sequence[Job]) -> None:
        staff_id = jobs[0][1]
        if staff_id not in people:
            with database.reading() as session:
                people[staff_id] = actor(session, staff_id=staff_id)
        now = utc_now()
        scans = [
            Scanned(
                id=f"{os.getpid()}-{time.monotonic_ns()}-{number}",
                raw=number,
                station=Station.REGISTER,
                at=now,
            )
            for _, _, number in jobs
        ]
        (answers,) = record(database, [Handful(scans=scans, by=people[staff_id], now=now)])
        assert all(answer.verdict.value == "taken" for answer in answers), answers[0]

    return scan


def peer(name: str) -> Scan:
    """Return what scans as one of the peers does: one by one.

    What its threads share is made here, before they begin: each of them would make its own, and the connections of an
    asynchronous library belong to one loop.
    """
    module = importlib.import_module(f"bench.peers.{name}")
    module.job.sessions()
    getattr(module, "begin", lambda: None)()

    def scan(jobs: Sequence[Job]) -> None:
        for office, staff_id, number in jobs:
            module.scan(number, staff_id=staff_id, office=office)

    return scan


def carry_out(scan: Scan, work: Sequence[Sequence[Sequence[Job]]], *, pace: float = 0.0) -> dict[str, Any]:
    """Let each thread scan its lists; return what it took, and when each list was committed."""
    times: list[list[float]] = [[] for _ in work]
    committed: dict[str, float] = {}
    faults: list[BaseException] = []
    start = time.perf_counter()

    def run(place: int) -> None:
        try:
            for turn, jobs in enumerate(work[place]):
                # The threads take turns within one pace, so that scans come evenly.
                due = start + pace * (turn + place / len(work))
                time.sleep(max(0.0, due - time.perf_counter()))
                begun = time.perf_counter()
                scan(jobs)
                times[place].append(time.perf_counter() - begun)
                committed[jobs[0][2]] = time.time()
        except BaseException as fault:  # noqa: BLE001 - raised again below
            faults.append(fault)

    cpu = time.process_time()
    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return {
        "times": [seconds for part in times for seconds in part],
        "cpu": time.process_time() - cpu,
        "ended": time.time(),
        "committed": committed,
    }


def main() -> None:
    """Carry out what the parent asks for."""
    way = sys.argv[1]
    told = json.loads(sys.stdin.readline())
    scan = ours() if way == "ours" else peer(way)
    warm = told["warm"]
    print("ready", flush=True)
    for part in (slice(0, warm), slice(warm, None)):
        sys.stdin.readline()
        done = carry_out(scan, [lists[part] for lists in told["work"]], pace=told.get("pace", 0.0))
        print(json.dumps(done), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
