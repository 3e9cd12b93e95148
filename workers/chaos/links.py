"""What goes wrong between machines: connections that break, that die without a word, and that are slow."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from workers.chaos.kinds import Kind, Trial
from workers.chaos.proxy import Proxy
from workers.chaos.world import World


def _proxy(world: World, side: str) -> Proxy | None:
    return getattr(world.database if side == "database" else world.broker, "proxy", None)


def _missing(side: str, world: World) -> str:
    return "" if _proxy(world, side) else f"nothing lies between the processes and the embedded {side}"


def _cut(proxy: Proxy, trial: Trial) -> None:
    proxy.refuse(yes=True)
    try:
        proxy.cut(share=trial.dice.choice((0.5, 1.0)), dice=trial.dice)
        trial.hold(0, 4)
    finally:
        proxy.refuse(yes=False)


def _half_open(proxy: Proxy, trial: Trial) -> None:
    proxy.silence(yes=True)
    try:
        proxy.half_open(share=trial.dice.choice((0.5, 1.0)), dice=trial.dice)
        trial.hold(1, 5)
    finally:
        proxy.silence(yes=False)


def _slow(proxy: Proxy, trial: Trial) -> None:
    proxy.delay(trial.dice.uniform(0.05, 0.4))
    try:
        trial.hold(2, 6)
    finally:
        proxy.delay(0)


def _on(side: str, what: Callable[[Proxy, Trial], None], trial: Trial) -> None:
    proxy = _proxy(trial.world, side)
    assert proxy is not None
    what(proxy, trial)


KINDS = [
    Kind(
        name=f"{word}_{side}",
        targets=(f"link-{side}",),
        cause=partial(_on, side, what),
        impossible=partial(_missing, side),
    )
    for side in ("database", "broker")
    for word, what in (("cut", _cut), ("half_open", _half_open), ("slow", _slow))
]
