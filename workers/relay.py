"""The relay: gives due messages to the broker. The only one that publishes news; any number of them may run.

The rows are leased before they are published. A crash in between costs the time of a lease, a broker that is down costs
nothing but waiting: nobody else notices.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from config import figures
from config.errors import UnavailableError
from config.settings import Settings
from models.database import Database
from routing.broker import BrokerKind
from routing.envelope import MAX_SECONDS
from routing.link import BrokerDownError, Link, Parcel
from routing.queues import names
from routing.seal import keys_of
from tasks.names import MAIL, MOST_IDS, TASK_OF
from tasks.thread import spans, thread
from workflow import leases
from workflow.leases import Due

PUBLISHED = "messages.published"
NOT_PUBLISHED = "messages.not_published"
CALLED_BACK = "messages.called_back"
HOMELESS = "message.homeless"
BROKER_DOWN = "broker.down"
BROKER_UP = "broker.up"
DATABASE_DOWN = "database.down"
DATABASE_UP = "database.up"

TASKS_IN_QUEUE = 2
"""Most tasks that wait in one queue. What is more stays in the database, where it costs nothing, and goes out later in
full groups: a worker that falls behind gets faster by it. With 20 a house of 20 busy queues had 400 tasks of one or two
messages waiting before the first group grew."""

GROUPS_AT_ONCE = 40
"""Full tasks that one step may take from the database: about one for each of the busy queues, so that the tasks of a
backlog are full ones."""

TASKS_AT_ONCE = 4
"""Full tasks that one step may give to one queue: enough for all workers until the next look, and not a whole backlog
that then waits in the broker."""

POLL_SECONDS = 1.0
"""How often to look when pokes can arrive: covers one that was lost."""

POLL_SECONDS_DEAF = 0.2
"""How often to look where no poke can arrive: RabbitMQ, or a broker that is down."""

GIVEN_BACK_SECONDS = 2
"""Pause of messages whose publication failed."""

LONGEST_PAUSE = 2.0
"""Seconds between two tries to reach a broker, or a database, that is down."""

LOOK_AT_LENGTHS_SECONDS = {BrokerKind.REDIS: 0.0, BrokerKind.RABBITMQ: 0.05}
"""How often to ask how long queues are: on Redis one round trip for all of them, on RabbitMQ one for each."""

BREATH_SECONDS = 0.003
"""Pause after a step that published less than a full task: what comes meanwhile travels together."""

BEHIND = 6
"""So many tasks that wait in the queues that were given one, a breath after that, say that the workers are busy."""

BEHIND_SECONDS = 0.1
"""Pause while the workers are busy. A task of one message costs nearly what one of two hundred does, and where offices
are many each has only a few at a time: waiting makes fewer tasks of them, so that busy workers are done earlier."""

FULL_SECONDS = 0.02
"""How often to look while messages wait for room in their queue."""

DECLARE_AGAIN_SECONDS = 30.0

log = structlog.get_logger(__name__)


class Relay:
    """Publishes due messages until it is stopped."""

    def __init__(
        self,
        database: Database,
        broker_url: str,
        settings: Settings,
        *,
        on_step: Callable[[int], None] = lambda _published: None,
        on_round: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare to carry messages from `database` to the broker at the normalised address `broker_url`.

        `on_step` is called after each step with the number of messages published: a heartbeat for whoever watches.
        `on_round` is called before each step, also while broker or database are down.
        """
        self._database = database
        self._link = Link(broker_url, keys=keys_of(settings))
        self._settings = settings
        self._on_step = on_step
        self._on_round = on_round
        self._idle = False
        self._forgotten = False
        self._watched: set[str] = set()
        self._full: set[str] = set()
        self._looked_at = 0.0
        self._declared_at = 0.0
        self._pause = 0.0
        self._not_before = 0.0

    def run(self, stop: threading.Event) -> None:
        """Carry messages until `stop` is set; neither the broker nor the database being down ends this."""
        database_up = True
        while not stop.is_set():
            self._on_round()
            try:
                published = self.step()
            except (UnavailableError, DBAPIError) as error:
                if database_up:
                    log.warning(DATABASE_DOWN, error=type(error).__name__)
                database_up = False
                stop.wait(1.0)
                continue
            if not database_up:
                log.info(DATABASE_UP)
                database_up = True
            self._on_step(published)
            if published >= self._settings.relay_batch:
                continue
            if published:
                stop.wait(BREATH_SECONDS)
                if self._workers_are_behind():
                    stop.wait(BEHIND_SECONDS)
                if not self._would_be_woken():
                    continue
            if self._link.wait(self._patience(), stop):
                self._idle = False
        self.close()

    def _would_be_woken(self) -> bool:
        """Tell whether a poke says so when more is due: then a look without one would find nothing."""
        return self._link.listens and not self._full

    def _patience(self) -> float:
        """Return how long to wait for a poke before the next look."""
        if self._full:
            return FULL_SECONDS
        return POLL_SECONDS if self._link.listens else POLL_SECONDS_DEAF

    def close(self) -> None:
        """Drop the connection to the broker."""
        self._link.close()

    def step(self) -> int:
        """Publish one batch of due messages and return how many; 0 when nothing is due or the broker is down.

        Raises UnavailableError or sqlalchemy.exc.DBAPIError when the database is down.
        """
        try:
            if not self._reach_broker():
                return 0
            self._look_at_lengths()
            if self._idle and not self._anything_due():
                return 0
        except BrokerDownError as error:
            self._broker_failed(str(error.facts["cause"]))
            return 0
        taken = self._take()
        self._idle = not taken
        return self._publish(taken) if taken else 0

    def _reach_broker(self) -> bool:
        if time.monotonic() < self._not_before:
            return False
        self._link.open()
        # Kept in mind until the rows are called back: the broker tells it only once.
        self._forgotten = self._link.has_lost_memory() or self._forgotten
        if self._pause:
            self._pause = 0.0
            log.info(BROKER_UP)
        if self._forgotten:
            count = self._database.transact(leases.call_back_all)
            self._forgotten = False
            self._full.clear()
            self._idle = False
            if count:
                figures.CALLED_BACK.inc(count)
                log.warning(CALLED_BACK, count=count)
        return True

    def _broker_failed(self, cause: str) -> None:
        if not self._pause:
            log.warning(BROKER_DOWN, cause=cause)
        self._pause = min(max(self._pause * 2, 0.2), LONGEST_PAUSE)
        self._not_before = time.monotonic() + self._pause

    def _anything_due(self) -> bool:
        with self._database.reading(single=True) as session:
            return leases.any_due(session, not_from=self._full)

    def _workers_are_behind(self) -> bool:
        """Tell whether the workers have not taken what they were given; only Redis says so at once."""
        if self._link.kind is not BrokerKind.REDIS or len(self._watched) < BEHIND:
            return False
        try:
            return sum(self._link.lengths(self._watched).values()) >= BEHIND
        except BrokerDownError:
            return False  # The next step sees it again.

    def _look_at_lengths(self) -> None:
        queues = sorted(self._watched | self._full)
        pause = LOOK_AT_LENGTHS_SECONDS[self._link.kind]
        if not queues or time.monotonic() - self._looked_at < pause:
            return
        lengths = self._link.lengths(queues)
        self._full = {queue for queue, length in lengths.items() if length >= TASKS_IN_QUEUE}
        self._watched.clear()
        self._looked_at = time.monotonic()

    def _take(self) -> list[Due]:
        batch = self._settings.relay_batch
        return take_and_lease(
            self._database,
            limit=batch * GROUPS_AT_ONCE,
            of_queue=batch * TASKS_AT_ONCE,
            not_from=self._full,
            settings=self._settings,
        )

    def _send(self, taken: Sequence[Due], parcels: list[Parcel]) -> tuple[list[Parcel], str]:
        """Publish, and return what may not have arrived, and why."""
        repeats = any(due.publications for due in taken)
        if repeats and time.monotonic() - self._declared_at >= DECLARE_AGAIN_SECONDS:
            # Repeats mean that something was lost; perhaps a queue was.
            try:
                self._link.declare()
            except BrokerDownError as error:
                return parcels, str(error.facts["cause"])
            self._declared_at = time.monotonic()
        return self._link.publish(parcels)

    def _publish(self, taken: Sequence[Due]) -> int:
        groups = parcels(taken, self._settings)
        with spans("message.publish", taken):
            unsent, cause = self._send(taken, groups)
        self._watched.update(parcel.queue for parcel in groups)
        if unsent:
            back = [message_id for parcel in unsent for message_id in parcel.ids]
            self._broker_failed(cause)
            figures.NOT_PUBLISHED.inc(len(back))
            log.warning(NOT_PUBLISHED, count=len(back), cause=cause)
            self._database.transact(
                lambda session: leases.give_back(session, back, seconds=GIVEN_BACK_SECONDS)
            )
        published = sum(len(parcel.ids) for parcel in groups) - sum(len(parcel.ids) for parcel in unsent)
        if published:
            figures.PUBLISHED.inc(published)
            log.info(PUBLISHED, tasks=len(groups) - len(unsent), **thread(_sent(taken, unsent)))
        return published


