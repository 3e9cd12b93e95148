"""What runs: command line, relay and the processes of one machine; never a rule of the trip."""

from typing import Any


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a Celery application; importing the package must stay light
    """Give `celery -A workers` the application, which lives one floor down in `tasks.app`."""
    if name in {"app", "celery"}:
        from tasks.app import app  # noqa: PLC0415 - only when somebody asks for it

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
