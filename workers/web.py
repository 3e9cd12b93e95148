"""The process of the pages: uvicorn around the web application."""

import asyncio
import socket
import sys
from typing import Any

import uvicorn

from config import logs, tracing
from config.settings import Settings
from workers.installation import require_sound_database
from workers.readiness import listen, passed_on, tell_ready

LAST_ANSWERS_SECONDS = 25
"""How long a stop waits for answers that are on their way. A scan on a busy database takes seconds; live events end at
once, because they are told to."""

LAST_REQUESTS_SECONDS = 0.5
"""How long a stop waits for the requests of connections that were taken just before."""


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            tell_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, answer those that were taken, end the live events, then stop.

        uvicorn would close at once what was taken and has not asked yet, and lose requests that are on their way.
        """
        loop = asyncio.get_running_loop()
        for server in self.servers:
            for listening in server.sockets:
                loop.remove_reader(listening.fileno())
        until = loop.time() + LAST_REQUESTS_SECONDS
        # The first turn lets connections come in that the loop has taken and not opened yet.
        await asyncio.sleep(0.05)
        while loop.time() < until and any(map(_has_not_asked, self.server_state.connections)):  # noqa: ASYNC110
            # uvicorn has no event for it, and looks in the same way itself.
            await asyncio.sleep(0.01)
        # Live events would go on for minutes; their pages come back by themselves, to the next process.
        self.config.app.state.installation.bell.stop()  # type: ignore[union-attr]  # an application, never its name
        await super().shutdown(sockets)


def _has_not_asked(connection: Any) -> bool:  # noqa: ANN401 - any protocol of uvicorn
    """Tell whether the first request of a connection is still awaited."""
    return getattr(connection, "cycle", None) is None


def serve(settings: Settings, *, listening: socket.socket | None = None) -> None:
    """Serve the pages until SIGTERM, on `listening` where the caller has opened the port already, or systemd has.

    Raise PortTakenError for a port in use, UnmigratedError for a database of another version.
    """
    logs.configure("web", level=settings.log_level)
    tracing.configure("web", url=settings.trace_url)
    listening = listening or passed_on() or listen(settings.host, settings.port, variable="SHABARMAN_PORT")
    require_sound_database(settings)
    # After the checks: the application opens what it needs while it is made.
    from web.app import create_app  # noqa: PLC0415

    config = uvicorn.Config(
        create_app(),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=LAST_ANSWERS_SECONDS,
    )
    server = _Server(config)
    asyncio.run(server.serve([listening]))
    if not server.started:
        sys.exit(3)
