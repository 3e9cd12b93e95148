"""At rest: what everything together costs while nobody works, how soon it is there, and how large it is.

`python -m bench.rest [--seconds N] [--rounds N] [--clone]`

`shabarman up` runs as in an office: SQLite, the embedded broker, pages, relay, worker, beat and Flower. Beside it, in
the same seconds, rests a naive Celery worker on a Redis of its own, with two processes and no queue but its own ones.
Growth of tables is counted from the first second of rest to the last. With `--clone` it is also timed how soon
`make run` is ready in a fresh clone of what is committed here; that installs everything anew, from wherever this
machine gets its packages.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from bench.ground import ROOT, broker, family, shabarman, until, used_by
from bench.measuring import Table, options
from tests.integration.servers import free_port

OURS, NAIVE = "shabarman up", "a naive Celery worker"
COLUMNS = ("ready s", "CPU % of a core", "memory MB", "rows grown")
SETTLING_SECONDS = 90.0
"""After the start, before rest is measured: by then the first minute of beat is over, which plans the coming days."""

MOST_READY_SECONDS = 6.0
MOST_CLONE_SECONDS = 60.0
MOST_IDLE_PERCENT = 1.0
MOST_MEMORY_MB = 400.0
MOST_HELP_SECONDS = 0.3


@contextmanager
def everything(home: Path) -> Iterator[tuple[psutil.Process, float]]:
    """Run `shabarman up` in a new folder; give the process and the seconds until it was ready."""
    port, flower = free_port(), free_port()
    env = os.environ | {
        "SHABARMAN_HOME": str(home),
        "SHABARMAN_PORT": str(port),
        "SHABARMAN_FLOWER_PORT": str(flower),
        "SHABARMAN_LOG_LEVEL": "WARNING",
    }

    with _started(shabarman("up"), env=env, folder=home) as process:
        begun = time.monotonic()
        until(lambda: ready(port), pause=0.05)
        yield process, time.monotonic() - begun


def ready(port: int) -> bool:
    """Tell whether the pages on a port say that everything is there."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def clone_seconds() -> float:
    """Return how long `make run` takes in a fresh clone, from the first line of the README to ready."""
    port = free_port()
    env = os.environ | {"SHABARMAN_PORT": str(port), "SHABARMAN_FLOWER_PORT": str(free_port())}
    with tempfile.TemporaryDirectory(prefix="sh-bench-") as folder:
        begun = time.monotonic()
        subprocess.run(("git", "clone", "--quiet", str(ROOT), folder), check=True)
        process = subprocess.Popen(
            ("make", "run"),
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            until(lambda: ready(port) or process.poll() is not None, seconds=600, pause=0.05)
            assert process.poll() is None, "`make run` ended in the clone"
            return time.monotonic() - begun
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)  # As Ctrl-C does: to make and all below it.
            process.wait(60)


@contextmanager
def naive(home: Path) -> Iterator[tuple[psutil.Process, float]]:
    """Run a naive Celery worker; give the process and the seconds until it was ready."""
    with broker("redis") as served:
        env = os.environ | {"SHABARMAN_BROKER_URL": served.url, "SHABARMAN_DATABASE_URL": "sqlite://"}
        command = (
            *(sys.executable, "-m", "celery", "-A", "bench.peers.naive", "worker"),
            *("--concurrency", "2", "-Q", "celery", "--loglevel", "INFO"),
        )
        with _started(command, env=env, folder=home) as process:
            begun = time.monotonic()
            log = home / "log"
            until(lambda: " ready." in log.read_text(encoding="utf-8"), pause=0.05)
            yield process, time.monotonic() - begun


@contextmanager
def _started(command: Sequence[str], *, env: dict[str, str], folder: Path) -> Iterator[psutil.Process]:
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield psutil.Process(started.pid)
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(60)


def memory(process: psutil.Process) -> dict[str, float]:
    """Return the megabytes of each process of a family, pages that they share divided among them."""
    return _by_name(process, lambda member: float(member.memory_full_info().pss) / 2**20)


def cpu(process: psutil.Process) -> dict[str, float]:
    """Return the CPU seconds of each process of a family, with those of its children that have ended."""
    return _by_name(process, used_by)


def _by_name(process: psutil.Process, figure: Callable[[psutil.Process], float]) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for member in family(process.pid):
        with suppress(psutil.NoSuchProcess):  # One that ends now is counted with its parent.
            found[_name(member.cmdline())] += figure(member)
    return dict(found)


def _name(line: Sequence[str]) -> str:
    """Return how a process is called: by its module, or by what it calls itself."""
    words = [word for word in line if word and not word.startswith("-")]
    return next((word for word in words[1:] if "/" not in word), Path(words[0]).name if words else "ending")


