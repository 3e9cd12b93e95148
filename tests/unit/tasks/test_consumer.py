"""The worker's way back to a broker that was away."""

from pathlib import Path

import kombu.utils.functional
import pytest
from kombu import Connection

from config.alive import SignOfLife, silent_seconds
from tasks.consumer import LONGEST_PAUSE, CheckingConsumer


def test_a_broker_that_is_back_is_found_within_seconds_however_long_it_was_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    tries: list[list[float]] = []

    class Away(Connection):
        """No answer forty times."""

        def _connection_factory(self) -> object:
            tries.append([])
            if len(tries) <= 40:
                raise ConnectionRefusedError
            return object()

    def sleep(seconds: float) -> None:
        tries[-1].append(seconds)

    monkeypatch.setattr(kombu.utils.functional, "sleep", sleep)
    consumer = object.__new__(CheckingConsumer)  # A whole one needs a worker around it.
    consumer.sign = SignOfLife(tmp_path, "worker")
    consumer.ensure_connected(Away("redis://127.0.0.1:1/0"))
    assert len(tries) == 41
    pauses = [sum(naps) for naps in tries[:-1]]
    assert 0 < min(pauses) <= max(pauses) == LONGEST_PAUSE <= 2
    assert caplog.text.count("does not answer") == 1
    # Whoever waits is alive.
    assert silent_seconds(tmp_path, "worker") is not None
