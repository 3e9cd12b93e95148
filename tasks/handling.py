"""Handling: carries messages out, each exactly once in effect, whatever the broker delivers and however often.

An attempt is counted before the effect, in a transaction of its own. Then one statement marks the rows that are still
open done and writes the effects; where that fails, each message has a transaction of its own, which locks its row. The
row decides what is done, not the name of the task.
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from config import figures
from config.clock import utc_now
from config.errors import ShabarmanError, UnavailableError
from config.settings import Settings
from models.database import Database
from models.message import Message, MessageState
from models.staff import Staff
from models.writes import ChangedMeanwhileError, Writes
from tasks.names import MAIL
from tasks.thread import Threaded, spans, thread
from workflow import leases
from workflow.leases import Begun, Waiting
from workflow.mail import Letter, MailServerError, compose, send
from workflow.story import SILENCE
from workflow.telling import tell

HANDLED = "messages.handled"
UNKNOWN = "messages.unknown"
FAILED = "message.failed"
DIED = "message.died"
ALERT = "messages.alert"

WORKER_ENDED = "worker_ended"
"""Reason of messages that were begun as often as allowed without a word of how it went."""

log = structlog.get_logger(__name__)

# What says nothing about the message at hand: the database is away, or the task runs out of time. The task ends, the
# lease brings the messages back.
_NOT_THE_MESSAGE = (SoftTimeLimitExceeded, OperationalError)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How many of the messages of one task were done, failed, or were not there."""

    done: int = 0
    failed: int = 0
    dead: int = 0
    """Those of the failed ones that were tried for the last time."""
    unknown: int = 0


def handle(database: Database, ids: Sequence[int], *, settings: Settings) -> Outcome:
    """Carry out those of the messages `ids` that are open and due; the others need nothing.

    Messages that were never tried go together in one statement. If that fails, and for those that were tried
    before, each one goes alone, the least tried first: a message that fails, or kills its worker, never holds the
    others. Raises UnavailableError when the database is away; then the leases bring everything back.
    """
    with figures.HANDLING_SECONDS.time():
        outcome = _handle(database, ids, settings)
    for word in ("done", "dead", "unknown"):
        figures.HANDLED.labels(word).inc(getattr(outcome, word))
    figures.HANDLED.labels("failed").inc(outcome.failed - outcome.dead)
    return outcome


def _handle(database: Database, ids: Sequence[int], settings: Settings) -> Outcome:
    # Not repeated: where the answer was lost, these were begun, and their lease brings them back.
    fresh = database.transact(
        lambda session: leases.begin_fresh(session, ids, but_not=MAIL), single=True, tries=1
    )
    others, missing = _others(database, set(ids) - {one.id for one in fresh})
    outcome = Outcome(unknown=missing)
    if missing:
        log.warning(UNKNOWN, count=missing)
    known: list[Threaded] = [*fresh, *others]
    with spans("message.handle", known):
        if fresh:
            _handle_fresh(database, fresh, outcome, settings)
        for one in sorted(others, key=lambda one: (one.attempts, one.id)):
            if one.type == MAIL:
                _handle_mail(database, one, outcome, settings)
            elif one.attempts:  # Else it became due between the two questions: the relay will bring it.
                _handle_again(database, one, outcome, settings)
    log.info(HANDLED, done=outcome.done, failed=outcome.failed, asked=len(ids), **thread(known))
    return outcome


def _others(database: Database, ids: Collection[int]) -> tuple[list[Waiting], int]:
    """Return those of `ids` that may be handled, though not all at once, and how many do not exist."""
    if not ids:
        return [], 0
    with database.reading(single=True) as session:
        return leases.waiting(session, ids)


def _handle_fresh(database: Database, fresh: Sequence[Begun], outcome: Outcome, settings: Settings) -> None:
    try:
        outcome.done += _tell_all(database, fresh, settings)
    except Exception as error:
        if _is_not_the_message(error):
            raise
        for one in fresh:
            _handle_one(database, one, outcome, settings)


def _tell_all(database: Database, fresh: Sequence[Begun], settings: Settings) -> int:
    try:
        return _tell_at_once(database, fresh, settings)
    except ChangedMeanwhileError:
        # Somebody else has done, or discarded, one of them.
        return _carry_out(database, [one.id for one in fresh], settings)


