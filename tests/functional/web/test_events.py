"""The bell: notices reach an open page as they come."""

from collections.abc import Iterator

import httpx2
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import utc_now
from models import Message, Notice
from tests.functional.web.serving import Serving
from tests.functional.web.visitors import PASSWORD
from workflow.telling import tell


def _tell_all(session: Session) -> None:
    tell(session, list(session.scalars(select(Message))), now=utc_now())


def _events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        if not line and "data" in event:
            yield event
            event = {}
        name, _, value = line.partition(": ")
        if name in {"id", "event", "data"}:
            event[name] = value


def test_a_notice_reaches_the_pages_of_its_office_and_no_other(served: Serving) -> None:
    crew = served.crew
    with httpx2.Client(base_url=served.address, timeout=10, headers={"Accept-Language": "kk"}) as client:
        client.post("/sign-in", data={"login": "registrar.alakol", "password": PASSWORD})
        with client.stream("GET", "/api/v1/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.iter_lines()
            assert next(lines) == "retry: 3000"
            events = _events(lines)
            begun = next(events)
            assert begun["event"] == "listening"
            elsewhere = crew.accept(residence="2001")
            here = crew.accept(residence="2002")
            crew.database.transact(_tell_all)
            event = next(events)
        assert here in event["data"]
        assert "was accepted at" in event["data"]  # In the language of the person, not of the browser.
        assert elsewhere not in event["data"]
        # Whoever hung up before the first notice comes back with the id of the beginning.
        for headers in ({"Last-Event-ID": "0"}, {"Last-Event-ID": begun["id"]}):
            with client.stream("GET", "/api/v1/events", headers=headers) as stream:
                events = _events(stream.iter_lines())
                assert next(events) == event
                ends = next(events)
            assert (ends["event"], ends["id"]) == ("listening", event["id"])
        (notice,) = client.get("/api/v1/notices").json()
        assert notice["subject"] == here
        csrf = client.get("/api/v1/me").json()["csrf"]
        for read in (1, 0):
            answer = client.post(
                "/api/v1/notices/read", json={"ids": [notice["id"]]}, headers={"X-CSRF-Token": csrf}
            )
            assert answer.json() == {"read": read}
    with crew.database.reading() as session:
        (other,) = session.scalars(select(Notice).where(Notice.office == "2001"))
        assert other.read_at is None
