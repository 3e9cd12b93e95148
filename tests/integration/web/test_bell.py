"""The bell asks the database for what is new, and for nothing else."""

import asyncio

from models.database import Database
from tasks.handling import handle
from tests.integration.tasks.post import published as publish
from tests.integration.tasks.post import put, quick, row
from web.bell import OVERLAP, Bell, Rung

OFFICE = "1001"


class Counting(Bell):
    """Counts the notices that were read."""

    read = 0

    def _news(self) -> list[Rung]:
        found = super()._news()
        self.read += len(found)
        return found


def tell(database: Database, count: int) -> list[int]:
    """Bring news to the office; return the ids of the messages."""
    ids = put(database, *(row() for _ in range(count)))
    publish(database, ids)
    assert handle(database, ids, settings=quick()).done == count
    return ids


def test_each_notice_is_read_once_however_many_came_before(database: Database) -> None:
    tell(database, OVERLAP // 2)
    bell = Counting(database)

    async def listen() -> list[Rung]:
        heard = []
        async with bell.listening(OFFICE) as queue:
            for _ in range(3):
                await asyncio.to_thread(tell, database, 2)
                heard += [await asyncio.wait_for(queue.get(), 20) for _ in range(2)]
        return [rung for rung in heard if rung is not None]

    heard = asyncio.run(listen())
    assert len({rung.id for rung in heard}) == 6
    assert {rung.office for rung in heard} == {OFFICE}
    assert bell.read == 6
