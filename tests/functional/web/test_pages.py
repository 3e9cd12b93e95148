"""The pages, as people without scripts use them."""

import re
from collections.abc import Callable
from html import unescape

from fastapi import FastAPI
from starlette.testclient import TestClient

from barcodes.numbers import grouped
from tests.functional.web.visitors import Visitor, words_of
from tests.integration.workflow.crew import Crew

Visitors = Callable[[str], Visitor]

APPLICATION = {
    "service": "child_allowance",
    "applicant_name": "Applicant <b>1</b>",
    "applicant_iin": "990101300013",
    "residence": "2002",
    "request_id": "form-1",
    "enclosure": ["Certificate", ""],
    "count": ["2", "1"],
}
_INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


def test_accepting_gives_a_label_a_code_and_one_packet_only(visitor: Visitors, app: FastAPI) -> None:
    inspector = visitor("inspector.aksu")
    first = inspector.send("/accept", **APPLICATION)
    assert first.headers["location"] == inspector.send("/accept", **APPLICATION).headers["location"]
    other = inspector.send("/accept", **APPLICATION | {"applicant_name": "Applicant 2"})
    assert other.headers["location"] != first.headers["location"]
    page = inspector.see(first.headers["location"])
    assert "&lt;b&gt;1&lt;/b&gt;" in page.text
    number = first.headers["location"].split("/")[2].split("?")[0]
    assert grouped(number) in words_of(page)
    assert "Certificate – 2" in words_of(page)
    code = re.search(r'status-code">([^<]+)<', page.text)
    assert code is not None
    stage = TestClient(app).get(
        "/status", params={"code": unescape(code[1])}, headers={"Accept-Language": "en"}
    )
    assert "accepted" in words_of(stage)
    assert "Applicant" not in stage.text.split("<main", 1)[1]
    drawn = inspector.see(f"/packets/{number}/label.svg")
    assert drawn.headers["content-type"] == "image/svg+xml"
    pdf = inspector.see(f"/packets/{number}/label.pdf")
    assert pdf.content.startswith(b"%PDF")
    assert inspector.see(f"/packets/{number}/label.exe").status_code == 404


def test_the_district_is_asked_where_the_place_does_not_tell(visitor: Visitors) -> None:
    inspector = visitor("inspector.aksu")
    asked = inspector.send("/accept", **APPLICATION | {"residence": "Ақсу"})
    assert asked.status_code == 422
    assert 'type="radio" name="district" value="uygur"' in asked.text
    assert 'value="Ақсу"' in asked.text
    assert "Applicant &lt;b&gt;" in asked.text
    told = inspector.send("/accept", **APPLICATION | {"residence": "Ақсу", "district": "uygur"})
    assert told.status_code == 303
    near = inspector.send("/accept", **APPLICATION | {"residence": "Жансүгіровка", "request_id": "form-2"})
    assert "Жансүгіров" in near.text
    assert near.status_code == 422


def test_what_cannot_be_accepted_is_said_and_what_was_typed_stays(visitor: Visitors, crew: Crew) -> None:
    inspector = visitor("inspector.aksu")
    before = crew.weight()
    for wrong in (
        {"applicant_iin": "990101300014"},
        {"applicant_name": " "},
        {"service": "nothing"},
        {"service": "wheelchair"},
        {"count": ["0", "1"]},
        {"count": ["many", "1"]},
        {"residence": "x" * 301},
    ):
        answer = inspector.send("/accept", **APPLICATION | wrong)
        assert answer.status_code in {404, 409, 422}
        assert 'role="alert"' in answer.text
        assert 'value="Certificate"' in answer.text
    assert crew.weight() == before


def test_a_bag_is_closed_with_reasons_only_after_a_second_look(visitor: Visitors, crew: Crew) -> None:
    there, gone = crew.accept(), crew.accept()
    manifest = crew.send(there, gone)
    registrar = visitor("registrar.alakol")
    crew.scan("registrar.alakol", "receive", manifest, there)  # type: ignore[arg-type]
    assert "not scanned yet" in registrar.text(f"/manifests/{manifest}")
    close = f"/manifests/{manifest}/close"
    blank = registrar.send(close, packet=[gone], reason=[" "])
    assert blank.status_code == 422
    assert grouped(gone) in words_of(blank)
    unnamed = registrar.send(close)
    assert unnamed.status_code == 422
    asked = registrar.send(close, packet=[gone], reason=["not in the bag"])
    assert "Close; 1 packet is missing" in words_of(asked)
    assert crew.packet(gone).state == "in_transit"
    said = registrar.send_and_follow(close, packet=[gone], reason=["not in the bag"], confirmed="yes")
    assert "The manifest is closed" in said
    assert crew.packet(gone).state == "missing"
    assert "missing" in visitor("accumulator.aksu").text("/differences")


