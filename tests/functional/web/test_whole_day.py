"""The whole day of forty packets, as its people live it: real pages in a real browser, all processes as `up` runs them.

Once in each language, with a scanner under another layout, and with the bad moments of a day in the middle of a batch:
the network goes away, and the server is killed.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from barcodes.numbers import grouped
from config.clock import local, utc_now
from tests.functional.installation import Installation, eventually
from tests.functional.web.browsing import PATIENCE, Scanner, expect_unsent, expect_verdict, go, leave
from tests.functional.web.filming import RATE, camera_flags, film, frame

pytestmark = pytest.mark.browser

PACKETS = 40
MISSING = 2
RETURNED = 3
"""Results that travel back with the courier of the test; the rest waits for the next run."""

LONG = 4 * PATIENCE
"""Milliseconds that a step may take on a busy machine."""

IIN = "990101300013"
RESIDENCE = "3101"
"""Code of the akimat of the applicants, in the district of the first people."""


@dataclass
class House:
    """A running installation and what its people sign in with."""

    installation: Installation
    video: Path
    """What the cameras see."""
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.installation.port}"

    def kill_the_server(self) -> None:
        """Kill the process of the pages; whoever watches over it starts it again."""
        os.kill(self.installation.processes()["web"]["pid"], signal.SIGKILL)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the video of an empty table; what is on it is filmed again for each camera."""
    return film(tmp_path_factory.mktemp("camera") / "table.y4m", [frame()])


@pytest.fixture(scope="module")
def flags(video: Path) -> tuple[str, ...]:
    """Return what makes the browser take the video for its camera."""
    return camera_flags(video)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, video: Path) -> Iterator[House]:
    """Run everything; the courier leaves far from now, so that no departure falls into the test."""
    now = local(utc_now())
    # At both of them centres are open: a courier who leaves when they are closed never leaves.
    departure = max(time(10, 30), time(18, 30), key=lambda one: _minutes_between(one, now.time()))
    installation = Installation(
        tmp_path_factory.mktemp("day") / "home", SHABARMAN_RUN_TIMES=f"{departure:%H:%M}"
    )
    with installation.start("up") as process:
        eventually(lambda: installation.all_ready() or process.poll() is not None, patience=LONG / 1000)
        assert process.poll() is None, installation.said()
        written = (installation.home / "first-sign-ins.txt").read_text(encoding="utf-8")
        rows = [line.split() for line in written.splitlines()[1:]]
        yield House(installation, video, {login: password for login, password, *_ in rows})


def _minutes_between(one: time, other: time) -> int:
    """Return how far two times are apart, whichever of them is first."""
    apart = abs((one.hour - other.hour) * 60 + one.minute - other.minute)
    return min(apart, 24 * 60 - apart)


@dataclass
class Crew:
    """The people of one day, each at a browser of their own, all in one language."""

    browser: Browser
    house: House
    language: str
    layout: str
    pages: dict[str, Page] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def __getitem__(self, role: str) -> Page:
        """Return the page of somebody, signed in now where they were not."""
        if role not in self.pages:
            self.pages[role] = self._sign_in(f"{role}.aksu")
        return self.pages[role]

    def _sign_in(self, login: str) -> Page:
        # Couriers have a telephone.
        width = 360 if login.startswith("courier") else 1280
        context = self.browser.new_context(
            base_url=self.house.address, viewport={"width": width, "height": 800}
        )
        page = context.new_page()
        page.set_default_timeout(LONG)
        page.on("pageerror", lambda error: self.complaints.append(f"{login}: {error}"))
        page.goto("/sign-in")
        page.click(f".languages button[value={self.language}]")
        expect(page.locator("html")).to_have_attribute("lang", self.language)
        page.fill("[name=login]", login)
        page.fill("[name=password]", self.house.passwords[login])
        page.press("[name=password]", "Enter")
        expect(page.locator("header .place")).to_be_visible()
        if page.url.endswith("/password"):
            self._choose_a_password(page, login)
        return page

    def _choose_a_password(self, page: Page, login: str) -> None:
        """Change the password that the installation gave: nothing else can be done before."""
        chosen = f"a sentence of {login}"
        page.fill("[name=present]", self.house.passwords[login])
        page.fill("[name=password]", chosen)
        page.fill("[name=again]", chosen)
        page.press("[name=again]", "Enter")
        expect(page.locator(".said")).to_be_visible()
        self.house.passwords[login] = chosen

    def scanner(self, page: Page) -> Scanner:
        return Scanner(page, self.layout)


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[None]:
    """Wait as long for a busy machine as the other tests of real processes."""
    expect.set_options(timeout=LONG)
    yield
    expect.set_options(timeout=PATIENCE)


