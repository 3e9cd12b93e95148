"""The queues of the broker: their names, whose each one is, and their declarations for Redis and RabbitMQ.

Every message goes straight to a queue by its name, through the default exchange. Named exchanges are not used: on
Redis their bindings are lost with the broker's memory and are not made again, and messages then vanish without
an error.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from config.errors import NotFoundError
from config.language import Text
from config.offices import KINDS, centre_of, department_of, offices
from routing.broker import BrokerKind

if TYPE_CHECKING:
    from kombu import Connection, Queue

NOTICES = "notices"
"""Notices that leave the house: e-mail."""
PAPERS = "papers"
"""Papers that are drawn in the background."""
UPKEEP = "upkeep"
"""The ticks of the schedule."""

DEAD = "dead"
"""RabbitMQ's dead-letter queue: tasks that were delivered too often. Nobody consumes it; operators look at it."""

DELIVERY_LIMIT = 5
"""Deliveries of one task on RabbitMQ before it goes to the dead-letter queue; the messages in it are not lost,
because their rows become due again."""


class UnknownQueueError(NotFoundError):
    """No queue has this name. Fact: `queue`."""

    code = "unknown_queue"
    text = Text(
        "There is no queue {queue}. Queues are named department.<district>, centre.<district>, akimat.<district>, "
        "notices, papers and upkeep; `shabarman offices` lists the districts."
    )


@cache
def names() -> tuple[str, ...]:
    """Return the names of all queues, in the order of the register of offices."""
    of_offices = dict.fromkeys(f"{kind}.{office.district}" for kind in KINDS for office in offices(kind))
    return (*of_offices, NOTICES, PAPERS, UPKEEP)


def queue_of(kind: str, district: str) -> str:
    """Return the queue of the offices of one `kind` in one `district`; raise UnknownQueueError."""
    queue = f"{kind}.{district}"
    if queue not in names():
        raise UnknownQueueError(queue=queue)
    return queue


@cache
def office_of(queue: str) -> str | None:
    """Return the code of the one office that a queue belongs to.

    None for the queues of no office, and for those of the akimats, which several offices share. Raises
    UnknownQueueError for a name that is no queue of ours.
    """
    if queue not in names():
        raise UnknownQueueError(queue=queue)
    kind, _, district = queue.partition(".")
    if kind == "department":
        return department_of(district).code
    if kind == "centre":
        return centre_of(district).code
    return None


def declarations(kind: BrokerKind) -> list[Queue]:
    """Return the declarations of all queues for one kind of broker.

    Redis has plain lists. On RabbitMQ they are quorum queues, which survive the loss of a node, with a delivery
    limit and a dead-letter queue.
    """
    from kombu import Exchange, Queue  # noqa: PLC0415 - half of workflow needs the names only

    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": DEAD,
    }
    return [
        Queue(
            name,
            exchange=Exchange("", type="direct"),
            routing_key=name,
            durable=True,
            queue_arguments=dict(arguments) if kind is BrokerKind.RABBITMQ else None,
        )
        for name in names()
    ]


def declare(connection: Connection) -> None:
    """Declare all queues on the broker of `connection`; safe to repeat.

    On RabbitMQ a queue that exists with other arguments raises amqp.exceptions.PreconditionFailed: it has to be
    emptied and deleted by an operator. On Redis a list comes into being with its first message.
    """
    from kombu import Exchange, Queue  # noqa: PLC0415 - as above

    if connection.transport.driver_type != "amqp":
        return
    with connection.channel() as channel:
        dead = Queue(
            DEAD,
            exchange=Exchange("", type="direct"),
            routing_key=DEAD,
            durable=True,
            queue_arguments={"x-queue-type": "quorum"},
        )
        for queue in (dead, *declarations(BrokerKind.RABBITMQ)):
            queue(channel).declare()


def are_declared(connection: Connection) -> bool:
    """Tell whether the broker of `connection` has seen `declare`; Redis, which needs no declaration, always has."""
    if connection.transport.driver_type != "amqp":
        return True
    # Opened for this question: RabbitMQ closes a channel on which something is asked for that is not there.
    channel: Any = connection.channel()
    try:
        # Workers make the queues that they consume, but not this one.
        channel.queue_declare(DEAD, passive=True)
    except connection.channel_errors:
        return False
    channel.close()
    return True
