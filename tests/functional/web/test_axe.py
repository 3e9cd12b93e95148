"""Every page through axe-core: on a phone and on a desk, in light and dark, in Kazakh and Russian.

The pages are those of the table of rules: one that is added and not named here fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from config.clock import utc_now
from models.database import Database
from tests.functional.web.addresses import address_of
from tests.functional.web.browsing import leave, picture
from tests.functional.web.serving import Serving, serving
from tests.functional.web.world import World, world
from tests.integration.servers import SqliteFiles, missing
from web.access import RULES
from web.sessions import COOKIE

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"

NO_PAGES = frozenset(
    {
        "GET /health/live",
        "GET /health/ready",
        "GET /metrics",
        "GET /static/{version}/{name:path}",
        "GET /packets/{number}/label.{fmt}",
        "GET /manifests/{number}/label.{fmt}",
        "GET /papers/card.pdf",
        "GET /papers/addresses.pdf",
        "GET /scan/test/label.svg",
    }
)
"""What is drawn, printed or read by programs."""

PARTS = frozenset({"GET /manifests/{number}/lines", "GET /scan/depart/bags"})
"""What is a part of another page, and looked at there."""

LEADS_ON = frozenset({"GET /scan"})
"""What only leads to another page."""

WHO = {
    "inspector.aksu": ("/accept", "/scan/hand_over", "/desk/hand-out", "/status"),
    "accumulator.aksu": ("/differences", "/desk/send", "/scan/collect", "/manifests/{number}", "/papers"),
    "courier.aksu": ("/scan/depart",),
    "registrar.alakol": (
        *(
            "/",
            "/packets",
            "/find",
            "/password",
            "/desk/pass",
            "/scan/test",
            "/scan/receive",
            "/scan/register",
        ),
        *(
            "/scan/pass",
            "/scan/result",
            "/scan/look_up",
            "/manifests/{number}/papers",
            "/packets/{number}/papers",
        ),
    ),
    "head.alakol": ("/desk/resolve", "/desk/sign", "/packets/{number}"),
    "executor.alakol": ("/desk/draft",),
    "operator.aksu": (
        *(
            "/board",
            "/board/unread",
            "/board/messages",
            "/board/run",
            "/board/{what}",
            "/dead-letters",
            "/scan-log",
        ),
        *("/offices", "/offices/{code}", "/calendar"),
    ),
    "administrator.aksu": ("/people", "/people/new", "/people/{login}"),
    "": ("/sign-in",),
}
"""Who looks at which page; nobody at that of the sign-in."""

PHONE = {"width": 360, "height": 800}
DESK = {"width": 1920, "height": 1000}


@dataclass
class Looked:
    """What is looked at: a served world."""

    made: World
    address: str


@pytest.fixture(scope="module")
def looked(
    tmp_path_factory: pytest.TempPathFactory, sqlite_files: SqliteFiles, password_hash: str
) -> Iterator[Looked]:
    if not AXE.exists():
        missing("axe-core in node_modules (npm ci)")
    home = tmp_path_factory.mktemp("axe")
    url = sqlite_files.fresh(home)
    database = Database(url)
    made = world(database)
    running: Serving
    with serving(url, home=home, password_hash=password_hash) as running:
        # Whoever looks has signed in just now.
        made.crew.now = utc_now()
        yield Looked(made, running.address)
    database.close()


def pages() -> set[str]:
    """Return the rules of all pages."""
    return (
        {key for key in RULES if key.startswith("GET ") and "/api/" not in key} - NO_PAGES - PARTS - LEADS_ON
    )


def test_every_page_is_looked_at() -> None:
    named = {f"GET {path}" for paths in WHO.values() for path in paths}
    assert pages() - named == set(), "name these pages in WHO, with who looks at them"
    assert named - pages() == set(), "these pages are not there any more"


@pytest.mark.parametrize(("language", "phone", "desk"), [("kk", "light", "dark"), ("ru", "dark", "light")])
def test_no_page_has_a_violation(
    browser: Browser, looked: Looked, language: str, phone: str, desk: str
) -> None:
    wrong: list[str] = []
    for login, paths in WHO.items():
        context = _opened(browser, looked, login, language)
        page = context.new_page()
        for path in (*paths, "/nowhere"):
            page.goto(address_of(f"GET {path}", looked.made))
            for size, scheme in ((PHONE, phone), (DESK, desk)):
                page.set_viewport_size(size)  # type: ignore[arg-type]
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                wrong += [f"{path} {size['width']} {scheme}: {said}" for said in _violations(page)]
                picture(page, f"{path.strip('/').replace('/', '-') or 'home'}-{language}-{scheme}")
        leave(context)
    assert wrong == [], "\n" + "\n".join(wrong)


def _opened(browser: Browser, looked: Looked, login: str, language: str) -> BrowserContext:
    # Without motion: colours that are on their way from one to the other are nobody's.
    context = browser.new_context(
        base_url=looked.address,
        viewport=PHONE,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    kept = {"shabarman_language": language}
    if login:
        kept[COOKIE] = looked.made.sign_in(login)
    context.add_cookies(
        [{"name": name, "value": value, "url": looked.address} for name, value in kept.items()]
    )
    return context


RUN = """async () => {
    const {violations} = await axe.run(document, {resultTypes: ["violations"]});
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
}"""


def _violations(page: Page) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(RUN)
    return found