def _sent(taken: Sequence[Due], unsent: Sequence[Parcel]) -> list[Due]:
    back = {message_id for parcel in unsent for message_id in parcel.ids}
    return [due for due in taken if due.id not in back]


def take_and_lease(
    database: Database, *, limit: int, of_queue: int, not_from: Collection[str], settings: Settings
) -> list[Due]:
    """Lease due messages; those that no worker could ever get are dead at once, and so in nobody's way."""
    # A letter that is published again while its task still runs could be sent twice, so that its lease is never shorter
    # than the longest task. News may be: a repeat finds them done.
    letters = MAIL, max(settings.lease_seconds, MAX_SECONDS)
    # A lease that the database forgets makes its messages due again, as one that ran out does.
    taken = database.transact(
        lambda session: leases.take_due(
            session,
            limit=limit,
            seconds=settings.lease_seconds,
            longer=letters,
            of_queue=of_queue,
            not_from=not_from,
        ),
        single=True,
        lasting=False,
    )
    homeless = [due for due in taken if due.type not in TASK_OF or due.queue not in names()]
    if homeless:
        database.transact(lambda session: _bury(session, homeless))
    lost = {due.id for due in homeless}
    return [due for due in taken if due.id not in lost]


def _bury(session: Session, homeless: Sequence[Due]) -> None:
    for due in homeless:
        fate = leases.fail(
            session, due.id, error="No such queue or type.", reason="homeless", attempts=0, pause=1
        )
        log.log(
            logging.ERROR if fate is not None and fate.told else logging.WARNING,
            HOMELESS,
            message=due.id,
            queue=due.queue,
            type=due.type,
        )


def parcels(taken: Sequence[Due], settings: Settings) -> list[Parcel]:
    """Group messages by queue and task, each group no larger than one task may be."""
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for due in taken:
        groups[due.queue, TASK_OF[due.type]].append(due.id)
    made = []
    for (queue, task), ids in groups.items():
        most = min(settings.relay_batch, MOST_IDS.get(task, settings.relay_batch))
        made += [
            Parcel(queue=queue, task=task, ids=tuple(ids[start : start + most]))
            for start in range(0, len(ids), most)
        ]
    return made
