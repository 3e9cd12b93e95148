"""Processes that are killed, and processes that stand still for a while."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import partial

from workers.chaos.databases import PostgresqlServer
from workers.chaos.keeping import Kept, wait_until
from workers.chaos.kinds import Kind, NotDoneError, Trial
from workers.chaos.world import World


def _one(trial: Trial, beginning: str) -> Kept:
    return trial.dice.choice(trial.world.keeper.named(beginning))


def _kill(beginning: str, trial: Trial) -> None:
    kept = _one(trial, beginning)
    # One that has just died for another reason is killed as soon as it is back.
    wait_until(lambda: kept.pid is not None, seconds=5, stop=trial.stop)
    if not kept.send(signal.SIGKILL):
        raise NotDoneError


def _kill_broker(trial: Trial) -> None:
    if trial.world.broker.kept.pid is None:
        raise NotDoneError
    trial.world.broker.kept.send_to_family(signal.SIGKILL)


def _kill_child(trial: Trial) -> None:
    kept = _one(trial, "worker")
    wait_until(lambda: len(kept.children()) > 0, seconds=5, stop=trial.stop)
    children = kept.children()
    if not children:
        raise NotDoneError
    with suppress(ProcessLookupError):
        os.kill(trial.dice.choice(children), signal.SIGKILL)


def _stop(beginning: str, trial: Trial) -> None:
    _stand_still(_one(trial, beginning), trial)


def _stand_still(kept: Kept, trial: Trial) -> None:
    if kept.pid is None:
        raise NotDoneError
    kept.send_to_family(signal.SIGSTOP)
    try:
        trial.hold(2, 8)
    finally:
        kept.send_to_family(signal.SIGCONT)


def _stop_broker(trial: Trial) -> None:
    _stand_still(trial.world.broker.kept, trial)


def _stop_database(trial: Trial) -> None:
    assert isinstance(trial.world.database, PostgresqlServer)
    _stand_still(trial.world.database.kept, trial)


def _restart_database(trial: Trial) -> None:
    assert isinstance(trial.world.database, PostgresqlServer)
    trial.world.database.restart()


def _kill_both_beats(trial: Trial) -> None:
    # They begin again in the same moment, and so tick in step: whatever they ask for is asked for twice.
    for kept in trial.world.keeper.named("beat"):
        kept.send(signal.SIGKILL)


def no_server(world: World) -> str:
    """Say why nothing can be done to the database server: there may be none."""
    return "" if isinstance(world.database, PostgresqlServer) else "an embedded database has no process"


KINDS = [
    *(
        Kind(name=f"kill_{what}", targets=(what,), cause=partial(_kill, what))
        for what in ("web", "relay", "worker", "beat")
    ),
    Kind(name="kill_worker_child", targets=("worker",), cause=_kill_child),
    Kind(name="kill_broker", targets=("broker",), cause=_kill_broker),
    *(
        Kind(name=f"stop_{what}", targets=(what,), cause=partial(_stop, what))
        for what in ("web", "relay", "worker", "beat")
    ),
    Kind(name="stop_broker", targets=("broker",), cause=_stop_broker),
    Kind(name="stop_database", targets=("database",), cause=_stop_database, impossible=no_server),
    Kind(name="restart_database", targets=("database",), cause=_restart_database, impossible=no_server),
    Kind(name="two_beats_in_step", targets=("beat",), cause=_kill_both_beats),
]
