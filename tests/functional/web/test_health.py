"""Health, figures, and what every request passes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from config.settings import Settings
from models.database import Database
from models.migrate import UnmigratedError
from tests.functional.web.visitors import Program, Visitor
from tests.integration.workflow.crew import Crew
from web.access import PUBLIC, RULES
from web.app import create_app
from web.gate import LARGEST


def test_alive_and_ready_part_by_part(app: FastAPI) -> None:
    client = TestClient(app)
    assert client.get("/health/live").json() == {"status": "ok"}
    ready = client.get("/health/ready")
    assert ready.status_code == 200
    parts = ready.json()["parts"]
    assert {name: part["status"] for name, part in parts.items()} == {
        "database": "ok",
        "migrations": "ok",
        "broker": "failed",
        "relay": "ok",
    }
    assert ready.json()["status"] == "degraded"


def test_messages_that_stand_still_are_seen(app: FastAPI, crew: Crew) -> None:
    crew.accept()
    with crew.database.transaction() as session:
        session.execute(text("UPDATE messages SET created_at = '2020-01-01 00:00:00'"))
    part = TestClient(app).get("/health/ready").json()["parts"]["relay"]
    assert part["status"] == "slow"
    assert part["pending"] == 1


def test_a_broker_that_is_down_is_named_and_closes_nothing(app: FastAPI) -> None:
    for url in ("redis://127.0.0.1:1/0", "amqp://guest:guest@127.0.0.1:1//"):
        app.state.installation = replace(app.state.installation, broker_url=url)
        ready = TestClient(app).get("/health/ready")
        assert ready.status_code == 200
        assert ready.json()["parts"]["broker"]["status"] == "failed"
        assert "guest" not in ready.text


def test_without_its_database_it_is_alive_and_not_ready(app: FastAPI) -> None:
    away = Database("postgresql://postgres@127.0.0.1:1/nothing")
    app.state.installation = replace(app.state.installation, database=away)
    client = TestClient(app)
    assert client.get("/health/live").status_code == 200
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["parts"]["database"]["status"] == "failed"
    page = client.get("/status", params={"code": "x"})
    assert page.status_code == 503
    assert "retry-after" in page.headers
    away.close()


def test_a_database_of_another_version_stops_the_start(tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(UnmigratedError):
        create_app(Settings(home=tmp_path, broker_url=None), database=empty)
    empty.close()


def test_figures(app: FastAPI, crew: Crew) -> None:
    number = crew.accept()
    Program(app, crew, "accumulator.aksu").scan("collect", number, "nonsense")
    figures = TestClient(app).get("/metrics").text
    for line in (
        'shabarman_packets{state="collected"} 1.0',
        'shabarman_messages{state="pending"} 1.0',
        'shabarman_scans_total{verdict="taken"} 1.0',
        'shabarman_scans_total{verdict="unknown"} 1.0',
        'shabarman_scans_total{verdict="closed"} 0.0',
        "shabarman_database_up 1.0",
        "shabarman_broker_configured 1.0",
        'shabarman_request_seconds_count{method="POST",route="/api/v1/scans",status="200"} 1.0',
    ):
        assert line in figures
    assert number not in figures


def test_an_installation_without_a_broker_says_that_no_worker_is_missed(crew: Crew, tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path, broker_url="none"), database=crew.database)
    assert "shabarman_broker_configured 0.0" in TestClient(app).get("/metrics").text


def test_the_log_tells_which_request_and_nothing_of_a_person(app: FastAPI) -> None:
    person = Visitor(app)
    person.sign_in("inspector.aksu")
    with capture_logs() as lines:
        answer = person.client.get("/packets/990101300013", headers={"X-Request-ID": "request-12345"})
    assert answer.headers["x-request-id"] == "request-12345"
    (line,) = (line for line in lines if line["event"] == "request.done")
    assert (line["route"], line["status"]) == ("/packets/{number}", 404)
    assert "990101300013" not in json.dumps(lines, default=str)
    strange = person.client.get("/health/live", headers={"X-Request-ID": "a\tb"})
    assert strange.headers["x-request-id"] != "a\tb"


def test_a_mistake_of_ours_is_said_plainly_and_logged_without_what_was_typed(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("990101300013")

    for address in ("/api/v1/broken", "/broken"):
        monkeypatch.setitem(RULES, f"GET {address}", PUBLIC)
        app.add_api_route(address, broken)
    with capture_logs() as lines:
        answer = TestClient(app).get("/api/v1/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "990101300013" not in answer.text + json.dumps(lines, default=str)
    assert any(line["event"] == "request.failed" and "broken" in str(line["at"]) for line in lines)
    page = TestClient(app, cookies={"shabarman_language": "ru"}).get("/broken")
    assert page.status_code == 500
    assert page.headers["content-type"].startswith("text/html")
    assert "Что-то пошло не так" in page.text
    assert "990101300013" not in page.text


def test_a_request_that_is_too_large_is_not_read(app: FastAPI, crew: Crew) -> None:
    client = Program(app, crew, "inspector.aksu").client
    answer = client.post("/api/v1/scans", content=b" " * (LARGEST + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    def pieces() -> object:
        for _ in range(20):
            yield b" " * (LARGEST // 10)

    streamed = client.post(
        "/api/v1/scans",
        content=pieces(),  # type: ignore[arg-type]
        headers={"Content-Type": "application/json"},
    )
    assert (streamed.status_code, streamed.json()["code"]) == (413, "too_large")
