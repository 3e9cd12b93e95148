"""Results that nobody fetched for a month: a reminder to the inspector, and the list of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Message, Packet
from models.packet import State
from workflow import news
from workflow.handing import claim_days
from workflow.people import Actor
from workflow.telling import message_row

AT_ONCE = 500
"""Most reminders of one sweep; the next one goes on."""


def remind(session: Session, *, now: datetime) -> int:
    """Tell each inspector of the results that wait too long, once each; return how many were new.

    The unique cause of a message decides what has been told, so the sweep may run twice, late, or on two machines.
    """
    told = (
        select(Message.id)
        .where(Message.subject == Packet.number, Message.type == "result.unclaimed")
        .where(Message.created_at >= Packet.state_since)
        .exists()
    )
    waiting = session.scalars(
        select(Packet)
        .where(Packet.state == State.READY, Packet.state_since <= now - timedelta(days=claim_days()), ~told)
        .order_by(Packet.id)
        .limit(AT_ONCE)
    ).all()
    if not waiting:
        return 0
    rows = [
        message_row(
            type="result.unclaimed",
            queue=news.queue_for(packet.origin),
            subject=packet.number,
            cause=f"{packet.number}:{packet.version}:unclaimed",
            source=packet.origin,
            at=now,
            data={
                "to": packet.origin,
                "staff_id": packet.accepted_by,
                "service": packet.service,
                "since": packet.state_since.isoformat(),
            },
        )
        for packet in waiting
    ]
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    new = session.scalars(insert(Message).values(rows).on_conflict_do_nothing().returning(Message.id)).all()
    session.info["told"] = session.info.get("told") or bool(new)
    return len(new)


def listed(session: Session, *, by: Actor, now: datetime) -> Sequence[Packet]:
    """Return the results of the own office that have waited too long, the oldest first."""
    return session.scalars(
        select(Packet)
        .where(
            Packet.holder_office == by.office,
            Packet.state == State.READY,
            Packet.state_since <= now - timedelta(days=claim_days()),
        )
        .order_by(Packet.state_since)
    ).all()
