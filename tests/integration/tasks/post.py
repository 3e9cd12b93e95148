"""What the tests of messages share: rows to send, and a look at what became of them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, update

from config.clock import utc_now
from config.offices import akimats
from config.settings import Settings
from models import Message, Notice, Staff
from models.database import Database
from models.message import MessageState
from workflow.telling import message_row

MARKS = {
    "postgresql": pytest.mark.postgresql,
    "redis": pytest.mark.redis,
    "rabbitmq": pytest.mark.rabbitmq,
}


def pair(database: str, broker: str) -> Any:
    """Return a database and a broker as a parameter of tests."""
    marks = [MARKS[one] for one in (database, broker) if one in MARKS]
    return pytest.param(database, broker, id=f"{database}-{broker}", marks=marks)


EMBEDDED = pair("sqlite", "embedded")
REDIS = pair("postgresql", "redis")
RABBITMQ = pair("postgresql", "rabbitmq")
VALKEY_BY_POSTGRESQL = pair("postgresql", "embedded")
RABBITMQ_BY_SQLITE = pair("sqlite", "rabbitmq")
REDIS_BY_SQLITE = pair("sqlite", "redis")

EVERY_PAIR = [EMBEDDED, REDIS_BY_SQLITE, RABBITMQ_BY_SQLITE, VALKEY_BY_POSTGRESQL, REDIS, RABBITMQ]
"""Valkey, which is the embedded server, Redis and RabbitMQ, each on both databases."""

WITHOUT_BROKER = [pair("sqlite", "none"), pair("postgresql", "none")]

# What is about the relay's side only: lists and quorum queues, each on both databases.
on_each = pytest.mark.parametrize(
    ("database_url", "broker"), [EMBEDDED, RABBITMQ_BY_SQLITE, REDIS, RABBITMQ], indirect=True
)
on_each_redis = pytest.mark.parametrize(
    ("database_url", "broker"), [EMBEDDED, VALKEY_BY_POSTGRESQL, REDIS], indirect=True
)

NUMBER = "10012600000157"
SECRET = "a key that only tests have"


def quick(**changes: Any) -> Settings:
    """Return settings that do not depend on the machine's environment."""
    return Settings(**{"broker_url": None, "smtp_url": None, "lease_seconds": 60, "secret": SECRET} | changes)


def put(database: Database, *rows: dict[str, Any]) -> list[int]:
    """Commit message rows and return their ids in the order given."""
    with database.transaction() as session:
        ids = list(session.scalars(insert(Message).returning(Message.id, sort_by_parameter_order=True), rows))
        session.info["told"] = True
    return ids


def row(type_: str = "packet.registered", queue: str = "centre.aksu", **data: Any) -> dict[str, Any]:
    return message_row(
        type=type_,
        queue=queue,
        subject=NUMBER,
        cause=uuid4().hex,
        source="2001",
        at=utc_now(),
        data={"office": "2001", "service": "child_allowance"} | data,
    )


def poison() -> dict[str, Any]:
    """Return a message that can never be told: several akimats share its queue, and it names none."""
    return row(queue="akimat.aksu")


def for_akimat() -> dict[str, Any]:
    return row(queue="akimat.aksu", to=akimats("aksu")[0].code)


def inspector(database: Database, *, email: str | None = "inspector@example.kz", language: str = "kk") -> int:
    with database.transaction() as session:
        person = Staff(
            login=uuid4().hex,
            name="Inspector of the test",
            office="1001",
            roles=["inspector"],
            email=email,
            language=language,
            active=True,
            created_at=utc_now(),
        )
        session.add(person)
        session.flush()  # The id is needed after the session.
        return person.id


def messages(database: Database, ids: Sequence[int] | None = None) -> list[Message]:
    with database.reading() as session:
        wanted = select(Message).order_by(Message.id)
        return list(session.scalars(wanted if ids is None else wanted.where(Message.id.in_(ids))))


def states(database: Database, ids: Sequence[int]) -> list[str]:
    return [message.state.value for message in messages(database, ids)]


def notices(database: Database) -> list[Notice]:
    with database.reading() as session:
        return list(session.scalars(select(Notice).order_by(Notice.id)))


def make_due(database: Database) -> None:
    """Let every pause and every lease be over."""
    with database.transaction() as session:
        session.execute(update(Message).values(due_at=utc_now() - timedelta(seconds=1)))


def published(database: Database, ids: Sequence[int], **values: Any) -> None:
    """Set messages as a relay leaves them that has published them once; `values` change more columns."""
    with database.transaction() as session:
        session.execute(
            update(Message)
            .where(Message.id.in_(ids))
            .values(
                {
                    "state": MessageState.PUBLISHED,
                    "publications": 1,
                    "lease_until": utc_now(),
                    "due_at": utc_now(),
                }
                | values
            )
        )
