"""Tries to sign in: how many are free, how long one waits, for whom, and what is forgotten."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from models import SignInTry
from models.database import Database
from workflow.tries import (
    FORGIVEN_AFTER,
    FREE_TRIES,
    FREE_TRIES_OF_ADDRESS,
    FREE_TRIES_OF_LOGIN,
    KNOWN_FOR,
    LONGEST_PAUSE,
    Lasting,
    clear,
    succeeded,
    take_try,
)

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


def fail(
    database: Database, login: str = "a", address: str = "192.0.2.1", *, at: datetime = NOW
) -> timedelta | None:
    return database.transact(lambda session: take_try(session, login=login, address=address, now=at))


def succeed(database: Database, login: str = "a", address: str = "192.0.2.1", *, at: datetime = NOW) -> None:
    assert fail(database, login, address, at=at) is None
    database.transact(lambda session: succeeded(session, login=login, address=address, now=at))


def test_a_few_failures_are_free_then_the_pause_doubles_up_to_its_most(database: Database) -> None:
    now = NOW
    assert [fail(database) for _ in range(FREE_TRIES)] == [None] * FREE_TRIES
    pauses = []
    for _ in range(7):
        pause = fail(database, at=now)
        assert pause is not None
        pauses.append(pause)
        now += pause
        assert fail(database, at=now) is None
    assert pauses[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert set(pauses[4:]) == {LONGEST_PAUSE}


def test_many_at_once_get_no_more_tries(database: Database) -> None:
    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(lambda _: fail(database), range(36)))
    assert answers.count(None) == FREE_TRIES


def test_only_the_login_at_that_address_waits(database: Database) -> None:
    for _ in range(FREE_TRIES):
        fail(database)
    assert fail(database) is not None
    assert fail(database, "b") is None
    assert fail(database, "a", "192.0.2.2") is None


def test_many_logins_from_one_address_are_held_up_together_but_not_who_is_known_there(
    database: Database,
) -> None:
    succeed(database, "known")
    for place in range(FREE_TRIES_OF_ADDRESS):
        assert fail(database, str(place)) is None
    assert fail(database, "another") is not None
    assert fail(database, "known") is None
    assert fail(database, "another", "192.0.2.2") is None


def test_one_login_from_many_addresses_is_held_up_but_not_where_it_is_known(database: Database) -> None:
    succeed(database)
    for place in range(FREE_TRIES_OF_LOGIN):
        assert fail(database, "a", f"198.51.100.{place}") is None
    assert fail(database, "a", "203.0.113.1") is not None
    assert fail(database) is None


@pytest.mark.parametrize(
    ("one", "other"), [("2001:db8::1", "2001:db8::ffff:1"), ("192.0.2.1", "::ffff:192.0.2.1")]
)
def test_addresses_of_one_customer_count_as_one(database: Database, one: str, other: str) -> None:
    for _ in range(FREE_TRIES):
        fail(database, "a", one)
    assert fail(database, "a", other) is not None


def test_a_success_and_time_are_forgiving(database: Database) -> None:
    for _ in range(FREE_TRIES - 1):
        fail(database)
    succeed(database)
    for _ in range(FREE_TRIES):
        assert fail(database) is None
    assert fail(database) is not None
    later = NOW + FORGIVEN_AFTER + timedelta(seconds=1)
    for _ in range(FREE_TRIES):
        assert fail(database, at=later) is None


def test_what_says_nothing_any_more_is_cleared(database: Database) -> None:
    succeed(database)
    fail(database, "stranger", "192.0.2.9")

    def left(now: datetime) -> int:
        database.transact(lambda session: clear(session, now=now, lasting=Lasting(idle=600, longest=720)))
        with database.reading() as session:
            return session.scalar(select(func.count()).select_from(SignInTry)) or 0

    assert left(NOW) == 6
    assert left(NOW + FORGIVEN_AFTER + timedelta(seconds=1)) == 1
    assert left(NOW + KNOWN_FOR + timedelta(seconds=1)) == 0
