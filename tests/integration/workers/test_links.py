"""What goes wrong between machines: relay and worker behind a proxy that breaks their links to the servers."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import pytest

from models.database import Database
from tests.integration.servers import Broker, PostgresqlDatabase
from tests.integration.tasks.hasty import hurry
from tests.integration.tasks.house import house, until
from tests.integration.tasks.post import notices, put, row, states
from workers.chaos.proxy import Proxy

DICE = random.Random(1)


@dataclass
class Linked:
    """A house one of whose servers lies behind the proxy, and a look at its database past it."""

    database: Database
    proxy: Proxy

    def accept(self) -> list[int]:
        """Commit news as the pages would, which have a link of their own."""
        return put(self.database, *(row() for _ in range(10)))

    def each_is_told_once(self, ids: list[int]) -> bool:
        arrived = until(lambda: set(states(self.database, ids)) == {"done"})
        told = [notice.message_id for notice in notices(self.database) if notice.message_id in set(ids)]
        return arrived and sorted(told) == ids


def through(proxy: Proxy, url: str) -> str:
    """Return the address of a server as it is behind the proxy."""
    there = urlsplit(url)
    person, at, _ = there.netloc.rpartition("@")
    return urlunsplit(there._replace(netloc=f"{person}{at}127.0.0.1:{proxy.port}"))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("database", "embedded"), id="postgresql", marks=pytest.mark.postgresql),
        pytest.param(("broker", "redis"), id="redis", marks=(pytest.mark.postgresql, pytest.mark.redis)),
        pytest.param(
            ("broker", "rabbitmq"), id="rabbitmq", marks=(pytest.mark.postgresql, pytest.mark.rabbitmq)
        ),
    ],
)
def linked(
    request: pytest.FixtureRequest, postgresql: PostgresqlDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Linked]:
    broken, server = request.param
    broker: Broker = request.getfixturevalue(f"{server}_server")
    broker.empty()
    postgresql.empty()
    behind = urlsplit(postgresql.url if broken == "database" else broker.url)
    with pytest.MonkeyPatch.context() as patch, Proxy(behind.port or 5432) as proxy:
        hurry(patch.setattr)
        url, post = postgresql.url, broker
        if broken == "database":
            url = through(proxy, url)
        else:
            post = Broker(through(proxy, broker.url))
        folder = tmp_path_factory.mktemp("linked")
        with house(url, post, folder, target="tests.integration.tasks.hasty") as running:
            past = Database(postgresql.url)
            yield Linked(past, proxy)
            past.close()
            assert running.worker.lives


def test_links_that_are_cut_are_made_anew(linked: Linked) -> None:
    assert linked.each_is_told_once(linked.accept())
    linked.proxy.refuse(yes=True)
    linked.proxy.cut(share=1, dice=DICE)
    ids = linked.accept()
    # Again and again, whatever had been made anew meanwhile.
    for _ in range(3):
        linked.proxy.refuse(yes=False)
        linked.proxy.cut(share=1, dice=DICE)
        ids += linked.accept()
    assert linked.each_is_told_once(ids)


def test_links_that_die_without_a_word_are_given_up_and_made_anew(linked: Linked) -> None:
    assert linked.each_is_told_once(linked.accept())
    linked.proxy.silence(yes=True)
    linked.proxy.half_open(share=1, dice=DICE)
    ids = linked.accept()
    linked.proxy.silence(yes=False)
    assert linked.each_is_told_once(ids)


def test_links_that_are_slow_cost_time_only(linked: Linked) -> None:
    linked.proxy.delay(0.1)
    ids = linked.accept()
    assert linked.each_is_told_once(ids)
    linked.proxy.delay(0)
