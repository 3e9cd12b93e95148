"""The logs of one machine: what the processes write is kept within bounds, and what matters of it is shown."""

import json
import os
import shutil
from pathlib import Path

LARGEST = 10_000_000
"""Bytes of one log; a larger one becomes `NAME.log.1`, in place of the one before."""

_SERIOUS = frozenset({"warning", "error", "critical"})
_KNOWN = frozenset({"event", "level", "timestamp", "process", "logger", "sentence", "exception"})


class Tail:
    """Reads what is added to one log."""

    def __init__(self, path: Path) -> None:
        """Begin at the present end of the file at `path`, which need not exist."""
        self.path = path
        self._place = path.stat().st_size if path.exists() else 0
        self._rest = b""

    def serious_lines(self) -> list[str]:
        """Return the lines added since the last call that an operator should see, each in a short form."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return []
        if size < self._place:
            self._place = 0
        if size == self._place:
            return []
        with self.path.open("rb") as file:
            file.seek(self._place)
            added = self._rest + file.read(1_000_000)
            self._place = file.tell()
        *whole, self._rest = added.split(b"\n")
        return [short for line in whole if (short := shortened(line))]

    def keep_within_bounds(self) -> None:
        """Move a log that has grown too large out of the way; its writers append on, and need not reopen it."""
        try:
            if self.path.stat().st_size <= LARGEST:
                return
        except FileNotFoundError:
            return
        shutil.copyfile(self.path, self.path.with_name(self.path.name + ".1"))
        os.truncate(self.path, 0)
        self._place, self._rest = 0, b""


def shortened(line: bytes) -> str | None:
    """Return a JSON log line of level warning or above as one short line, None for anything else."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.get("level") not in _SERIOUS:
        return None
    if "sentence" in entry:
        return str(entry["sentence"])
    facts = " ".join(f"{name}={value}" for name, value in entry.items() if name not in _KNOWN)
    cause = str(entry.get("exception", "")).strip().rpartition("\n")[2]
    said = " ".join(part for part in (str(entry.get("event", "")), facts, cause) if part)
    return " ".join(said.split())[:300]
