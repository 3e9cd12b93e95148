"""Junk, forgeries and broken requests: a clear answer of ours, the right status, and nothing half done."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.functional.installation import PATIENCE
from tests.functional.web.serving import Serving
from tests.functional.web.visitors import Visitor, words_of
from tests.integration.workflow.crew import Crew
from web.gate import LARGEST

Visitors = Callable[[str], Visitor]

FORM = {"service": "child_allowance", "applicant_name": "Applicant 1", "residence": "2002"}
BOUNDARY = "----b"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


def part(name: str, value: str, *, more: str = "") -> str:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_what_cannot_be_used_is_answered_with_a_page_in_the_language_of_the_person(
    visitor: Visitors, crew: Crew, language: str
) -> None:
    person = visitor("inspector.aksu")
    person.client.cookies.set("shabarman_language", language)
    csrf = person.csrf
    whole = "".join(part(name, value) for name, value in {"csrf": csrf, **FORM}.items())
    junk: list[tuple[str, bytes, dict[str, str], int]] = [
        ("too large", b"x" * (LARGEST + 1), URLENCODED, 413),
        ("multipart without an end", whole.encode()[:-40], MULTIPART, 415),
        ("multipart without a boundary", whole.encode(), {"Content-Type": "multipart/form-data"}, 415),
        ("no multipart at all", b"\x00\xff" * 50, MULTIPART, 415),
        (
            "a file in the place of a text",
            (part("csrf", csrf) + part("applicant_name", "MZ\x00", more='; filename="a.exe"')).encode()
            + f"--{BOUNDARY}--\r\n".encode(),
            MULTIPART,
            415,
        ),
        (
            "a character that cannot be kept",
            f"csrf={csrf}&applicant_name=a%00b&residence=2002".encode(),
            URLENCODED,
            422,
        ),
        ("too many fields", f"csrf={csrf}&{'a=1&' * 1500}".encode(), URLENCODED, 400),
        ("json in the place of a form", b'{"csrf": "x"}', {"Content-Type": "application/json"}, 403),
        ("no form", b"", {}, 403),
    ]
    before = crew.weight()
    for name, body, headers, status in junk:
        answer = person.client.post("/accept", content=body, headers=headers)
        assert answer.status_code == status, (name, answer.status_code, words_of(answer))
        assert answer.headers["content-type"] == "text/html; charset=utf-8", name
        assert f'<html lang="{language}">' in answer.text, name
        assert 'role="alert"' in answer.text, name
        assert "Traceback" not in answer.text, name
        assert answer.headers["x-frame-options"] == "DENY", name
    assert crew.weight() == before


def test_text_that_is_no_utf8_harms_nobody(visitor: Visitors) -> None:
    person = visitor("inspector.aksu")
    for junk in ("%ff%fe", "%ed%a0%80", "\udcff"):
        body = f"csrf={person.csrf}&code={junk}".encode("utf-8", "surrogateescape")
        answer = person.client.post("/find", content=body, headers=URLENCODED)
        assert answer.status_code in {200, 404, 422}, junk
        assert "text/html" in answer.headers["content-type"]


def test_a_field_that_comes_twice_counts_once(visitor: Visitors, crew: Crew) -> None:
    person = visitor("inspector.aksu")
    fields = [*({"csrf": person.csrf} | FORM).items(), ("applicant_name", "Applicant 2"), ("request_id", "1")]
    body = "&".join(f"{name}={value}" for name, value in fields)
    made = [person.client.post("/accept", content=body, headers=URLENCODED).headers["location"] for _ in "ab"]
    assert made[0] == made[1]
    number = re.findall(r"\d{14}", made[0])[0]
    assert crew.packet(number).applicant_name in {"Applicant 1", "Applicant 2"}


def test_addresses_with_junk_are_no_pages(visitor: Visitors, app: FastAPI) -> None:
    person = visitor("inspector.aksu")
    for address in (
        "/packets/%00",
        "/packets/10012600000159%00",
        "/manifests/%ff",
        "/scan/%00",
        "/static/x/..%2f..%2fapp.py",
        "/static/x/%2e%2e/app.py",
        "/status?code=%00",
        "/packets?state=%00",
        "/people/%00",
        "/nowhere",
    ):
        answer = person.see(address)
        assert answer.status_code in {403, 404, 422}, (address, answer.status_code)
        assert "text/html" in answer.headers["content-type"], address
        assert 'role="alert"' in answer.text, address
    api = TestClient(app).get("/api/v1/status/%00")
    assert (api.status_code, api.json()["code"]) == (422, "unstorable")
    assert person.client.put("/packets").status_code == 405


def test_nothing_may_be_framed_sniffed_or_sent_elsewhere(visitor: Visitors) -> None:
    person = visitor("inspector.aksu")
    for address in ("/", "/sign-in", "/nowhere", "/api/v1/me", "/health/live"):
        headers = person.see(address).headers
        assert headers["x-content-type-options"] == "nosniff", address
        assert headers["x-frame-options"] == "DENY", address
        assert "frame-ancestors 'none'" in headers["content-security-policy"], address
        assert "form-action 'self'" in headers["content-security-policy"], address
        assert headers["cache-control"] == "no-store", address


def test_a_forged_host_leads_nowhere(served: Serving) -> None:
    host, port = served.address.removeprefix("http://").split(":")

    def say(lines: str, *, whole: bool = True) -> str:
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as link:
            link.sendall(lines.encode("latin-1"))
            if not whole:
                link.shutdown(socket.SHUT_WR)
            heard = b""
            while more := link.recv(65536):
                heard += more
        return heard.decode("utf-8", "replace")

    for name in ("evil.example", "[", "a b", "%00", "évil", ""):
        for address in ("/", "/sign-in", "/nowhere", "/api/v1/me"):
            answer = say(f"GET {address} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n")
            assert re.match(r"HTTP/1\.1 (200|303|400|401|404) ", answer), (name, address, answer[:300])
            assert "evil.example" not in answer
    forged = say(
        "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n"
    )
    assert forged.startswith("HTTP/1.1 403 ")
    for broken in (
        "GET / HTTP/1.1\r\nHost",
        "\x00\x01\x02\r\n\r\n",
        "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ):
        assert not say(broken, whole=False).startswith("HTTP/1.1 5")
    assert "200" in say("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").splitlines()[0]
