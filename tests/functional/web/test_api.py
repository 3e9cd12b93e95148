"""The HTTP API, as programs use it."""

import json
from collections.abc import Callable
from dataclasses import replace

from fastapi import FastAPI
from starlette.testclient import TestClient

from barcodes.numbers import packet_number
from models.database import Database
from tests.functional.web.visitors import Program
from tests.integration.workflow.crew import Crew

Programs = Callable[[str], Program]

UNKNOWN = packet_number("2002", 2026, 999)

APPLICATION = {
    "service": "child_allowance",
    "applicant_name": "Applicant 1",
    "residence": "2002",
    "applicant_iin": "990101300013",
    "enclosures": [{"name": "Certificate", "count": 2}],
}


def accept(program: Programs, **more: object) -> str:
    answer = program("inspector.aksu").post("/packets", APPLICATION | more)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


def test_the_whole_way_over_http(program: Programs, app: FastAPI) -> None:
    inspector, accumulator, courier = (
        program(f"{role}.aksu") for role in ("inspector", "accumulator", "courier")
    )
    registrar, head, executor = (program(f"{role}.alakol") for role in ("registrar", "head", "executor"))

    made = inspector.post("/packets", APPLICATION).json()
    number = made["number"]
    assert made["department"] == "2002"

    (answer,) = accumulator.scan("collect", number)
    assert answer["verdict"] == "taken"
    manifest = answer["facts"]["manifest"]
    assert accumulator.post(f"/manifests/{manifest}/seal", {"seal_number": "S-7"}).json()["state"] == "sealed"
    assert courier.scan("depart", manifest)[0]["verdict"] == "taken"
    assert [a["verdict"] for a in registrar.scan("receive", manifest, number)] == ["taken", "taken"]
    assert registrar.get(f"/manifests/{manifest}").json()["left"] == 0
    assert registrar.post(f"/manifests/{manifest}/close", {}).json()["state"] == "closed"
    assert registrar.post(f"/packets/{number}/register", {"register_number": "12/26"}).status_code == 200
    assert registrar.post("/packets/pass", {"numbers": [number]}).json()[0]["state"] == "with_head"
    resolved = head.post("/packets/resolve", {"numbers": [number], "executor": "executor.alakol"})
    assert resolved.json()[0]["state"] == "with_executor"
    drafted = executor.post(f"/packets/{number}/draft", {"outcome": "refused", "reason": "no right"})
    assert drafted.json()["state"] == "for_signature"
    assert head.post(f"/packets/{number}/send_back", {"reason": "say more"}).json()["round"] == 2
    executor.post(f"/packets/{number}/draft", {"outcome": "assigned"})
    assert head.post("/packets/sign", {"numbers": [number]}).json()[0]["state"] == "signed"
    (answer,) = registrar.scan("result", number)
    back = answer["facts"]["manifest"]
    registrar.post(f"/manifests/{back}/seal", {"seal_number": "S-8"})
    courier.scan("depart", back)
    assert accumulator.scan("receive", number)[0]["state"] == "ready"
    assert inspector.scan("hand_over", number)[0]["state"] == "handed_over"

    seen = registrar.get(f"/packets/{number}").json()
    assert seen["state"] == "handed_over"
    assert seen["register_number"] == "12/26"
    assert [event["seq"] for event in seen["events"]] == list(range(1, len(seen["events"]) + 1))
    assert seen["applicant"]["iin"] == "990101300013"
    stage = TestClient(app).get(f"/api/v1/status/{made['status_code']}", headers={"Accept-Language": "en"})
    assert stage.json() == {
        "state": "handed_over",
        "state_name": "handed over to the applicant",
        "promised_at": seen["promised_at"],
    }
    assert seen["promised_at"] > seen["accepted_at"]


def test_a_list_is_accepted_wholly_or_not_at_all(program: Programs, crew: Crew) -> None:
    inspector = program("inspector.aksu")
    made = inspector.post("/packets", [APPLICATION, APPLICATION | {"residence": "2001"}])
    assert [one["department"] for one in made.json()] == ["2002", "2001"]
    before = crew.weight()
    refused = inspector.post("/packets", [APPLICATION, APPLICATION | {"residence": "Nowhere at all"}])
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_place")
    assert crew.weight() == before


def test_the_same_request_accepts_once(program: Programs) -> None:
    assert accept(program, request_id="r-1") == accept(program, request_id="r-1")


def test_a_scan_sent_again_gets_the_same_answer_and_changes_nothing(program: Programs, crew: Crew) -> None:
    number = accept(program)
    accumulator = program("accumulator.aksu")
    scan = {"id": "s-1", "raw": number, "station": "collect", "at": crew.now.isoformat()}
    first = accumulator.post("/scans", [scan]).json()
    before = crew.weight()
    assert accumulator.post("/scans", [scan]).json() == first
    assert crew.weight() == before
    other = accumulator.post("/scans", [scan | {"station": "receive"}])
    assert (other.status_code, other.json()["code"]) == (409, "reused_id")


