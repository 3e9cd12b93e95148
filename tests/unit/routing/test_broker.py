from pathlib import Path

import pytest

from config.settings import Settings
from routing.broker import (
    BrokerAddressError,
    BrokerKind,
    NoBrokerError,
    broker_url,
    kind_of,
    normalised,
    redis_client,
    transport_options,
)


@pytest.mark.parametrize(
    ("written", "known", "kind"),
    [
        ("redis://:secret@host:6379/2", "redis://:secret@host:6379/2", BrokerKind.REDIS),
        ("valkey://host/0", "redis://host/0", BrokerKind.REDIS),
        ("rediss://host/0", "rediss://host/0", BrokerKind.REDIS),
        ("unix:///run/broker.sock", "redis+socket:///run/broker.sock", BrokerKind.REDIS),
        ("redis+socket:///run/broker.sock", "redis+socket:///run/broker.sock", BrokerKind.REDIS),
        ("AMQP://guest:guest@host//", "amqp://guest:guest@host//", BrokerKind.RABBITMQ),
        ("amqps://host/shabarman", "amqps://host/shabarman", BrokerKind.RABBITMQ),
    ],
)
def test_addresses_are_read_as_operators_write_them(written: str, known: str, kind: BrokerKind) -> None:
    assert normalised(written) == known
    assert kind_of(known) is kind


@pytest.mark.parametrize(
    "written", ["kafka://host", "host:6379", "memory://", "sqla+sqlite:///x", "", "http://host"]
)
def test_another_kind_of_server_is_refused_with_advice(written: str) -> None:
    with pytest.raises(BrokerAddressError, match="redis://"):
        normalised(written)


def test_a_password_is_never_in_the_words_of_an_error() -> None:
    with pytest.raises(BrokerAddressError) as caught:
        normalised("mongodb://user:secret@host/")
    assert "secret" not in str(caught.value)


def test_the_address_that_is_set_comes_before_the_embedded_one(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "broker.url").write_text("redis+socket:///somewhere/broker.sock\n")
    assert broker_url(Settings(home=tmp_path, broker_url="redis://set/0")) == "redis://set/0"
    assert broker_url(Settings(home=tmp_path, broker_url=None)) == "redis+socket:///somewhere/broker.sock"


def test_without_any_broker_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoBrokerError, match=r"shabarman up.*SHABARMAN_BROKER_URL"):
        broker_url(Settings(home=tmp_path, broker_url=None))


def test_no_wait_is_without_end() -> None:
    for kind in BrokerKind:
        options = transport_options(kind)
        assert all(
            options[name] <= 10 for name in options if name.endswith("timeout") and "visibility" not in name
        )
    for url in ("redis://host/0", "redis+socket:///run/broker.sock"):
        client = redis_client(url, seconds=0.5)
        assert client.connection_pool.connection_kwargs["socket_timeout"] == 0.5
        client.close()
