"""Signing in, staying in, and being kept out."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from config.settings import Settings
from models import SignIn, Staff
from tests.functional.web.visitors import PASSWORD, Visitor
from tests.integration.workflow.crew import Crew
from web.app import create_app
from web.sessions import COOKIE, LockedOutError
from workflow.staffing import give_password
from workflow.tries import FREE_TRIES, FREE_TRIES_OF_ADDRESS

Visitors = Callable[[str], Visitor]


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(app: FastAPI, crew: Crew) -> None:
    answer = Visitor(app).sign_in("inspector.aksu")
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    over_tls = TestClient(app, base_url="https://testserver", follow_redirects=False)
    safe = over_tls.post("/sign-in", data={"login": "inspector.aksu", "password": PASSWORD})
    assert "secure" in safe.headers["set-cookie"].lower()
    assert "max-age" in safe.headers["strict-transport-security"]
    with crew.database.reading() as session:
        kept = set(session.scalars(select(SignIn.key_hash)))
    assert over_tls.cookies[COOKIE] not in kept


def test_a_page_asks_to_sign_in_and_comes_back(app: FastAPI) -> None:
    visitor = Visitor(app)
    answer = visitor.see("/packets")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/packets")
    answer = visitor.client.post(
        "/sign-in", data={"login": "HEAD.Aksu ", "password": PASSWORD, "next": "/packets"}
    )
    assert answer.headers["location"] == "/packets"
    assert visitor.see("/packets").status_code == 200


def test_nobody_is_sent_to_another_site(app: FastAPI) -> None:
    for away in ("https://evil.example/", "//evil.example", "/\\evil.example", "x"):
        answer = TestClient(app, follow_redirects=False).post(
            "/sign-in", data={"login": "inspector.aksu", "password": PASSWORD, "next": away}
        )
        assert answer.headers["location"] == "/"


def test_an_unknown_login_looks_like_a_wrong_password(app: FastAPI) -> None:
    visitor = Visitor(app)
    wrong = visitor.sign_in("inspector.aksu", password="wrong")
    unknown = visitor.sign_in("nobody", password="wrong")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("inspector.aksu", "") == unknown.text.replace("nobody", "")


def test_guessing_is_stopped_and_said(app: FastAPI, crew: Crew) -> None:
    visitor = Visitor(app)
    for _ in range(FREE_TRIES):
        assert visitor.sign_in("inspector.aksu", password="wrong").status_code == 401
    locked = visitor.sign_in("inspector.aksu")
    assert locked.status_code == 429
    assert int(locked.headers["retry-after"]) > 0
    # Somebody else at the same counter is not held up.
    assert Visitor(app).sign_in("accumulator.aksu").status_code == 303
    crew.wait(minutes=2)
    assert visitor.sign_in("inspector.aksu").status_code == 303


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("ru", {1: "Подождите 1 минуту", 2: "Подождите 2 минуты", 5: "Подождите 5 минут ", 15: "15 минут "}),
        ("kk", {1: "1 минут күтіңіз", 5: "5 минут күтіңіз"}),
        ("en", {1: "Wait 1 minute,", 2: "Wait 2 minutes,"}),
    ],
)
def test_how_long_to_wait_is_said_in_its_form(language: str, sentences: dict[int, str]) -> None:
    for minutes, said in sentences.items():
        assert said in LockedOutError.text.render(language, minutes=minutes)


def test_a_sign_in_ends_after_its_longest_time_however_much_it_is_used(
    app: FastAPI, crew: Crew, visitor: Visitors
) -> None:
    lasting = app.state.installation.lasting
    person, began = visitor("inspector.aksu"), crew.now
    assert f"max-age={lasting.longest * 60};" in Visitor(app).sign_in("head.alakol").headers[
        "set-cookie"
    ].lower().replace("; ", ";")
    step = timedelta(minutes=lasting.idle - 1)
    while crew.now + step < began + timedelta(minutes=lasting.longest):
        crew.now += step
        assert person.see("/").status_code == 200
    crew.now = began + timedelta(minutes=lasting.longest)
    assert person.see("/").status_code == 200
    crew.wait(seconds=1)
    assert person.see("/").headers["location"].startswith("/sign-in")
    program = person.see("/api/v1/me")
    assert (program.status_code, program.json()["code"]) == (401, "sign_in_needed")
    visitor("inspector.aksu")
    with crew.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SignIn)) == 2, "the old one is cleared away"


def test_several_processes_count_together(app: FastAPI, crew: Crew, tmp_path: Path) -> None:
    second = create_app(
        Settings(home=tmp_path, broker_url=None), clock=lambda: crew.now, database=crew.database
    )
    for place in range(FREE_TRIES):
        Visitor((app, second)[place % 2]).sign_in("inspector.aksu", password="wrong")
    assert Visitor(second).sign_in("inspector.aksu").status_code == 429
    assert Visitor(app).sign_in("inspector.aksu").status_code == 429


def test_a_stranger_locks_out_neither_an_office_nor_a_person_at_the_usual_place(
    app: FastAPI, visitor: Visitors
) -> None:
    visitor("inspector.aksu")
    # Behind the same address as the office, and from a place of their own.
    for place in range(FREE_TRIES_OF_ADDRESS):
        Visitor(app).sign_in(f"somebody{place}", password="wrong")
    assert Visitor(app).sign_in("another").status_code == 429
    stranger = Visitor(app, address="192.0.2.7")
    for _ in range(FREE_TRIES):
        stranger.sign_in("inspector.aksu", password="wrong")
    assert stranger.sign_in("inspector.aksu").status_code == 429
    assert Visitor(app).sign_in("inspector.aksu").status_code == 303


def test_a_new_sign_in_has_a_new_key_and_ends_the_old_one(app: FastAPI) -> None:
    person = Visitor(app)
    keys = []
    for _ in range(2):
        person.sign_in("inspector.aksu")
        keys.append(person.client.cookies[COOKIE])
    assert keys[0] != keys[1]
    assert TestClient(app, cookies={COOKIE: keys[0]}, follow_redirects=False).get("/").status_code == 303
    # A key that somebody else has laid into the browser is never taken over.
    fixed = Visitor(app)
    fixed.client.cookies.set(COOKIE, "chosen-by-somebody-else")
    answer = fixed.sign_in("inspector.aksu")
    assert "chosen-by-somebody-else" not in answer.headers["set-cookie"]


def test_a_person_can_sign_out_everywhere(visitor: Visitors) -> None:
    here, there, other = visitor("inspector.aksu"), visitor("inspector.aksu"), visitor("courier.aksu")
    assert "Signed in 2" in here.text("/password")
    assert here.send("/sign-out/everywhere").headers["location"] == "/sign-in"
    assert there.see("/").headers["location"].startswith("/sign-in")
    assert other.see("/").status_code == 200


def test_the_own_password_is_changed_with_the_present_one(app: FastAPI, visitor: Visitors) -> None:
    here, there = visitor("inspector.aksu"), visitor("inspector.aksu")
    new = "a sentence that nobody guesses"
    for present, password, again, status in (
        ("wrong", new, new, 401),
        (PASSWORD, "short", "short", 422),
        (PASSWORD, "x" * 1025, "x" * 1025, 422),
        (PASSWORD, PASSWORD, PASSWORD, 422),
        (PASSWORD, new, new + "s", 422),
    ):
        answer = here.send("/password", present=present, password=password, again=again)
        assert answer.status_code == status, password
        assert 'value="a sentence' not in answer.text
    key = here.client.cookies[COOKIE]
    said = here.send_and_follow("/password", present=PASSWORD, password=new, again=new)
    assert "password is changed" in said
    assert here.client.cookies[COOKIE] != key
    assert there.see("/").headers["location"].startswith("/sign-in")
    assert Visitor(app).sign_in("inspector.aksu").status_code == 401
    assert Visitor(app).sign_in("inspector.aksu", password=new).status_code == 303


def test_a_password_that_somebody_else_knows_opens_only_the_page_that_changes_it(
    app: FastAPI, crew: Crew
) -> None:
    given = crew.do(lambda s: give_password(s, "inspector.aksu", by="operator", now=crew.now))
    person = Visitor(app)
    person.sign_in("inspector.aksu", password=given)
    for address in ("/", "/packets", "/accept"):
        assert person.see(address).headers["location"] == "/password"
    assert person.client.get("/api/v1/me").json()["code"] == "password_given"
    page = person.see("/password")
    assert "given to you by somebody else" in page.text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf is not None
    new = "a sentence that nobody guesses"
    fields = {"csrf": csrf[1], "present": given, "password": new, "again": new}
    assert person.client.post("/password", data=fields).status_code == 303
    assert person.see("/").status_code == 200


def test_a_page_with_a_question_comes_back_whole(app: FastAPI) -> None:
    answer = Visitor(app).see("/scan/receive?manifest=8010012600000187")
    assert answer.headers["location"] == "/sign-in?next=/scan/receive%3Fmanifest%3D8010012600000187"
    answer = Visitor(app).client.post(
        "/sign-in",
        data={
            "login": "registrar.alakol",
            "password": PASSWORD,
            "next": "/scan/receive?manifest=8010012600000187",
        },
    )
    assert answer.headers["location"] == "/scan/receive?manifest=8010012600000187"


def test_a_sign_in_runs_out_when_it_is_not_used(visitor: Visitors, crew: Crew) -> None:
    # 600 minutes without use, and never longer than 720.
    person, other = visitor("inspector.aksu"), visitor("registrar.alakol")
    for minutes in (59, 599):
        crew.wait(minutes=minutes)
        assert person.see("/").status_code == 200
    crew.wait(minutes=2)
    assert person.see("/").status_code == 200
    assert other.see("/").headers["location"].startswith("/sign-in")


def test_signing_out_ends_it_on_the_server(visitor: Visitors, app: FastAPI, crew: Crew) -> None:
    person = visitor("inspector.aksu")
    key = person.client.cookies[COOKIE]
    assert person.send("/sign-out").status_code == 303
    thief = TestClient(app, cookies={COOKIE: key}, follow_redirects=False)
    assert thief.get("/").status_code == 303
    with crew.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SignIn)) == 0


def test_who_signed_out_scans_no_more_although_recognised_a_moment_ago(
    visitor: Visitors, app: FastAPI
) -> None:
    person = visitor("inspector.aksu")
    thief = TestClient(
        app, cookies={COOKIE: person.client.cookies[COOKIE]}, headers={"x-csrf-token": person.csrf}
    )
    scan = {"raw": "?", "station": "look_up", "at": "2026-11-23T09:30:00+05:00"}
    assert thief.post("/api/v1/scans", json=[scan | {"id": "a"}]).status_code == 200
    assert person.send("/sign-out").status_code == 303
    assert thief.post("/api/v1/scans", json=[scan | {"id": "b"}]).status_code == 401


def test_who_may_no_longer_sign_in_is_out_at_once(visitor: Visitors, crew: Crew) -> None:
    person = visitor("inspector.aksu")
    with crew.database.transaction() as session:
        session.execute(update(Staff).where(Staff.login == "inspector.aksu").values(active=False))
    assert person.see("/").status_code == 303
    assert person.sign_in("inspector.aksu").status_code == 401


def test_a_form_of_another_site_changes_nothing(visitor: Visitors, crew: Crew) -> None:
    person = visitor("inspector.aksu")
    fields = {
        "service": "child_allowance",
        "applicant_name": "Applicant 1",
        "residence": "2002",
        "csrf": person.csrf,
    }
    before = crew.weight()
    for headers, more in (
        ({"Origin": "https://evil.example"}, {}),
        ({"Origin": "null"}, {}),
        ({"Sec-Fetch-Site": "cross-site"}, {}),
        ({}, {"csrf": ""}),
        ({}, {"csrf": "0" * 64}),
    ):
        answer = person.client.post("/accept", data=fields | more, headers=headers)
        assert answer.status_code == 403, headers
    assert crew.weight() == before
    assert (
        person.client.post("/accept", data=fields, headers={"Origin": "http://testserver"}).status_code == 303
    )


def test_the_api_takes_the_cookie_only_with_the_token_of_the_page(visitor: Visitors, crew: Crew) -> None:
    person = visitor("accumulator.aksu")
    scan = [{"id": "1", "raw": "1", "station": "look_up", "at": crew.now.isoformat()}]
    assert person.client.post("/api/v1/scans", json=scan).json()["code"] == "forged_request"
    csrf = person.client.get("/api/v1/me").json()["csrf"]
    assert csrf == person.csrf
    headers = {"X-CSRF-Token": csrf}
    assert person.client.post("/api/v1/scans", json=scan, headers=headers).status_code == 200
    stolen = headers | {"Origin": "https://evil.example"}
    assert person.client.post("/api/v1/scans", json=scan, headers=stolen).status_code == 403


def test_a_token_that_nobody_has_is_refused(app: FastAPI) -> None:
    answer = TestClient(app, headers={"Authorization": "Bearer nothing"}).get("/api/v1/me")
    assert answer.status_code == 401


def test_the_chosen_language_stays_with_the_person(visitor: Visitors, app: FastAPI) -> None:
    person = visitor("inspector.aksu")
    assert 'lang="en"' in person.see("/").text
    person.send("/language", language="ru", next="/packets")
    assert 'lang="ru"' in person.see("/").text
    elsewhere = visitor("inspector.aksu")
    assert 'lang="ru"' in elsewhere.see("/").text
    assert 'lang="kk"' in TestClient(app).get("/sign-in").text
    assert 'lang="ru"' in TestClient(app).get("/sign-in", headers={"Accept-Language": "ru"}).text