def test_what_is_no_packet_is_answered_and_kept(program: Programs, crew: Crew) -> None:
    said = {
        "10012600000100": "bad_check",
        UNKNOWN: "unknown",
        "990101300013": "unknown",
        "hello": "unknown",
        "\x00\x01": "unknown",
        "x" * 4000: "unknown",
        "9800000190": "bad_check",
    }
    answers = program("accumulator.aksu").scan("collect", *said)
    assert [answer["verdict"] for answer in answers] == list(said.values())
    assert crew.weight()[1] == len(said)


def test_every_problem_has_one_form(program: Programs, app: FastAPI) -> None:
    number = accept(program)
    accumulator, head = program("accumulator.aksu"), program("head.alakol")
    answers = {
        401: TestClient(app).get("/api/v1/me"),
        403: head.post("/packets", APPLICATION),
        404: accumulator.get(f"/packets/{UNKNOWN}"),
        409: accumulator.post(f"/packets/{number}/take_out", {"reason": "wrong"}),
        422: accumulator.post("/scans", [{"id": "1", "raw": "1", "station": "nowhere", "at": "yesterday"}]),
        405: accumulator.client.delete("/api/v1/scans"),
    }
    for status, answer in answers.items():
        problem = answer.json()
        assert answer.status_code == problem["status"] == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "code", "facts"} <= set(problem)
        assert problem["type"] == f"urn:shabarman:problem:{problem['code']}"
    assert {error["pointer"] for error in answers[422].json()["errors"]} == {"/0/station", "/0/at"}
    assert answers[401].headers["www-authenticate"].startswith("Bearer")


BAD_SCANS: list[tuple[object, str]] = [
    ([], ""),
    ([{"id": "", "raw": "1", "station": "collect", "at": "2026-11-23T09:00:00+05:00"}], "/0/id"),
    ([{"id": "1", "raw": "1", "station": "collect", "at": "2026-11-23T09:00:00"}], "/0/at"),
    ([{"id": "1", "raw": "1", "station": "collect", "at": "0001-01-01T00:00:00+05:00"}], "/0/at"),
    ([{"id": "1", "raw": "1", "station": "collect", "at": "2026-11-23T09:00:00Z", "x": 1}], "/0/x"),
    ({"scans": []}, ""),
]


def test_fields_that_cannot_be_used_are_named(program: Programs) -> None:
    accumulator = program("accumulator.aksu")
    for body, pointer in BAD_SCANS:
        answer = accumulator.post("/scans", body)
        assert answer.status_code == 422
        assert pointer in {error["pointer"] for error in answer.json()["errors"]}


