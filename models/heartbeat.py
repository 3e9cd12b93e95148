"""Heartbeats: the relays and workers that are there, each with the moment of its last sign of life."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, database_now, word


class ProcessRole(StrEnum):
    """The processes that carry messages, without which nobody is told anything."""

    RELAY = "relay"
    WORKER = "worker"


class Heartbeat(Base):
    """One process. Its row goes when it ends cleanly, and stays when it is killed, until its successor comes."""

    __tablename__ = "heartbeats"
    __table_args__ = (UniqueConstraint("role", "host", "process"),)

    id: Mapped[Id]
    role: Mapped[ProcessRole] = mapped_column(word(ProcessRole, "role"))
    host: Mapped[str] = mapped_column(String(100), comment="name of the machine")
    process: Mapped[int] = mapped_column(Integer, comment="process id on that machine")
    name: Mapped[str] = mapped_column(String(200), comment="as Flower and the log name it")
    queues: Mapped[list[Any]] = mapped_column(comment="the queues that a worker serves; none means all")
    started_at: Mapped[datetime] = mapped_column(server_default=database_now())
    seen_at: Mapped[datetime] = mapped_column(
        server_default=database_now(), comment="last sign of life, by the database's clock"
    )
