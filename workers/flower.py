"""The process of Flower: what the workers do now, for operators. It only looks; remote control is off."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Collection
from typing import Any

from flower.app import Flower
from flower.urls import settings as pages
from flower.views import BaseHandler
from tornado.httpserver import HTTPServer
from tornado.options import options

from config import logs
from config.errors import SettingsError
from config.language import Text
from config.settings import Settings
from routing.broker import broker_url
from routing.lengths import lengths_at
from workers.home import home_at
from workers.readiness import listen, tell_ready

AUTH_VARIABLE = "SHABARMAN_FLOWER_AUTH"
"""`user:password`, several separated by commas; unset means no sign-in, on loopback only."""

MOST_TASKS = 5_000
"""Tasks that are remembered; a task is a group of up to 200 messages."""

MOST_WORKERS = 500

OFFLINE_SECONDS = 86_400
"""After this time a worker that went away is shown no more."""

SAVE_MILLISECONDS = 60_000
"""Between two times that what is remembered is written to the home folder."""


class FlowerAuthError(SettingsError):
    """The sign-in for Flower is not written as it should be."""

    code = "flower_auth"
    text = Text("The setting SHABARMAN_FLOWER_AUTH must be user:password (several separated by commas).")


class FlowerOpenError(SettingsError):
    """Anybody could look. Fact: `host`."""

    code = "flower_open"
    text = Text(
        "Flower would be open to anybody who reaches {host}: set SHABARMAN_FLOWER_AUTH=user:password, or leave "
        "SHABARMAN_FLOWER_HOST on 127.0.0.1."
    )


def people_of_flower() -> list[str]:
    """Return the sign-ins of `SHABARMAN_FLOWER_AUTH`; raise FlowerAuthError when one has no password."""
    people = [part.strip() for part in os.environ.get(AUTH_VARIABLE, "").split(",") if part.strip()]
    if not all(all(part.partition(":")[::2]) for part in people):
        raise FlowerAuthError
    return people


def require_closed(host: str, people: Collection[str]) -> None:
    """Raise FlowerOpenError where others than this machine could look without a sign-in."""
    if not people and not _is_loopback(host):
        raise FlowerOpenError(host=host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Queues:
    """What Flower asks for the lengths of queues; its own asks a plugin of RabbitMQ, and knows no Redis over TLS."""

    def __init__(self, url: str) -> None:
        """Ask the broker at the normalised address `url`."""
        self._url = url

    async def queues(self, names: Collection[str]) -> list[dict[str, Any]]:
        """Return name and length of those queues that are there."""
        loop = asyncio.get_running_loop()
        lengths = await loop.run_in_executor(None, lambda: lengths_at(self._url, names))
        return [{"name": name, "messages": count} for name, count in lengths.items()]


def watch(settings: Settings, *, listening: socket.socket | None = None) -> None:
    """Show Flower until SIGTERM, on `listening` where the caller has opened the port already.

    Raise FlowerAuthError, FlowerOpenError, and PortTakenError for a port in use.
    """
    logs.configure("flower", level=settings.log_level)
    people = people_of_flower()
    require_closed(settings.flower_host, people)
    listening = listening or listen(
        settings.flower_host, settings.flower_port, variable="SHABARMAN_FLOWER_PORT"
    )
    listening.setblocking(False)
    from tasks.app import app  # noqa: PLC0415 - made from the settings

    # It asks them all the same once, at the start.
    logging.getLogger("flower.inspector").setLevel(logging.ERROR)
    home = home_at(settings.home)
    home.make()
    options.db = str(home.flower_state)
    options.persistent = True
    options.state_save_interval = SAVE_MILLISECONDS
    options.max_tasks = MOST_TASKS
    options.max_workers = MOST_WORKERS
    options.purge_offline_workers = OFFLINE_SECONDS
    options.basic_auth = people
    # What it could do goes by remote control, which is off: it shows no buttons that do nothing.
    options.read_only = True
    # It would ask the workers by remote control, which is off: they send events of their own accord.
    options.enable_events = False
    if settings.flower_prefix:
        options.url_prefix = settings.flower_prefix.strip("/")
    queues = Queues(broker_url(settings))
    BaseHandler.get_broker = lambda _handler: queues
    flower = Flower(capp=app, options=options, **pages)
    server = HTTPServer(flower, xheaders=True)
    server.add_sockets([listening])

    def stop(_signal: int, _frame: object) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    tell_ready()
    try:
        flower.start()
    finally:
        flower.stop()
