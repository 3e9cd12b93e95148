"""Sampling: a path is walked by a process of its own while py-spy looks at its stack, some hundred times a second.

Unlike a profiler in the process it slows nothing down that is called often. It is asked for Python's stacks alone: to
unwind those of C as well stops the process for so long that the work took twice its time.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.ground import ROOT
from bench.paths import Clock

RATE = 200
"""Samples a second."""

WAITS = {
    "waiting for PostgreSQL": ("psycopg/connection.py", "psycopg/waiting.py"),
    "waiting for Redis": ("redis/_parsers/",),
}
_WAITING = {"wait", "wait_selector", "read_from_socket"}
"""Files in which the innermost function waits for an answer, and the names of such functions."""

REST = "the rest"
SOCKET = "psycopg, to and from the socket"
_SENDS = {"send_query_prepared", "send_query_params", "send_query", "send_prepare", "execute_send"}
_RECEIVES = {"maybe_prepare_gen", "exec_command", "pipeline_communicate"}
"""Functions of psycopg that hardly work themselves: where they are the innermost ones, its C and libpq do."""

LAYERS = {
    "our rules": ("workflow/", "config/", "barcodes/"),
    "our swift way": ("models/swift.py", "models/writes.py"),
    "our tables, transactions": ("models/",),
    "our tasks, relay, broker": ("tasks/", "workers/", "routing/"),
    "SQLAlchemy": ("sqlalchemy/",),
    "psycopg, Python and values": ("psycopg/", "psycopg_binary/"),
    "Celery, kombu, redis": ("celery/", "kombu/", "redis/", "amqp/", "vine/", "billiard/"),
}
NAMES = (*WAITS, SOCKET, *LAYERS, REST)
"""All layers, in the order in which they are shown."""
OURS = tuple(place for layer, places in LAYERS.items() if layer.startswith("our ") for place in places)


class Frame(NamedTuple):
    """One call on a stack."""

    name: str
    file: str
    """From the root of the project, or from the folder of the installed packages; else as Python has it."""

    @property
    def word(self) -> str:
        """The last word of the name."""
        return self.name.rpartition(".")[2].lstrip("_")


Stack = Sequence[Frame]
"""From the outermost call to the innermost."""


def layer_of(stack: Stack) -> str:
    """Return the layer of the innermost frame that belongs to one."""
    for layer, files in WAITS.items():
        if stack[-1].file.startswith(files) and stack[-1].word in _WAITING:
            return layer
    if stack[-1].file.startswith("psycopg/") and stack[-1].word in _SENDS | _RECEIVES:
        return SOCKET
    for frame in reversed(stack):
        for layer, files in LAYERS.items():
            if frame.file.startswith(files):
                return layer
    return REST


@dataclass(slots=True)
class Profile:
    """What was seen of one part of a path; all figures in samples."""

    layers: Counter[str] = field(default_factory=Counter)
    functions: Counter[Frame] = field(default_factory=Counter)
    """Functions of ours that were on the stack while something worked."""
    turns: int = 0

    @property
    def samples(self) -> int:
        """Samples in all."""
        return self.layers.total()

    @property
    def work(self) -> int:
        """Samples in which nothing was waited for."""
        return sum(count for layer, count in self.layers.items() if layer not in WAITS)

    def microseconds(self, samples: int) -> float:
        """Return what so many samples are, in microseconds of each turn."""
        return 1e6 * samples / RATE / self.turns

    def note(self, stack: Stack, count: int) -> None:
        """Count a stack, which begins below the measured part."""
        layer = layer_of(stack)
        self.layers[layer] += count
        if layer not in WAITS:
            for frame in {frame for frame in stack if frame.file.startswith(OURS)}:
                self.functions[frame] += count


def sample(
    path: str, database_url: str, broker_url: str, *, seconds: float, idle: bool
) -> dict[str, Profile]:
    """Walk a path for some measured seconds and return the profile of each of its parts.

    With `idle`, samples are spread evenly over the time; without, only those count in which the process had something
    to do. Raises RuntimeError when py-spy is not there or may not look into processes of ours.
    """
    program = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if program is None:
        raise RuntimeError("py-spy is not installed: pip install --require-hashes -r requirements-bench.txt")
    with tempfile.TemporaryDirectory(prefix="sh-bench-") as folder:
        stacks, sums = Path(folder, "stacks"), Path(folder, "sums")
        command = [program, "record", "--format", "raw", "--full-filenames", "--nolineno"]
        command += ["--rate", str(RATE), "--output", str(stacks), *(["--idle"] if idle else [])]
        command += ["--", sys.executable, "-m", "bench.paths", path, "--database", database_url]
        command += ["--broker", broker_url, "--seconds", str(seconds), "--out", str(sums)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if not sums.exists() or not stacks.exists():
            raise RuntimeError(f"py-spy or the path it looked at failed:\n{done.stderr}")
        profiles = {
            part: Profile(turns=taken[0])
            for part, taken in json.loads(sums.read_text(encoding="utf-8")).items()
        }
        for stack, count in _read(stacks):
            _sort_in(stack, count, profiles)
    return profiles


def _read(file: Path) -> Iterator[tuple[list[Frame], int]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        yield [_frame(frame) for frame in stack.split(";")], int(count)


def _frame(written: str) -> Frame:
    name, _, file = written.removesuffix(")").partition(" (")
    _, _, installed = file.partition("/site-packages/")
    return Frame(name, installed or file.removeprefix(f"{ROOT}/"))


def _sort_in(stack: list[Frame], count: int, profiles: dict[str, Profile]) -> None:
    """Count a stack for the part that it belongs to; what is not measured belongs to none."""
    marks = {Frame(part, "bench/paths.py"): part for part in profiles}
    measured = Frame(Clock.measured.__qualname__, "bench/paths.py")
    for place, frame in enumerate(stack):
        if frame in marks and measured in stack[:place]:
            profiles[marks[frame]].note(stack[place:], count)
            return
