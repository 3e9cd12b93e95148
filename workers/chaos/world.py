"""The house of the trial: servers, processes and people of its own, in a folder that is gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.clock import utc_now
from models.database import Database
from models.migrate import migrate
from models.staff import Role
from workers.chaos.brokers import TrialBroker, embedded_server
from workers.chaos.databases import PostgresqlServer, SqliteFile, TrialDatabase
from workers.chaos.disk import small_disk
from workers.chaos.keeping import Keeper, Kept, NotStartedError, wait_until
from workers.chaos.rabbitmq_node import RabbitmqNode
from workers.chaos.redis_server import RedisServer
from workers.embedded import free_port
from workers.home import home_at
from workers.simulation import crew
from workflow.staffing import new_token

DatabaseKind = Literal["sqlite", "postgresql"]
BrokerKind = Literal["embedded", "redis", "rabbitmq"]

SETTINGS = {"SHABARMAN_LANGUAGE": "en"}
"""Of all processes; what is not named here is as an operator has it who sets nothing."""

PROCESSES = ("web", "relay-1", "relay-2", "worker-1", "worker-2", "beat-1", "beat-2")

DISK_MEGABYTES = {"postgresql": 1500, "sqlite": 400, "broker": 600}

START_PATIENCE = 90.0

_KEPT_VARIABLES = ("PATH", "LANG", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")


@dataclass(slots=True, kw_only=True)
class World:
    """What the faults, the people and the ledger share."""

    folder: Path
    keeper: Keeper
    database: TrialDatabase
    broker: TrialBroker
    direct: Database
    """The database past the proxy, for those who only look."""
    port: int
    """Of the pages."""
    tokens: dict[tuple[Role, str], str]
    """Role and code of the office → key of the person for the API."""

    def process(self, name: str) -> Kept:
        """Return the process of that name."""
        return next(kept for kept in self.keeper.all if kept.name == name)


@contextmanager
def world(*, database: DatabaseKind, broker: BrokerKind, keep: Path | None = None) -> Iterator[World]:
    """Build everything for the time of a block; all of it is ended and removed afterwards.

    With `keep` the logs are copied there in the end. Raises NoServerError, NoBrokerServerError, NotStartedError.
    """
    # /tmp whatever TMPDIR says: another system user must reach the cluster, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="shabarman-chaos-", dir="/tmp"))
    folder.chmod(0o755)
    home = home_at(folder / "home")
    home.make()
    try:
        with ExitStack() as stack:
            data_disk = stack.enter_context(
                small_disk(folder / "database", megabytes=DISK_MEGABYTES[database])
            )
            broker_disk = stack.enter_context(
                small_disk(
                    home.broker_data if broker == "embedded" else folder / "broker",
                    megabytes=DISK_MEGABYTES["broker"],
                )
            )
            afterwards = stack.enter_context(ExitStack())
            keeper = stack.enter_context(Keeper())
            store: TrialDatabase
            if database == "postgresql":
                store = PostgresqlServer(data_disk.folder, keeper, logs=home.logs, disk=data_disk)
                stack.enter_context(store.proxy)
            else:
                store = SqliteFile(data_disk.folder, disk=data_disk)
            post: TrialBroker
            if broker == "embedded":
                post = embedded_server(home, keeper, disk=broker_disk)
            elif broker == "redis":
                post = RedisServer(broker_disk.folder, keeper, logs=home.logs, disk=broker_disk)
            else:
                post = RabbitmqNode(broker_disk.folder, keeper, logs=home.logs, disk=broker_disk)
                afterwards.callback(post.end)
            if post.proxy is not None:
                stack.enter_context(post.proxy)
            direct = Database(store.direct_url, pool_size=5)
            stack.callback(direct.close)
            migrate(direct)
            made = World(
                folder=folder,
                keeper=keeper,
                database=store,
                broker=post,
                direct=direct,
                port=free_port(),
                tokens=_people(direct),
            )
            _start(made)
            yield made
    finally:
        if keep is not None:
            shutil.copytree(home.logs, keep, dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def _people(database: Database) -> dict[tuple[Role, str], str]:
    now = utc_now()
    database.transact(lambda session: crew.hire(session, now=now))
    with database.transaction() as session:
        people = crew.gather(session)
        return {place: new_token(session, login=by.login, now=now) for place, by in people.items()}


def _start(made: World) -> None:
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    environment |= SETTINGS | {
        "SHABARMAN_HOME": str(made.folder / "home"),
        "SHABARMAN_DATABASE_URL": made.database.url,
        "SHABARMAN_BROKER_URL": made.broker.url,
        "SHABARMAN_PORT": str(made.port),
    }
    for name in PROCESSES:
        kind = name.partition("-")[0]
        command = [kind, "--name", name] if kind == "worker" else [kind]
        log = home_at(made.folder / "home").log(name)
        made.keeper.add(Kept(name=name, command=command, log=log, environment=environment))
    running = [made.process(name) for name in PROCESSES]
    if not wait_until(lambda: all(kept.pid is not None for kept in running), seconds=START_PATIENCE):
        silent = next(kept for kept in running if kept.pid is None)
        raise NotStartedError(name=silent.name, log=silent.log)
