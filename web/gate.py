"""The gate: what every request passes on its way in and out, whatever it asks for."""

from __future__ import annotations

import re
import time
import traceback
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from config import tracing
from config.errors import ShabarmanError
from config.language import Text
from web.asking import may_change_people
from web.metrics import Metrics
from web.problems import MEDIA_TYPE, bytes_of_problem, respond
from web.recognised import Recognised

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_DONE = "request.done"
REQUEST_FAILED = "request.failed"
PAGE_FAILED = "request.page_failed"

LARGEST = 1024 * 1024
"""Bytes of the largest request that is read: two hundred acceptances with their enclosures stay far below."""

CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
WITH_WASM = CONTENT_SECURITY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
"""For pages that read symbols with the camera: the reader is compiled code of our own origin."""
SECURITY = {
    "content-security-policy": CONTENT_SECURITY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # With `no-referrer` browsers would send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
}
OF_PARTS = ("x-content-type-options", "cross-origin-resource-policy")
"""What a style sheet or a script needs of it: the rest speaks of documents, and would weigh more than some scripts."""
_PARTS = (b"text/css", b"text/javascript", b"application/wasm")
_NO_STORE = (b"cache-control", b"no-store")
_SECURITY = [*((name.encode(), value.encode()) for name, value in SECURITY.items()), _NO_STORE]
_OF_PARTS = [*((name.encode(), SECURITY[name].encode()) for name in OF_PARTS), _NO_STORE]
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_log = structlog.get_logger()


class TooLargeError(ShabarmanError):
    """The body is longer than anything that is asked for here."""

    code = "too_large"
    status = 413
    text = Text("The request is too large. Send the list in parts.")


class FileError(ShabarmanError):
    """Something that may hold files. No form of ours has any, and half of such a body would pass as a whole one."""

    code = "no_files"
    status = 415
    text = Text("Files are not taken here. Fill in the form of the page and send that.")


class Gate:
    """Gives each request an id, a log line, a duration and the security headers; keeps bodies small."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, recognised: Recognised) -> None:
        """Stand before `app`."""
        self.app = app
        self.metrics = metrics
        self.recognised = recognised

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        started = time.perf_counter()
        status = 0
        read = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if may_change_people(scope["method"], scope["path"]):
                    # Before anybody is told that it is done.
                    self.recognised.forget_all()
                _dress(message, scope=scope, request_id=request_id)
            await send(message)

        async def take() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST:
                # While a body is read the framework lets only this kind of error through as it is.
                raise HTTPException(TooLargeError.status)
            return message

        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            tracing.span("request", parent=headers.get("traceparent")) as traced,
        ):
            try:
                _require_small(headers)
                _require_no_files(headers)
                await self.app(scope, take, answer)
            except (TooLargeError, FileError) as error:
                if not status:
                    await _refuse(scope, receive, answer, error)
            except Exception as error:
                # Not the message of the exception: that of a statement repeats what people typed.
                _log.error(
                    REQUEST_FAILED,
                    kind=type(error).__name__,
                    at=[
                        f"{f.filename}:{f.lineno} {f.name}"
                        for f in traceback.extract_tb(error.__traceback__)[-8:]
                    ],
                )
                if status:
                    raise
                failed = ShabarmanError()
                failed.status = 500
                await _refuse(scope, receive, answer, failed)
            finally:
                self._note(scope, status=status, seconds=time.perf_counter() - started, traced=traced)

    def _note(self, scope: Scope, *, status: int, seconds: float, traced: tracing.Span) -> None:
        # The pattern of the address and not the address: it may hold an IIN that somebody scanned.
        route: Any = scope.get("route")
        pattern = getattr(route, "path", None) or "unmatched"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        if pattern != "/api/v1/events":
            self.metrics.requests.labels(method, pattern, str(status)).observe(seconds)
        traced.name(f"{method} {pattern}")
        traced.note(status=status)
        _log.info(REQUEST_DONE, method=method, route=pattern, status=status, ms=round(seconds * 1000, 1))


def _require_small(headers: Headers) -> None:
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > LARGEST:
        raise TooLargeError


def _require_no_files(headers: Headers) -> None:
    if headers.get("content-type", "").lower().lstrip().startswith("multipart/"):
        raise FileError


def _dress(message: Message, *, scope: Scope, request_id: str) -> None:
    said = dict(message["headers"])
    ours = _OF_PARTS if said.get(b"content-type", b"").startswith(_PARTS) else _SECURITY
    headers = [
        *message["headers"],
        (b"x-request-id", request_id.encode()),
        *(one for one in ours if one[0] not in said),
    ]
    if scope["scheme"] == "https":
        headers.append((b"strict-transport-security", b"max-age=31536000"))
    message["headers"] = headers


async def _refuse(scope: Scope, receive: Receive, answer: Send, error: ShabarmanError) -> None:
    """Answer with a page for people and problem details for programs; the rest of the request is not read."""
    try:
        refusal = await run_in_threadpool(respond, Request(scope), error)
    except Exception as other:  # noqa: BLE001 - what broke the request may break every page; this answer needs none
        _log.error(PAGE_FAILED, kind=type(other).__name__)
        refusal = Response(bytes_of_problem(error), error.status, media_type=MEDIA_TYPE)
    refusal.headers["connection"] = "close"
    await refusal(scope, receive, answer)
