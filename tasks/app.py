"""The Celery application: `celery -A tasks.app`. Each setting stands beside its reason."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from celery import Celery, signals
from kombu.serialization import dumps

from config.calendar import require_time_zone
from config.clock import utc_now
from config.errors import ShabarmanError, UnavailableError
from config.settings import settings
from models.clock import require_clock
from models.migrate import require_migrated
from routing.broker import HEARTBEAT_SECONDS, broker_url, kind_of, require_keeping, transport_options
from routing.envelope import MAX_SECONDS
from routing.queues import UPKEEP, declarations
from routing.seal import HEADER, keys_of, seal
from tasks import transport
from tasks.database import database
from tasks.schedule import beat_schedule

transport.register()


def configuration() -> dict[str, Any]:
    """Return the settings of the application; read on first use, so that an import needs no broker.

    Raises NoBrokerError or BrokerAddressError when there is no broker to speak to.
    """
    url = broker_url(settings())
    kind = kind_of(url)
    return {
        "broker_url": url,
        "broker_transport_options": transport_options(kind),
        # A broker that is down is waited for, at the start as later, without end.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # RabbitMQ only: a dead link is noticed within a quarter of a minute.
        "broker_heartbeat": HEARTBEAT_SECONDS,
        # Our own queues, and never another one by a spelling mistake.
        "task_queues": declarations(kind),
        "task_create_missing_queues": False,
        "task_default_queue": UPKEEP,
        "task_default_exchange": "",
        "task_default_exchange_type": "direct",
        "task_default_routing_key": UPKEEP,
        # A task is acknowledged after it ran, and comes back when its process was killed.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        # One task at a time for each process: what is fetched early cannot be taken by a free worker.
        "worker_prefetch_multiplier": 1,
        # The longest task is a fraction of this; the visibility timeout of Redis is five times as long.
        "task_time_limit": MAX_SECONDS,
        "task_soft_time_limit": 50,
        # The rows of the database are the result; a second place for it could only disagree.
        "task_ignore_result": True,
        "result_backend": None,
        # Anything but JSON would let a stranger run code.
        "task_serializer": "json",
        "accept_content": ["json"],
        # A failed publication is the relay's business: it has the row.
        "task_publish_retry": False,
        # Flower lives from events.
        "worker_send_task_events": True,
        # Forged `shutdown` or `revoke` would be obeyed otherwise.
        "worker_enable_remote_control": False,
        # With REMAP_SIGTERM=SIGQUIT what was fetched is put back before the process ends. Celery sleeps all of this
        # when a task is running; a supervisor that loses its patience first kills it with nothing put back.
        "worker_soft_shutdown_timeout": 10,
        # A task that is running when the connection breaks may finish: the row knows whether it did.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_consumer": "tasks.consumer:CheckingConsumer",
        "worker_concurrency": settings().worker_processes,
        # What is printed belongs to whoever started the process.
        "worker_redirect_stdouts": False,
        "enable_utc": True,
        "timezone": "UTC",
        # Ticks are harmless when doubled or missed, so beat keeps no file of its own.
        "beat_scheduler": "celery.beat:Scheduler",
        "beat_schedule": beat_schedule(),
    }


app = Celery("shabarman", include=["tasks.news", "tasks.ticks"])
app.add_defaults(configuration)


@signals.worker_init.connect
def refuse_bad_ground(**_: object) -> None:
    """Refuse to start a worker on bad ground, and say what to do.

    That is a database without our tables or with another time, besides all that beat refuses.
    """
    _refuse_without(_sound_database)
    refuse_bad_tools()


@signals.beat_init.connect
def refuse_bad_tools(**_: object) -> None:
    """Refuse a wrong time zone, a key that is none, and a broker that may drop messages; beat needs no database."""
    _refuse_without(_right_time_zone)
    _refuse_without(_proper_key)
    _refuse_without(_keeping_broker)


def _refuse_without(requirement: Callable[[], object]) -> None:
    try:
        requirement()
    except UnavailableError:
        pass  # Comes back by itself; everything here waits for it.
    except ShabarmanError as error:
        print(error.sentence(), file=sys.stderr)  # noqa: T201 - for the operator who started the process
        raise SystemExit(error.exit_code) from error


def _sound_database() -> None:
    require_migrated(database())
    require_clock(database(), clock=utc_now, seconds=settings().clock_seconds)


def _right_time_zone() -> None:
    require_time_zone(utc_now())


def _proper_key() -> None:
    keys_of(settings())


def _keeping_broker() -> None:
    require_keeping(broker_url(settings()))


@signals.before_task_publish.connect
def seal_tick(headers: dict[str, Any], body: object, routing_key: str = "", **_: object) -> None:
    """Seal what is published through the application itself: the ticks of beat. The relay seals its own."""
    written = dumps(body, serializer="json")[2]
    headers[HEADER] = seal(
        keys_of(settings())[0],
        queue=routing_key,
        headers=headers,
        body=written.encode() if isinstance(written, str) else written,
    )


@signals.worker_process_init.connect
def open_own_database(**_: object) -> None:
    """Give each child process its own connections."""
    database()
