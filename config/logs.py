"""Logs: one pipe for every process, JSON lines, words of events as constants, identifiers only.

A line never holds a person's data: numbers of packets, codes of offices, ids of messages and tasks, nothing else.
"""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor

PROCESS_STARTED = "process.started"
PROCESS_READY = "process.ready"
PROCESS_DIED = "process.died"
PROCESS_STOPPED = "process.stopped"
PROCESS_REFUSED = "process.refused"
BROKER_SET_ASIDE = "broker.set_aside"
PARENT_GONE = "parent.gone"

QUIET = ("kombu", "amqp", "alembic", "tornado.access", "uvicorn.access", "asyncio")
"""Libraries whose everyday lines say nothing to an operator."""


def configure(process: str, *, level: str = "INFO") -> None:
    """Send what this process logs, by structlog or by the standard library, to stderr as JSON lines.

    `process` is the word under which `shabarman up` knows it; it stands in every line.
    """

    def name_process(_logger: object, _method: str, entry: EventDict) -> EventDict:
        # Not by a context variable: those of the main thread are not seen in others.
        entry["process"] = process
        return entry

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        name_process,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    pipe = logging.StreamHandler(sys.stderr)
    pipe.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [pipe]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Warnings of libraries are lines like any other.
    logging.captureWarnings(capture=True)
