"""The broker of the trial: which kinds there are."""

from __future__ import annotations

from workers import embedded
from workers.chaos.disk import SmallDisk
from workers.chaos.keeping import Keeper
from workers.chaos.rabbitmq_node import RabbitmqNode
from workers.chaos.redis_server import RedisServer
from workers.home import Home

TrialBroker = RedisServer | RabbitmqNode


def embedded_server(home: Home, keeper: Keeper, *, disk: SmallDisk) -> RedisServer:
    """Start the broker that `shabarman up` would keep in `home`; raise NoBrokerServerError or NotStartedError."""
    return RedisServer(home.folder, keeper, logs=home.logs, disk=disk, plan=embedded.plan(home))