def test_sealing_and_taking_out(visitor: Visitors, crew: Crew) -> None:
    number, other = crew.accept(), crew.accept()
    manifest = crew.collect(number, other)
    accumulator = visitor("accumulator.aksu")
    accumulator.send_and_follow(f"/packets/{other}/take_out", reason="wrong papers")
    empty = accumulator.send(f"/manifests/{manifest}/seal", seal_number="  ")
    assert empty.status_code == 422
    assert "is sealed" in accumulator.send_and_follow(f"/manifests/{manifest}/seal", seal_number="S-1")
    late = accumulator.send(f"/packets/{number}/take_out", reason="too late")
    assert late.status_code == 409
    assert accumulator.see(f"/manifests/{manifest}/label.svg").status_code == 200


def test_damaged_and_refused_at_the_door(visitor: Visitors, crew: Crew) -> None:
    torn, foreign = crew.accept(), crew.accept()
    manifest = crew.send(torn, foreign)
    registrar = visitor("registrar.alakol")
    lines = f"/manifests/{manifest}/lines"
    registrar.send_and_follow(f"{lines}/{torn}/damage", reason="torn")
    said = registrar.send_and_follow(f"{lines}/{foreign}/refuse", reason="not signed")
    assert "torn" in said
    assert "not signed" in said
    assert crew.lines(manifest) == {torn: "damaged", foreign: "refused"}
    assert registrar.send(f"{lines}/{torn}/burn", reason="x").status_code == 404


def test_the_department_resolves_drafts_and_signs(visitor: Visitors, crew: Crew) -> None:
    numbers = [crew.accept() for _ in range(3)]
    manifest = crew.send(*numbers)
    crew.scan("registrar.alakol", "receive", manifest, *numbers)  # type: ignore[arg-type]
    crew.scan("registrar.alakol", "register", *numbers)  # type: ignore[arg-type]
    registrar, head, executor = (visitor(f"{role}.alakol") for role in ("registrar", "head", "executor"))
    for number in numbers:
        registrar.send_and_follow(f"/packets/{number}/pass")
    assert all(grouped(number) in head.text("/desk/resolve") for number in numbers)
    nothing = head.send("/desk/resolve", executor="executor.alakol")
    assert nothing.status_code == 422
    head.send_and_follow("/desk/resolve", number=numbers, executor="executor.alakol")
    assert all(grouped(number) in executor.text("/desk/draft") for number in numbers)
    one, *others = numbers
    refused = executor.send(f"/packets/{one}/draft", outcome="refused", reason=" ")
    assert refused.status_code == 422
    executor.send_and_follow(f"/packets/{one}/draft", outcome="refused", reason="no right")
    for number in others:
        executor.send_and_follow(f"/packets/{number}/draft", outcome="assigned")
    assert "no right" in head.text("/desk/sign")
    head.send_and_follow(f"/packets/{one}/send_back", reason="say more")
    assert "Signed" in head.send_and_follow("/desk/sign", number=others)
    assert [crew.packet(number).state for number in numbers] == ["with_executor", "signed", "signed"]
    assert registrar.see("/desk/sign").status_code == 403


def test_the_first_page_tells_what_waits(visitor: Visitors, crew: Crew) -> None:
    number = crew.accept()
    inspector = visitor("inspector.aksu")
    assert "1 accepted" in inspector.text("/")
    manifest = crew.send(number)
    assert grouped(manifest) in visitor("registrar.alakol").text("/")
    assert "accepted" not in inspector.text("/packets")


def test_a_number_is_found_however_it_is_typed(visitor: Visitors, crew: Crew) -> None:
    number = crew.accept()
    inspector = visitor("inspector.aksu")
    for typed in (number, grouped(number), f"]C1{number}"):
        assert inspector.send("/find", code=typed).headers["location"] == f"/packets/{number}"
    manifest = crew.collect(number)
    assert inspector.send("/find", code=manifest).headers["location"] == f"/manifests/{manifest}"
    iin = inspector.send("/find", code="990101300013")
    assert "Nothing found" in words_of(iin)
    misread = inspector.send("/find", code=number[:-1])
    assert misread.status_code == 404
    assert 'role="alert"' in misread.text