def test_what_no_database_can_keep_is_refused(program: Programs) -> None:
    inspector = program("inspector.aksu")
    for name in ("A\x00B", "\ud800"):
        body = json.dumps(APPLICATION | {"applicant_name": name})
        answer = inspector.client.post(
            "/api/v1/packets", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422
        assert "errors" in answer.json()


def test_broken_json_is_a_problem_too(program: Programs) -> None:
    answer = program("inspector.aksu").client.post(
        "/api/v1/packets", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_fields")


def test_a_number_that_fails_its_check_says_so(program: Programs) -> None:
    answer = program("accumulator.aksu").get("/packets/10012600000100")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_number")
    assert "check digits" in answer.json()["detail"]


def test_a_number_may_be_written_in_groups(program: Programs) -> None:
    number = accept(program)
    grouped = f"{number[:4]} {number[4:6]} {number[6:12]} {number[12:]}"
    assert program("inspector.aksu").get(f"/packets/{grouped}").json()["number"] == number


def test_an_ambiguous_place_names_the_districts(program: Programs) -> None:
    inspector = program("inspector.aksu")
    asked = inspector.post("/packets", APPLICATION | {"residence": "Ақсу"})
    assert asked.json()["code"] == "ambiguous_place"
    assert "uygur" in asked.json()["facts"]["districts"]
    told = inspector.post("/packets", APPLICATION | {"residence": "Ақсу", "district": "uygur"})
    assert told.json()["district"] == "uygur"


def test_the_language_is_that_of_the_request_or_of_the_person(program: Programs) -> None:
    inspector = program("inspector.aksu")
    address = f"/packets/{UNKNOWN}"
    said = {
        wanted: inspector.get(address, headers={"Accept-Language": wanted}).json()["detail"]
        for wanted in ("kk", "ru-KZ,ru;q=0.9", "en")
    }
    assert len(set(said.values())) == 3
    assert inspector.get(address).json()["detail"] == said["en"]


def test_only_offices_that_have_to_do_with_a_packet_see_it(program: Programs) -> None:
    number = accept(program)
    assert program("registrar.aksu").get(f"/packets/{number}").status_code == 404
    assert program("inspector.alakol").get(f"/packets/{number}").status_code == 404
    assert program("registrar.alakol").get(f"/packets/{number}").status_code == 200
    manifest = program("accumulator.aksu").scan("collect", number)[0]["facts"]["manifest"]
    assert program("registrar.aksu").get(f"/manifests/{manifest}").status_code == 404
    assert program("registrar.alakol").get(f"/manifests/{manifest}").json()["expected"] == 1


def test_an_office_that_only_held_a_packet_sees_no_person(program: Programs, crew: Crew) -> None:
    number = accept(program, residence="2001")
    crew.send(number)
    (answer,) = program("registrar.alakol").scan("receive", number)
    assert answer["verdict"] == "elsewhere"
    seen = program("registrar.alakol").get(f"/packets/{number}").json()
    assert seen["applicant"] is None
    assert "Applicant 1" not in json.dumps(seen)


def test_nobody_acts_on_what_is_not_theirs(program: Programs) -> None:
    number = accept(program)
    stranger = program("inspector.alakol")
    assert stranger.post(f"/packets/{number}/withdraw", {"reason": "mine"}).status_code == 404
    assert program("courier.aksu").scan("collect", number)[0]["verdict"] == "not_allowed"
    assert program("inspector.aksu").get(f"/packets/{number}").json()["state"] == "accepted"


def test_lists_of_the_own_office(program: Programs, crew: Crew) -> None:
    number = accept(program)
    held = program("inspector.aksu").get("/packets", params={"state": "accepted"}).json()
    assert [packet["number"] for packet in held] == [number]
    assert program("inspector.alakol").get("/packets").json() == []
    manifest = crew.send(number)
    (listed,) = program("registrar.alakol").get("/manifests").json()
    assert (listed["number"], listed["state"], listed["lines"], listed["left"]) == (
        manifest,
        "in_transit",
        1,
        1,
    )


def test_differences_are_listed_and_noted(program: Programs, crew: Crew) -> None:
    number = accept(program)
    manifest = crew.send(number)
    registrar = program("registrar.alakol")
    registrar.scan("receive", manifest)
    assert registrar.post(f"/packets/{number}/damage", {"reason": "torn"}).json()["state"] == "received"
    (difference,) = program("accumulator.aksu").get("/discrepancies").json()
    assert (difference["kind"], difference["reason"], difference["manifest"]) == ("damaged", "torn", manifest)
    assert registrar.post(f"/discrepancies/{difference['id']}/note", None).status_code == 204
    assert registrar.get("/discrepancies").json() == []


def test_an_own_scan_is_taken_back(program: Programs) -> None:
    number = accept(program)
    accumulator = program("accumulator.aksu")
    accumulator.scan("collect", number)
    assert accumulator.post(f"/packets/{number}/undo", {}).json()["state"] == "accepted"


def test_the_regulation_and_the_places(program: Programs) -> None:
    inspector = program("inspector.aksu")
    offices = inspector.get("/offices").json()
    assert len(offices) == 19 + 19 + 254
    assert len(inspector.get("/offices", params={"kind": "centre"}).json()) == 19
    assert [service["number"] for service in inspector.get("/services").json()] == list(range(1, 8))
    labels = [place["label"] for place in inspector.get("/residence", params={"q": "Жансү"}).json()]
    assert any("Жансүгіров" in label or "Жансугуров" in label for label in labels)


def test_an_unknown_receipt_code_tells_nothing(app: FastAPI) -> None:
    client = TestClient(app)
    for code in ("nothing", "x" * 500, "%00"):
        assert client.get(f"/api/v1/status/{code}").status_code in {404, 422}


def test_a_database_that_is_away_is_said_with_when_to_come_back(app: FastAPI) -> None:
    away = Database("postgresql://postgres@127.0.0.1:1/nothing")
    app.state.installation = replace(app.state.installation, database=away)
    answer = TestClient(app).get("/api/v1/status/anything", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    away.close()


def test_the_description_names_every_address_and_the_form_of_errors(app: FastAPI) -> None:
    described = TestClient(app).get("/api/openapi.json").json()
    operations = [operation for address in described["paths"].values() for operation in address.values()]
    assert len(operations) >= 30
    for operation in operations:
        assert "application/problem+json" in operation["responses"]["default"]["content"]
        assert operation["description"]
    used = json.dumps(described)
    for name in set(json.loads(json.dumps(described["components"]["schemas"]))):
        assert f"#/components/schemas/{name}" in used
    assert "HTTPValidationError" not in used