def _said(figures: dict[str, float], form: str) -> str:
    ordered = sorted(figures.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {value:{form}}" for name, value in ordered)


def rows(home: Path) -> dict[str, int]:
    """Return how many rows each table has."""
    (file,) = home.rglob("shabarman.db")
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - our own tables
            for name in tables
        }


def measure(seconds: float, table: Table) -> None:
    """Let both rest, side by side."""
    with ExitStack() as stack:
        home, other = (
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sh-bench-"))) for _ in range(2)
        )
        ours, ours_ready = stack.enter_context(everything(home))
        with naive(other) as (peer, peer_ready):
            time.sleep(SETTLING_SECONDS)
            before = rows(home)
            begun, used, peer_used = time.monotonic(), cpu(ours), cpu(peer)
            time.sleep(seconds)
            lasted = time.monotonic() - begun
            percent, peer_percent = _percent(cpu(ours), used, lasted), _percent(cpu(peer), peer_used, lasted)
            after = rows(home)
            peer_held = memory(peer)
        # Ours is counted alone: pages of a file that both have open would be divided among more processes, as they are
        # for the peer.
        held = memory(ours)
    grown = {name: count - before[name] for name, count in after.items() if count != before[name]}
    table.notes.append(f"% of a core: {_said(percent, '.2f')}")
    table.notes.append(f"MB: {_said(held, '.0f')}")
    table.notes.append(f"tables that grew: {grown or 'none'}")
    for way, seconds_to_ready, used_up, megabytes, more in (
        (OURS, ours_ready, percent, held, sum(grown.values())),
        (NAIVE, peer_ready, peer_percent, peer_held, 0),
    ):
        figures = (seconds_to_ready, sum(used_up.values()), sum(megabytes.values()), float(more))
        table.add(way, dict(zip(COLUMNS, figures, strict=True)))


def _percent(after: dict[str, float], before: dict[str, float], seconds: float) -> dict[str, float]:
    """Return the percents of a core that each process used; what one that ended had used is told by its parent."""
    return {name: 100 * (after.get(name, 0) - before.get(name, 0)) / seconds for name in {**before, **after}}


def seconds_of(command: Sequence[str], *, rounds: int) -> float:
    """Return the median seconds of a command from its start to its end."""
    taken = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:])  # The first one fills the disk cache.


def wheel_bytes() -> int:
    """Return the size of the wheel that servers install."""
    with tempfile.TemporaryDirectory(prefix="sh-bench-") as folder:
        subprocess.run(
            (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder),
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return sum(file.stat().st_size for file in Path(folder).glob("*.whl"))


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; exit with 1 when a ratio fell behind the stored one."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of rest in each round")
    parser.add_argument("--clone", action="store_true", help="time `make run` in a fresh clone too")
    chosen = parser.parse_args(given)
    table = Table("rest", "At rest", COLUMNS)
    for _ in range(chosen.rounds):
        measure(chosen.seconds, table)
    times = {
        "shabarman --help": seconds_of(shabarman("--help"), rounds=5),
        "import of the pages": seconds_of((sys.executable, "-c", "import web.app"), rounds=5),
        "import of Celery alone": seconds_of(
            (sys.executable, "-c", "import celery.bin.worker, celery.app"), rounds=5
        ),
        "import of FastAPI and SQLAlchemy": seconds_of(
            (sys.executable, "-c", "import fastapi, sqlalchemy.orm"), rounds=5
        ),
    }
    table.notes += [f"{what}: {value:.2f} s" for what, value in times.items()]
    if chosen.clone:
        taken = clone_seconds()
        table.notes.append(f"`make run` in a fresh clone: {taken:.1f} s")
        table.ratios["goal : make run in a clone"] = MOST_CLONE_SECONDS / taken
    table.notes.append(f"wheel: {wheel_bytes() / 2**20:.2f} MB")
    table.ratios |= {
        "goal : ready": MOST_READY_SECONDS / table.median(OURS, "ready s"),
        "goal : CPU at rest": MOST_IDLE_PERCENT / table.median(OURS, "CPU % of a core"),
        "goal : memory": MOST_MEMORY_MB / table.median(OURS, "memory MB"),
        "goal : --help": MOST_HELP_SECONDS / times["shabarman --help"],
    }
    table.compare("naive : ours, CPU at rest", OURS, NAIVE, "CPU % of a core", less_is_better=True)
    table.compare("naive : ours, memory", OURS, NAIVE, "memory MB", less_is_better=True)
    return table.end(chosen, rounds=chosen.rounds, seconds=chosen.seconds)


if __name__ == "__main__":
    sys.exit(main())