def _tell_at_once(database: Database, fresh: Sequence[Begun], settings: Settings) -> int:
    """Write the effects and mark the messages done, in one statement: all of them are still open, or none is told."""

    def work(session: Session) -> int:
        writes = Writes()
        leases.finish_with(writes, fresh)
        tell(session, fresh, now=utc_now(), by_mail=settings.smtp_url is not None, after=writes)
        return len(fresh)

    return database.transact(work, tries=2, single=True)


def _handle_again(database: Database, one: Waiting, outcome: Outcome, settings: Settings) -> None:
    if one.attempts >= settings.message_attempts:
        # Begun as often as allowed, and never a word of how it went: its worker died of it each time.
        _fail(database, one, SILENCE, outcome, settings, reason=WORKER_ENDED)
    elif database.transact(lambda session: leases.begin_again(session, one.id, attempts=one.attempts)):
        _handle_one(database, one, outcome, settings)


def _handle_one(database: Database, one: Waiting | Begun, outcome: Outcome, settings: Settings) -> None:
    try:
        outcome.done += _carry_out(database, [one.id], settings)
    except Exception as error:
        if _is_not_the_message(error):
            raise
        _fail(database, one, _described(error), outcome, settings, reason=_kind_of(error))


def _carry_out(database: Database, ids: Collection[int], settings: Settings) -> int:
    def work(session: Session) -> int:
        rows = leases.locked(session, ids)
        tell(session, rows, now=utc_now(), by_mail=settings.smtp_url is not None)
        leases.finish(session, [row.id for row in rows])
        return len(rows)

    # One repeat, for a deadlock or a connection that broke; what fails otherwise fails again.
    return database.transact(work, tries=2)


def _handle_mail(database: Database, one: Waiting, outcome: Outcome, settings: Settings) -> None:
    """Send one letter between two transactions: a mail server cannot take part in one, and must not hold rows."""
    if one.attempts >= settings.message_attempts:
        _fail(database, one, SILENCE, outcome, settings, reason=WORKER_ENDED)
        return
    if not database.transact(lambda session: leases.claim(session, one.id)):
        return
    try:
        letter = _letter(database, one.id)
        if letter is not None:
            send(compose(letter, sender=settings.mail_from), smtp_url=settings.smtp_url or "")
    except Exception as error:
        if _is_not_the_message(error):
            raise
        _fail(database, one, _described(error), outcome, settings, reason=_kind_of(error))
        return
    database.transact(lambda session: leases.finish(session, [one.id]))
    outcome.done += 1


def _letter(database: Database, message_id: int) -> Letter | None:
    """Return the letter of a message, None when the person has left or has no address any more."""
    with database.reading() as session:
        subject, body = session.execute(
            select(Message.subject, Message.body).where(Message.id == message_id)
        ).one()
        data = body["data"]
        person = session.execute(
            select(Staff.email, Staff.language).where(Staff.id == data["staff_id"], Staff.active.is_(True))
        ).one_or_none()
    if person is None or not person.email:
        return None
    return Letter(
        key=body["id"],
        to=person.email,
        language=person.language,
        number=subject,
        service=data.get("service"),
        at=utc_now(),
    )


def _fail(
    database: Database, one: Waiting | Begun, error: str, outcome: Outcome, settings: Settings, *, reason: str
) -> None:
    def record(session: Session) -> leases.Fate | None:
        return leases.fail(
            session,
            one.id,
            error=error,
            reason=reason,
            attempts=settings.message_attempts,
            pause=settings.retry_seconds,
        )

    fate = database.transact(record)
    if fate is None:
        return
    outcome.failed += 1
    outcome.dead += fate.state is MessageState.DEAD
    # The row of a dead one stays until an operator replays or discards it.
    log.warning(DIED if fate.state is MessageState.DEAD else FAILED, error=error, **thread([one]))
    if fate.told:
        log.error(ALERT, reason=reason, error=error, **thread([one]))


def _is_not_the_message(error: Exception) -> bool:
    if isinstance(error, MailServerError):
        return False
    return isinstance(error, (*_NOT_THE_MESSAGE, UnavailableError))


def _kind_of(error: Exception) -> str:
    return error.code if isinstance(error, ShabarmanError) else type(error).__name__


def _described(error: Exception) -> str:
    """Return what went wrong and where, without values: a database's own words could hold a person's data."""
    if isinstance(error, ShabarmanError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
