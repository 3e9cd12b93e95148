"""The clock of this machine beside the database's."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.clock import utc_now
from models.clock import ClockOffError, clock_difference, require_clock
from models.database import Database

ROOT = Path(__file__).parents[3]


def test_our_own_clock_is_right(database: Database) -> None:
    assert abs(clock_difference(database, clock=utc_now)) < 1
    require_clock(database, clock=utc_now, seconds=2)


@pytest.mark.parametrize(("minutes", "way"), [(2, "ahead of"), (-90, "behind")])
def test_a_clock_that_is_off_is_refused_and_told_how_to_be_set(
    database: Database, minutes: int, way: str
) -> None:
    def off() -> datetime:
        return utc_now() + timedelta(minutes=minutes)

    with pytest.raises(ClockOffError, match=f"{abs(minutes) * 60} s {way}.*timedatectl"):
        require_clock(database, clock=off, seconds=5)


FORK = """
import os, sys
from models.database import Database, ForkedDatabaseError
database = Database(sys.argv[1])
with database.reading() as session:
    session.connection().exec_driver_sql("SELECT 1")
if os.fork() == 0:
    try:
        with database.transaction():
            os._exit(9)
    except ForkedDatabaseError as error:
        assert "Open the database after the fork" in error.sentence()
    database.close(inherited=True)
    with database.reading() as session:
        session.connection().exec_driver_sql("SELECT 1")
    os._exit(7)
print(os.waitstatus_to_exitcode(os.wait()[1]))
with database.reading() as session:
    session.connection().exec_driver_sql("SELECT 1")
database.close()
"""


def test_connections_of_before_a_fork_are_refused(database_url: str) -> None:
    done = subprocess.run(
        (sys.executable, "-c", FORK, database_url),
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("7\n", 0), done.stderr
