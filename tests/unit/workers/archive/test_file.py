"""Files of archives before they have their name: each writer has its own, and what nobody holds is cleared away."""

import fcntl
from pathlib import Path
from typing import Any

import pytest

from workers.archive import file
from workers.archive.file import clear, keep, written

RECORDS = [{"kind": file.SCAN, "scan": {"id": "1"}}]
MONTH: dict[str, Any] = {"month": "2024-03", "part": 1, "records": RECORDS}


def test_two_that_write_the_same_file_do_not_meet(tmp_path: Path) -> None:
    """Two containers on one volume may have the same number of the process; here it is the same process."""
    place = tmp_path / "2024-03.jsonl.gz"
    with written(place, **MONTH) as (first, _), written(place, **MONTH) as (second, contents):
        assert first != second
        assert first.read_bytes() == second.read_bytes()
        assert keep(second, place)
        # The other one's is the same, byte for byte.
        assert keep(first, place)
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
    assert file.check(place) == contents


def test_only_what_nobody_holds_is_cleared_away(tmp_path: Path) -> None:
    left = tmp_path / ".2024-02.jsonl.gz.4711"
    left.write_bytes(b"half of a file")
    other = tmp_path / ".note"
    other.touch()
    with written(tmp_path / "2024-03.jsonl.gz", **MONTH) as (fresh, _):
        clear(tmp_path)
        assert sorted(tmp_path.iterdir()) == sorted([fresh, other])


def test_one_that_was_cleared_away_before_it_was_held_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    seen: list[Path] = []

    def late(raw: Any, how: int) -> None:
        if not seen:
            seen.extend(tmp_path.iterdir())
            clear(tmp_path)
        lock(raw, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with written(tmp_path / "2024-03.jsonl.gz", **MONTH) as (fresh, contents):
        assert len(seen) == 1
        assert fresh not in seen
        assert file.check(fresh) == contents
