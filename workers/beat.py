"""The process that ticks: Celery beat, whose every tick only asks the database what is due."""

from pathlib import Path
from typing import Any

from celery import signals
from celery.beat import Scheduler

from config import logs
from config.alive import EVERY_SECONDS, SignOfLife
from config.settings import Settings
from workers.readiness import require_broker, tell_ready


class ForgetfulScheduler(Scheduler):
    """Keeps nothing between two runs: a missed or doubled tick does no harm, and a file could only break."""

    sign = SignOfLife(Path(), "beat")
    """Where the signs of life go; of this process, which has one scheduler."""

    def tick(self, *args: Any, **kwargs: Any) -> float:  # noqa: ANN401 - Celery's own
        """Do what is due, and return the seconds until the next time: never long, so that it is seen to be alive."""
        self.sign.give()
        return min(float(super().tick(*args, **kwargs)), EVERY_SECONDS)


def tick(settings: Settings) -> None:
    """Tick until SIGTERM; raise BrokerDownError when the broker does not answer at the start.

    What tasks.app refuses for beat ends this process as well.
    """
    logs.configure("beat", level=settings.log_level)
    from tasks.app import app  # noqa: PLC0415 - made from the settings

    require_broker(app)

    def ready(**_: object) -> None:
        tell_ready()

    def keep_our_logs(**_: object) -> None:
        logs.configure("beat", level=settings.log_level)

    ForgetfulScheduler.sign = SignOfLife(settings.home, "beat")
    signals.beat_init.connect(ready, weak=False)
    signals.setup_logging.connect(keep_our_logs, weak=False)
    app.Beat(scheduler="workers.beat:ForgetfulScheduler", loglevel=settings.log_level, quiet=True).run()
