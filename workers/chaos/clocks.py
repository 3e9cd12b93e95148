"""Processes whose clock jumps hours ahead or behind while they run, by libfaketime.

A process that starts with a wrong clock refuses to; so it starts with a right one, which then jumps. libfaketime takes
the steady clock along, which no real clock does: harder than life.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from functools import partial
from pathlib import Path

from workers.chaos.keeping import Kept, wait_until
from workers.chaos.kinds import Kind, NotDoneError, Trial
from workers.chaos.world import World

START_SECONDS = 5.0
"""How long a process has the right clock before it jumps: it has begun to work by then."""

_SHARED = Path("/dev/shm")  # noqa: S108 - where the library leaves its notes


def _library() -> str | None:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    return str(found[0]) if found else None


def _missing(_world: World) -> str:
    return "" if _library() else "libfaketime is not installed (Debian: apt-get install faketime)"


def _jump(beginning: str, direction: str, trial: Trial) -> None:
    kept = trial.dice.choice(trial.world.keeper.named(beginning))
    clock = trial.world.folder / f"{kept.name}.clock"
    _set(clock, "+0")
    kept.more = {
        "LD_PRELOAD": _library() or "",
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DISABLE_SHM": "1",
    }
    before = kept.starts
    try:
        kept.send(signal.SIGTERM)
        if not wait_until(lambda: kept.starts > before, seconds=30, stop=trial.stop):
            raise NotDoneError
        trial.hold(START_SECONDS, START_SECONDS)
        _set(clock, f"{direction}{trial.dice.randint(1, 48) * 600}")
        trial.hold(5, 10)
    finally:
        kept.more = {}
        _end(kept)


def _end(kept: Kept) -> None:
    """Kill what has the library loaded, and clear up behind it."""
    family = [kept.pid, *kept.children()]
    kept.send(signal.SIGKILL)
    for pid in family:
        for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
            with suppress(OSError):
                (_SHARED / name).unlink()


def _set(clock: Path, words: str) -> None:
    fresh = clock.with_suffix(".new")
    fresh.write_text(words + "\n", encoding="ascii")
    fresh.replace(clock)


KINDS = [
    Kind(name=f"clock_{word}_{what}", targets=(what,), cause=partial(_jump, what, sign), impossible=_missing)
    for what in ("worker", "relay", "beat")
    for word, sign in (("ahead", "+"), ("behind", "-"))
]
