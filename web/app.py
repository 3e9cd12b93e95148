"""The web application: one function puts the parts together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from fastapi import Depends, FastAPI

from config.clock import utc_now
from config.errors import ShabarmanError
from config.settings import Settings
from config.settings import settings as settings_of_process
from models.database import Database
from models.migrate import require_migrated
from routing.broker import BrokerlessError, broker_url, is_brokerless
from routing.poke import Poker
from web import health, pages, problems
from web.api import api, scans
from web.asking import guard
from web.bell import Bell
from web.gate import Gate
from web.installation import Installation
from web.metrics import Metrics
from web.recognised import Recognised
from web.tray import Tray

WITHOUT_BROKER = "web.without_broker"
_log = structlog.get_logger()


def create_app(
    settings: Settings | None = None,
    *,
    clock: Callable[[], datetime] = utc_now,
    database: Database | None = None,
) -> FastAPI:
    """Return the application for `settings` (those of the process when none are given).

    Raises UnmigratedError for a database of another version, and UnavailableError when it does not answer.
    """
    settings = settings or settings_of_process()
    database = database or Database(settings.effective_database_url)
    require_migrated(database)
    url = _broker(settings)
    if url is not None:
        database.after_commit.append(Poker(url).poke)
    metrics = Metrics(database, brokerless=is_brokerless(settings))
    recognised = Recognised()
    bell = Bell(database, broker_url=url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        bell.stop()
        await asyncio.sleep(0)
        app.state.installation.database.close()

    app = FastAPI(
        title="Shabarman",
        version="1",
        summary="Document packets between public service centres and departments: every hand-over a scan.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(guard)],
        lifespan=lifespan,
        # Traces and figures are our own; the framework would look for others with each request.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.installation = Installation(
        settings=settings,
        database=database,
        clock=clock,
        metrics=metrics,
        bell=bell,
        tray=Tray(database),
        recognised=recognised,
        broker_url=url,
    )
    problems.install(app)
    # Found before all others: the one address whose speed people feel.
    scans.install(app)
    app.include_router(health.router)
    app.include_router(api())
    pages.install(app)
    app.add_middleware(Gate, metrics=metrics, recognised=recognised)
    return app


def _broker(settings: Settings) -> str | None:
    try:
        return broker_url(settings)
    except BrokerlessError:
        return None
    except ShabarmanError as error:
        # Pages never publish: without a broker messages wait in the database, and /health/ready names it.
        _log.warning(WITHOUT_BROKER, code=error.code)
        return None
