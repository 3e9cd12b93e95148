"""The page of a courier, on a telephone: bags to take, carried, and given over."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from barcodes.numbers import grouped
from models.scan import Station
from tests.functional.web.browsing import Scanner, expect_verdict, picture
from tests.functional.web.serving import Serving
from workflow.planning import plan_runs

pytestmark = pytest.mark.browser


def _section(page: Page, title: str) -> str:
    return page.locator("#bags section").filter(has=page.get_by_role("heading", name=title)).inner_text()


def test_a_bag_is_taken_and_given_over_by_one_scan_each(
    sign_in: Callable[..., Page], served_here: Serving
) -> None:
    crew = served_here.crew
    crew.do(lambda session: plan_runs(session, now=crew.now))
    numbers = [crew.accept() for _ in range(3)]
    manifest = crew.collect(*numbers)
    page = sign_in("courier.aksu", width=360, then="/scan/depart")
    assert "not sealed yet" in _section(page, "To take")
    assert "You carry nothing." in _section(page, "With you")
    crew.seal(manifest)

    scanner = Scanner(page)
    scanner.read(manifest)
    expect_verdict(page, "taken")
    carried = page.locator(".bag", has=page.locator(".give"))
    expect(carried).to_contain_text(grouped(manifest))
    expect(carried).to_contain_text("Packets in the bag: 3")
    assert "No bag waits for you." in _section(page, "To take")
    picture(page, "courier")

    # The receiver scans the code that the courier shows, then packet by packet.
    carried.locator(".give summary").click()
    expect(carried.locator("img.label")).not_to_have_js_property("naturalWidth", 0)
    picture(page, "courier-gives")
    carried.locator(".give summary").click()
    crew.scan("registrar.alakol", Station.RECEIVE, manifest, *numbers[:2])
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(carried).to_contain_text("Taken over: 2 of 3. Still in the bag:")
    carried.get_by_text("What is in the bag").click()
    expect(carried.locator(".inside li")).to_have_text([grouped(numbers[2])])
    crew.scan("registrar.alakol", Station.RECEIVE, numbers[2])
    page.reload()
    assert "You carry nothing." in _section(page, "With you")
    assert grouped(manifest) in _section(page, "Given over today")


def test_only_couriers_see_the_bags(sign_in: Callable[..., Page], served_here: Serving) -> None:
    page = sign_in("accumulator.aksu", then="/scan/collect")
    answer = page.request.get(f"{served_here.address}/scan/depart/bags")
    assert answer.status == 403
