"""What the answer to a scan looks and sounds like, and what the desk card does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from barcodes.numbers import Command, command_code, grouped
from models.scan import Station, Verdict
from tests.functional.web.browsing import Scanner, expect_unsent, expect_verdict
from tests.functional.web.serving import Serving
from web.words import VERDICTS

pytestmark = pytest.mark.browser

SignIn = Callable[..., Page]

HEARING = """
    globalThis.heard = [];
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (at) {
        heard.push(Math.round(this.frequency.value));
        return start.call(this, at);
    };
"""
"""Notes the pitch of every tone that the page plays."""


def test_every_answer_has_a_word_an_icon_and_a_tune_of_its_own(sign_in: SignIn) -> None:
    page = sign_in("accumulator.aksu", then="/scan/look_up")
    page.add_init_script(HEARING)
    answers: list[dict[str, object]] = [
        {"verdict": verdict, "say": f"Said {verdict}.", "code": None, "state": None, "facts": {}}
        for verdict in Verdict
    ]

    def give(route: Route) -> None:
        (scan,) = json.loads(route.request.post_data or "[]")
        route.fulfill(json=[{"id": scan["id"], **answers.pop(0)}])

    page.route("**/api/v1/scans", give)
    page.reload()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#sound")).to_have_text("Turn sound off")
    tunes, icons, words = set(), set(), set()
    for verdict in Verdict:
        page.evaluate("heard.length = 0")
        page.fill("#field", f"code {verdict}")
        page.press("#field", "Enter")
        expect_verdict(page, verdict.value)
        expect(page.locator("#sentence")).to_have_text(f"Said {verdict}.")
        expect(page.locator("#verdict")).to_have_text(VERDICTS[verdict].render("en"))
        tunes.add(tuple(page.evaluate("heard")))
        words.add(page.inner_text("#verdict"))
        icon = page.locator("#banner .icon use").get_attribute("href")
        expect(page.locator(str(icon))).to_be_attached()
        icons.add(icon)
    assert len(tunes) == len(icons) == len(words) == len(Verdict)


def test_sound_that_the_browser_blocks_is_offered_and_a_scan_frees_it(
    sign_in: SignIn, served_here: Serving
) -> None:
    signed_in = sign_in("accumulator.aksu", then="/packets")
    # A tab that nobody has touched yet may not play anything.
    page = signed_in.context.new_page()
    page.add_init_script(HEARING)
    page.goto("/scan/look_up")
    expect(page.locator("#sound")).to_have_text("Click to hear sounds")
    Scanner(page).read(served_here.crew.accept())
    expect(page.locator("#sound")).to_have_text("Turn sound off")
    expect_verdict(page, "taken")
    page.click("#sound")
    expect(page.locator("#sound")).to_have_text("Turn sound on")
    page.evaluate("heard.length = 0")
    Scanner(page).read(served_here.crew.accept())
    expect(page.locator("#last li.taken")).to_have_count(2)
    assert page.evaluate("heard") == []
    # Chosen once, it stays so.
    page.reload()
    expect(page.locator("#sound")).to_have_text("Turn sound on")


def test_an_error_among_many_answers_stays_until_the_next_good_scan(
    sign_in: SignIn, served_here: Serving
) -> None:
    numbers = [served_here.crew.accept() for _ in range(13)]
    wrong = [number[:-1] + str((int(number[-1]) + 1) % 10) for number in numbers[:2]]
    page = sign_in("accumulator.aksu", then="/scan/collect")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/scans", hold, times=1)
    scanner = Scanner(page)
    for code in (numbers[0], *wrong, *numbers[1:12]):
        scanner.read(code)
    expect_unsent(page, 14)
    held[0].continue_()
    # Twelve good answers came after the two errors, all at once: the errors are still to be seen.
    expect_verdict(page, "bad_check")
    expect(page.locator("#more")).to_have_text("Before it, also not taken: 1. See the list.")
    expect(page.locator("#last li.bad_check")).to_have_count(2)
    scanner.read(numbers[12])
    expect_verdict(page, "taken")
    expect(page.locator("#more")).to_be_hidden()
    expect(page.locator("#last li")).to_have_count(10)


def test_a_telephone_shakes_when_something_is_wrong_and_only_then(
    sign_in: SignIn, served_here: Serving
) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu")
    page.add_init_script("globalThis.shaken = []; navigator.vibrate = (how) => shaken.push(how);")
    page.goto("/scan/look_up")
    scanner = Scanner(page)
    scanner.read(number)
    expect_verdict(page, "taken")
    assert page.evaluate("shaken.length") == 0
    scanner.read(number[:-2] + f"{(int(number[-2:]) + 1) % 100:02d}")
    expect_verdict(page, "bad_check")
    assert page.evaluate("shaken.length") == 1


def test_each_of_the_last_ten_can_be_taken_back(sign_in: SignIn, served_here: Serving) -> None:
    crew = served_here.crew
    numbers = [crew.accept() for _ in range(11)]
    page = sign_in("accumulator.aksu", then="/scan/collect")
    scanner = Scanner(page)
    for number in numbers:
        scanner.read(number)
    expect(page.locator("#last li.taken")).to_have_count(10)
    expect_unsent(page, 0)
    oldest = page.get_by_role("button", name=f"Take back {grouped(numbers[1])}")
    oldest.click()
    expect(page.locator("#last li").last).to_have_class("undone")
    expect(page.locator("#last li").last).to_contain_text("Taken back: accepted")
    assert crew.packet(numbers[1]).state == "accepted"
    # At once again: it is no second suffix.
    scanner.read(numbers[1])
    expect(page.locator("#last li").first).to_have_class("taken")
    assert crew.moves(numbers[1]) == ["accept", "collect", "undo", "collect"]
    # What others have gone on with cannot be taken back, and the page says why.
    crew.seal(_manifest(page))
    page.get_by_role("button", name=f"Take back {grouped(numbers[5])}").click()
    expect(page.locator("#trouble")).to_contain_text("has gone on since")


def _manifest(page: Page) -> str:
    href = page.locator("#to-manifest").get_attribute("href")
    assert href is not None
    return href.rpartition("/")[2]


def test_the_desk_card_undoes_prints_and_closes(sign_in: SignIn, served_here: Serving) -> None:
    crew = served_here.crew
    number, other = crew.accept(), crew.accept()
    page = sign_in("accumulator.aksu", then="/scan/collect")
    scanner = Scanner(page, "kk")
    card = {command: command_code(command) for command in Command}
    for command, said in (
        (Command.UNDO, "Nothing on this page can be taken back."),
        (Command.CLOSE_BATCH, "No manifest is open on this page"),
        (Command.PRINT, "there is nothing to print"),
        (Command.YES, "No question is open"),
    ):
        scanner.read(card[command])
        expect(page.locator("#trouble")).to_contain_text(said)
    scanner.wait(2)
    scanner.read(number)
    expect_verdict(page, "taken")

    question = page.locator("#question")
    scanner.read(card[Command.UNDO])
    expect(question).to_be_visible()
    expect(question).to_contain_text(grouped(number))
    # While a question is open nothing is scanned, and Enter presses no button of it.
    scanner.read(other)
    expect(page.locator("#answer-first")).to_have_text("Answer the question first.")
    scanner.read("12345678")
    expect(question).to_be_visible()
    scanner.read(card[Command.NO])
    expect(question).to_be_hidden()
    assert crew.packet(number).state == "collected"
    assert crew.packet(other).state == "accepted"
    scanner.wait(2)
    scanner.read(card[Command.UNDO])
    expect(question).to_be_visible()
    expect(page.locator("#answer-first")).to_be_hidden()
    scanner.read(card[Command.YES])
    expect(page.locator("#last li.undone")).to_have_count(1)
    expect(page.locator("#field")).to_be_focused()
    assert crew.packet(number).state == "accepted"

    scanner.read(other)
    expect_verdict(page, "taken")
    scanner.wait(2)
    scanner.read(card[Command.PRINT])
    page.wait_for_url("**/manifests/*/papers")
    page.go_back()
    scanner = Scanner(page)
    scanner.read(number)
    expect_verdict(page, "taken")
    scanner.read(card[Command.CLOSE_BATCH])
    page.wait_for_url(re.compile(r"/manifests/\d{16}$"))


def test_a_command_waits_until_everything_is_sent(sign_in: SignIn, served_here: Serving) -> None:
    numbers = [served_here.crew.accept() for _ in range(2)]
    page = sign_in("accumulator.aksu", then="/scan/collect")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/scans", hold, times=1)
    scanner = Scanner(page)
    for code in (numbers[0], command_code(Command.CLOSE_BATCH), numbers[1]):
        scanner.read(code)
    expect_unsent(page, 3)
    held[0].continue_()
    page.wait_for_url(re.compile(r"/manifests/\d{16}$"))
    for number in numbers:
        expect(page.locator("main")).to_contain_text(grouped(number))


def test_the_desk_card_is_understood_at_every_station(sign_in: SignIn) -> None:
    people = {
        "accumulator.aksu": (Station.COLLECT, Station.RECEIVE, Station.LOOK_UP),
        "courier.aksu": (Station.DEPART,),
        "registrar.aksu": (Station.REGISTER, Station.PASS, Station.RESULT),
        "inspector.aksu": (Station.HAND_OVER,),
    }
    assert {station for stations in people.values() for station in stations} == set(Station)
    for login, stations in people.items():
        page = sign_in(login)
        for station in stations:
            page.goto(f"/scan/{station}")
            Scanner(page).read(command_code(Command.UNDO))
            expect_verdict(page, "command")
            expect(page.locator("#sentence")).to_have_text("Command “Undo the last”.")
