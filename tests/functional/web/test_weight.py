"""What a browser must fetch before a page can be used: it decides how a page feels on a slow line (docs/pages.md)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from importlib.resources import files
from urllib.parse import urljoin

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from tests.functional.web.visitors import Visitor
from tests.integration.workflow.crew import Crew
from web.pages.files import FOR_EVER
from web.pages.scan import READER_WASM
from web.third_party import FOLDER

MOST_BYTES = 16 * 1024
MOST_REQUESTS = 4

IMPORTED = re.compile(r"""^import (?:[^"']+ from )?["'](\.[^"']+)["']""", re.MULTILINE)
BLOCKING = re.compile(r'<link rel="stylesheet" href="([^"]+)"|<script src="([^"]+)"')
"""Style sheets and classic scripts: without them nothing is shown. Modules wait for the page, not the page for them."""

PAGES = {
    "": ("/sign-in", "/status"),
    "inspector.aksu": ("/", "/accept", "/desk/hand-out", "/find"),
    "accumulator.aksu": ("/scan/collect", "/desk/send", "/packets", "/packets/{number}"),
    "courier.aksu": ("/scan/depart",),
    "registrar.alakol": ("/scan/receive", "/desk/pass"),
}


def weight(answer: Response) -> int:
    """Return the bytes of an answer as they travel, with its headers."""
    headers = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
    return headers + int(answer.headers["content-length"])


@pytest.mark.parametrize("login", PAGES)
def test_little_is_fetched_before_a_page_is_of_use(
    app: FastAPI, crew: Crew, visitor: Callable[[str], Visitor], login: str
) -> None:
    number = crew.accept()
    who = visitor(login) if login else Visitor(app)
    for path in PAGES[login]:
        page = who.see(path.format(number=number))
        assert page.status_code == 200
        assert page.headers["content-encoding"] == "gzip"
        needed = [one or other for one, other in BLOCKING.findall(page.text)]
        assert needed, "no style sheet was found: is the pattern out of date?"
        fetched = [page, *(who.see(address) for address in needed)]
        assert len(fetched) <= MOST_REQUESTS, path
        assert sum(map(weight, fetched)) <= MOST_BYTES, path
        # A second visit fetches the page alone.
        assert all(one.headers["cache-control"] == FOR_EVER for one in fetched[1:])


def test_only_what_hears_the_scanner_holds_a_page_up(visitor: Callable[[str], Visitor]) -> None:
    page = visitor("accumulator.aksu").see("/scan/collect").text
    scripts = re.findall(r"<script[^>]*>", page)
    assert [one for one in scripts if 'type="module"' not in one] == [scripts[0]]
    assert "scan-keys.js" in scripts[0]
    # On a slow line everything else would come at its cost.
    first, _, works = page.partition('<template id="works">')
    assert "module" not in first
    assert "scan/main.js" in works


def _imported(who: Visitor, module: str, found: set[str]) -> set[str]:
    """Return the addresses of a module and of all that it imports."""
    if module not in found:
        found.add(module)
        for path in IMPORTED.findall(who.see(module).text):
            _imported(who, urljoin(module, path), found)
    return found


@pytest.mark.parametrize("login", PAGES)
def test_a_page_names_each_module_so_that_none_waits_for_another(
    app: FastAPI, crew: Crew, visitor: Callable[[str], Visitor], login: str
) -> None:
    number = crew.accept()
    who = visitor(login) if login else Visitor(app)
    for path in PAGES[login]:
        page = who.see(path.format(number=number)).text
        run = re.findall(r'<script type="module" src="([^"]+)"', page)
        named = set(run) | set(re.findall(r'<link rel="modulepreload" href="([^"]+)"', page))
        needed: set[str] = set()
        for module in run:
            _imported(who, module, needed)
        assert needed == named, path
        if path.startswith("/scan/"):
            assert len(needed) > MOST_REQUESTS, "no imports were found: is the pattern out of date?"


def test_while_a_password_is_typed_everything_for_the_first_page_comes(
    app: FastAPI, visitor: Callable[[str], Visitor]
) -> None:
    page = Visitor(app).see("/sign-in").text
    head, _, soon = page.partition("<template data-soon>")
    assert "prefetch" not in head
    ahead = set(re.findall(r'<link rel="prefetch" href="([^"]+)"', soon))
    scan = visitor("accumulator.aksu").see("/scan/collect").text
    needed = {one or other for one, other in BLOCKING.findall(scan)}
    needed |= set(re.findall(r'<link rel="modulepreload" href="([^"]+)"', scan))
    assert needed <= ahead
    assert not [one for one in ahead if FOLDER in one]


def test_remarks_in_our_files_do_not_travel(app: FastAPI) -> None:
    client = TestClient(app)
    for name, remark in (("scan-keys.js", "//"), ("scan/main.js", "//"), ("style.css", "/*")):
        source = (files("web") / "static" / name).read_text(encoding="utf-8").splitlines()
        sent = client.get(f"/static/any/{name}").text.splitlines()
        left_out = [line for line in source if line not in sent]
        assert left_out
        assert all(line.lstrip().startswith(remark) for line in left_out)
        assert [line for line in source if line in sent] == sent


def test_who_takes_no_gzip_gets_the_same_plain(app: FastAPI) -> None:
    client = TestClient(app, follow_redirects=False)
    for address in ("/sign-in", "/static/any/style.css", f"/static/any/{READER_WASM}"):
        squeezed = client.get(address, headers={"Accept-Encoding": "br, gzip;q=0.5"})
        if squeezed.status_code == 404:
            continue  # What npm brings is not here.
        plain = client.get(address, headers={"Accept-Encoding": "gzip;q=0, br"})
        assert squeezed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert squeezed.content == plain.content
        assert int(squeezed.headers["content-length"]) < int(plain.headers["content-length"])
        for answer in (squeezed, plain):
            assert answer.headers["vary"] == "Accept-Encoding"


def test_a_kept_file_is_not_sent_again_in_either_form(app: FastAPI) -> None:
    client = TestClient(app)
    tags = set()
    for accepted in ("gzip", "identity"):
        headers = {"Accept-Encoding": accepted}
        tag = client.get("/static/any/style.css", headers=headers).headers["etag"]
        tags.add(tag)
        again = client.get("/static/any/style.css", headers={**headers, "If-None-Match": tag})
        assert again.status_code == 304
    assert len(tags) == 2


def test_a_page_is_squeezed_whole(app: FastAPI) -> None:
    with TestClient(app).stream("GET", "/sign-in", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert gzip.decompress(raw).rstrip().endswith(b"</html>")
