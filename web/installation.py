"""What every request may use: settings, database, clock and figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from config.settings import Settings
from models.database import Database
from web.bell import Bell
from web.metrics import Metrics
from web.recognised import Recognised
from web.tray import Tray
from workflow.tries import Lasting


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One running web process."""

    settings: Settings
    database: Database
    clock: Callable[[], datetime]
    """Returns the present moment, aware, in UTC."""
    metrics: Metrics
    bell: Bell
    tray: Tray
    recognised: Recognised
    broker_url: str | None
    """Normalised address of the broker; None where there is none."""

    @property
    def lasting(self) -> Lasting:
        """How long sign-ins last here."""
        return Lasting(
            idle=self.settings.session_minutes,
            longest=self.settings.session_longest_minutes,
        )


def installation(request: Request) -> Installation:
    """Return the installation that serves `request`."""
    found: Installation = request.app.state.installation
    return found


async def _installed(request: Request) -> Installation:
    # Not in a thread of its own, as a plain function would be.
    return installation(request)


Installed = Annotated[Installation, Depends(_installed)]
