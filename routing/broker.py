"""Where the broker is, of which kind it is, and how it is spoken to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from config.errors import SettingsError, UnavailableError
from config.language import Text
from config.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

ADDRESS_FILE = ("run", "broker.url")
"""Under the home folder: one line, the address of the embedded broker while `shabarman up` keeps one."""

HEARTBEAT_SECONDS = 5
"""Between two signs of life on a connection to RabbitMQ. Whoever is silent for two to three of them is dropped; until
then the server keeps giving tasks to a worker whose connection died without a word. With 30 that took 73 s. It stands
what is silent for 8 s, as a busy machine may be."""


class BrokerKind(StrEnum):
    """The kinds of broker that we speak to."""

    REDIS = "redis"
    """Redis and Valkey: lists."""
    RABBITMQ = "rabbitmq"
    """RabbitMQ: quorum queues."""


_SCHEMES = {
    "redis": "redis",
    "rediss": "rediss",
    "valkey": "redis",
    "valkeys": "rediss",
    "redis+socket": "redis+socket",
    "valkey+socket": "redis+socket",
    "unix": "redis+socket",
    "amqp": "amqp",
    "amqps": "amqps",
    "pyamqp": "amqp",
}
"""Scheme as an operator writes it → scheme as kombu knows it. No scheme of our own: Flower's page of the broker knows
only the usual ones."""


class NoBrokerError(UnavailableError):
    """No broker is set, and no embedded one is running. Fact: `file`."""

    code = "no_broker"
    text = Text(
        "No broker is running: {file} is not there. Start one with `shabarman up`, or set SHABARMAN_BROKER_URL to the "
        "address of a Redis or RabbitMQ server. Nothing is lost meanwhile: messages wait in the database."
    )


NONE = "none"
"""Value of the setting for an installation that has no broker at all."""


class BrokerlessError(SettingsError):
    """This installation has no broker on purpose, and was asked for what needs one."""

    code = "brokerless"
    text = Text(
        "This installation has no broker (SHABARMAN_BROKER_URL=none): the relay handles all messages by itself, and "
        "neither worker, beat nor Flower is needed. Run `shabarman relay`, or set the address of a broker."
    )


class BrokerAddressError(SettingsError):
    """The address of the broker cannot be used. Fact: `scheme`."""

    code = "broker_address"
    text = Text(
        "SHABARMAN_BROKER_URL begins with {scheme}, which is no broker that Shabarman speaks to. Use redis://, "
        "rediss://, redis+socket:///path, amqp:// or amqps://."
    )


class ForgetfulBrokerError(SettingsError):
    """The Redis server may drop messages when its memory is full. Fact: `policy`."""

    code = "forgetful_broker"
    text = Text(
        "The Redis server would drop messages in silence when its memory is full (maxmemory-policy {policy}). "
        "Set `maxmemory-policy noeviction` in its configuration and restart."
    )


def normalised(url: str) -> str:
    """Return a broker's address as kombu takes it; raise BrokerAddressError for another kind of server."""
    scheme = urlsplit(url).scheme.lower()
    try:
        known = _SCHEMES[scheme]
    except KeyError:
        raise BrokerAddressError(scheme=f"{scheme}://" if scheme else repr(url[:12])) from None
    return known + url[len(scheme) :]


def kind_of(url: str) -> BrokerKind:
    """Return the kind of the broker at a normalised address."""
    return BrokerKind.RABBITMQ if url.startswith("amqp") else BrokerKind.REDIS


def is_brokerless(settings: Settings) -> bool:
    """Tell whether this installation has no broker on purpose."""
    return (settings.broker_url or "").strip().lower() == NONE


def broker_url(settings: Settings) -> str:
    """Return the address of the broker: the one that is set, else that of the embedded one.

    Raises NoBrokerError when there is neither, BrokerlessError when there is to be none, and BrokerAddressError for an
    address of another kind.
    """
    if is_brokerless(settings):
        raise BrokerlessError
    if settings.broker_url:
        return normalised(settings.broker_url)
    file = settings.home.absolute().joinpath(*ADDRESS_FILE)
    try:
        return normalised(file.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        raise NoBrokerError(file=file) from None


def transport_options(kind: BrokerKind) -> dict[str, Any]:
    """Return kombu's transport options; each was tried under random faults together with the others."""
    if kind is BrokerKind.RABBITMQ:
        # Without confirmation a publish into a dying server looks like a success.
        return {"confirm_publish": True, "read_timeout": 10, "write_timeout": 5, "connect_timeout": 5}
    return {
        # Over five times the longest task: a task that is still running must not be given to another worker.
        "visibility_timeout": 300,
        # Otherwise what a dead worker held comes back up to 100 s later than it could.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        # A half-open connection is noticed in seconds; without these a worker hung for good.
        "socket_timeout": 5,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 5,
        # Nothing has a priority: one list per queue, not four, in every blocking pop.
        "priority_steps": [0],
    }


def redis_client(url: str, *, seconds: float = 5.0) -> Redis:
    """Return a client of its own for a Redis at a normalised address; nothing is opened until the first command.

    Every wait ends after `seconds`.
    """
    import redis  # noqa: PLC0415 - a slow import, and not needed with RabbitMQ

    address = "unix" + url[len("redis+socket") :] if url.startswith("redis+socket") else url
    options: dict[str, Any] = {"socket_timeout": seconds}
    if not address.startswith("unix"):
        options["socket_connect_timeout"] = seconds
    # No retry inside the client: what a failure means is decided where it is seen.
    retry = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
    client: Redis = redis.Redis.from_url(address, retry=retry, **options)
    return client


def require_keeping(url: str) -> None:
    """Raise ForgetfulBrokerError when the Redis at `url` would evict messages; RabbitMQ never does.

    Raises UnavailableError when it does not answer.
    """
    if kind_of(url) is not BrokerKind.REDIS:
        return
    import redis  # noqa: PLC0415 - as above

    client = redis_client(url)
    try:
        memory: Any = client.info("memory")
    except redis.exceptions.ResponseError:
        return  # A managed server may forbid the question; then its operator answers for it.
    except redis.RedisError as error:
        raise UnavailableError(
            Text(
                "The broker does not answer ({cause}). Messages wait in the database; "
                "start it, or correct SHABARMAN_BROKER_URL."
            ),
            cause=type(error).__name__,
        ) from error
    finally:
        client.close()
    policy = memory.get("maxmemory_policy", "noeviction")
    if memory.get("maxmemory", 0) and policy != "noeviction":
        raise ForgetfulBrokerError(policy=policy)
