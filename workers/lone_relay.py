"""The relay without a broker: handles the messages and ticks by itself, for a small office or a broker that is down.

The same rows, leases and handlers as with workers, only nothing travels in between. It may run beside other relays
and workers: who gets a row is decided by the database.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

import structlog
from sqlalchemy.exc import DBAPIError

from config.errors import UnavailableError
from config.settings import Settings
from models.database import Database
from routing.queues import NOTICES, names
from tasks.handling import handle
from tasks.jobs import JOBS, carry_out
from tasks.schedule import EVERY
from workers.relay import DATABASE_DOWN, DATABASE_UP, POLL_SECONDS_DEAF, parcels, take_and_lease
from workflow import leases

ALONE = "relay.alone"
JOB_FAILED = "job.failed"

NEWS = frozenset({NOTICES})
"""Queues that the loop of the news leaves out."""
LETTERS = frozenset(names()) - NEWS
"""Queues that the loop of the letters leaves out: a mail server that hangs must hold nobody's news."""

log = structlog.get_logger(__name__)


class LoneRelay:
    """Handles due messages and carries jobs out until it is stopped."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        on_step: Callable[[int], None] = lambda _handled: None,
        on_round: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare to handle the messages of `database`.

        `on_step` is called after each step with their number, `on_round` before each, also while the database is down.
        """
        self._database = database
        self._settings = settings
        self._on_step = on_step
        self._on_round = on_round
        self._ticked = dict.fromkeys(JOBS, float("-inf"))

    def call_back(self) -> None:
        """Make due now what a broker was given that does not answer: nobody knows when it will."""
        count = self._database.transact(leases.call_back_all)
        log.warning(ALONE, called_back=count)

    def run(self, stop: threading.Event) -> None:
        """Handle messages until `stop` is set; the database being down does not end this."""
        faults: list[BaseException] = []

        def keep_at(work: Callable[[], int]) -> None:
            try:
                self._loop(work, stop)
            except BaseException as fault:  # noqa: BLE001 - a fault of our own ends the process, whichever loop has it
                faults.append(fault)
                stop.set()

        letters = threading.Thread(target=keep_at, args=(lambda: self.step(LETTERS),), name="letters")
        letters.start()
        keep_at(self._news_and_ticks)
        letters.join()
        if faults:
            raise faults[0]

    def step(self, leave_out: Collection[str] = ()) -> int:
        """Handle one batch of due messages, but none of the queues `leave_out`, and return how many were taken.

        Raises UnavailableError or sqlalchemy.exc.DBAPIError when the database is down; then leases bring all back.
        """
        with self._database.reading(single=True) as session:
            if not leases.any_due(session, not_from=leave_out):
                return 0
        settings = self._settings
        taken = take_and_lease(
            self._database,
            limit=settings.relay_batch,
            of_queue=settings.relay_batch,
            not_from=leave_out,
            settings=settings,
        )
        for parcel in parcels(taken, settings):
            handle(self._database, parcel.ids, settings=settings)
        return len(taken)

    def tick(self) -> None:
        """Carry out the jobs whose moment has come; a job that fails is tried again at the next one."""
        for job in JOBS:
            if time.monotonic() - self._ticked[job] < EVERY[job]:
                continue
            self._ticked[job] = time.monotonic()
            try:
                carry_out(job, self._database)
            except (UnavailableError, DBAPIError):
                self._ticked[job] = float("-inf")
                raise
            except Exception as error:  # noqa: BLE001 - as in a worker: one job that fails holds nothing else
                log.error(JOB_FAILED, job=job, error=type(error).__name__)  # noqa: TRY400 - it could show rows

    def _news_and_ticks(self) -> int:
        self._on_round()
        self.tick()
        return self.step(NEWS)

    def _loop(self, work: Callable[[], int], stop: threading.Event) -> None:
        up = True
        while not stop.is_set():
            try:
                handled = work()
            except (UnavailableError, DBAPIError) as error:
                if up:
                    log.warning(DATABASE_DOWN, error=type(error).__name__)
                up = False
                stop.wait(1.0)
                continue
            if not up:
                log.info(DATABASE_UP)
                up = True
            self._on_step(handled)
            if not handled:
                stop.wait(POLL_SECONDS_DEAF)
