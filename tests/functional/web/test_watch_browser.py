"""Pages that somebody leaves open, in a real browser: the board renews itself, and says when it cannot."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select, update

from config.offices import centre_of
from models import Message, Staff
from models.message import MessageState
from models.staff import Role
from tests.functional.web.serving import Serving

pytestmark = pytest.mark.browser

Pages = Callable[..., Page]

RENEW = "dispatchEvent(new Event('visibilitychange'))"
"""Who comes back to a page need not wait for the next time that it renews itself."""


@pytest.fixture
def operator(sign_in: Pages, served_here: Serving) -> Callable[[str], Page]:
    """Return a maker of pages for somebody who keeps the house."""
    with served_here.crew.database.transaction() as session:
        if session.scalar(select(Staff.id).where(Staff.login == "operator")) is None:
            hash_ = session.scalar(select(Staff.password_hash).where(Staff.login == "courier.aksu"))
            session.add(
                Staff(
                    login="operator",
                    name="Operator",
                    office=centre_of("aksu").code,
                    roles=[Role.OPERATOR],
                    language="en",
                    password_hash=hash_,
                    created_at=served_here.crew.now,
                )
            )
    return lambda then: sign_in("operator", then=then)


def renew(page: Page) -> None:
    page.evaluate(f"document.{RENEW}")


def test_the_board_counts_on_while_one_looks(operator: Callable[[str], Page], served_here: Serving) -> None:
    served_here.crew.accept()
    page = operator("/board")
    waiting = page.locator(".total a[href='/board/waiting']")
    before = int(waiting.inner_text())
    waiting.focus()
    page.evaluate("document.body.dataset.same = 'page'")
    served_here.crew.accept()
    renew(page)
    expect(waiting).to_have_text(str(before + 1))
    # Who stands on a number stands there still, and nothing was loaded anew.
    expect(waiting).to_be_focused()
    expect(page.locator("body")).to_have_attribute("data-same", "page")


def test_the_board_renews_itself_by_its_clock(operator: Callable[[str], Page], served_here: Serving) -> None:
    served_here.crew.accept()
    page = operator("/")

    def hurry(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('data-live="15"', 'data-live="1"'))

    page.route("**/board", hurry)
    page.goto("/board")
    expect(page.locator("[data-live='1']")).to_be_visible()
    waiting = page.locator(".total a[href='/board/waiting']")
    before = int(waiting.inner_text())
    served_here.crew.accept()
    expect(waiting).to_have_text(str(before + 1))
    page.unroute_all(behavior="ignoreErrors")


def test_a_server_that_does_not_answer_is_said_once_and_forgotten(
    operator: Callable[[str], Page], served_here: Serving
) -> None:
    served_here.crew.accept()
    page = operator("/board")
    said = page.locator("[data-live] > .trouble")
    page.context.set_offline(True)
    renew(page)
    expect(said).to_be_visible()
    renew(page)
    expect(said).to_have_count(1)
    expect(said).to_have_text("The server does not answer; what you see is old.")
    expect(page.locator(".total")).to_be_visible()
    page.context.set_offline(False)
    renew(page)
    expect(said).to_have_count(0)


def test_a_sign_in_that_ran_out_leads_to_the_form(operator: Callable[[str], Page]) -> None:
    page = operator("/board")
    page.context.clear_cookies()
    renew(page)
    page.wait_for_url("**/sign-in?next=/board")


def test_all_dead_letters_are_marked_at_once(operator: Callable[[str], Page], served_here: Serving) -> None:
    served_here.crew.accept()
    served_here.crew.accept()
    with served_here.crew.database.transaction() as session:
        session.execute(
            update(Message).values(
                state=MessageState.DEAD, lease_until=None, done_at=None, reason="Broken", last_error="Broken"
            )
        )
    page = operator("/dead-letters")
    boxes = page.locator("tbody input[name=id]")
    assert boxes.count() >= 2
    page.check("input[data-all]")
    assert all(box.is_checked() for box in boxes.all())
    page.uncheck("input[data-all]")
    assert not any(box.is_checked() for box in boxes.all())
