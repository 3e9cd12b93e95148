"""The database of this process. Connections never cross a fork: a child would read another child's rows."""

from __future__ import annotations

import os

from config.errors import ShabarmanError
from config.settings import settings
from models.database import Database
from routing.broker import broker_url
from routing.poke import BELL, Poker

_held: dict[int, Database] = {}
"""Process id → database; never more than one entry."""


def database() -> Database:
    """Return the database of this process, made on first use; after a fork the parent's connections are dropped."""
    process = os.getpid()
    if process not in _held:
        for inherited in _held.values():
            inherited.close(inherited=True)
        _held.clear()
        made = Database(settings().effective_database_url, pool_size=2)
        made.after_commit.append(Poker(_broker()).poke)
        made.after_notices.append(Poker(_broker(), channel=BELL).poke)
        _held[process] = made
    return _held[process]


def _broker() -> str | None:
    try:
        return broker_url(settings())
    except ShabarmanError:
        return None  # Only the poke is missing then; the relay polls.
