import pytest
from sqlalchemy import insert, select

from config.clock import utc_now
from models.database import Database
from models.message import DeadLetter, Message, MessageState
from workflow import outbox
from workflow.outbox import NotDeadError


@pytest.fixture
def ids(database: Database) -> dict[MessageState, int]:
    """One message in each state."""
    now = utc_now()
    with database.transaction() as session:
        for number, state in enumerate(MessageState):
            session.execute(
                insert(Message).values(
                    type="result.ready",
                    queue="centre.aksu",
                    subject="x",
                    cause=f"cause {number}",
                    body={},
                    state=state,
                    attempts=8,
                    last_error="it failed",
                    done_at=now if state is MessageState.DONE else None,
                    lease_until=now if state is MessageState.PUBLISHED else None,
                )
            )
        session.execute(insert(DeadLetter).values(queue="notices", reason="junk", size=3, digest="0" * 64))
        return dict(session.execute(select(Message.state, Message.id)).all())


def state_of(database: Database, number: int) -> Message:
    with database.reading() as session:
        return session.get_one(Message, number)


def test_what_is_open_is_listed_without_its_body(database: Database, ids: dict[MessageState, int]) -> None:
    with database.reading() as session:
        shown = outbox.listed(session, states=(*outbox.OPEN, MessageState.DEAD), limit=10)
        dead = outbox.listed(session, states=(MessageState.DEAD,), limit=10)
        assert outbox.counts(session) == {state.value: 1 for state in MessageState}
        assert [letter["reason"] for letter in outbox.junk(session, limit=10)] == ["junk"]
        assert len(outbox.listed(session, states=tuple(MessageState), limit=1)) == 1
    assert {row["state"] for row in shown} == {"pending", "published", "dead"}
    assert [row["id"] for row in dead] == [ids[MessageState.DEAD]]
    assert all("body" not in row for row in shown)


def test_a_replayed_message_is_due_again_with_all_its_attempts(
    database: Database, ids: dict[MessageState, int]
) -> None:
    with database.transaction() as session:
        assert (
            outbox.replay(session, ids=[ids[MessageState.DEAD]], by="operator", reason="mail server is back")
            == 1
        )
    message = state_of(database, ids[MessageState.DEAD])
    assert (message.state, message.attempts, message.note) == (
        MessageState.PENDING,
        0,
        "operator: mail server is back",
    )
    assert abs((message.due_at - utc_now()).total_seconds()) < 60


def test_a_discarded_message_stays_with_its_note(database: Database, ids: dict[MessageState, int]) -> None:
    with database.transaction() as session:
        assert outbox.discard(session, ids=None, by="operator", reason="first") == 1
    message = state_of(database, ids[MessageState.DEAD])
    assert (message.state, message.note, message.last_error) == (
        MessageState.DISCARDED,
        "operator: first",
        "it failed",
    )


def test_notes_add_up(database: Database, ids: dict[MessageState, int]) -> None:
    dead = ids[MessageState.DEAD]
    with database.transaction() as session:
        outbox.replay(session, ids=[dead], by="operator", reason="first")
        session.get_one(Message, dead).state = MessageState.DEAD
        session.flush()  # The next statement does not go through the session's own objects.
        outbox.discard(session, ids=[dead], by="chief", reason="second")
    assert state_of(database, dead).note == "operator: first\nchief: second"


@pytest.mark.parametrize("state", [state for state in MessageState if state is not MessageState.DEAD])
def test_only_the_dead_are_touched(
    database: Database, ids: dict[MessageState, int], state: MessageState
) -> None:
    for work in (outbox.replay, outbox.discard):
        with pytest.raises(NotDeadError), database.transaction() as session:
            work(session, ids=[ids[MessageState.DEAD], ids[state]], by="operator", reason="why")
    assert state_of(database, ids[MessageState.DEAD]).state is MessageState.DEAD
    assert state_of(database, ids[state]).state is state


def test_all_of_a_reason_and_no_others(database: Database, ids: dict[MessageState, int]) -> None:
    dead = ids[MessageState.DEAD]
    with database.transaction() as session:
        session.get_one(Message, dead).reason = "mail_server"
    with database.transaction() as session:
        assert outbox.reasons(session) == {"mail_server": 1}
        assert outbox.discard(session, ids=None, died_of="other", by="operator", reason="why") == 0
        assert outbox.listed(session, states=(MessageState.DEAD,), died_of="other") == []
        assert outbox.listed(session, states=(MessageState.DEAD,), after=dead) == []
        (row,) = outbox.listed(session, states=(MessageState.DEAD,), died_of="mail_server")
        assert outbox.with_story(session, [row])[0]["body"] == {}
        assert outbox.replay(session, ids=None, died_of="mail_server", by="operator", reason="why") == 1
    assert state_of(database, dead).state is MessageState.PENDING
