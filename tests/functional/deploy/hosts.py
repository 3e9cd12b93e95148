"""Workers on three hosts: a slow or lost district never holds another.

`python -m tests.functional.deploy.hosts` (as root) makes two hosts out of network namespaces, gives each the workers of
one district, and the machine itself those of all others. Under a steady load one district's host is then cut off and
the other's workers stand still, as they would while they wait for a system that does not answer. It prints how long
messages took, district by district, and ends with exit code 1 when a message was lost, or anybody else was held.
"""

# ruff: noqa: T201 - a program for people

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import psycopg

from tests.functional.deploy import site as sites
from tests.functional.deploy.site import Service, Site
from tests.functional.installation import eventually

SERVERS = "10.213.0.1"
CUT_OFF, WAITING = "aksu", "ile"
RATE = 30
"""Messages a second, spread over all offices."""
SECONDS = 20
"""Of each phase."""
HELD_MS = 2000
"""More than this, at the 99th hundredth, and the others were held up. Without any fault it is some ten."""

LOAD = """
    INSERT INTO messages (type, queue, subject, cause, body, state, attempts, publications)
    SELECT type, queue, subject, 'hosts:' || %(phase)s || ':' || %(number)s, body, 'pending', 0, 0
    FROM messages WHERE id = %(id)s
"""
PHASE = """
    SELECT CASE split_part(queue, '.', 2) WHEN %(cut_off)s THEN %(cut_off)s WHEN %(waiting)s THEN %(waiting)s
        ELSE 'others' END AS who,
        count(*), count(done_at),
        percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM done_at - created_at) * 1000)
    FROM messages WHERE cause LIKE 'hosts:' || %(phase)s || ':%%' GROUP BY 1 ORDER BY 1
"""


def ip(*arguments: str) -> None:
    """Change the network, or fail."""
    sites.run("ip", *arguments)


@contextmanager
def hosts() -> Iterator[dict[str, str]]:
    """Make a host for each of the two districts, and yield the name of its link on this machine."""
    with ExitStack() as stack:
        ip("address", "add", f"{SERVERS}/32", "dev", "lo")
        stack.callback(ip, "address", "del", f"{SERVERS}/32", "dev", "lo")
        links = {}
        for number, name in enumerate((CUT_OFF, WAITING), 1):
            space, here, there = f"sh-{name}", f"sh{number}", f"sh{number}n"
            ip("netns", "add", space)
            # Its end of the link goes with it, and so does ours.
            stack.callback(ip, "netns", "del", space)
            ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", space)
            ip("address", "add", f"10.213.{number}.1/30", "dev", here)
            ip("link", "set", here, "up")
            for order in (
                f"address add 10.213.{number}.2/30 dev {there}",
                f"link set {there} up",
                "link set lo up",
                f"route add default via 10.213.{number}.1",
            ):
                ip("-n", space, *order.split())
            links[name] = here
        yield links


class Load:
    """Repeats news that offices were told before, under new causes, at a steady rate."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Take what there is of the queues of offices."""
        self.connection = connection
        found = connection.execute(
            "SELECT min(id) FROM messages WHERE queue LIKE '%.%' AND state = 'done' GROUP BY queue"
        )
        self.ids = [row[0] for row in found]
        self.dice = random.Random(1)

    def put(self, phase: str) -> None:
        """Put messages for the time of a phase."""
        begun = time.monotonic()
        for number in range(RATE * SECONDS):
            time.sleep(max(begun + number / RATE - time.monotonic(), 0))
            row = {"phase": phase, "number": number, "id": self.dice.choice(self.ids)}
            self.connection.execute(LOAD, row)

    def tell(self, phase: str) -> dict[str, float]:
        """Print a phase, and return the 99th hundredth of each district in ms."""
        names = {"cut_off": CUT_OFF, "waiting": WAITING, "phase": phase}
        slowest = {}
        for who, count, done, times in self.connection.execute(PHASE, names):
            told = f"p50 {times[0]:7.0f} ms   p99 {times[1]:7.0f} ms" if done else "–"
            print(f"{phase:<28} {who:<8} {done:4} of {count:4} told   {told}", flush=True)
            slowest[who] = times[1] if done else float("inf")
        return slowest


def stand_still(service: Service, number: signal.Signals) -> None:
    """Stop or wake a worker with its children."""
    parent = psutil.Process(service.process.pid)
    for process in (parent, *parent.children(recursive=True)):
        process.send_signal(number)


def play(site: Site, links: dict[str, str]) -> bool:
    """Play all phases, and tell whether nobody was lost or held."""
    site.start("shabarman-relay@.service", instance="1")
    workers = {
        name: site.begin(
            "shabarman-worker@.service",
            instance=name,
            within=("ip", "netns", "exec", f"sh-{name}") if name in links else (),
        )
        for name in (CUT_OFF, WAITING, "rest")
    }
    for worker in workers.values():
        worker.wait_until_ready()
    site.shabarman("simulate", "--running", "--packets", "60", "--days", "1", as_="web@")
    with site.administrator() as connection:
        load = Load(connection)
        load.put("all well")
        calm = load.tell("all well")
        ip("link", "set", links[CUT_OFF], "down")
        load.put("one host cut off")
        first = load.tell("one host cut off")
        stand_still(workers[WAITING], signal.SIGSTOP)
        load.put("and one that waits")
        second = load.tell("and one that waits")
        stand_still(workers[WAITING], signal.SIGCONT)
        ip("link", "set", links[CUT_OFF], "up")
        began = time.monotonic()

        def left() -> int:
            found = connection.execute(
                "SELECT count(*) FROM messages WHERE state IN ('pending', 'published')"
            )
            return int((found.fetchone() or [1])[0])

        eventually(lambda: left() == 0, patience=600)
        print(
            f"caught up {time.monotonic() - began:.0f} s after the link and the workers came back", flush=True
        )
        for phase in ("one host cut off", "and one that waits"):
            load.tell(phase)
    held = max(first["others"], second["others"], first[WAITING])
    return held < max(HELD_MS, 3 * calm["others"])


def main() -> int:
    """Run it, and return the exit code."""
    if os.geteuid() != 0:
        print("Network namespaces need root.", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        # Not everybody's: PostgreSQL's user has to get through.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sh-hosts-")))
        wheel = folder / "wheel"
        wheel.mkdir()
        programs = stack.enter_context(sites.installed_wheel(wheel))
        links = stack.enter_context(hosts())
        districts = (CUT_OFF, WAITING)
        place = folder / "site"
        place.mkdir()
        site = stack.enter_context(
            sites.site(place, programs, broker="redis", districts=districts, host=SERVERS)
        )
        well = play(site, links)
    print("Nobody was held by another." if well else "Somebody was held by another.")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
