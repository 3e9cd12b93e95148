"""What nobody can use is put aside: a row with its reason, size and digest, and nothing of its content."""

from __future__ import annotations

import hashlib
import time

import structlog

from config import figures
from models.message import DeadLetter
from tasks.database import database

PUT_ASIDE = "envelope.put_aside"
NOT_WRITTEN = "envelope.not_written"

SILENCE = 30.0
"""Seconds without further tries after the row could not be written: consuming must not wait for the database."""

log = structlog.get_logger(__name__)
_silent_until = [0.0]


def put_aside(*, queue: str, reason: str, content: object) -> None:
    """Keep a dead letter for an envelope taken from `queue`; never raises, so that the worker goes on."""
    raw = content.encode("utf-8", "replace") if isinstance(content, str) else _bytes(content)
    digest = hashlib.sha256(raw).hexdigest()
    figures.PUT_ASIDE.inc()
    log.warning(PUT_ASIDE, queue=queue, reason=reason, size=len(raw), digest=digest)
    if time.monotonic() < _silent_until[0]:
        return
    try:
        with database().transaction() as session:
            session.add(DeadLetter(queue=queue[:60], reason=reason[:200], size=len(raw), digest=digest))
    except Exception as error:  # noqa: BLE001 - the log line above says the same; the queue must move on
        _silent_until[0] = time.monotonic() + SILENCE
        log.error(NOT_WRITTEN, error=type(error).__name__)  # noqa: TRY400 - a traceback would show the row


def _bytes(content: object) -> bytes:
    return bytes(content) if isinstance(content, bytes | bytearray | memoryview) else b""
