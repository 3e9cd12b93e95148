"""Envelopes as we write them, and as nobody should: shared by the tests of the checks and of real workers."""

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

from routing.envelope import announcement

ODD = [None, 1, -1, "x", [], {}, ["a", "b"], {"a": 1}, True, 1.5, "9" * 5000]

PROPER_BODY, PROPER_HEADERS = announcement(
    task="packet.announce", task_id="t-1", ids=[1, 2], origin="relay@test"
)

STRAY_BODIES: list[Any] = [
    [],
    {},
    None,
    1,
    [1],
    [[1], {}, {}],
    [[[1], [2]], {}, {}],
    [["x"], {}, {}],
    [[["x"]], {}, {}],
    [[[True]], {}, {}],
    [[[0]], {}, {}],
    [[[-1]], {}, {}],
    [[[2**63]], {}, {}],
    [[[1.0]], {}, {}],
    [[[1]], {"ids": [1]}, {}],
    [[[1]], [], {}],
    [[[1]], {}, {"callbacks": [{"task": "packet.announce"}]}],
    [[[1]], {}, []],
    [[[]], {}, {}],
    [[], {}, {}],
    [[list(range(1, 1002))], {}, {}],
    [[[1]], None, None],
]
"""JSON that is no list of ids for a task."""

STRAY_TEXTS = [b"", b"garbage", b"\xff\xfe\x00", b"[" * 5000, b"[[[1]], {}, {}", b"NaN", b"1" * 70_000]
"""Bodies that are no JSON at all, or too much of it."""


def stray_headers() -> Iterator[dict[str, Any]]:
    """Yield headers with one odd value each; those that happen to be proper are left out."""
    for name in (
        *PROPER_HEADERS,
        "shadow",
        "callbacks",
        "chord",
        "stamps",
        "compression",
        "is_eager",
        "delivery_info",
    ):
        for value in ODD:
            odd = copy.deepcopy(PROPER_HEADERS) | {name: value}
            if not _is_proper(name, value):
                yield odd
    for name in ("task", "id"):
        yield {key: value for key, value in PROPER_HEADERS.items() if key != name}


def _is_proper(name: str, value: object) -> bool:
    if value is None:
        return name not in {"task", "id", "compression", "is_eager", "delivery_info"}
    if name in {"lang", "origin", "argsrepr", "kwargsrepr", "root_id", "parent_id", "id"}:
        return value == "x"
    return (name, value) in [("ignore_result", True), ("stamps", {})]


def delivery(
    *,
    body: object = PROPER_BODY,
    headers: object = PROPER_HEADERS,
    queue: str = "centre.aksu",
    tag: str = "tag",
) -> dict[str, Any]:
    """Return a message as it lies in a Redis list."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {
        "body": base64.b64encode(text).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": {
            "correlation_id": "t-1",
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": tag,
        },
    }


STRAY_PLACES: list[tuple[str, ...]] = [
    ("body",),
    ("headers",),
    ("properties",),
    ("content-type",),
    ("content-encoding",),
    ("properties", "delivery_tag"),
    ("properties", "delivery_info"),
    ("properties", "body_encoding"),
    ("properties", "delivery_info", "exchange"),
    ("properties", "delivery_info", "routing_key"),
]


def stray_deliveries() -> Iterator[bytes]:
    """Yield what may lie in a Redis list and is no message, each with one fault."""
    yield from (b"", b"garbage", b"[]", b"null", b"{}", b'"x"', b"\xff\xfe", b"[" * 5000, b"1" * 200_000)
    for place in STRAY_PLACES:
        for value in (*ODD, KeyError):
            message = delivery()
            inside = message
            for name in place[:-1]:
                inside = inside[name]
            if value is KeyError:
                inside.pop(place[-1])
            else:
                inside[place[-1]] = value
            if (place[-1], value) == ("delivery_tag", "x"):
                continue  # As good as any.
            yield json.dumps(message).encode()
