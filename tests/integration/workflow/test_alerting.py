"""Messages that die: their whole story, and who is told how often."""

from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from config.clock import utc_now
from config.offices import centre_of
from models import Alert, Message, Staff
from models.database import Database
from models.message import MessageState
from tasks.handling import handle
from tests.integration.tasks.post import (
    for_akimat,
    messages,
    notices,
    poison,
    published,
    put,
    quick,
    row,
    states,
)
from workflow import outbox
from workflow.story import SILENCE


def operator(database: Database, *, active: bool = True) -> int:
    with database.transaction() as session:
        person = Staff(
            login=uuid4().hex,
            name="Operator of the test",
            office="2001",
            roles=["operator"],
            active=active,
            created_at=utc_now(),
        )
        session.add(person)
        session.flush()  # The id is needed after the session.
        return person.id


def fail(database: Database, ids: list[int], *, times: int) -> None:
    for publication in range(times):
        published(database, ids, publications=publication + 1)
        handle(database, ids, settings=quick(message_attempts=3))


def story(database: Database, message_id: int) -> list[tuple[int, int, str]]:
    with database.reading() as session:
        [shown] = outbox.with_story(
            session,
            [one for one in outbox.listed(session, states=tuple(MessageState)) if one["id"] == message_id],
        )
    assert [step["at"] for step in shown["story"]] == sorted(step["at"] for step in shown["story"])
    return [(step["life"], step["number"], step["error"]) for step in shown["story"]]


def test_a_dead_message_tells_each_attempt_with_its_time_and_error(database: Database) -> None:
    [bad] = put(database, poison())
    fail(database, [bad], times=3)
    error = messages(database, [bad])[0].last_error
    assert error is not None
    assert story(database, bad) == [(1, number, error) for number in (1, 2, 3)]


def test_an_attempt_of_which_nobody_told_the_end_is_in_the_story(database: Database) -> None:
    """As after a worker that was killed twice in the middle, and then failed by itself."""
    [bad] = put(database, poison())
    fail(database, [bad], times=1)
    published(database, [bad], attempts=2)
    handle(database, [bad], settings=quick(message_attempts=4))
    numbers = [(number, error == SILENCE) for _, number, error in story(database, bad)]
    assert numbers == [(1, False), (2, True), (3, False)]


def test_what_succeeds_at_once_leaves_no_story(database: Database) -> None:
    [good] = put(database, row())
    published(database, [good])
    handle(database, [good], settings=quick())
    assert story(database, good) == []


def test_a_replay_begins_another_life_and_who_decided_why_is_kept(database: Database) -> None:
    [bad] = put(database, poison())
    fail(database, [bad], times=3)
    database.transact(lambda session: outbox.replay(session, ids=[bad], by="op.one", reason="try again"))
    fail(database, [bad], times=3)
    database.transact(lambda session: outbox.discard(session, ids=[bad], by="op.two", reason="of no use"))
    assert [(life, number) for life, number, _ in story(database, bad)] == [
        (life, number) for life in (1, 2) for number in (1, 2, 3)
    ]
    with database.reading() as session:
        [shown] = outbox.with_story(session, outbox.listed(session, states=(MessageState.DISCARDED,)))
    assert [(one["action"], one["by"], one["reason"]) for one in shown["decisions"]] == [
        ("replayed", "op.one", "try again"),
        ("discarded", "op.two", "of no use"),
    ]


def test_operators_are_told_once_for_each_office_and_reason_a_day(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    here, _gone = operator(database), operator(database, active=False)
    rows = [row(staff_id=987_654_321) for _ in range(3)]  # Nobody has this id: each of them fails.
    ids = put(database, *rows, row(queue="centre.ile", staff_id=987_654_321), poison(), poison())
    fail(database, ids, times=3)
    assert states(database, ids) == ["dead"] * 6
    with database.reading() as session:
        alerts = {(one.office, one.reason): one.deaths for one in session.scalars(select(Alert))}
    assert alerts == {
        ("1001", "IntegrityError"): 3,
        (centre_of("ile").code, "IntegrityError"): 1,
        ("akimat.aksu", "nobody_to_tell"): 2,
    }
    told = [one for one in messages(database) if one.type == "message.died"]
    assert len(told) == 3
    assert {one.body["data"]["staff_id"] for one in told} == {here}
    assert capsys.readouterr().out.count("messages.alert") == 3
    # It goes the way of all messages.
    published(database, [one.id for one in told])
    handle(database, [one.id for one in told], settings=quick())
    assert [(one.office, one.type) for one in notices(database)] == [("2001", "message.died")] * 3


def test_the_next_day_they_are_told_again(database: Database) -> None:
    operator(database)
    first, second = put(database, poison(), poison())
    fail(database, [first], times=3)
    with database.transaction() as session:
        session.execute(update(Alert).values(day=date(2020, 1, 1)))
    fail(database, [second], times=3)
    assert [one.type for one in messages(database)].count("message.died") == 2


def test_an_alert_that_dies_itself_is_not_told_of(database: Database) -> None:
    operator(database)
    [bad] = put(database, poison())
    fail(database, [bad], times=3)
    [told] = [one.id for one in messages(database) if one.type == "message.died"]
    with database.transaction() as session:
        session.execute(
            update(Message)
            .where(Message.id == told)
            .values(body=messages(database, [bad])[0].body, queue="akimat.aksu")
        )
    fail(database, [told], times=3)
    assert states(database, [told]) == ["dead"]
    assert len(messages(database)) == 2


def test_a_death_does_not_hold_the_others_of_its_group(database: Database) -> None:
    operator(database)
    rows = [for_akimat() for _ in range(20)]
    rows[7] = poison()
    ids = put(database, *rows)
    published(database, ids)
    outcome = handle(database, ids, settings=quick(message_attempts=1))
    assert (outcome.done, outcome.failed) == (19, 1)
    assert len(notices(database)) == 19
