"""The lengths of queues, as Flower shows them, on each kind of broker."""

from kombu import Connection

from routing.broker import normalised
from routing.lengths import lengths_at
from routing.queues import declare
from tests.integration.servers import Broker


def test_lengths_are_those_of_the_broker(broker: Broker) -> None:
    url = normalised(broker.url)
    with Connection(url) as connection:
        declare(connection)
    for queue, count in (("centre.aksu", 3), ("department.aksu", 1)):
        for _ in range(count):
            broker.push(queue, b"{}")
    found = lengths_at(url, ["centre.aksu", "department.aksu", "notices"])
    assert found == {"centre.aksu": 3, "department.aksu": 1, "notices": 0}


def test_a_queue_that_is_not_there_hides_no_other(broker: Broker) -> None:
    broker.push("centre.aksu", b"{}")
    found = lengths_at(normalised(broker.url), ["no.such.queue", "centre.aksu"])
    assert found["centre.aksu"] == 1
    assert not found.get("no.such.queue")
