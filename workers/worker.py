"""The process that handles messages: a Celery worker for all queues or for those of named offices."""

import difflib
import os
import signal
import socket
import warnings
from collections.abc import Sequence

from celery import signals
from celery.exceptions import SecurityWarning

from config import logs, tracing
from config.language import Text
from config.settings import Settings
from models.heartbeat import ProcessRole
from routing.broker import broker_url, require_keeping
from routing.queues import UnknownQueueError, names
from routing.seal import keys_of
from workers.installation import require_sound_database
from workers.kernel import end_with_parent
from workers.pulse import pulse
from workers.readiness import require_broker, tell_ready


class MisspeltQueueError(UnknownQueueError):
    """No queue has this name; `queue` and `near` say which and what may be meant."""

    text = Text(
        "There is no queue {queue}. Near to it: {near}. Queues are named department.<district>, centre.<district>, "
        "akimat.<district>, notices, papers and upkeep; `shabarman offices` lists the districts."
    )


class NothingToServeError(UnknownQueueError):
    """All queues that a worker might serve are excepted."""

    text = Text("Nothing is left for this worker to serve. Except fewer queues, or name others.")


def chosen_queues(offices: Sequence[str], *, excepted: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the queues named by `offices`, all queues when it is empty, without those that are `excepted`.

    Raises MisspeltQueueError, and NothingToServeError where none is left.
    """
    known = names()
    for queue in (*offices, *excepted):
        if queue not in known:
            near = difflib.get_close_matches(queue, known, n=3, cutoff=0.4) or known[:3]
            raise MisspeltQueueError(queue=queue, near=", ".join(near))
    chosen = tuple(queue for queue in dict.fromkeys(offices) or known if queue not in excepted)
    if not chosen:
        raise NothingToServeError
    return chosen


def name_of(offices: Sequence[str]) -> str:
    """Return what a worker is called that nobody named: by its office, the first of several and how many more."""
    if not offices:
        return "worker"
    return offices[0] + (f"+{len(offices) - 1}" if len(offices) > 1 else "")


def work(
    settings: Settings,
    *,
    offices: Sequence[str] = (),
    excepted: Sequence[str] = (),
    name: str | None = None,
) -> None:
    """Handle messages until SIGTERM; `name` stands before the machine in what Flower and the board show.

    Unless it is named, a worker has the name of the office that it serves.

    Raise MisspeltQueueError, NothingToServeError, UnmigratedError, UnavailableError or BrokerDownError before anything
    is taken.
    """
    logs.configure("worker", level=settings.log_level)
    queues = chosen_queues(offices, excepted=excepted)
    require_sound_database(settings)
    from tasks.app import app  # noqa: PLC0415 - made from the settings, which are checked before

    require_broker(app)
    require_keeping(broker_url(settings))
    keys_of(settings)  # A key that is too short is said here, and not in the middle of Celery's start.

    def ready(**_: object) -> None:
        tell_ready()

    def begin_child(**_: object) -> None:
        # A killed worker must not leave children that hold its connections.
        end_with_parent(os.getppid(), by=signal.SIGKILL)
        # In each child: what sends the traces is a thread, and threads do not survive a fork.
        tracing.configure("worker", url=settings.trace_url)

    def keep_our_logs(**_: object) -> None:
        logs.configure("worker", level=settings.log_level)

    signals.worker_ready.connect(ready, weak=False)
    signals.worker_process_init.connect(begin_child, weak=False)
    signals.setup_logging.connect(keep_our_logs, weak=False)
    # Its reason is pickled tasks; ours are JSON that is checked before Celery sees it.
    warnings.simplefilter("ignore", SecurityWarning)
    full_name = f"{name or name_of(offices)}@{socket.gethostname()}"
    arguments = [
        "--quiet",
        "worker",
        f"--hostname={full_name}",
        f"--concurrency={settings.worker_processes}",
        f"--loglevel={settings.log_level}",
        # Both ask other workers by remote control, which is off.
        "--without-mingle",
        "--without-gossip",
    ]
    served = queues if offices or excepted else ()
    if served:
        arguments.append(f"--queues={','.join(served)}")
    with pulse(settings, ProcessRole.WORKER, name=full_name, queues=served):
        app.worker_main(arguments)
