"""A Redis or Valkey server of our own, behind a proxy; or the one that `shabarman up` would keep."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from workers.chaos.disk import SmallDisk
from workers.chaos.keeping import Keeper, Kept, NotStartedError, wait_until
from workers.chaos.proxy import Proxy
from workers.chaos.tapping import RedisTap, Taken
from workers.embedded import EmbeddedBroker, find_server, free_port

PATIENCE = 5.0
"""Seconds that any one answer may take."""

MEMORY = "256mb"


class RedisServer:
    """A Redis or Valkey server of our own; `embedded` means the one that `shabarman up` would keep."""

    kind = "redis"

    def __init__(
        self, folder: Path, keeper: Keeper, *, logs: Path, disk: SmallDisk, plan: EmbeddedBroker | None = None
    ) -> None:
        """Start the server with its data in `folder`; raise NoBrokerServerError or NotStartedError."""
        self.disk = disk
        self.proxy: Proxy | None = None
        log = logs / "broker.log"
        if plan is not None:
            plan.prepare()
            command = plan.command
            self.url = self.direct_url = plan.url
        else:
            port = free_port()
            command = [find_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
            command += ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
            command += ["--maxmemory", MEMORY, "--maxmemory-policy", "noeviction"]
            self.direct_url = f"redis://127.0.0.1:{port}/0"
            self.proxy = Proxy(port)
            self.url = f"redis://127.0.0.1:{self.proxy.port}/0"
        self.kept = keeper.add(
            Kept(name="broker", command=command, log=log, program=True, environment=dict(os.environ))
        )
        if not wait_until(self.answers, seconds=20):
            raise NotStartedError(name="broker", log=log)
        self.tap = RedisTap(self.client)

    def client(self) -> Redis:
        """Return a client past the proxy."""
        address = self.direct_url.replace("redis+socket", "unix")
        client: Redis = Redis.from_url(address, socket_timeout=PATIENCE)
        return client

    def answers(self) -> bool:
        """Tell whether it takes commands."""
        try:
            with closing(self.client()) as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

    def wipe(self) -> None:
        """Make it forget everything."""
        with closing(self.client()) as client:
            client.flushall()

    def fill(self) -> None:
        """Leave no memory for anything more."""
        with closing(self.client()) as client:
            client.config_set("maxmemory", 1)

    def relieve(self) -> None:
        """Give the memory back."""
        with closing(self.client()) as client:
            client.config_set("maxmemory", MEMORY)

    def put(self, letters: Sequence[Taken]) -> None:
        """Put raw letters into their queues, as a stranger with the address could."""
        with closing(self.client()) as client:
            for letter in letters:
                client.lpush(letter.queue, letter.body)