def ask(page: Page, address: str, body: object) -> Any:
    """Ask the API as the script of a page does."""
    return page.evaluate(
        """async ([address, body]) => {
            const me = await (await fetch("/api/v1/me")).json();
            const answer = await fetch(address, {method: "POST", body: JSON.stringify(body),
                headers: {"Content-Type": "application/json", "X-CSRF-Token": me.csrf}});
            if (!answer.ok) throw new Error(await answer.text());
            return answer.json();
        }""",
        [address, body],
    )


def press(button: Locator) -> None:
    """Press a button that sends a form, and wait for the page that says it was done."""
    button.click()
    expect(button.page.locator(".said")).to_be_visible()


def number_in(address: str) -> str:
    found = re.search(r"\d{14,16}", address)
    assert found is not None, address
    return found[0]


@pytest.mark.parametrize(("language", "layout"), [("kk", "kk"), ("ru", "ru"), ("en", "us")])
def test_a_day_from_acceptance_to_hand_over(
    browser: Browser, house: House, language: str, layout: str
) -> None:
    crew = Crew(browser, house, language, layout)
    numbers = accept(crew)
    listed, unexpected = numbers[:PACKETS], numbers[PACKETS]
    manifest = collect(crew, listed)
    carry(crew, manifest)
    arrived = receive(crew, manifest, listed, unexpected)
    decide(crew, arrived)
    send_back(crew, arrived[:RETURNED])
    hand_over(crew, arrived[0])
    assert crew.complaints == []
    for page in crew.pages.values():
        leave(page.context)
    verified = house.installation.run("verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def accept(crew: Crew) -> list[str]:
    """Accept one application at the page, and the others as its program would."""
    page = crew["inspector"]
    page.goto("/accept")
    page.fill("[name=applicant_name]", "Applicant 1")
    page.fill("[name=applicant_iin]", IIN)
    page.fill("[name=residence]", RESIDENCE)
    page.locator("[name=enclosure]").first.fill("Certificate")
    page.click("main button.primary")
    expect(page.locator("h1.code")).to_be_visible()
    expect(page.locator("img.label")).not_to_have_js_property("naturalWidth", 0)
    first = number_in(page.url)
    others = [
        {"service": "child_allowance", "applicant_name": f"Applicant {place}", "residence": RESIDENCE}
        for place in range(2, PACKETS + 2)
    ]
    return [first] + [made["number"] for made in ask(page, "/api/v1/packets", others)]


def collect(crew: Crew, numbers: list[str]) -> str:
    """Scan the packets onto the manifest, through a lost network and a killed server, and seal it."""
    page = crew["accumulator"]
    page.goto("/scan/collect")
    scanner = crew.scanner(page)
    for number in numbers[:10]:
        scanner.read(number)
    expect_verdict(page, "taken")
    page.context.set_offline(True)
    for number in numbers[10:20]:
        scanner.read(number)
    expect_unsent(page, 10)
    expect(page.locator("#trouble")).to_be_visible()
    page.context.set_offline(False)
    expect_verdict(page, "taken")
    crew.house.kill_the_server()
    for number in numbers[20:]:
        scanner.read(number)
    expect_verdict(page, "taken")
    expect(page.locator("#last li.taken")).not_to_have_count(0)
    page.click("#to-manifest")
    expect(page.locator("tr[id^=line-]")).to_have_count(len(numbers))
    manifest = number_in(page.url)
    page.fill("[name=seal_number]", "S-1")
    press(page.locator("#seal button.primary"))
    return manifest


def carry(crew: Crew, manifest: str) -> None:
    """Let the courier take the bag by one look of the telephone's camera."""
    film(crew.house.video, [*[frame(manifest)] * RATE, *[frame()] * RATE])
    page = crew["courier"]
    page.goto("/scan/depart")
    page.click("#camera-button")
    expect(page.locator("#last li.taken .code").first).to_have_text(grouped(manifest))
    page.click("#camera-button")
    expect(page.locator("#camera")).to_be_hidden()
    expect(page.locator("#bags")).to_contain_text(grouped(manifest))


def receive(crew: Crew, manifest: str, listed: list[str], unexpected: str) -> list[str]:
    """Take the bag over without two of its packets and with one that was not on the list; return what is there."""
    page = crew["registrar"]
    page.goto("/scan/receive")
    scanner = crew.scanner(page)
    scanner.read(manifest)
    expect_verdict(page, "taken")
    there, missing = listed[:-MISSING], listed[-MISSING:]
    for number in there:
        scanner.read(number)
    expect_verdict(page, "taken")
    expect(page.locator("#progress progress")).to_have_js_property("value", len(there))
    scanner.read(unexpected)
    expect_verdict(page, "unexpected")
    page.click("#to-manifest")
    close = page.locator("#close button")
    for number in missing:
        page.fill(f"#line-{number} [name=reason]", "Not in the bag")
    close.click()
    press(page.locator("main form button.danger"))
    for number in missing:
        expect(page.locator(f"#line-{number} .chip.missing")).to_be_visible()
    expect(page.locator(f"#line-{unexpected} .chip.unexpected")).to_be_visible()
    go(crew["accumulator"], "/differences")
    for number in (*missing, unexpected):
        expect(crew["accumulator"].get_by_role("link", name=grouped(number)).first).to_be_visible()
    return [*there, unexpected]


def decide(crew: Crew, numbers: list[str]) -> None:
    """Register, resolve, draft, send back, draft again and sign."""
    page = crew["registrar"]
    page.goto("/scan/register")
    scanner = crew.scanner(page)
    for number in numbers:
        scanner.read(number)
    expect_verdict(page, "taken")
    page.goto("/desk/pass")
    page.check("[data-all]")
    press(page.locator("main .foot button.primary"))

    head = crew["head"]
    head.goto("/desk/resolve")
    expect(head.locator("[name=number]")).to_have_count(len(numbers))
    head.check("[data-all]")
    head.select_option("[name=executor]", "executor.aksu")
    press(head.locator("main .foot button.primary"))

    draft(crew, numbers[0], outcome="refused")
    for number in numbers[1:]:
        ask(crew["executor"], f"/api/v1/packets/{number}/draft", {"outcome": "assigned"})

    head.goto("/desk/sign")
    row = head.locator("tr", has=head.locator(f"[name=number][value='{numbers[0]}']"))
    row.locator("details.more summary").click()
    row.locator("[name=reason]").fill("Say more")
    press(row.locator("details.more button"))
    crew["executor"].goto(f"/packets/{numbers[0]}")
    expect(crew["executor"].locator(".remark")).to_contain_text("Say more")
    draft(crew, numbers[0], outcome="assigned")
    head.goto("/desk/sign")
    head.check("[data-all]")
    press(head.locator("main .foot button.primary"))


def draft(crew: Crew, number: str, *, outcome: str) -> None:
    page = crew["executor"]
    page.goto("/desk/draft")
    page.get_by_role("link", name=grouped(number)).click()
    form = page.locator("form[action$='/draft']")
    form.locator(f"[name=outcome][value={outcome}]").check()
    form.locator("[name=reason]").fill("No right" if outcome == "refused" else "")
    press(form.locator("button.primary"))


def send_back(crew: Crew, numbers: list[str]) -> None:
    """Carry results to the centre; the page of the inspector rings as soon as they are there."""
    page = crew["registrar"]
    page.goto("/scan/result")
    scanner = crew.scanner(page)
    for number in numbers:
        scanner.read(number)
    expect_verdict(page, "taken")
    page.click("#to-manifest")
    manifest = number_in(page.url)
    page.fill("[name=seal_number]", "S-2")
    press(page.locator("#seal button.primary"))
    carry(crew, manifest)

    inspector = crew["inspector"]
    with inspector.expect_response("**/api/v1/events*"):
        inspector.goto("/")
    inspector.locator("main").click(
        position={"x": 2, "y": 2}
    )  # A browser is silent until somebody has touched it.
    page = crew["accumulator"]
    page.goto("/scan/receive")
    scanner = crew.scanner(page)
    scanner.read(manifest)
    expect_verdict(page, "taken")
    for number in numbers:
        scanner.read(number)
    expect_verdict(page, "taken")
    expect(inspector.locator(".bell.urgent")).to_be_visible()
    expect(inspector.locator(".bell")).to_have_attribute("data-rung", "true")


def hand_over(crew: Crew, number: str) -> None:
    """Give a result out by scanning it and the receipt, and look at the whole way of the packet."""
    page = crew["inspector"]
    page.goto("/desk/hand-out")
    scanner = crew.scanner(page)
    for name in ("result", "receipt"):
        page.focus(f"[name={name}]")
        scanner.read(number)
    expect(page.locator(".said")).to_be_visible()
    page.goto(f"/packets/{number}")
    expect(page.locator(".chip.handed_over").first).to_be_visible()
    moves = ask_moves(page, number)
    assert moves == [
        *("accept", "collect", "depart", "receive", "register", "pass_on", "resolve"),
        *("draft", "send_back", "draft", "sign", "collect", "depart", "receive", "hand_over"),
    ]


def ask_moves(page: Page, number: str) -> list[str]:
    """Return the moves of a packet, in order, as the API tells them."""
    answer = page.request.get(f"/api/v1/packets/{number}")
    return [event["move"] for event in json.loads(answer.text())["events"]]
