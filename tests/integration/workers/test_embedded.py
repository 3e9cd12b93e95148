"""The embedded broker with real servers: the one of the Python packages, and the machine's where there is one."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from workers.embedded import BrokerNotStartedError, embedded_broker
from workers.home import Home, home_at


@pytest.fixture
def home() -> Iterator[Home]:
    # Not pytest's own folder: a unix socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="sh-"))
    made = home_at(folder)
    made.make()
    yield made
    shutil.rmtree(folder)


def client(url: str) -> Redis:
    made: Redis = Redis.from_url(url.replace("redis+socket", "unix"), decode_responses=True)
    return made


def packaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.embedded.shutil.which", lambda _name: None)


def test_it_runs_for_the_time_of_a_block_and_keeps_its_data(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged(monkeypatch)
    with embedded_broker(home) as url, client(url) as redis:
        assert home.broker_url.read_text(encoding="utf-8").strip() == url
        redis.lpush("queue", "message")
        policy = redis.config_get("maxmemory*")
        assert policy == {"maxmemory": str(256 * 1024 * 1024), "maxmemory-policy": "noeviction", **policy}
        assert redis.config_get("appendonly") == {"appendonly": "yes"}
    assert not home.broker_url.exists()
    with embedded_broker(home) as url, client(url) as redis:
        assert redis.lrange("queue", 0, -1) == ["message"]


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs a second kind of server")
def test_a_server_that_is_installed_later_reads_what_the_packaged_one_wrote(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        packaged(without)
        with embedded_broker(home) as url, client(url) as redis:
            redis.lpush("queue", "message")
            redis.bgrewriteaof()
    with embedded_broker(home) as url, client(url) as redis:
        assert redis.lrange("queue", 0, -1) == ["message"]


def test_a_server_that_does_not_start_says_where_to_look(home: Home) -> None:
    home.broker_data.mkdir()
    (home.broker_data / "appendonlydir").touch()
    with pytest.raises(BrokerNotStartedError, match=r"broker\.log"), embedded_broker(home):
        pass
    assert not home.broker_url.exists()
