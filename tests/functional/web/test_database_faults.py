"""The person at the scanner while the database cannot write: a clear answer, nothing half done, the same scan again."""

import os
import secrets
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from config.settings import Settings
from models.database import Database
from models.migrate import migrate
from tests.functional.web.visitors import Program
from tests.integration.clusters import Cluster, cluster, fill, small_disk
from tests.integration.servers import SqliteFiles
from tests.integration.workflow.crew import Crew
from web.app import create_app

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

BATCH = 150
"""Scans in one list: more than fits into the pages that are there."""


class Scanner:
    """One person who collects packets, and the database behind."""

    def __init__(self, database: Database, home: Path) -> None:
        self.database = database
        self.crew = Crew.of(database)
        app = create_app(
            Settings(home=home, broker_url="none"), clock=lambda: self.crew.now, database=database
        )
        self.program = Program(app, self.crew, "accumulator.aksu")
        self.number = self.crew.accept()
        self.crew.wait(minutes=1)
        codes = [self.number, *(f"{secrets.randbelow(10**9)}" for _ in range(BATCH - 1))]
        self.scans = [
            {"id": secrets.token_hex(8), "raw": code, "station": "collect", "at": self.crew.now.isoformat()}
            for code in codes
        ]

    def is_told_to_try_again(self) -> None:
        answer = self.program.post("/scans", self.scans)
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        problem = answer.json()
        assert problem["code"] == "unavailable"
        # In the language of the person: nothing was changed, try again.
        assert "Ештеңе өзгерген жоқ: бір минуттан кейін қайталаңыз" in problem["detail"]
        assert self.number not in answer.text

    def succeeds(self) -> None:
        first = self.program.post("/scans", self.scans)
        assert first.status_code == 200, first.text
        verdicts = [one["verdict"] for one in first.json()]
        assert verdicts[0] == "taken"
        assert set(verdicts[1:]) <= {"unknown", "bad_check"}
        assert self.program.post("/scans", self.scans).json() == first.json()
        assert self.crew.moves(self.number) == ["accept", "collect"]

    def meets(self, begin: Callable[[], None], end: Callable[[], None]) -> None:
        """Scan while a fault lasts, and once more, with the same ids, when it is over."""
        before = self.crew.weight()
        begin()
        try:
            self.is_told_to_try_again()
            self.is_told_to_try_again()
        finally:
            end()
        assert self.crew.weight() == before, "something was half done"
        self.succeeds()


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


@pytest.fixture
def on_postgresql(own_cluster: Cluster, tmp_path: Path) -> Iterator[Scanner]:
    database = Database(own_cluster.url, pool_size=2)
    yield Scanner(database, tmp_path)
    database.close()


