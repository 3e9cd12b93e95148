"""The envelope of a task: how we write one, and what is wrong with one that somebody else wrote.

The broker is open to whoever holds its address. A stock worker ends, or stops consuming, on a malformed message; so
each envelope is checked here before Celery sees it. Pure: no broker, no tables.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

MAX_BYTES = 65_536
"""Largest body, in bytes; a thousand ids of nineteen digits take a third of it."""

MAX_IDS = 1_000
"""Most message ids in one task, whatever `relay_batch` says."""

MAX_DELIVERY_BYTES = 131_072
"""Largest message as it lies in a Redis list, in bytes: the body in base64, and the headers."""

MAX_SECONDS = 60
"""Longest time, in seconds, that an envelope may ask for; the application's own limit."""

MAX_ID = 2**63 - 1
_MAX_TEXT = 1_000
_JSON = "application/json"

_TEXTS = frozenset(
    {"lang", "origin", "argsrepr", "kwargsrepr", "root_id", "parent_id", "periodic_task_name", "seal"}
)
_TRACES = frozenset({"traceparent", "tracestate", "baggage"})
_EMPTY = frozenset(
    {
        "eta",
        "shadow",
        "group",
        "group_index",
        "chord",
        "chain",
        "callbacks",
        "errbacks",
        "stamped_headers",
    }
)
"""What Celery could be told to do besides the task; nobody here uses it, so nobody may ask for it."""
_FLAGS = frozenset({"ignore_result", "redelivered", "celery_beat_task", "meth"})
_NUMBERS = frozenset({"retries", "replaced_task_nesting"})


class Junk(ValueError):  # noqa: N818 - a thing that lies in a queue, not a failure of ours
    """An envelope that no worker can use; the text is the reason, without anything of its content."""


def announcement(
    *, task: str, task_id: str, ids: Sequence[int], origin: str
) -> tuple[list[Any], dict[str, Any]]:
    """Return body and headers (Celery's protocol 2) of a task that carries message ids.

    The headers show ids and nothing else, because Flower and every log print them.
    """
    shown = f"({list(ids)},)" if len(ids) <= 20 else f"([{ids[0]}, … {len(ids)} ids …, {ids[-1]}],)"
    headers = {
        "lang": "py",
        "task": task,
        "id": task_id,
        "root_id": task_id,
        "parent_id": None,
        "group": None,
        "eta": None,
        "expires": None,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": shown,
        "kwargsrepr": "{}",
        "origin": origin,
        "ignore_result": True,
    }
    return [[list(ids)], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}], headers


def check(
    *,
    headers: object,
    body: object,
    content_type: object,
    content_encoding: object,
    announcements: Collection[str],
    ticks: Collection[str],
) -> None:
    """Raise Junk unless this is an envelope that one of our tasks can use.

    `announcements` are the names of tasks that take one list of message ids, `ticks` of those that take nothing.
    """
    if not isinstance(headers, Mapping):
        raise Junk("headers are no mapping")
    task = headers.get("task")
    if not isinstance(task, str):
        raise Junk("no task is named")
    if task not in announcements and task not in ticks:
        raise Junk("the task is unknown")
    _check_headers(headers)
    if content_type != _JSON:
        raise Junk("the content is not declared as JSON")
    if not isinstance(content_encoding, str) or content_encoding.lower() not in {"utf-8", "us-ascii"}:
        raise Junk("the content is not declared as UTF-8")
    ids = _ids_of(_parsed(body))
    if task in ticks:
        if ids is not None:
            raise Junk("a tick takes no arguments")
    elif ids is None:
        raise Junk("message ids are missing")


