"""A minute of faults: real processes are broken at random while people work, and nothing is lost.

Another seed each time: that of SHABARMAN_CHAOS_SEED, else of the commit, else of the clock. It is printed, so that what
went wrong can be done again: `SHABARMAN_CHAOS_SEED=… make test TEST=tests/functional/test_chaos.py`.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.functional.installation import ROOT

SECONDS = 60
SPACING = 2.0
"""Seconds between two faults; about thirty in all."""

LEAST_KINDS = 12


def _seed() -> int:
    if given := os.environ.get("SHABARMAN_CHAOS_SEED"):
        return int(given)
    asked = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return int(asked.stdout[:7], 16) if asked.returncode == 0 else int(time.time())


def _house(seed: int) -> tuple[str, str]:
    """Choose what the house is built of: the embedded parts and the servers in turn, those that there are."""
    houses = [("sqlite", "embedded")]
    if shutil.which("postgres") or any(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        if shutil.which("redis-server") or shutil.which("valkey-server"):
            houses.append(("postgresql", "redis"))
        # Debian keeps it out of an ordinary PATH.
        if shutil.which("rabbitmq-server") or Path("/usr/sbin/rabbitmq-server").exists():
            houses.append(("postgresql", "rabbitmq"))
    return houses[seed % len(houses)]


def test_nothing_is_lost_whatever_breaks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    seed = _seed()
    database, broker = _house(seed)
    with capfd.disabled():
        sys.stdout.write(f"\nSHABARMAN_CHAOS_SEED={seed} ({database}, {broker})\n")
    options: dict[str, object] = {"seconds": SECONDS, "spacing": SPACING, "seed": seed, "crews": 2}
    options |= {"database": database, "broker": broker, "logs": tmp_path / "logs"}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", "chaos", "--json", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.stdout, done.stderr[-5000:]
    outcome = json.loads(done.stdout)
    told = done.stderr[-8000:]
    assert (outcome["lost"], outcome["doubled"], outcome["late"], outcome["misrouted"]) == (0, 0, 0, 0), told
    assert outcome["verified"], told
    assert outcome["meant"] == outcome["effects"] > 0, told
    assert outcome["longest_recovery_s"] < 60, told
    assert outcome["kinds"] >= LEAST_KINDS, told
    assert outcome["ok"], told
    assert done.returncode == 0, told
