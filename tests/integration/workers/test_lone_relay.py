"""The relay without a broker: the same promises, with nothing in between."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select

from config.settings import settings
from models import Job, Message, Run
from models.database import Database
from tasks.names import PLAN_RUNS
from tasks.schedule import EVERY
from tests.integration.servers import Broker
from tests.integration.tasks.house import mail_server, until
from tests.integration.tasks.post import (
    inspector,
    messages,
    notices,
    poison,
    put,
    quick,
    row,
    states,
)
from workers.lone_relay import LoneRelay
from workers.relay import Relay
from workflow.telling import MESSAGE_TYPES


@contextmanager
def at_work(relay: LoneRelay) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive()


def all_are(database: Database, state: str, ids: list[int]) -> bool:
    return until(lambda: set(states(database, ids)) == {state})


def test_every_kind_of_news_and_letters_arrive(database: Database) -> None:
    with mail_server() as letters:
        person = inspector(database)
        rows = [row(type_) for type_ in sorted(MESSAGE_TYPES - {"notice.email"})]
        ids = put(database, *rows, row("result.ready", staff_id=person))
        with at_work(LoneRelay(database, quick(smtp_url=letters.url))):
            assert all_are(database, "done", ids)
            assert until(lambda: len(letters.taken) == 1)
        told = [notice.message_id for notice in notices(database)]
        assert sorted(told) == ids
        assert {one.attempts for one in messages(database)} == {1}


def test_a_poison_message_pauses_and_dies_and_holds_nobody(database: Database) -> None:
    relay = LoneRelay(database, quick(message_attempts=1))
    [bad, *good] = put(database, poison(), *(row() for _ in range(30)))
    while relay.step():
        pass
    assert states(database, [bad]) == ["dead"]
    assert set(states(database, good)) == {"done"}


def test_a_mail_server_that_hangs_holds_no_news(database: Database) -> None:
    with mail_server() as letters:
        letters.go_on.clear()
        person = inspector(database)
        mails = put(database, *(row("notice.email", "notices", staff_id=person, to="1001") for _ in range(3)))
        with at_work(LoneRelay(database, quick(smtp_url=letters.url))):
            assert until(letters.began.is_set)
            news = put(database, row())
            assert all_are(database, "done", news)
            assert "done" not in states(database, mails)
            letters.go_on.set()


def test_beside_relays_with_a_broker_each_message_is_told_once(database: Database) -> None:
    """As on the day when somebody starts it although the broker is back."""
    ids = put(database, *(row() for _ in range(300)))
    relays = [LoneRelay(database, quick(relay_batch=20)) for _ in range(3)]
    threads = [
        threading.Thread(target=lambda one=one: [None for _ in range(60) if one.step()]) for one in relays
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(states(database, ids)) == {"done"}
    assert sorted(notice.message_id for notice in notices(database)) == ids
    assert {one.publications for one in messages(database)} == {1}


@pytest.mark.parametrize(("database_url", "broker"), [("sqlite", "embedded")], indirect=True)
def test_what_a_dead_broker_was_given_is_called_back(database: Database, broker: Broker) -> None:
    publishing = Relay(database, broker.url, quick())
    ids = put(database, row(), row())
    assert publishing.step() == 2
    publishing.close()
    broker.empty()  # Nobody will ever tell of them.
    alone = LoneRelay(database, quick())
    assert alone.step() == 0
    alone.call_back()
    assert alone.step() == 2
    assert states(database, ids) == ["done", "done"]


def test_it_ticks_by_itself(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVERY, PLAN_RUNS, 86_400)
    settings.cache_clear()
    alone = LoneRelay(database, quick())
    alone.tick()
    alone.tick()
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Run))
        assert session.scalar(select(func.count()).select_from(Job).where(Job.job == PLAN_RUNS)) == 1
        assert session.scalars(select(Job)).all()


def test_a_fault_of_our_own_ends_the_process_whichever_loop_has_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = LoneRelay(database, quick())

    def break_down(_leave_out: object = ()) -> int:
        raise RuntimeError("for the test")

    monkeypatch.setattr(relay, "step", break_down)
    with pytest.raises(RuntimeError, match="for the test"):
        relay.run(threading.Event())
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 0
