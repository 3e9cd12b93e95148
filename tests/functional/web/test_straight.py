"""The straight way of a scan answers everything as the framework's own way does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from config.settings import Settings
from models.database import Database
from tests.functional.web.visitors import Program, Visitor
from tests.integration.workflow.crew import Crew
from web.api import scans
from web.app import create_app
from web.asking import SCANS
from web.straight import Straight

SCAN: dict[str, Any] = {"id": "a", "raw": "?", "station": "look_up", "at": "2026-11-23T09:30:00+05:00"}
JSON = {"content-type": "application/json"}

BODIES = {
    "one": json.dumps([SCAN]),
    "two": json.dumps([SCAN, SCAN | {"id": "b", "device": "camera", "manifest": None}]),
    "nothing": "",
    "null": "null",
    "an empty list": "[]",
    "a word": '"scan"',
    "no list": json.dumps(SCAN),
    "no JSON": '[{"id": ',
    "JSON and more": "[] []",
    "no UTF-8": b"\xff\xfe\xfd",
    "UTF-16": json.dumps([SCAN]).encode("utf-16"),
    "not a number": "[NaN]",
    "too deep": "[" * 100_000,
    "too many": json.dumps([SCAN] * 501),
    "a field missing": json.dumps([{"id": "a"}, SCAN]),
    "a field too many": json.dumps([SCAN | {"x": 1}]),
    "no such station": json.dumps([SCAN | {"station": "moon"}]),
    "no zone": json.dumps([SCAN | {"at": "2026-11-23T09:30:00"}]),
    "another age": json.dumps([SCAN | {"at": "0001-01-01T00:00:00+05:00"}]),
    "control characters": json.dumps([SCAN | {"id": "\0"}]),
    "half a character": '[{"id": "\\ud800", "raw": "?", "station": "look_up", "at": "2026-11-23T09:30:00Z"}]',
    "too large": " " * (1024 * 1024 + 1),
}
KINDS = [
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "application/problem+json",
    "application/jsonp",
    "application/octet-stream",
    "text/json",
    "text/plain",
    "json",
    "",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
]
HEADERS: list[dict[str, str]] = [
    {"accept-language": "kk"},
    {"accept-language": "ru,en;q=0.5"},
    {"accept-language": "*"},
    {"origin": "https://elsewhere.example"},
    {"sec-fetch-site": "cross-site"},
    {"origin": "http://testserver"},
    {"authorization": "Bearer nobody"},
    {"authorization": ""},
    {"authorization": "Basic YTpi"},
    {"x-request-id": "0123456789abcdef"},
]

Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def other(
    app: FastAPI, crew: Crew, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FastAPI:
    """Return the same application with the framework's own way; `app` was made before it."""
    assert any(isinstance(route, Straight) for route in app.routes)
    monkeypatch.setattr(scans, "Straight", APIRoute)
    made = create_app(Settings(home=tmp_path, broker_url=None), clock=lambda: crew.now, database=database)
    assert not any(isinstance(route, Straight) for route in made.routes)
    return made


@pytest.fixture
def both(app: FastAPI, other: FastAPI, crew: Crew) -> Callable[..., Answer]:
    """Return a way to ask both applications for a registrar's program; the answer, which must be the same."""
    asked = Program(app, crew, "registrar.alakol").client
    held = TestClient(other, headers=dict(asked.headers))
    return lambda **request: _same(asked, held, **request)


def _same(
    first: TestClient, second: TestClient, *, method: str = "POST", address: str = SCANS, **request: Any
) -> Answer:
    answers = []
    for client in (first, second):
        answer = client.request(method, address, **request)
        headers = dict(answer.headers)
        if "x-request-id" not in request.get("headers", {}):
            assert headers.pop("x-request-id")
        answers.append((answer.status_code, headers, answer.content))
    assert answers[0] == answers[1]
    return answers[0]


def test_bodies_are_answered_as_by_the_framework(both: Callable[..., Answer]) -> None:
    found = {name: both(content=body, headers=JSON) for name, body in BODIES.items()}
    assert {name for name, (status, _, _) in found.items() if status == 200} == {"one", "two", "UTF-16"}
    for status, headers, _ in found.values():
        assert headers["content-type"] == (
            "application/json" if status == 200 else "application/problem+json"
        )


def test_kinds_of_bodies_are_answered_as_by_the_framework(both: Callable[..., Answer]) -> None:
    found = {kind: both(content=BODIES["one"], headers={"content-type": kind})[0] for kind in KINDS}
    assert [kind for kind, status in found.items() if status == 200] == KINDS[:3]


def test_headers_are_answered_as_by_the_framework(both: Callable[..., Answer]) -> None:
    for headers in HEADERS:
        for body in ("one", "no JSON", "a field missing"):
            both(content=BODIES[body], headers=JSON | headers)


def test_methods_and_addresses_are_answered_as_by_the_framework(both: Callable[..., Answer]) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        assert both(method=method)[0] == 405
    assert both(address=f"{SCANS}/", json=[SCAN], follow_redirects=False)[0] == 307
    assert both(address=f"{SCANS}?x=%00", json=[SCAN])[0] == 422
    assert both(address=f"{SCANS}?x=y", json=[SCAN])[0] == 200


def test_people_are_answered_as_by_the_framework(app: FastAPI, other: FastAPI) -> None:
    visitor = Visitor(app)
    visitor.sign_in("registrar.alakol")
    token = {"x-csrf-token": visitor.csrf}
    held = TestClient(other, cookies=dict(visitor.client.cookies))
    statuses = [
        _same(visitor.client, held, json=[SCAN], headers=headers)[0]
        for headers in (token, {}, {"x-csrf-token": "x"}, token | {"origin": "https://elsewhere.example"})
    ]
    assert statuses == [200, 403, 403, 403]


def test_it_is_described_as_by_the_framework(app: FastAPI, other: FastAPI) -> None:
    described = [TestClient(one).get("/api/openapi.json").json() for one in (app, other)]
    assert described[0] == described[1]
    assert described[0]["paths"][SCANS]["post"]["security"]
