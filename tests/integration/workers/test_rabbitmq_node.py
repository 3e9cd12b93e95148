"""A RabbitMQ node of our own that is killed, stopped, and left without memory and without disk."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from models.database import Database
from tests.integration.servers import Broker, missing
from tests.integration.tasks.hasty import hurry
from tests.integration.tasks.house import arrive, relaying, until
from tests.integration.tasks.post import messages, put, quick, row, states
from workers import relay as relay_module
from workers.chaos.databases import NoServerError
from workers.chaos.disk import small_disk
from workers.chaos.keeping import Keeper
from workers.chaos.rabbitmq_node import DISK_LIMIT_MEGABYTES, RabbitmqNode
from workers.relay import Relay

pytestmark = pytest.mark.rabbitmq

on_postgresql = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)

ON_DISK = 6.0
"""Seconds until the node has on its disk which terms its new quorum queues are in: it writes them every five. A node
that is killed before that has a queue without a leader afterwards, which answers nobody (seen with 3.10.8)."""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitmqNode]:
    folder, logs = tmp_path_factory.mktemp("node"), tmp_path_factory.mktemp("logs")
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(folder, megabytes=4 * DISK_LIMIT_MEGABYTES))
        if not disk.own:
            pytest.skip("a small disk can be made by root only")
        afterwards = stack.enter_context(ExitStack())
        keeper = stack.enter_context(Keeper())
        try:
            made = RabbitmqNode(folder, keeper, logs=logs, disk=disk)
        except NoServerError:
            missing("RabbitMQ's own programs (rabbitmq-server)")
            raise
        afterwards.callback(made.end)
        assert made.proxy is not None
        stack.enter_context(made.proxy)
        Broker(made.direct_url).empty()
        time.sleep(ON_DISK)
        yield made


@pytest.fixture
def relay(node: RabbitmqNode, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """Run a relay that has little patience, and has published something already."""
    hurry(monkeypatch.setattr)
    monkeypatch.setattr(relay_module, "TASKS_IN_QUEUE", 1000)  # Here nobody takes what waits.
    broker = Broker(node.direct_url)
    broker.empty()
    made = Relay(database, broker.url, quick())
    with relaying(made):
        put(database, row())
        assert until(lambda: broker.length("centre.aksu") == 1)
        yield made


@on_postgresql
def test_a_node_that_is_killed_keeps_what_it_has_and_gets_the_rest(
    node: RabbitmqNode, database: Database, relay: Relay
) -> None:
    node.kept.send_to_family(signal.SIGKILL)
    put(database, row())
    assert until(lambda: relay._pause > 0)
    # It is started again, as by systemd.
    assert arrive(Broker(node.direct_url), [one.id for one in messages(database)])


def test_a_node_that_stands_still_is_given_up_and_found_again(
    node: RabbitmqNode, database: Database, relay: Relay
) -> None:
    node.kept.send_to_family(signal.SIGSTOP)
    try:
        ids = put(database, row())
        assert until(lambda: relay._pause > 0)
    finally:
        node.kept.send_to_family(signal.SIGCONT)
    assert arrive(Broker(node.direct_url), ids)


def test_a_node_without_memory_holds_publishers_back_and_nothing_is_lost(
    node: RabbitmqNode, database: Database, relay: Relay
) -> None:
    node.fill()
    try:
        ids = put(database, row())
        assert until(lambda: relay._pause > 0)
    finally:
        node.relieve()
    assert arrive(Broker(node.direct_url), ids)


@on_postgresql
def test_a_node_without_disk_holds_publishers_back_and_nothing_is_lost(
    node: RabbitmqNode, database: Database, relay: Relay
) -> None:
    node.disk.fill(leave_megabytes=DISK_LIMIT_MEGABYTES // 2)
    try:
        ids = put(database, row())

        def is_noticed() -> bool:
            # The node looks at its disk once in ten seconds; until then it takes what comes.
            if states(database, ids[-1:]) == ["published"]:
                ids.extend(put(database, row()))
            return relay._pause > 0

        assert until(is_noticed)
    finally:
        node.disk.free()
    assert arrive(Broker(node.direct_url), ids)
