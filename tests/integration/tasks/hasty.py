"""Little patience, so that a test of dead links takes seconds. `celery -A tests.integration.tasks.hasty` has it too."""

from collections.abc import Callable
from typing import Any

import models.patience
import routing.broker
import routing.link
from routing.broker import BrokerKind, transport_options


def hasty_options(kind: BrokerKind) -> dict[str, Any]:
    if kind is BrokerKind.RABBITMQ:
        return transport_options(kind) | {"read_timeout": 2}
    return transport_options(kind) | {
        "socket_timeout": 1,
        "socket_connect_timeout": 1,
        "health_check_interval": 1,
    }


def hurry(change: Callable[[object, str, Any], None]) -> None:
    """Shorten every patience of this process by `change`: setattr, or that of pytest's monkeypatch."""
    change(models.patience, "ANSWER_SECONDS", 2.0)
    change(models.patience, "PING_SECONDS", 0.5)
    for module in (routing.broker, routing.link):
        change(module, "HEARTBEAT_SECONDS", 1)
        change(module, "transport_options", hasty_options)
    change(routing.link, "PATIENCE", 1.0)


def __getattr__(name: str) -> Any:
    """Make the application when Celery looks for it, from what was shortened before."""
    if name not in {"app", "celery"}:
        raise AttributeError(name)
    hurry(setattr)
    from tasks.app import app  # noqa: PLC0415 - it reads the patience while it is loaded

    return app