@pytest.fixture
def make_sqlite(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[Callable[..., Scanner]]:
    with ExitStack() as stack:

        def make(folder: Path = tmp_path, *, lock_seconds: float = 15.0) -> Scanner:
            database = Database(sqlite_files.fresh(folder), lock_seconds=lock_seconds)
            stack.callback(database.close)
            return Scanner(database, tmp_path)

        yield make


@pytest.mark.postgresql
def test_postgresql_that_stops_at_once_and_comes_back(own_cluster: Cluster, on_postgresql: Scanner) -> None:
    on_postgresql.meets(own_cluster.stop_at_once, own_cluster.start)


@pytest.mark.postgresql
def test_postgresql_that_is_restarted_between_two_scans_is_not_even_noticed(
    own_cluster: Cluster, on_postgresql: Scanner
) -> None:
    own_cluster.stop_at_once()
    own_cluster.start()
    on_postgresql.succeeds()


@pytest.mark.postgresql
def test_postgresql_that_may_only_read(own_cluster: Cluster, on_postgresql: Scanner) -> None:
    def set_to(value: str) -> None:
        with own_cluster.admin() as connection:
            connection.execute(
                f"ALTER DATABASE shabarman SET default_transaction_read_only = {value}".encode()
            )
        on_postgresql.database.close()  # The setting is for new connections.

    on_postgresql.meets(lambda: set_to("on"), lambda: set_to("off"))


@pytest.mark.postgresql
def test_postgresql_without_a_free_connection(own_cluster: Cluster, on_postgresql: Scanner) -> None:
    storm: list[psycopg.Connection] = []

    def begin() -> None:
        on_postgresql.database.close()
        with suppress(psycopg.OperationalError):
            while True:  # Until there are none left.
                storm.append(own_cluster.admin())
        assert storm

    def end() -> None:
        while storm:
            storm.pop().close()

    on_postgresql.meets(begin, end)


@pytest.mark.postgresql
def test_all_connections_of_this_process_in_use(
    on_postgresql: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = on_postgresql.database.engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.2)
    held: list[object] = []

    def begin() -> None:
        held.extend(on_postgresql.database.engine.connect() for _ in range(4))

    def end() -> None:
        while held:
            held.pop().close()  # type: ignore[attr-defined]

    on_postgresql.meets(begin, end)


@pytest.mark.postgresql
def test_postgresql_whose_disk_is_full(own_cluster: Cluster, tmp_path: Path) -> None:
    with small_disk(own_cluster.folder / "small", megabytes=40) as disk:
        place = disk / "space"
        place.mkdir(mode=0o777)
        subprocess.run(("chown", "postgres", str(place)), check=True)
        with own_cluster.admin() as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'".encode())
            connection.execute("CREATE DATABASE narrow TABLESPACE small")
        database = Database(own_cluster.address("narrow"), pool_size=2)
        migrate(database)
        scanner = Scanner(database, tmp_path)
        fillers: list[Path] = []
        scanner.meets(lambda: fillers.append(fill(disk)), lambda: fillers.pop().unlink())
        database.close()
        with own_cluster.admin() as connection:
            connection.execute("DROP DATABASE narrow WITH (FORCE)")
            connection.execute("DROP TABLESPACE small")


def test_sqlite_whose_disk_is_full(make_sqlite: Callable[..., Scanner]) -> None:
    scanner = make_sqlite()
    with scanner.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    limits = [pages]

    def limit(connection: sqlite3.Connection, _entry: object) -> None:
        connection.execute(f"PRAGMA max_page_count={limits[0]}")

    event.listen(scanner.database.engine, "connect", limit)

    def widen() -> None:
        limits[0] += 10_000
        scanner.database.close()  # The limit is one of the connection.

    scanner.meets(scanner.database.close, widen)


def test_sqlite_on_a_disk_that_is_really_full(make_sqlite: Callable[..., Scanner], tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=4) as disk:
        scanner = make_sqlite(disk)
        fillers: list[Path] = []
        scanner.meets(lambda: fillers.append(fill(disk)), lambda: fillers.pop().unlink())
        scanner.database.close()


def test_sqlite_that_may_only_be_read(make_sqlite: Callable[..., Scanner], tmp_path: Path) -> None:
    with ExitStack() as stack:
        disk = tmp_path
        if os.geteuid() == 0:  # For whom permissions are no hindrance.
            disk = stack.enter_context(small_disk(tmp_path / "disk", megabytes=8))
        scanner = make_sqlite(disk)

        def turn(*, writable: bool) -> None:
            scanner.database.close()
            if os.geteuid() == 0:
                how = "rw" if writable else "ro"
                subprocess.run(("mount", "-o", f"remount,{how}", str(disk)), check=True)
            else:
                (disk / "shabarman.db").chmod(0o600 if writable else 0o400)

        scanner.meets(lambda: turn(writable=False), lambda: turn(writable=True))
        scanner.database.close()


def test_sqlite_that_another_writer_holds_for_too_long(
    make_sqlite: Callable[..., Scanner], tmp_path: Path
) -> None:
    scanner = make_sqlite(lock_seconds=0.2)
    other = sqlite3.connect(tmp_path / "shabarman.db", isolation_level=None)
    scanner.meets(lambda: other.execute("BEGIN IMMEDIATE").close(), lambda: other.execute("ROLLBACK").close())
    other.close()


def test_sqlite_waits_for_another_writer_who_is_done_in_time(
    make_sqlite: Callable[..., Scanner], tmp_path: Path
) -> None:
    scanner = make_sqlite(lock_seconds=10)
    other = sqlite3.connect(tmp_path / "shabarman.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.5, lambda: other.execute("ROLLBACK"))
    timer.start()
    scanner.succeeds()
    timer.join()
    other.close()
