"""What people see of the desk in a real browser: live ticks, the bell, the department while typing, marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from barcodes.numbers import grouped
from config.clock import utc_now
from models import Message, Staff
from models.scan import Station
from tests.functional.web.browsing import Scanner
from tests.functional.web.serving import Serving
from tests.integration.workflow.crew import Crew
from workflow.telling import tell

pytestmark = pytest.mark.browser

Pages = Callable[..., Page]


def tell_all(crew: Crew) -> None:
    """Carry all messages out, as workers do."""
    crew.database.transact(lambda s: tell(s, list(s.scalars(select(Message))), now=utc_now()))


def turn(page: Page, *, hidden: bool) -> None:
    """Bring a page into the background, or back: a browser without a screen shows all of its pages at any time."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def ready(crew: Crew) -> str:
    """Bring one packet to where its result is ready, and nobody has been told yet."""
    number = crew.accept()
    crew.scan("registrar.alakol", Station.RECEIVE, crew.send(number), number)
    crew.decide(number)
    back = crew.send(number, who="registrar.alakol")
    tell_all(crew)
    crew.scan("accumulator.aksu", Station.RECEIVE, back, number)
    return number


def test_two_people_see_each_others_ticks_and_lose_nothing_they_type(
    sign_in: Pages, served_here: Serving
) -> None:
    crew = served_here.crew
    numbers = [crew.accept() for _ in range(3)]
    manifest = crew.send(*numbers)
    crew.scan("registrar.alakol", Station.RECEIVE, manifest)
    page = sign_in("registrar.alakol", then=f"/manifests/{manifest}")
    expect(page.locator(".tally b")).to_have_text("0 of 3")
    reason = page.get_by_label(f"Why packet {grouped(numbers[2])} is missing")
    reason.click()
    reason.press_sequentially("Not in ")
    crew.scan("registrar.alakol", Station.RECEIVE, numbers[0], manifest=manifest)
    expect(page.locator(".tally b")).to_have_text("1 of 3")
    expect(page.locator("tbody tr").last).to_contain_text(grouped(numbers[0]))
    expect(page.locator(f"#line-{numbers[0]} .chip")).to_have_text("taken over")
    expect(reason).to_be_focused()
    reason.press_sequentially("the bag")
    expect(reason).to_have_value("Not in the bag")
    # Whoever takes over another's work goes on where it stopped.
    other = sign_in("registrar.alakol", width=360, then=f"/manifests/{manifest}")
    expect(other.locator("#live")).to_contain_text("Registrar of alakol")
    other.click("text=Scan the packets of this bag")
    other.wait_for_url("**/scan/receive**")
    Scanner(other).read(numbers[1])
    expect(page.locator(".tally b")).to_have_text("2 of 3")
    page.click("text=Close the manifest")
    page.click("text=Close; 1 packet is missing")
    expect(page.get_by_role("button", name="Print the act of discrepancy")).to_be_visible()
    other.goto(f"/manifests/{manifest}")
    expect(other.locator("#live")).to_have_attribute("data-state", "closed")


def test_a_manifest_that_another_closes_is_shown_anew(sign_in: Pages, served_here: Serving) -> None:
    crew = served_here.crew
    number = crew.accept()
    manifest = crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, manifest, number)
    page = sign_in("registrar.alakol", then=f"/manifests/{manifest}")
    expect(page.get_by_role("button", name="Close the manifest")).to_be_visible()
    crew.close(manifest)
    expect(page.get_by_role("button", name="Close the manifest")).to_have_count(0)
    expect(page.locator("#live")).to_have_attribute("data-state", "closed")


