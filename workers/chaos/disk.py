"""A small disk of its own that can be made full: a tmpfs, where this machine lets us mount one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SmallDisk:
    """A folder; on a file system of its own where that was possible."""

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        """Mount a file system of that size at `folder`, or only make the folder."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._size = megabytes * 1024
        self.own = os.geteuid() == 0 and _ran(
            "mount", "-t", "tmpfs", "-o", f"size={self._size}k,mode=0755", "shabarman-chaos", str(folder)
        )

    def fill(self, *, leave_megabytes: int = 0) -> None:
        """Make it full: what is there fits, and no more than `leave_megabytes` beside it."""
        used = shutil.disk_usage(self.folder).used // 1024 + leave_megabytes * 1024
        # A few pages of air, because a file system cannot be made smaller than what grows meanwhile.
        for air in (0, 64, 256, 1024):
            if _ran("mount", "-o", f"remount,size={max(used, 4) + air}k", str(self.folder)):
                return

    def free(self) -> None:
        """Give the room back."""
        _ran("mount", "-o", f"remount,size={self._size}k", str(self.folder))

    def end(self) -> None:
        """Take the file system away, with all that is on it."""
        if self.own:
            _ran("umount", "-l", str(self.folder))


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    """Have a small disk for the time of a block."""
    disk = SmallDisk(folder, megabytes=megabytes)
    try:
        yield disk
    finally:
        disk.end()


def _ran(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
