"""The tray: scans that arrive while others are being recorded go to the database together, in one transaction.

When nothing else is going on, a scan goes at once and alone. Under load nobody waits longer than one transaction of the
others, and each commit is shared by all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool

from config.errors import ShabarmanError, UnavailableError
from models.database import Database
from workflow.protocol import Answer
from workflow.scanning import Handful, record

MOST_SCANS = 200
"""Most scans that go together; a longer list goes alone."""

PATIENCE = 0.02
"""Seconds after which the next ones no longer wait for a transaction: it waits for somebody's lock."""

MOST_CARRIERS = 4
"""Transactions of the tray at once."""

Waiting = tuple[Handful, asyncio.Future[list[Answer]]]


class Tray:
    """Lives in the event loop of one process."""

    def __init__(self, database: Database) -> None:
        """Begin with an empty tray."""
        self._database = database
        self._waiting: list[Waiting] = []
        self._carriers: set[asyncio.Task[None]] = set()

    async def apply(self, handful: Handful) -> list[Answer]:
        """Apply scans and return their answers; errors are those of `apply_scans`, for these scans alone."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[list[Answer]] = loop.create_future()
        self._waiting.append((handful, answered))
        if self._carriers:
            loop.call_later(PATIENCE, self._carry_on, answered)
        else:
            self._start()
        return await answered

    def _carry_on(self, answered: asyncio.Future[list[Answer]]) -> None:
        if any(one is answered for _, one in self._waiting) and len(self._carriers) < MOST_CARRIERS:
            self._start()

    def _start(self) -> None:
        carrier = asyncio.get_running_loop().create_task(self._carry())
        self._carriers.add(carrier)
        carrier.add_done_callback(self._carriers.discard)

    async def _carry(self) -> None:
        while self._waiting:
            taken = self._take()
            results = await run_in_threadpool(self._record, [handful for handful, _ in taken])
            for (_, answered), result in zip(taken, results, strict=True):
                if answered.done():
                    continue  # Who asked has gone; what was recorded stays, and the same scan gets this answer.
                if isinstance(result, Exception):
                    answered.set_exception(result)
                else:
                    answered.set_result(result)

    def _take(self) -> list[Waiting]:
        count = scans = 0
        for handful, _ in self._waiting:
            scans += len(handful.scans)
            if count and scans > MOST_SCANS:
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _record(self, handfuls: Sequence[Handful]) -> list[list[Answer] | Exception]:
        try:
            return list(record(self._database, handfuls))
        except UnavailableError as error:
            return [error] * len(handfuls)
        except (ShabarmanError, DBAPIError) as error:
            if len(handfuls) == 1:
                return [error]
            # One of them cannot be recorded: each goes alone, and the others do not suffer for it.
            return [self._record([handful])[0] for handful in handfuls]
        except Exception as error:  # noqa: BLE001 - who asked is told, like everybody else
            return [error] * len(handfuls)
