"""Redis transport that looks at each message before kombu does.

kombu takes for granted that what lies in a list is JSON, has the properties of a message and a body in base64.
Where that is not so, the consumer ends, or reconnects for ever. It is registered under kombu's own names, because
Flower's page of the broker knows only those.
"""

from __future__ import annotations

from typing import Any

import kombu.transport
from kombu.transport import virtual
from kombu.transport.redis import Channel, QoS, Transport
from redis import Redis

from routing.envelope import Junk, check_delivery
from routing.queues import names
from tasks.junk import put_aside


class CheckedClient(Redis):
    """Redis client that answers a blocking pop of junk as if nothing had come."""

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:  # noqa: ANN401
        """Return the reply, or None for a popped message that no worker can use; that one is put aside."""
        reply = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name != "BRPOP" or not reply:
            return reply
        key, raw = reply
        queue = key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
        if queue not in names():
            return reply  # Not ours: what the libraries tell each other.
        try:
            check_delivery(raw, queue=queue)
        except Junk as junk:
            put_aside(queue=queue, reason=str(junk), content=raw)
            return None
        return reply


class ReleasingQoS(QoS):
    """Bookkeeping of deliveries that gives the credit back also when the acknowledgement fails.

    kombu keeps a message as delivered when its acknowledgement does not reach the server. With one message per
    process all credit is then used up; a consumer without credit does not look at its connection, so it never sees
    that it is broken, never reconnects, and takes nothing any more. The repeat that follows from the missing
    acknowledgement does no harm.
    """

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message; raise what the server's client raises, with the credit given back."""
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's own
        """Reject a message; as `ack`."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class CheckedChannel(Channel):
    """Channel with the checking client."""

    QoS = ReleasingQoS

    def _get_client(self) -> Any:  # noqa: ANN401 - a class, or a maker of clients
        usual = super()._get_client()  # type: ignore[misc]  # Also checks the version of the library.
        return CheckedClient if usual is Redis else usual


class CheckedTransport(Transport):
    """kombu's Redis transport with the checking channel."""

    Channel = CheckedChannel


def register() -> None:
    """Make the checked transport the one that kombu uses for Redis in this process."""
    for alias in ("redis", "rediss"):
        kombu.transport.TRANSPORT_ALIASES[alias] = f"{__name__}:{CheckedTransport.__name__}"
        # A name that was resolved before would stay as it was.
        kombu.transport._transport_cache.pop(alias, None)  # type: ignore[attr-defined]  # noqa: SLF001
