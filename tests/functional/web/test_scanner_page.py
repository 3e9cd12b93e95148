"""The scanner test: what it tells of a scanner."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from barcodes.numbers import grouped, packet_number
from tests.functional.web.browsing import LAYOUTS, Scanner, picture
from tests.functional.web.serving import Serving

pytestmark = pytest.mark.browser

NUMBER = packet_number("1001", 2026, 7)


@pytest.mark.parametrize(
    ("layout", "suffix", "told", "repaired"),
    [
        ("ru", "Enter", "English or Russian", "none needed"),
        ("kk", "Tab", "Kazakh", "brought back from the Kazakh layout"),
        ("kk_caps", "NumpadEnter", "Kazakh, capitals locked", "brought back from the Kazakh layout"),
        ("kk_latin", "Enter", "Kazakh Latin", "brought back from the Kazakh Latin layout"),
    ],
)
def test_layout_suffix_speed_and_repair_are_told(
    sign_in: Callable[..., Page], layout: str, suffix: str, told: str, repaired: str
) -> None:
    page = sign_in("accumulator.aksu", width=360, then="/scan/test")
    expect(page.locator("img.label")).not_to_have_js_property("naturalWidth", 0)
    # A machine that stands still between two keys is no pause of the scanner's.
    page.evaluate(
        "() => { const later = setTimeout; window.setTimeout = (work, ms) => later(work, 50 * ms); }"
    )
    Scanner(page, layout).read(NUMBER, suffix=suffix)
    expect(page.locator("#summary")).to_have_text("This scanner works.")
    expect(page.locator("#read")).to_have_text(NUMBER)
    expect(page.locator("#text")).to_have_text("".join(LAYOUTS[layout].get(digit, digit) for digit in NUMBER))
    expect(page.locator("#layout")).to_have_text(told)
    expect(page.locator("#suffix")).to_have_text(
        {"Tab": "Tab", "Enter": "Enter", "NumpadEnter": "Enter of the number pad"}[suffix]
    )
    expect(page.locator("#speed")).to_have_text("5 ms from key to key, 5 ms at most")
    expect(page.locator("#here")).to_have_text("read by the position of the keys")
    expect(page.locator("#there")).to_have_text(repaired)
    expect(page.locator("#keys li")).to_have_count(14)
    expect(page.locator("#field")).to_have_value("")
    picture(page, f"scanner-{layout}")


def test_what_is_wrong_with_a_scanner_is_told(sign_in: Callable[..., Page]) -> None:
    page = sign_in("accumulator.aksu", then="/scan/test")
    scanner = Scanner(page)
    scanner.read(NUMBER, suffix="")
    expect(page.locator("#suffix")).to_contain_text("none: set the scanner to send Enter")
    expect(page.locator("#summary")).to_have_text("This was not understood.")
    scanner.wait(2)
    scanner.read(NUMBER[:7], suffix="")
    scanner.wait(0.6)
    scanner.read(NUMBER[7:])
    expect(page.locator("#speed")).to_contain_text("too slow")
    scanner.wait(2)
    scanner.read(f"{NUMBER[:-1]}{(int(NUMBER[-1]) + 1) % 10}")
    expect(page.locator("#what")).to_contain_text("The check digits do not agree")
    # A telephone's keyboard: text without keys.
    page.keyboard.insert_text(grouped(NUMBER))
    scanner.press("", "Enter", "\r")
    expect(page.locator("#layout")).to_have_text("not to be told: this keyboard names no keys")
    expect(page.locator("#read")).to_have_text(NUMBER)


def test_the_server_tells_without_recording(sign_in: Callable[..., Page], served_here: Serving) -> None:
    before = served_here.crew.weight()
    page = sign_in("accumulator.aksu", then="/scan/test")
    Scanner(page).read(NUMBER)
    expect(page.locator("#what")).to_have_text("Packet number. Nothing more to type.")
    assert served_here.crew.weight() == before
