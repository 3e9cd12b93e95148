"""Ready or not: what a process needs before it starts, and how it tells whoever started it that it is ready."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from config.errors import ConflictError
from config.language import Text
from workers.faults import first_line

if TYPE_CHECKING:
    from celery import Celery

_listeners: list[Callable[[], None]] = []


class PortTakenError(ConflictError):
    """Another program listens on a port of ours; `address` and `variable` say which and what to set."""

    code = "port_taken"
    text = Text(
        "{address} is taken by another program. Stop that one, or choose another port: {variable}={other}."
    )


class AddressError(ConflictError):
    """This machine cannot listen at an address; `address`, `cause` and `variable` say which, why and what to set."""

    code = "address"
    text = Text("This machine cannot listen on {address} ({cause}). Correct {variable}.")


def listen(host: str, port: int, *, variable: str) -> socket.socket:
    """Return a socket that listens on `host` and `port`; raise PortTakenError or AddressError, naming `variable`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise AddressError(
            address=f"{host}:{port}", cause=error.strerror, variable="SHABARMAN_HOST"
        ) from error
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(512)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(address=f"{host}:{port}", variable=variable, other=port + 1) from error
        raise AddressError(address=f"{host}:{port}", cause=error.strerror, variable=variable) from error
    return listening


FIRST_PASSED = 3
"""Number of the first file that systemd passes on (sd_listen_fds(3))."""


def passed_on() -> socket.socket | None:
    """Return the open port that systemd has passed on to this process (socket activation), None where there is none.

    Such a port stays open while this process restarts: who comes in between waits instead of being turned away.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS", "0") == "0":
        return None
    # What this process starts must not take it for its own.
    del os.environ["LISTEN_PID"], os.environ["LISTEN_FDS"]
    os.set_inheritable(FIRST_PASSED, False)
    return socket.socket(fileno=FIRST_PASSED)


def require_broker(app: Celery) -> None:
    """Raise BrokerDownError unless the broker answers now."""
    from routing.link import BrokerDownError  # noqa: PLC0415 - the command line answers `--help` without it

    with app.connection_for_write(connect_timeout=5) as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=5)
        except Exception as error:
            if isinstance(error, (OSError, *connection.connection_errors, *connection.channel_errors)):
                raise BrokerDownError(cause=f"{connection.as_uri()}: {first_line(error)}") from error
            raise


def require_right_data() -> None:
    """Raise for data that would make every deadline, or one service, wrong: before any work.

    config.calendar.TimeZoneError for old time zone data of this machine, config.regulation.reading.RegulationError for
    a wrong entry of the offices or the services.
    """
    from config.calendar import require_time_zone  # noqa: PLC0415 - as above
    from config.clock import utc_now  # noqa: PLC0415 - as above
    from config.offices import offices  # noqa: PLC0415 - as above
    from config.services import services  # noqa: PLC0415 - as above

    require_time_zone(utc_now())
    offices()
    services()


def when_ready(listener: Callable[[], None]) -> None:
    """Call `listener` once this process is ready."""
    _listeners.append(listener)


def tell_ready() -> None:
    """Tell `shabarman up`, or systemd (`Type=notify`), that this process does its work from now on."""
    while _listeners:
        _listeners.pop()()
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.connect("\0" + address[1:] if address.startswith("@") else address)
            notify.sendall(b"READY=1")
