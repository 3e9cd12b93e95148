"""Traces: one from the request of a person to the notice of another, and nothing at all where nobody asks for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import select

from config import tracing
from models import Message, Notice
from tasks.handling import handle
from tests.functional.web.visitors import Program
from tests.integration.conftest import embedded_server, socket_folder
from tests.integration.servers import Broker
from tests.integration.tasks.post import quick
from tests.integration.workflow.crew import Crew
from workers.relay import Relay

__all__ = ["embedded_server", "socket_folder"]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.configure("test", url="http://127.0.0.1:1", exporter=exporter)
    yield exporter
    tracing.stop()


def test_one_trace_leads_from_the_request_to_the_notice(
    app: FastAPI, crew: Crew, embedded_server: Broker, spans: InMemorySpanExporter
) -> None:
    embedded_server.empty()
    made = Program(app, crew, "inspector.aksu").post(
        "/packets",
        {"service": "child_allowance", "applicant_name": "Applicant 1", "residence": "2002"},
        headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "X-Request-ID": "request-12345"},
    )
    number = made.json()["number"]
    with crew.database.reading() as session:
        message = session.scalars(select(Message).where(Message.subject == number)).one()
    assert message.body["traceparent"].split("-")[1] == TRACE
    assert message.body["requestid"] == "request-12345"
    relay = Relay(crew.database, embedded_server.url, quick())
    assert relay.step() == 1
    relay.close()
    assert handle(crew.database, [message.id], settings=quick()).done == 1
    with crew.database.reading() as session:
        assert session.scalars(select(Notice).where(Notice.message_id == message.id)).one()
    seen = {span.name: span for span in spans.get_finished_spans()}
    assert set(seen) == {"POST /api/v1/packets", "message.publish", "message.handle"}
    assert {f"{span.context.trace_id:032x}" for span in seen.values() if span.context} == {TRACE}
    request = seen["POST /api/v1/packets"].context
    assert request is not None
    for name in ("message.publish", "message.handle"):
        parent, attributes = seen[name].parent, seen[name].attributes
        assert parent is not None
        assert parent.span_id == request.span_id
        assert attributes is not None
        assert (attributes["packet"], attributes["message"]) == (number, message.id)


def test_nothing_is_loaded_and_nothing_is_kept_where_nobody_asks(crew: Crew) -> None:
    number = crew.accept()
    with crew.database.reading() as session:
        body = session.scalars(select(Message.body).where(Message.subject == number)).one()
    assert "traceparent" not in body
    assert tracing.span("anything") is tracing.span("else")
    program = (
        "import sys, web.app, tasks.handling, workers.relay, workers.worker\n"
        "from config import tracing\n"
        "tracing.configure('web', url=None)\n"
        # Libraries load the bare interfaces where they find them; what does the work is ours to load or not.
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_traces_without_their_packages_are_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(tracing.NoTracingError) as refused:
        tracing.configure("web", url="http://127.0.0.1:4318")
    assert "shabarman[otel]" in refused.value.sentence("en")
    assert not tracing.is_on()
