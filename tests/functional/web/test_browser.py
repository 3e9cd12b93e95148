"""Pages in a real browser: the way from acceptance to the seal, and every page on small and large screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from barcodes.numbers import grouped
from tests.functional.web.browsing import Scanner, expect_verdict, picture
from tests.functional.web.serving import Serving

pytestmark = pytest.mark.browser


def test_from_acceptance_to_the_manifest(sign_in: Callable[..., Page]) -> None:
    inspector = sign_in("inspector.aksu", width=360, then="/accept")
    inspector.fill("[name=applicant_name]", "Applicant 1")
    inspector.fill("[name=applicant_iin]", "990101300014")
    inspector.fill("[name=residence]", "Ақсу")
    inspector.click("button.primary")
    assert inspector.url.endswith("/accept")  # The browser says that the IIN is wrong; nothing was sent.
    inspector.fill("[name=applicant_iin]", "990101300013")
    inspector.click("button.primary")
    inspector.check("[name=district][value=uygur]")
    picture(inspector, "accept")
    inspector.click("button.primary")
    expect(inspector.locator("h1.code")).to_be_visible()
    number = inspector.url.split("/packets/")[1].split("?")[0]
    expect(inspector.locator("img.label")).not_to_have_js_property("naturalWidth", 0)
    picture(inspector, "packet")

    page = sign_in("accumulator.aksu", width=360, then="/scan/collect")
    Scanner(page).read(number)
    expect_verdict(page, "taken")
    expect(page.locator("#sentence")).to_contain_text(grouped(number))
    picture(page, "scan")
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("#last li").first).to_have_class("undone")
    Scanner(page).read(number)
    expect(page.locator("#last li")).to_have_count(2)
    expect_verdict(page, "taken")
    page.click("#to-manifest")
    page.fill("[name=seal_number]", "S-1")
    page.click("text=Seal the manifest")
    expect(page.locator(".said")).to_be_visible()
    picture(page, "manifest")


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1920, "dark")])
def test_no_page_is_wider_than_its_screen(
    sign_in: Callable[..., Page], served_here: Serving, width: int, scheme: str
) -> None:
    crew = served_here.crew
    number = crew.accept()
    page = sign_in("inspector.aksu", width=width, scheme=scheme)
    for language in ("kk", "ru"):
        page.click(f".languages button[value={language}]")
        expect(page.locator("html")).to_have_attribute("lang", language)
        for name in ("", "accept", "packets", f"packets/{number}", "scan/hand_over", "status", "nowhere"):
            page.goto(f"/{name}")
            picture(page, f"{name.replace('/', '-') or 'home'}-{language}-{scheme}")
    page.click(".languages button[value=en]")
    expect(page.locator("html")).to_have_attribute("lang", "en")
