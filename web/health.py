"""Is it alive, is it ready, and what are its figures: for supervisors, balancers and Prometheus."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from config.errors import ShabarmanError, UnavailableError
from config.language import Text
from models.migrate import require_migrated
from routing.broker import BrokerKind, is_brokerless, kind_of, redis_client
from web.installation import Installation, Installed
from workflow import outbox

SLOW_SECONDS = 60.0
"""Age of the oldest unfinished message from which on the relay or the workers are held to stand still."""

PATIENCE = 1
"""Seconds that the broker may take to answer."""

router = APIRouter(include_in_schema=False)


@router.get("/health/live")
def live() -> dict[str, str]:
    """Say that the process runs; asks nobody else."""
    return {"status": "ok"}


@router.get("/health/ready")
def ready(house: Installed) -> Response:
    """Say part by part whether the pages can do their work: 503 when the database or its tables are not there.

    A broker that is down, or a relay that stands still, is named but does not close the pages: messages wait in
    the database, and taking the pages away as well would make a small failure a large one.
    """
    database = _asked(lambda: _database(house))
    migrations = (
        _asked(lambda: require_migrated(house.database)) if database["status"] == "ok" else _unknown()
    )
    parts = {
        "database": {**database, "needed": True},
        "migrations": {**migrations, "needed": True},
        "broker": {**_asked(lambda: _broker(house)), "needed": False},
        "relay": {**(_relay(house) if migrations["status"] == "ok" else _unknown()), "needed": False},
    }
    stopped = any(part["needed"] and part["status"] != "ok" for part in parts.values())
    degraded = any(part["status"] != "ok" for part in parts.values())
    word = "unavailable" if stopped else "degraded" if degraded else "ok"
    headers = {"Retry-After": "5"} if stopped else {}
    return JSONResponse({"status": word, "parts": parts}, 503 if stopped else 200, headers=headers)


@router.get("/metrics")
def metrics(house: Installed) -> Response:
    """Give the figures in Prometheus' text form."""
    return Response(generate_latest(house.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _asked(question: Callable[[], None]) -> dict[str, Any]:
    try:
        question()
    except ShabarmanError as error:
        return {"status": "failed", "code": error.code, "detail": error.sentence("en")}
    return {"status": "ok"}


def _unknown() -> dict[str, Any]:
    return {"status": "unknown"}


def _database(house: Installation) -> None:
    with house.database.reading() as session:
        session.connection().exec_driver_sql("SELECT 1")


def _relay(house: Installation) -> dict[str, Any]:
    try:
        with house.database.reading() as session:
            oldest = outbox.oldest_seconds(session)
            waiting = outbox.unfinished(session)
    except UnavailableError as error:
        return {"status": "failed", "code": error.code}
    word = "ok" if oldest <= SLOW_SECONDS else "slow"
    return {"status": word, "oldest_seconds": round(oldest, 1), **waiting}


def _broker(house: Installation) -> None:
    url = house.broker_url
    if is_brokerless(house.settings):
        return
    if url is None:
        raise UnavailableError(
            Text("No broker is set. Start one with `shabarman up`, or set SHABARMAN_BROKER_URL.")
        )
    try:
        if kind_of(url) is BrokerKind.REDIS:
            with contextlib.closing(redis_client(url, seconds=PATIENCE)) as client:
                client.ping()
        else:
            _knock_at_rabbitmq(url)
    except Exception as error:
        # Each client has errors of its own; whatever it is, the broker did not answer.
        raise UnavailableError(
            Text("The broker does not answer ({cause}). Messages wait in the database."),
            cause=type(error).__name__,
        ) from error


def _knock_at_rabbitmq(url: str) -> None:
    from kombu import Connection  # noqa: PLC0415 - a slow import, and not needed with Redis

    with Connection(url, connect_timeout=PATIENCE, transport_options={"max_retries": 0}) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=PATIENCE)