def test_taking_back_and_withdrawing(visitor: Visitors, crew: Crew) -> None:
    number = crew.accept()
    crew.collect(number)
    visitor("accumulator.aksu").send_and_follow(f"/packets/{number}/undo")
    inspector = visitor("inspector.aksu")
    assert "withdrawn" in inspector.send_and_follow(f"/packets/{number}/withdraw", reason="changed my mind")
    assert inspector.send(f"/packets/{number}/withdraw", reason="again").status_code == 409
    assert inspector.send(f"/packets/{number}/burn").status_code == 404


def test_every_page_is_strict_and_in_every_language(visitor: Visitors, crew: Crew, app: FastAPI) -> None:
    numbers = [crew.accept() for _ in range(3)]
    manifest = crew.send(*numbers[:2])
    crew.scan("registrar.alakol", "receive", manifest, numbers[0])  # type: ignore[arg-type]
    crew.collect(numbers[2])
    crew.scan("registrar.alakol", "register", numbers[0])  # type: ignore[arg-type]
    crew.scan("registrar.alakol", "pass", numbers[0])  # type: ignore[arg-type]
    seen = {
        "inspector.aksu": ("/", "/accept", "/packets", "/scan/hand_over", f"/packets/{numbers[2]}"),
        "accumulator.aksu": ("/scan/collect", f"/manifests/{manifest}", "/differences"),
        "registrar.alakol": (f"/manifests/{manifest}", "/scan/receive", f"/packets/{numbers[0]}"),
        "head.alakol": ("/desk/resolve", "/desk/sign", f"/packets/{numbers[0]}"),
        "executor.alakol": ("/desk/draft",),
    }
    english: dict[str, str] = {}
    for language in ("en", "kk", "ru"):
        pages = {
            "/sign-in": TestClient(app, cookies={"shabarman_language": language}).get("/sign-in"),
            "/status": TestClient(app, cookies={"shabarman_language": language}).get("/status"),
        }
        for login, addresses in seen.items():
            person = visitor(login)
            person.client.cookies.set("shabarman_language", language)
            pages |= {f"{login} {address}": person.see(address) for address in addresses}
            pages[f"{login} nowhere"] = person.see("/nowhere")
        for name, page in pages.items():
            assert page.status_code == (404 if "nowhere" in name else 200), name
            assert _INLINE.search(page.text) is None, name
            assert f'<html lang="{language}">' in page.text
            policy = page.headers["content-security-policy"]
            # Where a camera may scan, compiled code of our own origin runs, and nothing else that is unsafe.
            assert ("'wasm-unsafe-eval'" in policy) == (" /scan/" in name)
            assert "unsafe" not in policy.replace("'wasm-unsafe-eval'", "")
            assert "default-src 'none'" in policy
            assert page.headers["cache-control"] == "no-store"
            title = re.search("<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
            if language == "en":
                english[name] = page.text
            else:
                assert page.text != english[name]
                assert title is None or not re.search("[A-Za-z]{4}", title[1]) or "span" in title[1], name


def test_files_may_be_kept_for_ever_under_the_address_of_their_content(app: FastAPI) -> None:
    client = TestClient(app)
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/sign-in").text)
    # Those of the page itself, and what is fetched ahead for the next one.
    assert {"icon.svg", "style.css", "page.js", "scan-keys.js"} <= {one.split("/", 3)[3] for one in addresses}
    for address in set(addresses):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        _, _, version, name = address.split("/", 3)
        older = client.get(f"/static/{version[::-1]}/{name}")
        assert older.headers["cache-control"] == "no-cache"
        assert older.content == answer.content
        again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    assert client.get("/static/x/../app.py").status_code == 404
    assert client.get("/static/x/%2e%2e/app.py").status_code == 404
    assert client.get("/static/x/nothing.js").status_code == 404


def test_the_label_on_the_page_carries_the_number_for_people_and_no_script(
    visitor: Visitors, crew: Crew
) -> None:
    number = crew.accept()
    svg = visitor("inspector.aksu").see(f"/packets/{number}/label.svg").text
    assert number not in svg.replace(grouped(number), "")
    assert "<script" not in svg
