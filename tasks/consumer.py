"""The worker's consumer: checks each envelope before Celery sees it, and puts junk aside instead of ending on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from celery.utils.log import get_logger
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

from config.alive import EVERY_SECONDS, SignOfLife
from config.settings import settings
from routing.envelope import Junk, check
from routing.queues import names
from routing.seal import check_seal, keys_of
from tasks.junk import put_aside
from tasks.names import ANNOUNCEMENTS, TICKS

LONGEST_PAUSE = 2.0
"""Seconds between two tries to reach a broker that is down."""

logger = get_logger(__name__)


class CheckingConsumer(Consumer):
    """Celery's consumer, for envelopes that anybody may have written."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc, valid-type]
        """The steps of the consumer, without those that we do not use."""

        # Without DelayedDelivery, which would declare 28 exchanges and queues on RabbitMQ for countdowns (our
        # deadlines are in the database), and without Agent.
        default_steps: ClassVar[list[str]] = [
            "celery.worker.consumer.connection:Connection",
            "celery.worker.consumer.mingle:Mingle",
            "celery.worker.consumer.events:Events",
            "celery.worker.consumer.heart:Heart",
            "celery.worker.consumer.control:Control",
            "celery.worker.consumer.tasks:Tasks",
            "celery.worker.consumer.consumer:Evloop",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Celery's own
        """Start without asking the other workers: remote control is off, so that no forged command is obeyed."""
        super().__init__(*args, **kwargs | {"without_mingle": True, "without_gossip": True})
        self._keys = keys_of(settings())
        self.sign = SignOfLife(settings().home, "worker")

    def on_ready(self) -> None:
        """Give signs of life from now on, until the connection is lost."""
        super().on_ready()
        self.sign.give()
        timer: Any = self.timer
        timer.call_repeatedly(EVERY_SECONDS, self.sign.give)

    def ensure_connected(self, conn: Any) -> Any:  # noqa: ANN401 - a kombu connection
        """Return `conn`, connected, however long that takes.

        Celery's own tries are up to half a minute apart, and so long would messages wait for a broker that is back.
        """
        told = False

        def failed(error: Exception, _pause: float) -> None:
            nonlocal told
            if not told:
                logger.error("The broker does not answer (%s); it is tried again until it does", error)
            told = True

        def wait() -> None:
            # Whoever waits for the broker is alive.
            self.sign.give()
            maybe_shutdown()

        conn.ensure_connection(
            failed,
            interval_start=LONGEST_PAUSE / 4,
            interval_step=LONGEST_PAUSE / 4,
            interval_max=LONGEST_PAUSE,
            callback=wait,
        )
        self.first_connection_attempt = False
        return conn

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - Celery's own
        """Return what is called with each message; junk never gets further than here."""
        receive = super().create_task_handler(*args, **kwargs)

        def on_task_received(message: Any) -> Any:  # noqa: ANN401 - a kombu message
            try:
                check(
                    headers=message.headers,
                    body=message.body,
                    content_type=message.content_type,
                    content_encoding=message.content_encoding,
                    announcements=ANNOUNCEMENTS,
                    ticks=TICKS,
                )
                check_seal(self._keys, queue=_route_of(message), headers=message.headers, body=message.body)
            except Junk as junk:
                return self._put_aside(message, str(junk))
            try:
                return receive(message)
            except (AttributeError, TypeError, ValueError) as error:
                # Celery's reading of an envelope stumbled over something that the check lets through.
                return self._put_aside(message, f"unreadable for Celery ({type(error).__name__})")

        return on_task_received

    # What the checks above let through should never come to these; if it does, it is junk as well. Celery's own
    # answers log the whole content.

    def on_decode_error(self, message: Any, exc: Exception) -> None:  # noqa: ANN401
        """Put aside what kombu cannot decode."""
        self._put_aside(message, f"cannot be decoded ({type(exc).__name__})")

    def on_unknown_message(self, body: Any, message: Any) -> None:  # noqa: ANN401, ARG002
        """Put aside what is no task."""
        self._put_aside(message, "no task")

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:  # noqa: ANN401, ARG002
        """Put aside a task that we do not have."""
        self._put_aside(message, "the task is unknown")

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:  # noqa: ANN401
        """Put aside a task that Celery refuses."""
        del body
        self._put_aside(message, f"refused by Celery ({type(exc).__name__})")

    def _put_aside(self, message: Any, reason: str) -> None:  # noqa: ANN401
        route = _route_of(message)
        put_aside(queue=route if route in names() else "?", reason=reason, content=message.body)
        message.ack_log_error(logger, self.connection_errors)  # type: ignore[attr-defined]


def _route_of(message: Any) -> Any:  # noqa: ANN401 - whatever stands in the envelope
    return message.delivery_info.get("routing_key") if isinstance(message.delivery_info, dict) else None
