"""Writers of SQLite take turns: one that hardly pauses does not keep the others out."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from config.errors import UnavailableError
from models import Job
from models.database import Database
from tests.integration.servers import SqliteFiles

TURNS = 10
MOST_OF_THE_GREEDY = 15
"""Turns of the greedy writer for each one of the modest: one was seen, six on a machine that others use, with SQLite's
own waiting thirty and more."""


def _count(database: Database, job: str, *, hold: float) -> None:
    with database.transaction() as session:
        session.scalars(select(Job).where(Job.job == job)).one().missed += 1
        session.flush()  # The row is written before the turn is held, as a longer list of scans does.
        time.sleep(hold)


def _counted(database: Database, job: str) -> int:
    with database.reading() as session:
        return session.scalars(select(Job.missed).where(Job.job == job)).one()


@pytest.fixture
def database(sqlite_files: SqliteFiles, tmp_path: Path) -> Database:
    made = Database(sqlite_files.fresh(tmp_path))
    with made.transaction() as session:
        session.add_all(
            Job(job=job, due=datetime(2026, 11, 23, tzinfo=UTC), missed=0) for job in ("greedy", "modest")
        )
    return made


def test_a_writer_that_hardly_pauses_leaves_turns_to_others(database: Database) -> None:
    began, enough = threading.Event(), threading.Event()

    def greedy() -> None:
        while not enough.is_set():
            _count(database, "greedy", hold=0.01)
            began.set()

    writer = threading.Thread(target=greedy)
    writer.start()
    began.wait()
    try:
        for _ in range(TURNS):
            _count(database, "modest", hold=0)
    finally:
        enough.set()
        writer.join()
    assert _counted(database, "modest") == TURNS
    assert _counted(database, "greedy") < TURNS * MOST_OF_THE_GREEDY
    database.close()


def test_who_waits_too_long_for_a_turn_is_told(database: Database) -> None:
    impatient = Database(str(database.engine.url), lock_seconds=0.1)
    with database.transaction() as session:
        session.scalars(select(Job).where(Job.job == "greedy")).one().missed += 1
        session.flush()  # The turn is taken.
        with pytest.raises(UnavailableError, match="locked"), impatient.transaction() as other:
            other.execute(select(Job))
    _count(impatient, "modest", hold=0)
    assert _counted(database, "modest") == 1
    impatient.close()
    database.close()
