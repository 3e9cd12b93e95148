"""The handler on both databases: exactly once in effect, whatever arrives."""

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from config.clock import utc_now
from config.settings import Settings
from models import swift
from models.base import database_now
from models.database import Database
from models.message import MessageState
from tasks import handling
from tasks.handling import handle
from tests.integration.tasks.house import Letters, mail_server
from tests.integration.tasks.post import (
    NUMBER,
    for_akimat,
    inspector,
    messages,
    notices,
    poison,
    published,
    put,
    quick,
    row,
    states,
)
from workers.relay import take_and_lease
from workflow import leases, outbox
from workflow.telling import MESSAGE_TYPES, tell


@pytest.fixture
def letters() -> Iterator[Letters]:
    with mail_server() as kept:
        yield kept


def test_every_type_becomes_one_notice_for_the_office_of_its_queue(database: Database) -> None:
    types = sorted(MESSAGE_TYPES - {"notice.email"})
    ids = put(database, *(row(type_) for type_ in types))
    published(database, ids)
    outcome = handle(database, ids, settings=quick())
    assert (outcome.done, outcome.failed) == (len(types), 0)
    assert set(states(database, ids)) == {"done"}
    assert [(notice.type, notice.office, notice.subject) for notice in notices(database)] == [
        (type_, "1001", NUMBER) for type_ in types
    ]
    assert notices(database)[0].data["source"] == "/offices/2001"


def test_what_was_handled_is_not_handled_again(database: Database) -> None:
    ids = put(database, row(), row())
    published(database, ids)
    handle(database, ids, settings=quick())
    again = handle(database, ids + ids, settings=quick())
    assert (again.done, again.failed, again.unknown) == (0, 0, 0)
    assert len(notices(database)) == 2
    assert [message.attempts for message in messages(database)] == [1, 1]


def test_messages_that_do_not_exist_do_nothing(database: Database) -> None:
    outcome = handle(database, [1, 2**63 - 1], settings=quick())
    assert (outcome.done, outcome.unknown) == (0, 2)


def test_two_handlers_at_once_tell_once(database: Database) -> None:
    ids = put(database, *(row() for _ in range(60)))
    published(database, ids)
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        handle(database, ids, settings=quick())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(states(database, ids)) == {"done"}
    assert len(notices(database)) == 60


