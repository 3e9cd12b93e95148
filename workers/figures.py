"""Where the figures of the processes of one machine meet, and the port at which a relay or a worker tells them."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from workers.home import home_at
from workers.kernel import runs
from workers.readiness import listen

if TYPE_CHECKING:
    from config.settings import Settings

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def keep_figures(settings: Settings) -> None:
    """Let this process and its forks count into the folder of their machine; called before anything else is loaded.

    What is left there by processes that have all ended is removed: counters begin at nothing again.
    """
    if VARIABLE in os.environ:
        return
    home = home_at(settings.home)
    home.make()
    folder = home.figures / socket.gethostname()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    left = list(folder.glob("*.db"))
    if not any(_owner_runs(file) for file in left):
        # Only what was seen: another process may begin to count at this very moment.
        for file in left:
            file.unlink(missing_ok=True)
    os.environ[VARIABLE] = str(folder)


def tell_figures(settings: Settings) -> None:
    """Answer Prometheus on the port of the settings, where there is one; for machines that serve no pages."""
    if settings.metrics_port is None:
        return
    from prometheus_client import start_http_server  # noqa: PLC0415 - it decides on import where it counts

    from config.figures import together  # noqa: PLC0415 - as above

    # Asked for first, because the library's own refusal is a traceback.
    listen(settings.host, settings.metrics_port, variable="SHABARMAN_METRICS_PORT").close()
    start_http_server(settings.metrics_port, addr=settings.host, registry=together())


def _owner_runs(file: Path) -> bool:
    """Tell whether the process runs whose figures these are; its id is the last part of the name."""
    owner = file.stem.rpartition("_")[2]
    return owner.isdigit() and int(owner) != os.getpid() and runs(int(owner))
