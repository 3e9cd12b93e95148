"""Every role of every kind of office at every route: what the server answers is what the table of rules says."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from httpx2 import ASGITransport, AsyncClient, Response
from starlette.testclient import TestClient

from config.settings import Settings
from models.database import Database
from tests.functional.web.addresses import COMMANDS, address_of
from tests.functional.web.visitors import PASSWORD
from tests.functional.web.world import (
    OFFICES,
    OWN_CENTRE,
    OWN_DEPARTMENT,
    SECRETS,
    Forgetful,
    World,
    everybody,
    world,
)
from web.access import RULES, WORDS, Rule, Side
from web.api import events
from web.app import create_app
from web.sessions import COOKIE, csrf_token
from workflow.people import EVERYWHERE, Actor

OWN = {OFFICES[OWN_CENTRE], OFFICES[OWN_DEPARTMENT]}
OF_SIDE = {
    Side.SENDER: OFFICES[OWN_CENTRE],
    Side.RECEIVER: OFFICES[OWN_DEPARTMENT],
    Side.LATE: OFFICES[OWN_DEPARTMENT],
}
REFUSED = {401, 403, 404, 500}
SHOWN_AFTERWARDS = {"POST /people/new"}
"""What shows what it has made; the database of these tests has forgotten it by then, which is a 404."""

PERSON = {"name": "Somebody", "office": OFFICES[OWN_DEPARTMENT], "role": ["executor"], "language": "en"}
APPLICATION = {"service": "child_allowance", "applicant_name": "Applicant 2", "residence": "2002"}


def bodies(made: World) -> dict[str, Any]:
    """Return what is sent along, by rule."""
    packets = made.packets
    reasons = {packets["listed"]: "why"}
    scan = {
        "id": "scan",
        "raw": packets["received"],
        "station": "look_up",
        "at": made.crew.now.isoformat(),
    }
    many = {command: {"numbers": [packets[COMMANDS[command][0]]]} for command in ("pass", "resolve", "sign")}
    many["resolve"]["executor"] = COMMANDS["resolve"][1]["executor"]
    return {
        "POST /sign-in": {"login": "inspector.aksu", "password": PASSWORD},
        "POST /language": {"language": "en"},
        "POST /find": {"code": packets["received"]},
        "POST /accept": APPLICATION,
        "POST /accept/department": APPLICATION,
        "POST /papers/labels": {"numbers": packets["received"]},
        "POST /desk/pass": {"number": [packets["registered"]]},
        "POST /desk/hand-out": {"result": packets["signed"], "receipt": packets["signed"], "scan_id": "scan"},
        "POST /desk/resolve": {"number": [packets["with_head"]], "executor": "executor.alakol"},
        "POST /desk/sign": {"number": [packets["for_signature"]]},
        "POST /manifests/{number}/papers/{paper}": {"fmt": "svg"},
        "POST /manifests/{number}/seal": {"seal_number": "S-1"},
        "POST /manifests/{number}/close": {
            "packet": list(reasons),
            "reason": list(reasons.values()),
            "confirmed": "yes",
        },
        "POST /api/v1/manifests/{number}/seal": {"seal_number": "S-1"},
        "POST /api/v1/manifests/{number}/close": {"reasons": reasons},
        "POST /desk/sign/{number}/send-back": COMMANDS["send_back"][1],
        "POST /password": {"present": PASSWORD, "password": "another sentence", "again": "another sentence"},
        "POST /dead-letters": {"work": "replay", "every": "true", "note": "why"},
        "POST /people/new": {"login": "new", **PERSON},
        "POST /people/{login}": PERSON,
        "POST /people/{login}/switch": {"active": "false"},
        "POST /offices/{code}": {"own_register": "true"},
        "POST /offices/{code}/facts": {"hours": ["09:00-18:00"] * 7, "source": "letter 17"},
        "POST /calendar/day": {
            "first": "2026-12-30",
            "kind": "holiday",
            "scope": "all",
            "name_kk": "day",
            "name_ru": "day",
            "source": "decree",
        },
        "POST /calendar/confirm": {"year": "2026", "source": "decree"},
        "POST /api/v1/readings": {"raw": "1"},
        "POST /api/v1/scans": [scan],
        "POST /api/v1/packets": APPLICATION,
        "POST /api/v1/notices/read": {"ids": [1]},
        "PUT /api/v1/packets/{number}/return_slip": {},
        "PUT /api/v1/staff/{login}/absence": {},
        **{f"POST /api/v1/packets/{command}": body for command, body in many.items()},
    }


class Asker:
    """Sends one request for each rule, for whoever it is; in one event loop, since there are thousands."""

    def __init__(self, app: FastAPI, made: World) -> None:
        self.made = made
        self.bodies = bodies(made)
        self.loop = asyncio.new_event_loop()
        self.client = AsyncClient(transport=ASGITransport(app), base_url="http://testserver")

    def ask(self, key: str, cookie: str | None, **headers: str) -> Response:
        method, _, path = key.partition(" ")
        address = address_of(key, self.made)
        command = path.rpartition("/")[2]
        body = self.bodies.get(
            key, COMMANDS[command][1] if "/{number}/" in path and command in COMMANDS else {}
        )
        more: dict[str, Any] = {}
        token = csrf_token(cookie) if cookie else ""
        if method != "GET" and path.startswith("/api/"):
            more, headers = {"json": body}, {"X-CSRF-Token": token, **headers}
        elif method != "GET":
            more = {"data": body if "csrf" in headers else {"csrf": token, **body}}
            headers.pop("csrf", None)
        if cookie:
            headers["Cookie"] = f"{COOKIE}={cookie}; shabarman_language=en"
        answer = self.loop.run_until_complete(self.client.request(method, address, headers=headers, **more))
        self.client.cookies.clear()
        return answer


@pytest.fixture
def asker(
    database: Database, password_hash: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Asker]:
    made = world(database, password_hash=password_hash)
    # The stream of events ends at once.
    monkeypatch.setattr(events, "LONGEST_SECONDS", 0)
    forgetful = Forgetful(str(database.engine.url.render_as_string(hide_password=False)))
    settings = Settings(home=tmp_path, broker_url=None)
    app = create_app(settings, clock=lambda: made.crew.now, database=forgetful)
    made_for = Asker(app, made)
    yield made_for
    made_for.loop.run_until_complete(made_for.client.aclose())
    made_for.loop.run_until_complete(made_for.loop.shutdown_default_executor())
    made_for.loop.close()
    forgetful.close()


def keys_of(app: FastAPI) -> Iterator[tuple[str, list[str]]]:
    """Return each route of the application with the names of the rules that it needs."""
    for route in iter_route_contexts(app.routes):
        for method in sorted((route.methods or set()) - {"HEAD"}):
            name = f"{method} {route.path}"
            words = [f"{{{word}}}" for word in WORDS if f"{{{word}}}" in str(route.path)]
            if words:
                start, _, end = name.partition(words[0])
                yield (
                    name,
                    [
                        key
                        for key in RULES
                        if key.startswith(start)
                        and key.endswith(end)
                        and "/" not in key[len(start) :].removesuffix(end)
                    ],
                )
            else:
                yield name, [name]


def test_every_route_has_a_rule_and_every_rule_a_route(app: FastAPI) -> None:
    named = dict(keys_of(app))
    without = [name for name, keys in named.items() if not keys or not set(keys) <= set(RULES)]
    assert without == [], f"web/access.py does not say who may use {without}"
    unused = set(RULES) - set(itertools.chain.from_iterable(named.values()))
    assert unused == set(), f"web/access.py has rules for what is not there: {unused}"


def test_a_route_without_a_rule_lets_nobody_in(app: FastAPI) -> None:
    app.add_api_route("/forgotten", lambda: "secret")
    answer = TestClient(app, raise_server_exceptions=False).get(
        "/forgotten", headers={"Accept-Language": "en"}
    )
    assert answer.status_code == 500
    assert "GET /forgotten" in answer.text
    assert "secret" not in answer.text


def test_who_has_not_signed_in_sees_what_is_public_and_nothing_else(asker: Asker) -> None:
    wrong = []
    for key, rule in RULES.items():
        answer = asker.ask(key, None)
        if rule.public:
            right = answer.status_code in {200, 303} and answer.headers.get("location", "/") == "/"
        elif "/api/" in key:
            right = answer.status_code == 401 and answer.json()["code"] == "sign_in_needed"
        else:
            right = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?next=")
        if not right or any(secret in answer.text for secret in SECRETS):
            wrong.append((key, answer.status_code))
    assert wrong == []


def test_what_changes_something_takes_only_our_own_forms(asker: Asker) -> None:
    key = asker.made.sign_in("inspector.aksu")
    stranger = {"Origin": "https://evil.example"}
    wrong = []
    for name, rule in RULES.items():
        if name.startswith("GET "):
            continue
        if asker.ask(name, key, **stranger).status_code != 403:
            wrong.append((name, "another site"))
        allowed = rule.public or asker.made.crew.people["inspector.aksu"].roles & rule.roles
        forged = {"csrf": "x"} if "/api/" not in name else {"X-CSRF-Token": "0" * 64}
        if not rule.public and allowed and asker.ask(name, key, **forged).status_code != 403:
            wrong.append((name, "no token"))
    assert wrong == []


# Thousands of requests that each come to their answer before or without anything that databases do differently.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_role_of_every_kind_of_office_at_every_route(asker: Asker) -> None:
    people = asker.made.crew.people
    keys = {f"{role}.{place}": asker.made.sign_in(f"{role}.{place}") for role, place in everybody()}
    wrong: list[str] = []
    for name, rule in RULES.items():
        done = rule.public
        for login, key in {} if rule.public else keys.items():
            answer = asker.ask(name, key)
            if name in SHOWN_AFTERWARDS and rule.roles & people[login].roles and answer.status_code == 404:
                done = True
                continue
            done = done or answer.status_code < 400
            wrong += [f"{name} for {login}: {why}" for why in faults(answer, rule, people[login])]
        if not done:
            wrong.append(f"{name}: nobody can use it")
    assert wrong == [], "\n" + "\n".join(wrong)


def faults(answer: Response, rule: Rule, by: Actor) -> Iterator[str]:
    """Say what is wrong with an answer."""
    status = answer.status_code
    everywhere = bool(by.roles & EVERYWHERE)
    if not by.roles & rule.roles:
        if status != 403:
            yield f"the role may not, but {status}"
    elif rule.side is not Side.ANY and by.office not in OWN and not everywhere:
        if status != 404:
            yield f"no business of this office, but {status}"
    elif rule.side in OF_SIDE and by.office != OF_SIDE[rule.side]:
        if status not in {403, 404, 409}:
            yield f"not on this side, but {status}"
    elif status in REFUSED and rule.side is not Side.LATE:
        yield f"may, but {status}"
    may_read = by.roles & rule.roles and (by.office in OWN or everywhere)
    if not may_read and any(secret in answer.text for secret in SECRETS):
        yield "reads what is not its business"
