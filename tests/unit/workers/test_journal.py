import json
from pathlib import Path

import pytest

from workers import journal
from workers.journal import Tail, shortened


def line(**entry: object) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode()


def test_only_what_an_operator_should_see_is_shown() -> None:
    assert shortened(line(event="published", level="info")) is None
    assert shortened(b"Traceback (most recent call last):") is None
    assert shortened(b"[1, 2]") is None
    assert (
        shortened(line(event="broker.down", level="warning", cause="refused")) == "broker.down cause=refused"
    )
    assert shortened(line(event="x", level="error", sentence="Do this.")) == "Do this."
    assert (
        shortened(line(event="died", level="error", exception="Trace\n  at x\nKeyError: 7"))
        == "died KeyError: 7"
    )
    assert len(shortened(line(event="x" * 5000, level="error")) or "") == 300


def test_a_tail_reads_whole_lines_once_and_only_new_ones(tmp_path: Path) -> None:
    file = tmp_path / "web.log"
    file.write_bytes(line(event="old", level="error") + b"\n")
    tail = Tail(file)
    assert tail.serious_lines() == []
    whole = line(event="new", level="error")
    with file.open("ab") as log:
        log.write(whole[:10])
    assert tail.serious_lines() == []
    with file.open("ab") as log:
        log.write(whole[10:] + b"\n" + line(event="quiet", level="info") + b"\n")
    assert tail.serious_lines() == ["new"]
    assert tail.serious_lines() == []


def test_a_log_is_kept_within_bounds_while_its_writer_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "LARGEST", 100)
    file = tmp_path / "web.log"
    tail = Tail(file)
    with file.open("ab", buffering=0) as writer:
        writer.write(b"x" * 90 + b"\n")
        tail.keep_within_bounds()
        assert not (tmp_path / "web.log.1").exists()
        writer.write(b"y" * 90 + b"\n")
        tail.keep_within_bounds()
        writer.write(line(event="after", level="error") + b"\n")
    assert (tmp_path / "web.log.1").stat().st_size == 182
    assert file.stat().st_size < 100
    assert tail.serious_lines() == ["after"]


def test_a_log_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "none.log")
    tail.keep_within_bounds()
    assert tail.serious_lines() == []
