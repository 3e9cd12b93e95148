"""The bell: tells open pages about new notices of their office, by one small question for all of them.

A poke over Redis says when to ask; without Redis it is asked several times a second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import structlog
from sqlalchemy import Table, bindparam, func, select
from starlette.concurrency import run_in_threadpool

from config.errors import UnavailableError
from models import Notice
from models.database import Database
from models.swift import Question, among
from routing.poke import BELL, Ear

SECONDS = 1.0
"""Between two questions where pokes arrive: covers one that was lost."""

SECONDS_DEAF = 0.15
"""The same where none can arrive: RabbitMQ, or no broker."""

BREATH_SECONDS = 0.02
"""Pause after news: what comes meanwhile is asked for together."""

OVERLAP = 500
"""Ids before the last one seen that are asked for again: PostgreSQL may commit a smaller id later."""

MOST_WAITING = 200
"""Notices that one slow listener may be behind; then it is let go, and comes back by itself."""

BELL_FAILED = "bell.failed"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One notice as the bell tells it."""

    id: int
    office: str
    type: str
    subject: str
    data: dict[str, Any]


NOTICES = cast("Table", Notice.__table__)
_LATELY = Question(
    select(Notice.id).where(Notice.id > bindparam("after")).order_by(Notice.id).limit(3 * OVERLAP)
)
_NEWS = Question(
    select(Notice.id, Notice.office, Notice.type, Notice.subject, Notice.data)
    .where(among(NOTICES.c.id, "ids"))
    .order_by(Notice.id)
)


class Bell:
    """Asks while somebody listens, and only then. Lives in the event loop of one process."""

    def __init__(self, database: Database, *, broker_url: str | None = None) -> None:
        """Prepare; nothing runs before the first listener."""
        self._database = database
        self._ear = Ear(broker_url, channel=BELL)
        self._listeners: dict[asyncio.Queue[Rung | None], str] = {}
        self._asking: asyncio.Task[None] | None = None
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._last = 0
        self._starting = asyncio.Lock()

    @property
    def newest(self) -> int:
        """The largest id of a notice that was seen; what is told from now on, and what is missed, comes after it."""
        return self._last

    @asynccontextmanager
    async def listening(self, office: str) -> AsyncIterator[asyncio.Queue[Rung | None]]:
        """Give a queue of the notices that come for `office` from now on; None in it means: come back later."""
        heard: asyncio.Queue[Rung | None] = asyncio.Queue(MOST_WAITING)
        async with self._starting:
            if self._asking is None or self._asking.done():
                self._last = await run_in_threadpool(self._newest)
                self._seen.clear()
                self._seen.update(dict.fromkeys(await run_in_threadpool(self._unseen)))
                self._asking = asyncio.create_task(self._ask())
            self._listeners[heard] = office
        try:
            yield heard
        finally:
            del self._listeners[heard]

    def stop(self) -> None:
        """Stop asking, and let all listeners go."""
        if self._asking is not None:
            self._asking.cancel()
        for heard in self._listeners:
            with contextlib.suppress(asyncio.QueueFull):
                heard.put_nowait(None)

    async def _ask(self) -> None:
        while True:
            await run_in_threadpool(self._ear.wait, SECONDS if self._ear.hears else SECONDS_DEAF)
            if not self._listeners:
                self._asking = None
                return
            try:
                news = await run_in_threadpool(self._news)
            except UnavailableError:
                # Nothing is lost: the notices are in the database, and the next question finds them.
                _log.warning(BELL_FAILED)
                continue
            for rung in news:
                self._seen[rung.id] = None
                self._last = max(self._last, rung.id)
                self._ring(rung)
            if news:
                await asyncio.sleep(BREATH_SECONDS)
            while len(self._seen) > 4 * OVERLAP:
                self._seen.popitem(last=False)

    def _ring(self, rung: Rung) -> None:
        for heard, office in self._listeners.items():
            if office != rung.office:
                continue
            if heard.full():
                while not heard.empty():
                    heard.get_nowait()
                heard.put_nowait(None)
            else:
                heard.put_nowait(rung)

    def _newest(self) -> int:
        with self._database.reading(single=True) as session:
            return session.scalar(select(func.max(Notice.id))) or 0

    def _unseen(self) -> list[int]:
        """Return the ids that came lately, those before them looked through once more."""
        with self._database.reading(single=True) as session:
            found = _LATELY.ask(session, after=self._last - OVERLAP)
        return [id_ for (id_,) in found if id_ not in self._seen]

    def _news(self) -> list[Rung]:
        """Return what came lately. Only that is read whole: in a busy hour each would be read hundreds of times."""
        ids = self._unseen()
        if not ids:
            return []
        with self._database.reading(single=True) as session:
            rows = _NEWS.ask(session, ids=ids)
        return [Rung(**dict(zip(Rung.__slots__, row, strict=True))) for row in rows]