def test_while_a_form_is_on_its_way_its_page_stays_as_it_is(sign_in: Pages, served_here: Serving) -> None:
    crew = served_here.crew
    numbers = [crew.accept() for _ in range(2)]
    manifest = crew.send(*numbers)
    crew.scan("registrar.alakol", Station.RECEIVE, manifest, numbers[0])
    lines = f"/manifests/{manifest}/lines"
    page = sign_in("registrar.alakol", then=f"/manifests/{manifest}")
    # From its second question on it gets nothing where nothing has changed.
    with page.expect_response(f"**{lines}"):
        page.reload()
    # A form that is on its way for as long as the test looks: Playwright asks nothing of a page that is leaving.
    page.evaluate(
        "document.body.dataset.same = 'page'; addEventListener('submit', (event) => event.preventDefault())"
    )
    page.get_by_role("button", name="Close the manifest").click()
    with _telling(page, lines):
        crew.scan("registrar.alakol", Station.RECEIVE, numbers[1], manifest=manifest)
    expect(page.locator(".tally b")).to_have_text("1 of 2")
    # Closed, and the answer that says so is late: a page that loads itself anew now would lose what that says.
    with _telling(page, lines):
        crew.close(manifest)
    expect(page.locator("#live")).to_have_attribute("data-state", "receiving")
    expect(page.locator("body")).to_have_attribute("data-same", "page")


@contextmanager
def _telling(page: Page, address: str) -> Iterator[None]:
    """Wait until the page has heard of what is done here, and has done what it does about it."""
    with page.expect_response(lambda answer: answer.url.endswith(address) and answer.status == HTTPStatus.OK):
        yield
    # It asks again when it is done with the answer before.
    with page.expect_request(f"**{address}"):
        pass


def test_the_bell_rings_when_a_result_is_ready(sign_in: Pages, served_here: Serving) -> None:
    crew = served_here.crew
    number = ready(crew)
    page = sign_in("inspector.aksu")
    bell = page.locator(".bell")
    expect(bell).to_be_hidden()
    with page.expect_response("**/api/v1/events*"):
        page.reload()
    page.keyboard.press("Tab")  # A browser lets a page sound only after a key was pressed on it.
    tell_all(crew)
    expect(bell).to_be_visible()
    expect(bell).to_have_class(re.compile("urgent"))
    expect(bell).to_have_attribute("data-rung", "true")
    expect(bell.locator("a")).to_have_attribute("href", f"/packets/{number}")
    expect(bell).to_contain_text("Hand it over to the applicant today")
    bell.get_by_role("button", name="Do not ring").click()
    expect(bell.get_by_role("button", name="Ring when a result is ready")).to_be_visible()
    bell.get_by_role("button", name="Hide").click()
    expect(bell).to_be_hidden()
    page.reload()
    expect(page.locator(".news .urgent")).to_contain_text(grouped(number))
    # Handing over by the scanner alone: each code ends with Enter.
    page.goto("/desk/hand-out")
    expect(page.locator("[name=result]")).to_be_focused()
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    expect(page.locator("[name=receipt]")).to_be_focused()
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text("Handed over")
    assert crew.packet(number).state == "handed_over"


@pytest.mark.parametrize("rang_before", [True, False])
def test_a_page_in_the_background_holds_no_line_and_is_told_what_it_missed(
    sign_in: Pages, served_here: Serving, *, rang_before: bool
) -> None:
    crew = served_here.crew
    page = sign_in("inspector.aksu")
    page.goto("about:blank")  # The line of the first page ends here, and is not taken for the next one's.
    said: list[str] = []
    network = page.context.new_cdp_session(page)
    network.on("Network.eventSourceMessageReceived", lambda event: said.append(event["eventName"]))
    network.send("Network.enable")
    with page.expect_response("**/api/v1/events*") as answered:
        page.goto("/packets")
    line = answered.value.request
    while "listening" not in said:
        page.wait_for_timeout(20)
    link = page.locator(".bell a")
    if rang_before:
        first = ready(crew)
        tell_all(crew)
        expect(link).to_have_attribute("href", f"/packets/{first}")
    with page.expect_event("requestfailed", lambda request: request == line):
        turn(page, hidden=True)
    missed = ready(crew)
    tell_all(crew)
    expect(page.locator(f".bell [href='/packets/{missed}']")).to_have_count(0)
    with page.expect_request(re.compile(r"/api/v1/events\?after=[0-9]+$")):
        turn(page, hidden=False)
    expect(link).to_have_attribute("href", f"/packets/{missed}")


