"""The core job by the ORM, as people write it: every peer does this, and only carries the id in its own way.

A scan checks the move, changes the packet, and adds an event and a message; a handler looks whether the message is done
already, adds a notice and marks it. Less than ours does: no row for the scan itself, no clock of the step, no number
in the register.
"""

from __future__ import annotations

import os
from functools import cache
from uuid import uuid4

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from models import Event, Message, Notice, Packet
from models.message import MessageState
from models.packet import State
from models.staff import Role
from routing.queues import names

POOL = 20
"""Connections that a process keeps. SQLAlchemy's own five would let 20 people at once open and close one for every
third scan; the other peers never need as many as five."""


class NotReceivedError(Exception):
    """The packet is not here to be registered."""


@cache
def sessions() -> sessionmaker[Session]:
    """Return what opens sessions, with SQLAlchemy's own settings but for `POOL`."""
    url = os.environ["SHABARMAN_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
    return sessionmaker(create_engine(url, pool_size=POOL))


def scan(session: Session, number: str, *, staff_id: int, office: str) -> Message:
    """Register a received packet, and return the message for the office that accepted it; nothing is committed."""
    now = utc_now()
    packet = session.scalars(select(Packet).where(Packet.number == number).with_for_update()).one()
    if packet.state is not State.RECEIVED or packet.holder_office != office:
        raise NotReceivedError(number)
    packet.state, packet.state_since, packet.moved_by = State.REGISTERED, now, staff_id
    packet.version += 1
    session.add(
        Event(
            packet_id=packet.id,
            seq=packet.version,
            previous=packet.version - 1,
            at=now,
            recorded_at=now,
            move="register",
            from_state=State.RECEIVED,
            to_state=State.REGISTERED,
            staff_id=staff_id,
            office=office,
            holder_office=office,
            holder_role=Role.REGISTRAR,
            holder_id=staff_id,
            data={},
        )
    )
    message = Message(
        type="packet.registered",
        queue=f"centre.{centre_district(packet.origin)}",
        subject=number,
        cause=f"{number}:{packet.version}",
        body={"id": str(uuid4()), "data": {"to": packet.origin, "office": office}},
    )
    session.add(message)
    session.flush()
    return message


@cache
def centre_district(code: str) -> str:
    """Return the district of a centre."""
    from config.offices import office  # noqa: PLC0415 - once

    return office(code).district


@cache
def queues() -> tuple[str, ...]:
    """Return the names of all queues."""
    return names()


def handle(message_id: int) -> None:
    """Carry one message out, unless that was done before."""
    with sessions()() as session:
        message = session.get(Message, message_id, with_for_update=True)
        if message is None or message.state is MessageState.DONE:
            return
        data = message.body["data"]
        session.add(
            Notice(
                message_id=message.id,
                office=data["to"],
                type=message.type,
                subject=message.subject,
                data=data,
            )
        )
        message.state, message.done_at = MessageState.DONE, utc_now()
        session.commit()