@pytest.mark.parametrize("fate", ["done", "discarded"])
def test_what_was_settled_meanwhile_is_left_alone_and_the_others_are_told(
    database: Database, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    ids = put(database, row(), row(), row())
    published(database, ids)
    tell_at_once = handling._tell_at_once
    tries: list[int] = []

    def late(database: Database, fresh: Sequence[leases.Begun], settings: Settings) -> int:
        if fate == "done":
            assert handle(database, ids[:1], settings=settings).done == 1
        else:
            published(database, ids[:1], state=MessageState.DISCARDED, lease_until=None)
        tries.append(len(fresh))
        return tell_at_once(database, fresh, settings)

    monkeypatch.setattr(handling, "_tell_at_once", late)
    outcome = handle(database, ids, settings=quick())
    assert tries == [3]
    assert (outcome.done, outcome.failed) == (2, 0)
    assert states(database, ids) == [fate, "done", "done"]
    assert [notice.message_id for notice in notices(database)] == (ids if fate == "done" else ids[1:])


def test_a_group_is_begun_by_one_statement_and_told_by_another(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = put(database, *(row("result.ready", staff_id=inspector(database)) for _ in range(3)))
    asked: list[str] = []
    execute = swift.execute

    def noted(connection: Any, statement: str, *arguments: Any, **options: Any) -> Any:
        asked.append(statement.split(maxsplit=1)[0])
        return execute(connection, statement, *arguments, **options)

    monkeypatch.setattr(swift, "execute", noted)
    taken = take_and_lease(database, limit=10, of_queue=10, not_from=(), settings=quick())
    assert sorted(due.id for due in taken) == ids
    assert asked == (["WITH"] if database.dialect == "postgresql" else ["UPDATE"])
    asked.clear()
    assert handle(database, ids, settings=quick()).done == 3
    # On SQLite the rows go to the database one after the other anyway.
    assert asked == ["UPDATE", *(["WITH"] if database.dialect == "postgresql" else ["UPDATE", "INSERT"])]


def test_one_poison_message_never_holds_the_other_199(database: Database) -> None:
    rows = [for_akimat() for _ in range(200)]
    rows[57] = poison()
    ids = put(database, *rows)
    published(database, ids)
    outcome = handle(database, ids, settings=quick())
    assert (outcome.done, outcome.failed) == (199, 1)
    assert len(notices(database)) == 199
    bad = messages(database, [ids[57]])[0]
    assert (bad.state, bad.attempts, bad.lease_until) == ("pending", 1, None)
    assert bad.last_error is not None
    assert "akimat.aksu" in bad.last_error


def test_failures_pause_longer_each_time_and_end_as_a_dead_letter(database: Database) -> None:
    ids = put(database, poison())
    settings = quick(message_attempts=4, retry_seconds=20)
    pauses = []
    for attempt in range(4):
        published(database, ids, publications=attempt + 1)
        with database.transaction() as session:
            before = session.query(database_now()).scalar()
        handle(database, ids, settings=settings)
        message = messages(database, ids)[0]
        assert message.attempts == attempt + 1
        pauses.append(round((message.due_at - before).total_seconds() / 20))
    assert pauses[:3] == [1, 2, 4]
    assert message.state == "dead"
    published_again = handle(database, ids, settings=settings)
    assert published_again.failed == 0
    assert messages(database, ids)[0].attempts == 4


def test_nobody_can_use_up_the_attempts_of_a_pausing_message(database: Database) -> None:
    ids = put(database, poison())
    published(database, ids)
    for _ in range(20):
        handle(database, ids, settings=quick())
    assert messages(database, ids)[0].attempts == 1


def test_a_message_that_kills_its_worker_each_time_is_dead_in_the_end(database: Database) -> None:
    killer, victim = put(database, row(), row())
    # As after eight workers that were killed before they could say anything.
    published(database, [killer], attempts=8)
    published(database, [victim], attempts=1)
    outcome = handle(database, [killer, victim], settings=quick(message_attempts=8))
    assert (outcome.done, outcome.failed) == (1, 1)
    assert states(database, [killer, victim]) == ["dead", "done"]


def test_operators_replay_and_discard_the_dead(database: Database) -> None:
    ids = put(database, poison(), poison(), row())
    published(database, ids[:2], attempts=8)
    handle(database, ids[:2], settings=quick())
    assert states(database, ids) == ["dead", "dead", "pending"]
    with database.transaction() as session:
        assert [one["id"] for one in outbox.dead(session)] == ids[:2]
        with pytest.raises(outbox.NotDeadError, match=str(ids[2])):
            outbox.replay(session, ids=ids, by="operator", reason="one of them is not dead")
        with pytest.raises(outbox.NoNoteError):
            outbox.replay(session, ids=None, by="operator", reason=" ")
        assert outbox.replay(session, ids=ids[:2], by="operator", reason="office was added") == 2
        assert outbox.replay(session, ids=None, by="operator", reason="nothing is left") == 0
    assert [(one.state, one.attempts) for one in messages(database, ids[:2])] == [("pending", 0)] * 2
    published(database, ids[:2], attempts=8)
    handle(database, ids[:2], settings=quick())
    with database.transaction() as session:
        assert outbox.discard(session, ids=None, by="operator", reason="office was closed") == 2
        assert [one["note"] for one in outbox.listed(session, states=(MessageState.DISCARDED,))] == [
            "operator: office was added\noperator: office was closed"
        ] * 2
        assert outbox.counts(session) == {"pending": 1, "published": 0, "done": 0, "dead": 0, "discarded": 2}
        assert outbox.unfinished(session) == {"pending": 1, "published": 0, "dead": 0}
        assert 0 <= outbox.oldest_seconds(session) < 60


def test_a_ready_result_is_mailed_to_the_inspector(database: Database, letters: Letters) -> None:
    settings = quick(smtp_url=letters.url, mail_from="shabarman@example.kz")
    person = inspector(database)
    ids = put(database, row("result.ready", staff_id=person), row("result.ready", staff_id=None))
    published(database, ids)
    handle(database, ids, settings=settings)
    mail = messages(database)[-1]
    assert (mail.type, mail.queue, mail.cause) == ("notice.email", "notices", f"notice:{ids[0]}")
    assert len(messages(database)) == 3
    published(database, [mail.id])
    handle(database, [mail.id], settings=settings)
    handle(database, [mail.id], settings=settings)
    assert states(database, [mail.id]) == ["done"]
    [letter] = letters.taken
    assert letter["To"] == "inspector@example.kz"
    assert letter["Message-ID"] == f"<{mail.body['id']}@example.kz>"
    assert NUMBER in letter["Subject"]
    assert "балалы отбасыларға" in letter.get_content()
    # The notice in the pages is there besides.
    assert [notice.staff_id for notice in notices(database)] == [person, None]


@pytest.mark.parametrize("email", [None, "gone@example.kz"])
def test_nobody_is_mailed_without_an_address_or_a_mail_server(
    database: Database, letters: Letters, email: str | None
) -> None:
    person = inspector(database, email=email)
    ids = put(database, row("result.ready", staff_id=person))
    published(database, ids)
    handle(database, ids, settings=quick(smtp_url=letters.url if email is None else None))
    assert len(messages(database)) == 1


def test_a_mail_server_that_refuses_costs_time_and_the_repeat_is_recognisable(
    database: Database, letters: Letters
) -> None:
    settings = quick(smtp_url=letters.url)
    person = inspector(database, email="inspector@example.kz", language="ru")
    [mail] = put(database, row("notice.email", "notices", staff_id=person, to="1001"))
    letters.answer = "451 later"
    published(database, [mail])
    outcome = handle(database, [mail], settings=settings)
    waiting = messages(database, [mail])[0]
    assert (outcome.failed, waiting.state, waiting.attempts) == (1, "pending", 1)
    assert waiting.last_error is not None
    assert "451" in waiting.last_error
    assert "inspector@" not in waiting.last_error
    assert waiting.due_at - waiting.created_at > timedelta(seconds=15)
    letters.answer = "250 OK"
    published(database, [mail], publications=2)
    handle(database, [mail], settings=settings)
    assert states(database, [mail]) == ["done"]
    assert letters.taken[0]["Message-ID"].startswith(f"<{waiting.body['id']}@")
    assert "пособий" in letters.taken[0].get_content()


def test_a_repeated_task_never_sends_a_letter_twice(database: Database, letters: Letters) -> None:
    """One publication allows one attempt, also when two workers have the task at the same moment."""
    settings = quick(smtp_url=letters.url)
    person = inspector(database)
    ids = put(database, *(row("notice.email", "notices", staff_id=person, to="1001") for _ in range(5)))
    published(database, ids)
    start = threading.Barrier(3)

    def work() -> None:
        start.wait()
        handle(database, ids, settings=settings)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(states(database, ids)) == {"done"}
    assert sorted(letter["Message-ID"] for letter in letters.taken) == sorted(
        f"<{message.body['id']}@localhost>" for message in messages(database, ids)
    )


def test_a_letter_without_a_mail_server_says_what_to_set(database: Database) -> None:
    person = inspector(database)
    [mail] = put(database, row("notice.email", "notices", staff_id=person, to="1001"))
    published(database, [mail])
    handle(database, [mail], settings=quick())
    error = messages(database, [mail])[0].last_error
    assert error is not None
    assert "SHABARMAN_SMTP_URL" in error


def test_no_persons_data_of_a_failure_is_kept(database: Database) -> None:
    [bad] = put(
        database, row(staff_id=987_654_321_012)
    )  # Nobody has this id: the database refuses the notice.
    published(database, [bad])
    handle(database, [bad], settings=quick())
    kept = messages(database, [bad])[0]
    assert kept.state == "pending"
    assert kept.last_error is not None
    assert kept.last_error.startswith("IntegrityError")
    assert "987" not in kept.last_error


def test_telling_twice_tells_once(database: Database) -> None:
    """Also without the lock and the mark that keep a second handler away, a message tells an office once."""
    person = inspector(database)
    ids = put(database, row("result.ready", staff_id=person), row())
    for _ in range(2):
        with database.transaction() as session:
            tell(session, leases.locked(session, ids), now=utc_now(), by_mail=True)
        assert len(notices(database)) == 2
    assert [message.type for message in messages(database)].count("notice.email") == 1
