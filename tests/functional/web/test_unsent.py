"""Unsent scans: over a lost network, a reload, a sign-in that ran out, a server that restarts, in two tabs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, Route, StorageState, expect
from sqlalchemy import update

from barcodes.numbers import Command, command_code, grouped
from config.clock import utc_now
from config.settings import Settings
from models import SignIn as SignInRow
from tests.functional.web.browsing import Scanner, expect_unsent, expect_verdict, leave
from tests.functional.web.serving import Serving, serving
from tests.functional.web.visitors import PASSWORD
from tests.integration.servers import SqliteFiles
from tests.integration.workflow.crew import Crew
from web.asking import LANGUAGE_COOKIE
from web.recognised import SECONDS

pytestmark = pytest.mark.browser

SignIn = Callable[..., Page]
SCANS = "**/api/v1/scans"


def _sent(page: Page) -> list[list[dict[str, str]]]:
    """Return a list that fills with the scans of each request, in their order."""
    requests: list[list[dict[str, str]]] = []

    def note(request: Request) -> None:
        if request.url.endswith("/api/v1/scans"):
            requests.append(json.loads(request.post_data or "[]"))

    page.on("request", note)
    return requests


def _states(crew: Crew, numbers: list[str]) -> list[str]:
    return [crew.packet(number).state.value for number in numbers]


def test_scans_without_a_connection_survive_a_reload_and_are_sent_once(
    sign_in: SignIn, served_here: Serving
) -> None:
    crew = served_here.crew
    numbers = [crew.accept() for _ in range(3)]
    page = sign_in("accumulator.aksu", then="/scan/collect")
    sent = _sent(page)

    def lose_the_answer(route: Route) -> None:
        # The server gets it, the page never hears of it: the worst moment for a connection to break.
        route.fetch()
        route.abort()

    page.route(SCANS, lose_the_answer, times=1)
    scanner = Scanner(page)
    scanner.read(numbers[0])
    expect(page.locator("#trouble")).to_be_visible()
    page.context.set_offline(True)
    for number in numbers[1:]:
        scanner.read(number)
    expect_unsent(page, 3)
    assert _states(crew, numbers) == ["collected", "accepted", "accepted"]
    expect(page.locator("#last li.waiting .code")).to_have_text([grouped(one) for one in reversed(numbers)])

    # Closing is barred while something is unsent; who stays, stays.
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.evaluate("location.assign('/packets')")
    expect(page.locator("#scan")).to_be_visible()
    assert asked == ["beforeunload"]

    page.route(SCANS, lambda route: route.abort())
    page.context.set_offline(False)
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect_unsent(page, 3)
    page.unroute_all()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#last li.taken .code")).to_have_text([grouped(one) for one in reversed(numbers)])
    expect_unsent(page, 0)
    assert _states(crew, numbers) == ["collected"] * 3
    assert crew.moves(numbers[0]) == ["accept", "collect"]
    assert len({scan["id"] for request in sent for scan in request}) == 3
    assert sent[-1][:1] == sent[0]
    # Nothing bars the way any more.
    page.goto("/packets")
    assert page.url.endswith("/packets")


def test_scans_faster_than_the_network_arrive_in_their_order(sign_in: SignIn, served_here: Serving) -> None:
    crew = served_here.crew
    numbers = [crew.accept() for _ in range(12)]
    page = sign_in("accumulator.aksu", then="/scan/collect")
    sent = _sent(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(SCANS, hold, times=1)
    scanner = Scanner(page)
    for number in numbers:
        scanner.read(number)
        expect(page.locator("#field")).to_have_value("")
    expect_unsent(page, 12)
    assert len(held) == 1
    held[0].continue_()
    expect_unsent(page, 0)
    assert [[scan["raw"] for scan in request] for request in sent] == [numbers[:1], numbers[1:]]
    expect(page.locator("#last li.taken .code")).to_have_text([grouped(one) for one in numbers[:1:-1]])
    assert _states(crew, numbers) == ["collected"] * 12


def test_a_sign_in_that_ran_out_in_mid_batch_keeps_the_scans(sign_in: SignIn, served_here: Serving) -> None:
    crew = served_here.crew
    numbers = [crew.accept() for _ in range(3)]
    page = sign_in("accumulator.aksu", then="/scan/collect")
    scanner = Scanner(page)
    scanner.read(numbers[0])
    expect_verdict(page, "taken")
    page.context.clear_cookies()
    for number in numbers[1:]:
        scanner.read(number)
    expect(page.locator("#sign-in")).to_be_visible()
    expect_unsent(page, 2)
    # Somebody else signs in: what another person scanned is not sent in their name.
    other = page.context.new_page()
    _sign_in(other, served_here, "inspector.aksu")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#trouble")).to_contain_text("Somebody else has signed in")
    expect_unsent(page, 2)
    assert _states(crew, numbers) == ["collected", "accepted", "accepted"]
    # The same person does, from the page itself: it comes back to where it was, and everything is sent.
    other.close()
    page.context.clear_cookies()
    page.click("#sign-in a")
    page.fill("[name=login]", "accumulator.aksu")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.locator("#scan")).to_have_attribute("data-unsent", "0")
    assert page.url.endswith("/scan/collect")
    expect(page.locator("#last li.taken")).to_have_count(2)
    assert _states(crew, numbers) == ["collected"] * 3


def test_a_sign_in_that_came_to_its_end_keeps_the_scans(
    sign_in: SignIn, served_here: Serving, signed_in: dict[str, StorageState]
) -> None:
    crew = served_here.crew
    numbers = [crew.accept() for _ in range(2)]
    page = sign_in("accumulator.aksu", then="/scan/collect")
    signed_in.clear()  # What the browser kept for other tests of this file ends here as well.
    longest = timedelta(minutes=Settings().session_longest_minutes + 1)
    with crew.database.transaction() as session:
        # Used a moment ago, and all the same over.
        session.execute(update(SignInRow).values(created_at=utc_now() - longest))
    # A server recognises who scans for a second without looking them up.
    page.wait_for_timeout(SECONDS * 1000 + 100)
    for number in numbers:
        Scanner(page).read(number)
    expect(page.locator("#trouble")).to_contain_text("Your sign-in has run out")
    expect_unsent(page, 2)
    page.click("#sign-in a")
    page.fill("[name=login]", "accumulator.aksu")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.locator("#last li.taken")).to_have_count(2)
    assert _states(crew, numbers) == ["collected"] * 2


def test_a_page_whose_modules_never_come_says_so(sign_in: SignIn, served_here: Serving) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu")
    page.context.add_cookies([{"name": LANGUAGE_COOKIE, "value": "kk", "url": served_here.address}])
    page.route("**/scan/main.js", lambda route: route.abort())
    page.goto("/scan/collect")
    notice = page.locator("#not-working")
    expect(notice).to_be_hidden()
    Scanner(page).read(number)
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("Бет толық жүктелмеді")
    expect(notice.locator(".code")).to_have_text(number)
    assert _states(served_here.crew, [number]) == ["accepted"]


def test_a_page_whose_modules_come_late_takes_the_notice_back(sign_in: SignIn, served_here: Serving) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/scan/main.js", hold)
    page.goto("/scan/collect", wait_until="commit")
    notice = page.locator("#not-working")
    expect(notice).to_be_visible()
    expect(notice.locator(".held")).to_be_hidden()
    Scanner(page).read(number)
    expect(notice.locator(".code")).to_have_text(number)
    held[0].continue_()
    expect_verdict(page, "taken")
    expect(notice).to_be_hidden()
    assert _states(served_here.crew, [number]) == ["collected"]


def _without_modules(page: Page, address: str) -> list[str]:
    """Go to a page whose modules never come; return a list that fills with what the browser asks on leaving."""
    asked: list[str] = []

    def allow(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", allow)
    page.route("**/scan/main.js", lambda route: route.abort())
    page.goto(address)
    return asked


def test_what_is_scanned_while_the_modules_never_come_outlives_a_reload(
    sign_in: SignIn, served_here: Serving
) -> None:
    crew = served_here.crew
    numbers = [crew.accept() for _ in range(3)]
    page = sign_in("accumulator.aksu")
    sent = _sent(page)
    asked = _without_modules(page, "/scan/collect")
    scanner = Scanner(page, "kk")
    scanner.read(numbers[0] + numbers[1])
    scanner.read(numbers[1])  # The second suffix of a scanner that sends two.
    # Whoever leaves at once is asked; who was told to load the page again is not.
    page.reload()
    assert asked == ["beforeunload"]
    notice = page.locator("#not-working")
    expect(notice).to_be_visible()
    Scanner(page).read(numbers[2])
    expect(notice.locator(".code")).to_have_text(", ".join([*numbers[:2], numbers[1], numbers[2]]))
    expect(notice.locator(".unkept")).to_be_hidden()
    page.unroute_all()
    # Another station: they are sent as what they were.
    page.goto("/scan/look_up")
    expect(page.locator("#last li.taken .code")).to_have_text([grouped(one) for one in reversed(numbers)])
    expect_unsent(page, 0)
    assert asked == ["beforeunload"]
    scans = [scan for request in sent for scan in request]
    assert [(scan["raw"], scan["station"]) for scan in scans] == [(one, "collect") for one in numbers]
    assert [scan["at"] for scan in scans] == sorted(scan["at"] for scan in scans)
    page.reload()
    expect_unsent(page, 0)
    expect(page.locator("#last li")).to_have_count(0)
    for number in numbers:
        assert crew.moves(number) == ["accept", "collect"]


def test_what_was_heard_for_one_person_waits_for_that_person(sign_in: SignIn, served_here: Serving) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu")
    _without_modules(page, "/scan/collect")
    Scanner(page).read(number)
    page.context.clear_cookies()
    _sign_in(page, served_here, "inspector.aksu")
    page.unroute_all()
    page.goto(f"{served_here.address}/scan/look_up")
    expect(page.locator("#trouble")).to_contain_text("Scans of another person are kept here: 1")
    expect_unsent(page, 0)
    assert _states(served_here.crew, [number]) == ["accepted"]


def test_two_pages_that_take_up_the_same_send_it_under_one_id(sign_in: SignIn, served_here: Serving) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/scan/main.js", hold)
    page.goto("/scan/collect", wait_until="commit")
    expect(page.locator("#field")).to_be_attached()
    sent = _sent(page)
    Scanner(page).read(number)
    other = page.context.new_page()
    sent_by_other = _sent(other)
    other.goto(f"{served_here.address}/scan/collect")
    expect_verdict(other, "taken")
    held[0].continue_()
    expect_verdict(page, "taken")
    assert [scan["id"] for scan in sent[0]] == [scan["id"] for scan in sent_by_other[0]]
    assert served_here.crew.moves(number) == ["accept", "collect"]


def test_what_two_pages_took_up_waits_once_in_each(sign_in: SignIn, served_here: Serving) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu")
    other = page.context.new_page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    for one in (page, other):
        one.route("**/scan/main.js", hold)
        one.route(SCANS, lambda route: route.abort())
        one.goto(f"{served_here.address}/scan/collect", wait_until="commit")
        expect(one.locator("#field")).to_be_attached()
        if one is page:
            Scanner(page).read(number)
    # The first page keeps it among the unsent, where the second finds it a second time.
    held[0].continue_()
    expect_unsent(page, 1)
    held[1].continue_()
    expect_unsent(other, 1)
    expect(other.locator("#last li")).to_have_count(1)


def test_a_command_that_an_earlier_page_heard_is_not_carried_out(
    sign_in: SignIn, served_here: Serving
) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu")
    _without_modules(page, "/scan/collect")
    Scanner(page).read(command_code(Command.PRINT))
    page.unroute_all()
    page.goto("/scan/collect")
    expect(page.locator("#last li.command")).to_have_count(1)
    expect(page.locator("#trouble")).to_be_hidden()
    Scanner(page).read(number)
    expect_verdict(page, "taken")


def test_a_browser_that_keeps_nothing_says_so_where_the_modules_never_come(
    sign_in: SignIn, served_here: Serving
) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu")
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('full'); }")
    asked = _without_modules(page, "/scan/collect")
    Scanner(page).read(number)
    expect(page.locator("#not-working .unkept")).to_be_visible()
    page.reload()
    assert asked == ["beforeunload"]


def test_a_page_goes_on_after_its_person_signed_in_again_elsewhere(
    sign_in: SignIn, served_here: Serving
) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu", then="/scan/collect")
    page.context.clear_cookies()
    _sign_in(page.context.new_page(), served_here, "accumulator.aksu")
    # The form token of this page is of the sign-in before.
    Scanner(page).read(number)
    expect_verdict(page, "taken")


def _sign_in(page: Page, served: Serving, login: str) -> None:
    page.goto(f"{served.address}/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.locator("header .place")).to_be_visible()


def test_a_refusal_of_the_person_keeps_the_scans_and_one_of_a_scan_holds_no_other(
    sign_in: SignIn, served_here: Serving
) -> None:
    numbers = [served_here.crew.accept() for _ in range(3)]
    page = sign_in("accumulator.aksu", then="/scan/collect")

    def refuse(status: int, detail: str) -> Callable[[Route], None]:
        return lambda route: route.fulfill(status=status, json={"code": "refused", "detail": detail})

    page.route(SCANS, refuse(403, "Not now."))
    scanner = Scanner(page)
    for number in numbers:
        scanner.read(number)
    expect(page.locator("#trouble")).to_have_text("Not now.")
    expect_unsent(page, 3)
    page.unroute_all()

    def refuse_the_second(route: Route) -> None:
        (refuse(422, "Not this one.") if numbers[1] in (route.request.post_data or "") else Route.continue_)(
            route
        )

    page.route(SCANS, refuse_the_second)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)
    expect(page.locator("#last li.unknown .code")).to_have_text(grouped(numbers[1]))
    expect(page.locator("#last li.unknown")).to_contain_text("The server refuses this scan: Not this one.")
    assert _states(served_here.crew, numbers) == ["collected", "accepted", "collected"]


def test_scans_of_another_person_wait_for_that_person(sign_in: SignIn, served_here: Serving) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu", then="/scan/collect")
    page.route(SCANS, lambda route: route.abort())
    Scanner(page).read(number)
    expect_unsent(page, 1)
    page.once("dialog", lambda dialog: dialog.accept())
    page.context.clear_cookies()
    _sign_in(page, served_here, "inspector.aksu")
    page.unroute_all()
    page.goto(f"{served_here.address}/scan/look_up")
    expect(page.locator("#trouble")).to_contain_text("Scans of another person are kept here: 1")
    expect_unsent(page, 0)
    page.context.clear_cookies()
    _sign_in(page, served_here, "accumulator.aksu")
    page.goto(f"{served_here.address}/scan/collect")
    expect_verdict(page, "taken")
    assert served_here.crew.packet(number).state == "collected"


def test_one_batch_open_in_two_tabs_doubles_nothing(sign_in: SignIn, served_here: Serving) -> None:
    crew = served_here.crew
    numbers = [crew.accept() for _ in range(3)]
    page = sign_in("accumulator.aksu", then="/scan/collect")
    page.route(SCANS, lambda route: route.abort())
    Scanner(page).read(numbers[0])
    expect_unsent(page, 1)
    # The second tab takes up what the first could not send; both may send it.
    other = page.context.new_page()
    other.goto(f"{served_here.address}/scan/collect")
    expect(other.locator("#last li.taken")).to_have_count(1)
    page.unroute_all()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#last li.taken")).to_have_count(1)
    other.bring_to_front()
    Scanner(other).read(numbers[1])
    expect(other.locator("#last li.taken")).to_have_count(2)
    page.bring_to_front()
    scanner = Scanner(page)
    scanner.read(numbers[1])
    expect_verdict(page, "already")
    scanner.read(numbers[2])
    expect_verdict(page, "taken")
    for number in numbers:
        assert crew.moves(number) == ["accept", "collect"]


def test_a_server_that_restarts_in_mid_batch_gets_everything(
    browser: Browser, tmp_path: Path, sqlite_files: SqliteFiles, password_hash: str
) -> None:
    database = sqlite_files.fresh(tmp_path)
    page = browser.new_context().new_page()
    with serving(database, home=tmp_path, password_hash=password_hash) as served:
        numbers = [served.crew.accept() for _ in range(3)]
        _sign_in(page, served, "accumulator.aksu")
        page.goto(f"{served.address}/scan/collect")
        scanner = Scanner(page)
        scanner.read(numbers[0])
        expect_verdict(page, "taken")
    for number in numbers[1:]:
        scanner.read(number)
    expect(page.locator("#trouble")).to_contain_text("No connection")
    expect_unsent(page, 2)
    port = int(served.address.rpartition(":")[2])
    with serving(database, home=tmp_path, password_hash=password_hash, port=port) as served:
        # Nobody has to do anything: the page tries again by itself.
        expect(page.locator("#last li.taken")).to_have_count(3)
        expect_unsent(page, 0)
        expect(page.locator("#trouble")).to_be_hidden()
        assert _states(served.crew, numbers) == ["collected"] * 3
    leave(page.context)
