"""Alerts about messages that died: operators are told once for each office and reason a day, not once a message."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from config.clock import local
from config.errors import ShabarmanError
from models.alert import Alert
from models.base import database_now
from models.message import Message
from workflow.alarms import People, alarm, send
from workflow.telling import office_told

DIED = "message.died"
"""Type of the message that tells operators. One of these that dies itself is not told of: it would never end."""


def raise_alert(session: Session, message_id: int, *, reason: str) -> bool:
    """Count the death of a message, and tell whether it is the first of its office and `reason` today.

    The first one is told to all operators, by messages like any others; `reason` is the code or kind of the error.
    """
    now = session.scalars(select(database_now())).one()
    message = session.execute(
        select(Message.id, Message.type, Message.queue, Message.subject, Message.body).where(
            Message.id == message_id
        )
    ).one()
    try:
        office = office_told(message)
    except (ShabarmanError, KeyError):
        office = None  # Where nobody can say whose it is, the queue stands for the office.
    build = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    day = local(now).date()
    statement = build(cast("Table", Alert.__table__)).values(
        office=office or message.queue, reason=reason[:80], day=day, message_id=message_id, deaths=1
    )
    deaths = session.scalar(
        statement.on_conflict_do_update(
            index_elements=["office", "reason", "day"], set_={"deaths": Alert.deaths + 1}
        ).returning(Alert.deaths)
    )
    if deaths != 1:
        return False
    if message.type != DIED:
        data = {"office": office, "queue": message.queue, "reason": reason[:80], "count": 1}
        send(
            session,
            [
                alarm(
                    person,
                    DIED,
                    subject=message.subject,
                    cause=f"died:{message_id}:{day}",
                    at=now,
                    data=data,
                )
                for person in People(session).operators
            ],
        )
    return True
