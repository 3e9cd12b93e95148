"""News: how a move writes what others must learn, and what becomes of it when a worker carries it out.

A move inserts rows made by `message_row` in its own transaction. A handler later calls `tell` with the rows
that it marks done. Nobody else writes notices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, cast
from uuid import uuid4

from sqlalchemy import Table, select
from sqlalchemy.orm import Session
from structlog.contextvars import get_contextvars

from config import tracing
from config.errors import ConflictError
from config.language import Text
from models.message import Message, MessageState
from models.notice import Notice
from models.staff import Staff
from models.writes import Writes
from routing.queues import NOTICES, office_of

MESSAGES = cast("Table", Message.__table__)
TOLD = cast("Table", Notice.__table__)

MESSAGE_TYPES = frozenset(
    {
        "packet.accepted",
        "packet.registered",
        "packet.decided",
        "packet.handed_over",
        "packet.withdrawn",
        "packet.undone",
        "packet.missing",
        "packet.found",
        "packet.lost",
        "packet.misrouted",
        "packet.rerouted",
        "manifest.departed",
        "manifest.closed",
        "result.ready",
        "result.returned",
        "result.unclaimed",
        "discrepancy.opened",
        "discrepancy.settled",
        "deadline.near",
        "deadline.missed",
        "run.late",
        "calendar.unconfirmed",
        "message.died",
        "notice.email",
    }
)
"""Everything that can be told; what happened, in the past tense. Part of the contract with other programs."""

TYPE_PREFIX = "kz.shabarman."
"""Before the short type in the CloudEvents attribute `type`, which asks for a reverse domain name."""


def message_row(
    *,
    type: str,  # noqa: A002 - the name of the column and of the CloudEvents attribute
    queue: str,
    subject: str,
    cause: str,
    source: str,
    at: datetime,
    data: dict[str, Any],
    follows: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return one row of `messages` for a bulk insert, ready to be published at once.

    `type` is one of MESSAGE_TYPES, `queue` comes from `routing.queues.queue_of`, `subject` is the number of
    the packet or manifest, `cause` names the move (one cause tells one queue one thing once), `source` is the
    code of the office that acted, `at` the moment of the move. `data` may hold office, staff_id, service,
    state, manifest, reason and count; never a person's data. The body is CloudEvents 1.0, with the extensions
    `requestid` and `traceparent` of the request behind it, or of the message whose body it `follows`. `created_at` and
    `due_at` are left to the database's clock. Raises ValueError for an unknown type and for a naive moment.
    """
    if type not in MESSAGE_TYPES:
        raise ValueError(f"Unknown message type {type!r}: add it to MESSAGE_TYPES first.")
    if at.tzinfo is None:
        raise ValueError(f"A moment without a time zone cannot be told: {at!r}. Use config.clock.")
    return {
        "type": type,
        "queue": queue,
        "subject": subject,
        "cause": cause,
        "body": {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": f"/offices/{source}",
            "type": TYPE_PREFIX + type,
            "subject": subject,
            "time": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            **_thread(follows),
            "data": data,
        },
        "state": MessageState.PENDING,
        "attempts": 0,
        "publications": 0,
    }


def _thread(follows: Mapping[str, Any] | None) -> dict[str, str]:
    """Return by what logs and traces find what belongs together."""
    held = (
        {"requestid": get_contextvars().get("request_id"), "traceparent": tracing.current()}
        if follows is None
        else {name: follows.get(name) for name in ("requestid", "traceparent")}
    )
    return {name: value for name, value in held.items() if value}


MAILED_TYPES = frozenset({"result.ready"})
"""What the inspector who accepted the packet is also told by e-mail (service 7, step 11)."""


class NobodyToTellError(ConflictError):
    """A message lies in a queue of several offices, or of none, and does not say whom it is for. Fact: `queue`."""

    code = "nobody_to_tell"
    text = Text(
        "The message does not say which office of the queue {queue} it is for: its data must name the office in `to`."
    )


class Told(Protocol):
    """The columns of a message that telling needs."""

    @property
    def id(self) -> int: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def queue(self) -> str: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def body(self) -> dict[str, Any]: ...  # noqa: D102


def office_told(message: Told) -> str:
    """Return the code of the office that a message is for: `to` of its data, else the office of its queue.

    Raises NobodyToTellError where neither says it.
    """
    code = message.body["data"].get("to") or office_of(message.queue)
    if not isinstance(code, str):
        raise NobodyToTellError(queue=message.queue)
    return code


def tell(
    session: Session,
    messages: Sequence[Told],
    *,
    now: datetime,
    by_mail: bool = False,
    after: Writes | None = None,
) -> None:
    """Write one notice per message for the office it is for.

    The caller marks the messages done in the same transaction: those that it has locked, or by `after`, which is
    written first, in one statement with the notices. Telling again what has been told changes nothing. With `by_mail`
    (a mail server is set), results that are ready also make one message `notice.email` each, for the inspector who
    accepted the packet, if that person has an address.
    """
    if not messages:
        return
    rows = [
        {
            "message_id": message.id,
            "office": office_told(message),
            "staff_id": message.body["data"].get("staff_id"),
            "type": message.type,
            "subject": message.subject,
            "data": {
                **message.body["data"],
                "source": message.body["source"],
                "time": message.body["time"],
            },
        }
        for message in messages
    ]
    writes = after or Writes()
    writes.insert(TOLD, rows, key=("message_id", "office"))
    session.info["rung"] = True  # Rings the bells of open pages after the commit.
    letters = _letters(session, messages, now=now) if by_mail else []
    if letters:
        writes.insert(MESSAGES, letters, key=("cause", "type", "queue"))
        session.info["told"] = True  # Wakes the relay after the commit.
    writes.send(session)


def _letters(session: Session, messages: Sequence[Told], *, now: datetime) -> list[dict[str, Any]]:
    """Return the messages that send letters to those who accepted the packets and have an address."""
    named = {
        message.id: message.body["data"]["staff_id"]
        for message in messages
        if message.type in MAILED_TYPES and message.body["data"].get("staff_id")
    }
    if not named:
        return []
    reachable = set(
        session.scalars(
            select(Staff.id).where(
                Staff.id.in_(set(named.values())), Staff.email.is_not(None), Staff.active.is_(True)
            )
        )
    )
    return [
        message_row(
            type="notice.email",
            queue=NOTICES,
            subject=message.subject,
            cause=f"notice:{message.id}",
            source=office_told(message),
            at=now,
            data={
                "to": office_told(message),
                "staff_id": named[message.id],
                "service": message.body["data"].get("service"),
                "about": message.type,
            },
            follows=message.body,
        )
        for message in messages
        if named.get(message.id) in reachable
    ]
