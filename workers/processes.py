"""The processes by name, for the command line and for the supervisor; each loads its code when it is called."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.settings import Settings
    from workers.home import Home

# ruff: noqa: PLC0415 - the imports stand in the functions, so that a process loads what it is


def prepare(settings: Settings, home: Home) -> None:
    """Make the tables, the offices and the first people."""
    from workers.house import prepare as prepare_house
    from workers.readiness import require_right_data

    require_right_data()
    prepare_house(settings, home)


def web(settings: Settings, listening: socket.socket | None = None) -> None:
    """Serve the pages."""
    from workers.readiness import require_right_data
    from workers.web import serve

    require_right_data()
    serve(settings, listening=listening)


def worker(
    settings: Settings,
    offices: Sequence[str] = (),
    *,
    excepted: Sequence[str] = (),
    name: str | None = None,
) -> None:
    """Handle messages."""
    from workers.readiness import require_right_data
    from workers.worker import work

    require_right_data()
    work(settings, offices=offices, excepted=excepted, name=name)


def beat(settings: Settings) -> None:
    """Tick."""
    from workers.beat import tick

    tick(settings)


def flower(settings: Settings, listening: socket.socket | None = None) -> None:
    """Show Flower."""
    from workers.flower import watch

    watch(settings, listening=listening)


def relay(settings: Settings, *, without_broker: bool = False) -> None:
    """Publish messages until SIGTERM; handle them here where there is no broker, or `without_broker`.

    Raise UnmigratedError, UnavailableError, ClockOffError or ForgetfulBrokerError before anything is taken.
    """
    from config import logs, tracing
    from config.alive import SignOfLife
    from models.heartbeat import ProcessRole
    from routing.broker import broker_url, is_brokerless, require_keeping
    from workers.installation import migrated_database, require_right_clock
    from workers.lone_relay import LoneRelay
    from workers.pulse import pulse
    from workers.readiness import require_right_data, tell_ready
    from workers.relay import Relay

    require_right_data()
    name = f"relay@{socket.gethostname()}"
    logs.configure("relay", level=settings.log_level)
    tracing.configure("relay", url=settings.trace_url)
    stop, sign = threading.Event(), SignOfLife(settings.home, "relay")

    def stop_soon(_signal: int, _frame: object) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, stop_soon)
    signal.signal(signal.SIGINT, stop_soon)
    with migrated_database(settings) as database:
        require_right_clock(database, settings)
        if without_broker or is_brokerless(settings):
            alone = LoneRelay(database, settings, on_round=sign.give)
            if not is_brokerless(settings):
                alone.call_back()
            tell_ready()
            with pulse(settings, ProcessRole.RELAY, name=name):
                alone.run(stop)
            return
        url = broker_url(settings)
        require_keeping(url)
        publishing = Relay(database, url, settings, on_round=sign.give)
        tell_ready()
        with pulse(settings, ProcessRole.RELAY, name=name):
            publishing.run(stop)
