"""Who uses the application over HTTP: people with a browser's cookies, and programs with a token."""

from __future__ import annotations

import hashlib
import re
import secrets
from html import unescape
from typing import Any

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from models import Token
from tests.integration.workflow.crew import Crew

PASSWORD = "correct horse battery"
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
_TAGS = re.compile(r"<[^>]+>")


class Program:
    """Asks the API for one person."""

    def __init__(self, app: FastAPI, crew: Crew, login: str) -> None:
        token = secrets.token_urlsafe(32)
        with crew.database.transaction() as session:
            key = hashlib.sha256(token.encode()).hexdigest()
            session.add(Token(key_hash=key, staff_id=crew.people[login].id, created_at=crew.now))
        self.client = TestClient(app, headers={"Authorization": f"Bearer {token}"})
        self.crew = crew

    def get(self, address: str, **more: Any) -> Response:
        return self.client.get(f"/api/v1{address}", **more)

    def post(self, address: str, body: object, **more: Any) -> Response:
        return self.client.post(f"/api/v1{address}", json=body, **more)

    def scan(self, station: str, *codes: str, manifest: str | None = None) -> list[dict[str, Any]]:
        """Scan codes in one list and return the answers."""
        self.crew.wait(minutes=1)
        scans = [
            {
                "id": secrets.token_hex(8),
                "raw": code,
                "station": station,
                "at": self.crew.now.isoformat(),
                "manifest": manifest,
            }
            for code in codes
        ]
        answer = self.post("/scans", scans)
        assert answer.status_code == 200, answer.text
        answers: list[dict[str, Any]] = answer.json()
        return answers


class Visitor:
    """Uses the pages as a browser without scripts does."""

    def __init__(self, app: FastAPI, *, address: str = "testclient") -> None:
        self.client = TestClient(app, follow_redirects=False, client=(address, 50000))

    def sign_in(self, login: str, *, password: str = PASSWORD) -> Response:
        return self.client.post("/sign-in", data={"login": login, "password": password})

    def see(self, address: str) -> Response:
        return self.client.get(address)

    def text(self, address: str) -> str:
        """Return the words of a page that must be there."""
        answer = self.see(address)
        assert answer.status_code == 200, answer.text
        return words_of(answer)

    @property
    def csrf(self) -> str:
        found = _CSRF.search(self.see("/").text)
        assert found is not None
        return found[1]

    def send(self, address: str, **fields: Any) -> Response:
        """Send a form."""
        return self.client.post(address, data={"csrf": self.csrf, **fields})

    def send_and_follow(self, address: str, **fields: Any) -> str:
        """Send a form that must be carried out, and return the words of the page that comes next."""
        answer = self.send(address, **fields)
        assert answer.status_code == 303, words_of(answer)
        return self.text(answer.headers["location"])


def words_of(answer: Response) -> str:
    """Return what a person reads of a page."""
    return " ".join(unescape(_TAGS.sub(" ", answer.text)).split())
