"""What goes wrong with what is kept: memory and disks that are full, queues that are gone, rows that are held."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config.errors import UnavailableError
from workers.chaos.brokers import TrialBroker
from workers.chaos.databases import MOST_CONNECTIONS, PostgresqlServer
from workers.chaos.keeping import wait_until
from workers.chaos.kinds import Kind, NotDoneError, Trial
from workers.chaos.mishaps import no_server
from workers.chaos.rabbitmq_node import DISK_LIMIT_MEGABYTES, RabbitmqNode
from workers.chaos.world import World

_PATIENCE = 20.0


def _wipe(trial: Trial) -> None:
    broker = trial.world.broker
    wait_until(broker.answers, seconds=_PATIENCE, stop=trial.stop)
    try:
        broker.wipe()
    except Exception as error:
        raise NotDoneError from error


def _fill_broker(trial: Trial) -> None:
    broker = trial.world.broker
    wait_until(broker.answers, seconds=_PATIENCE, stop=trial.stop)
    starts = broker.kept.starts
    try:
        try:
            broker.fill()
        except Exception as error:
            raise NotDoneError from error
        trial.hold(2, 6)
    finally:
        _relieve(broker, starts=starts)


def _relieve(broker: TrialBroker, *, starts: int) -> None:
    """Give the memory back, unless the broker was started anew, and has forgotten that it had none."""
    deadline = time.monotonic() + 4 * _PATIENCE
    while broker.kept.starts == starts and time.monotonic() < deadline:
        try:
            broker.relieve()
        except Exception:  # noqa: BLE001 - whatever a client library raises, it is tried again
            time.sleep(0.5)
        else:
            return


def _fill_disk_of_database(trial: Trial) -> None:
    disk = trial.world.database.disk
    disk.fill()
    try:
        trial.hold(2, 6)
    finally:
        disk.free()


def _fill_disk_of_broker(trial: Trial) -> None:
    broker = trial.world.broker
    below_limit = isinstance(broker, RabbitmqNode)
    broker.disk.fill(leave_megabytes=DISK_LIMIT_MEGABYTES // 2 if below_limit else 0)
    try:
        # RabbitMQ looks once in ten seconds.
        trial.hold(*((11, 14) if below_limit else (2, 6)))
    finally:
        broker.disk.free()


def _storm(trial: Trial) -> None:
    """Take every connection that the database server has left."""
    server = trial.world.database
    assert isinstance(server, PostgresqlServer)
    with ExitStack() as held:
        for _ in range(MOST_CONNECTIONS):
            try:
                connection = psycopg.connect(server.direct_url, connect_timeout=2)
            except psycopg.Error:
                break
            held.enter_context(connection)
        trial.hold(2, 6)


def _hold_rows(trial: Trial) -> None:
    """Keep everybody from writing messages: somebody's long transaction, or a copy that is being made."""
    database = trial.world.direct
    with suppress(UnavailableError, DBAPIError), database.transaction() as session:
        if database.dialect == "postgresql":
            session.execute(text("LOCK TABLE messages IN SHARE ROW EXCLUSIVE MODE"))
        # On SQLite the transaction alone keeps all other writers waiting.
        trial.hold(1, 4)


def _no_disk_of_database(world: World) -> str:
    return "" if world.database.disk.own else "no small disk can be mounted here"


def _no_disk_of_broker(world: World) -> str:
    return "" if world.broker.disk.own else "no small disk can be mounted here"


KINDS = [
    Kind(name="wipe_broker", targets=("broker",), cause=_wipe),
    Kind(name="full_broker", targets=("broker",), cause=_fill_broker),
    Kind(
        name="full_disk_broker",
        targets=("broker",),
        cause=_fill_disk_of_broker,
        impossible=_no_disk_of_broker,
    ),
    Kind(
        name="full_disk_database",
        targets=("database",),
        cause=_fill_disk_of_database,
        impossible=_no_disk_of_database,
    ),
    Kind(name="connection_storm", targets=("database",), cause=_storm, impossible=no_server),
    Kind(name="held_rows", targets=("database",), cause=_hold_rows),
]
