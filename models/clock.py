"""The database's clock beside that of this machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import SettingsError
from config.language import Text
from models.base import database_now
from models.database import Database


class ClockOffError(SettingsError):
    """This machine and its database disagree about the time. Facts: `seconds`, `way`."""

    code = "clock_off"
    text = Text(
        "The clock of this machine is {seconds} s {way} that of the database: scans and deadlines would get wrong "
        "times. Set both right (`timedatectl set-ntp true`) and start again."
    )


AHEAD = Text("ahead of")
BEHIND = Text("behind")


def database_time(session: Session) -> datetime:
    """Return the time of the database, by which everybody agrees who has what until when."""
    return session.scalars(select(database_now())).one()


def clock_difference(database: Database, *, clock: Callable[[], datetime]) -> float:
    """Return by how many seconds `clock`, which tells the time of this machine, is ahead of the database's."""
    with database.reading() as session:
        session.scalar(select(1))  # Connecting takes its time, and must not count.
        before = clock()
        there = database_time(session)
        after = clock()
    return (before + (after - before) / 2 - there).total_seconds()


def require_clock(database: Database, *, clock: Callable[[], datetime], seconds: int) -> None:
    """Raise ClockOffError when `clock` is off against the database's by more than `seconds`."""
    difference = clock_difference(database, clock=clock)
    if abs(difference) > seconds:
        raise ClockOffError(seconds=round(abs(difference)), way=AHEAD if difference > 0 else BEHIND)