def _check_headers(headers: Mapping[Any, Any]) -> None:
    task_id = headers.get("id")
    if not isinstance(task_id, str) or not 1 <= len(task_id) <= 64:
        raise Junk("the task has no proper id")
    for name, value in headers.items():
        if not isinstance(name, str):
            raise Junk("a header has no proper name")
        if name in {"task", "id"} or name.startswith("x-"):
            continue  # `x-…` is what RabbitMQ itself notes about deliveries.
        if name == "timelimit":
            right = value is None or _are_limits(value)
        elif name == "expires":
            right = value is None or _is_moment(value)
        elif name in _EMPTY:
            right = value is None
        elif name == "stamps":
            right = value in (None, {})
        elif name in _FLAGS:
            right = value is None or isinstance(value, bool)
        elif name in _NUMBERS:
            right = value == 0 and not isinstance(value, bool)
        elif name in _TEXTS or name in _TRACES:
            right = value is None or (isinstance(value, str) and len(value) <= _MAX_TEXT)
        else:
            raise Junk("a header is unknown")
        if not right:
            raise Junk(f"the header {name} is not as we write it")


def _are_limits(value: object) -> bool:
    """Tell whether these are limits for a task's time that only make it shorter than our own."""
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(one is None or (type(one) in {int, float} and 1 <= one <= MAX_SECONDS) for one in value)
    )


def _is_moment(value: object) -> bool:
    if not isinstance(value, str) or len(value) > 40:
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _parsed(body: object) -> object:
    if isinstance(body, memoryview | bytearray):
        body = bytes(body)
    if not isinstance(body, str | bytes):
        raise Junk("the body is no text")
    if len(body) > MAX_BYTES:
        raise Junk("the body is too large")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Junk("the body is no JSON") from None


def _ids_of(content: object) -> list[int] | None:
    if not isinstance(content, list) or len(content) != 3:
        raise Junk("the body is no list of three")
    args, kwargs, embed = content
    if kwargs != {} or not isinstance(kwargs, dict):
        raise Junk("keyword arguments are not taken")
    if not isinstance(embed, dict) or any(value is not None for value in embed.values()):
        raise Junk("tasks that call further tasks are not taken")
    if not isinstance(args, list) or len(args) > 1:
        raise Junk("the arguments are no list of one")
    return checked_ids(args[0]) if args else None


def checked_ids(ids: object) -> list[int]:
    """Return `ids` when it is a list of 1 to MAX_IDS message ids; raise Junk otherwise."""
    if not isinstance(ids, list):
        raise Junk("message ids are no list")
    if not 1 <= len(ids) <= MAX_IDS:
        raise Junk("too few or too many message ids")
    if not all(type(one) is int and 0 < one <= MAX_ID for one in ids):
        raise Junk("a message id is no positive whole number")
    return ids


def check_delivery(raw: object, *, queue: str) -> None:
    """Raise Junk unless `raw`, as popped from the Redis list `queue`, is a message that kombu can read.

    What the envelope in it says is a matter of `check`.
    """
    if not isinstance(raw, str | bytes):
        raise Junk("the message is no text")
    if len(raw) > MAX_DELIVERY_BYTES:
        raise Junk("the message is too large")
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        raise Junk("the message is no JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("headers"), dict):
        raise Junk("the message is no mapping with headers")
    properties = message.get("properties")
    if not isinstance(properties, dict):
        raise Junk("the message has no properties")
    tag, route = properties.get("delivery_tag"), properties.get("delivery_info")
    if not isinstance(tag, str) or not 1 <= len(tag) <= 64:
        raise Junk("the message has no proper delivery tag")
    # Where it would be put back to, if its worker died.
    if not isinstance(route, dict) or route.get("exchange") != "" or route.get("routing_key") != queue:
        raise Junk("the message is addressed to another queue")
    if not _is_encoded(message.get("body"), properties.get("body_encoding")):
        raise Junk("the body cannot be decoded")
    if not all(isinstance(message.get(name), str) for name in ("content-type", "content-encoding")):
        raise Junk("the content is not described")


def _is_encoded(body: object, encoding: object) -> bool:
    if not isinstance(body, str) or encoding not in (None, "base64"):
        return False
    try:
        if encoding:
            base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
