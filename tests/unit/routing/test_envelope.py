import json
from base64 import b64decode
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.envelope import MAX_IDS, Junk, announcement, check, check_delivery
from tests.unit.tasks.envelopes import (
    PROPER_BODY,
    PROPER_HEADERS,
    STRAY_BODIES,
    STRAY_TEXTS,
    delivery,
    stray_deliveries,
    stray_headers,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def look(headers: object = PROPER_HEADERS, body: object = PROPER_BODY, **changes: Any) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body)
    facts: dict[str, Any] = {"content_type": "application/json", "content_encoding": "utf-8", "body": raw}
    check(headers=headers, announcements={"packet.announce"}, ticks={"runs.plan"}, **facts | changes)


def take(raw: bytes) -> None:
    """Check as a worker does: first what lies in the list, then the envelope that kombu finds in it."""
    check_delivery(raw, queue="centre.aksu")
    message = json.loads(raw)
    encoding = message["properties"].get("body_encoding")
    look(
        message["headers"],
        body=b64decode(message["body"]) if encoding else message["body"].encode(),
        content_type=message["content-type"],
        content_encoding=message["content-encoding"],
    )


@given(st.lists(st.integers(min_value=1, max_value=2**63 - 1), min_size=1, max_size=MAX_IDS))
def test_what_we_write_passes(ids: list[int]) -> None:
    body, headers = announcement(task="packet.announce", task_id="t", ids=ids, origin="relay@host")
    look(json.loads(json.dumps(headers)), body)
    assert len(headers["argsrepr"]) < 1000


def test_what_brokers_and_beat_add_passes() -> None:
    look(PROPER_HEADERS | {"redelivered": True, "x-delivery-count": 3, "x-death": [{"count": 1}]})
    tick = PROPER_HEADERS | {
        "task": "runs.plan",
        "expires": "2026-01-05T05:00:00+00:00",
        "celery_beat_task": True,
    }
    look(tick | {"timelimit": [60, 50]}, [[], {}, {}])
    look(tick | {"stamped_headers": None, "stamps": {}}, [[], {}, {"callbacks": None}])


@pytest.mark.parametrize("headers", list(stray_headers()), ids=repr)
def test_odd_headers_are_junk(headers: dict[str, Any]) -> None:
    with pytest.raises(Junk):
        look(headers)


@pytest.mark.parametrize("limits", [[61, 50], [0, 0], [-1, None], ["60", "50"], [60], [True, True], [1e9, 1]])
def test_nobody_may_ask_for_more_time(limits: list[Any]) -> None:
    with pytest.raises(Junk, match="timelimit"):
        look(PROPER_HEADERS | {"timelimit": limits})


@pytest.mark.parametrize("headers", [None, 1, "x", []])
def test_headers_that_are_none_are_junk(headers: object) -> None:
    with pytest.raises(Junk):
        look(headers)


@pytest.mark.parametrize("body", [*STRAY_BODIES, *STRAY_TEXTS], ids=lambda body: repr(body)[:40])
def test_odd_bodies_are_junk(body: object) -> None:
    with pytest.raises(Junk):
        look(body=body)


def test_a_tick_takes_nothing() -> None:
    with pytest.raises(Junk):
        look(PROPER_HEADERS | {"task": "runs.plan"})


@pytest.mark.parametrize(
    "changes",
    [
        {"content_type": "application/x-python-serialize"},
        {"content_type": None},
        {"content_encoding": "binary"},
        {"content_encoding": None},
        {"content_encoding": ["utf-8"]},
        {"body": 7},
    ],
)
def test_content_that_is_not_declared_as_json_is_junk(changes: dict[str, Any]) -> None:
    with pytest.raises(Junk):
        look(**changes)


@given(JSON, JSON)
def test_nothing_but_junk_is_ever_raised(headers: object, body: object) -> None:
    for odd in (
        headers,
        {"task": "packet.announce", "id": "t"} | (headers if isinstance(headers, dict) else {}),
    ):
        with suppress(Junk):
            look(odd, body)


@given(JSON)
def test_nothing_but_junk_is_ever_raised_for_deliveries(message: object) -> None:
    with pytest.raises(Junk):
        check_delivery(json.dumps(message), queue="centre.aksu")


def test_a_delivery_as_kombu_writes_it_passes() -> None:
    take(json.dumps(delivery()).encode())


@pytest.mark.parametrize("raw", list(stray_deliveries()), ids=lambda raw: repr(raw)[:30])
def test_a_stray_delivery_is_junk_at_the_door_or_behind_it(raw: bytes) -> None:
    with pytest.raises(Junk):
        take(raw)


def test_a_delivery_for_another_queue_is_junk() -> None:
    with pytest.raises(Junk, match="another queue"):
        check_delivery(json.dumps(delivery(queue="centre.ile")), queue="centre.aksu")