def test_the_department_is_told_while_the_place_is_typed(sign_in: Pages) -> None:
    page = sign_in("inspector.aksu", then="/accept")
    place = page.locator("[name=residence]")
    place.press_sequentially("Жансүгіров")
    expect(page.locator("#department")).to_contain_text("Аксуского района")
    expect(page.locator("#places option").first).to_be_attached()
    place.fill("Ақсу")
    page.check("#department [value=uygur]")
    expect(page.locator("#department .answer")).to_contain_text("Уйгурского района")
    place.fill("Жансүгіровка")
    page.locator("#department [data-place]").first.click()
    expect(page.locator("#department .answer.good")).to_be_visible()
    expect(page.locator(".enclosure:visible")).to_have_count(2)
    page.locator(".enclosure input").first.fill("Copy")
    expect(page.locator(".enclosure:visible")).to_have_count(2)
    page.locator(".enclosure input").nth(2).fill("Copy")
    expect(page.locator(".enclosure:visible")).to_have_count(3)
    iin = page.locator("[name=applicant_iin]")
    iin.fill("990101300014")
    expect(page.locator("#iin-said")).to_contain_text("does not pass its check")
    iin.fill("990101300013")
    expect(page.locator("#iin-said")).to_have_text("")


def test_many_are_resolved_and_signed_with_few_keys(sign_in: Pages, served_here: Serving) -> None:
    crew = served_here.crew
    crew.now = utc_now()  # Each step before took a minute of the crew's time, and hardly any of the page's.
    numbers = [crew.accept() for _ in range(3)]
    crew.scan("registrar.alakol", Station.RECEIVE, crew.send(*numbers), *numbers)
    crew.scan("registrar.alakol", Station.REGISTER, *numbers)
    crew.scan("registrar.alakol", Station.PASS, *numbers)
    head = sign_in("head.alakol", width=360, then="/desk/resolve")
    expect(head.locator("tbody .chip").first).to_contain_text("working minutes left")
    for number in numbers:
        head.focus(f"[value='{number}']")
        head.keyboard.press("Space")
    expect(head.locator("[data-marked]")).to_have_text("Name the executor: 3")
    head.keyboard.press("Tab")
    head.select_option("[name=executor]", "executor.alakol")
    head.focus("[data-marked]")
    head.keyboard.press("Enter")
    expect(head.locator(".said")).to_be_visible()
    assert {crew.packet(number).state for number in numbers} == {"with_executor"}
    with crew.database.transaction() as session:
        session.execute(update(Staff).where(Staff.login == "executor.alakol").values(language="ru"))
    executor = sign_in("executor.alakol", then="/desk/draft")
    # Hours of working time, or working days once the office is about to close.
    expect(executor.locator("tbody .chip").first).to_contain_text(re.compile("осталось .* рабоч"))


def test_a_form_is_sent_once_however_often_its_button_is_pressed(
    sign_in: Pages, served_here: Serving
) -> None:
    crew = served_here.crew
    manifest = crew.collect(crew.accept())
    page = sign_in("accumulator.aksu", then=f"/manifests/{manifest}")
    page.evaluate("addEventListener('submit', (event) => event.preventDefault())")
    page.fill("[name=seal_number]", "S-1")
    seal = page.get_by_role("button", name="Seal the manifest")
    expect(seal).to_be_enabled()
    seal.click()
    expect(seal).to_be_disabled()
    # Back by the browser's own button the page comes as it was left.
    page.evaluate("dispatchEvent(new Event('pageshow'))")
    expect(seal).to_be_enabled()
