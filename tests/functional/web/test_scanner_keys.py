"""Keys of a scanner in a real browser: under any layout, before the page is ready, and wherever the focus is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from barcodes.numbers import grouped, manifest_number, packet_number
from tests.functional.web.browsing import LAYOUTS, Scanner, expect_verdict
from tests.functional.web.serving import Serving

pytestmark = pytest.mark.browser

SignIn = Callable[..., Page]


@pytest.mark.parametrize(
    ("layout", "suffix"),
    [("us", "NumpadEnter"), ("ru", "Enter"), ("kk", "Enter"), ("kk_caps", "Tab"), ("kk_latin", "Enter")],
)
def test_a_scanner_is_understood_under_every_layout(
    sign_in: SignIn, served_here: Serving, layout: str, suffix: str
) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu", then="/scan/look_up")
    Scanner(page, layout).read(number, suffix=suffix)
    expect_verdict(page, "taken")
    expect(page.locator("#field")).to_have_value("")
    expect(page.locator("#field")).to_be_focused()
    expect(page.locator("#last li .code").first).to_have_text(grouped(number))


def test_a_scanner_that_presses_the_keys_of_the_keypad_is_understood(
    sign_in: SignIn, served_here: Serving
) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu", then="/scan/look_up")
    page.evaluate("document.activeElement.blur()")  # No field helps with its text.
    scanner = Scanner(page)
    for digit in number:
        scanner.press(f"Numpad{digit}", digit, digit)
    scanner.end("NumpadEnter")
    expect_verdict(page, "taken")


@pytest.mark.parametrize("layout", ["kk", "kk_caps", "kk_latin"])
def test_where_keys_have_no_names_the_text_is_brought_back(
    sign_in: SignIn, served_here: Serving, layout: str
) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu", then="/scan/look_up")
    # As the keyboard of a telephone does it: text comes into the field, and Enter is a key without a code.
    page.keyboard.insert_text("".join(LAYOUTS[layout][digit] for digit in number))
    Scanner(page).press("", "Enter", "\r")
    expect_verdict(page, "taken")
    expect(page.locator("#last li .code").first).to_have_text(grouped(number))


@pytest.mark.parametrize("suffix", ["Enter", "Tab"])
def test_nothing_is_lost_that_is_scanned_before_the_page_is_ready(
    sign_in: SignIn, served_here: Serving, suffix: str
) -> None:
    numbers = [served_here.crew.accept() for _ in range(2)]
    page = sign_in("accumulator.aksu", then="/packets")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/scan/main.js", hold)
    page.goto("/scan/collect", wait_until="commit")
    expect(page.locator("#field")).to_be_attached()
    scanner = Scanner(page, "kk")
    for number in numbers:
        scanner.read(number, suffix=suffix)
    page.keyboard.insert_text("990101300013")
    page.keyboard.press("Enter")
    expect(page.locator("#last li")).to_have_count(0)
    held[0].continue_()
    expect(page.locator("#last li.taken .code")).to_have_text([grouped(one) for one in reversed(numbers)])
    expect(page.locator("#last li.unknown .code")).to_have_text("•" * 12)
    expect(page.locator("#field")).to_have_value("")


def test_keys_that_are_far_apart_are_no_scan(sign_in: SignIn, served_here: Serving) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu", then="/scan/look_up")
    scanner = Scanner(page)
    page.evaluate("document.activeElement.blur()")
    scanner.read(number[:2], suffix="")
    scanner.wait(0.6)
    scanner.read(number[2:])
    expect_verdict(page, "unknown")
    expect(page.locator("#last li")).to_have_count(1)
    # Half a second is not too long: a machine that does much at once is slow.
    scanner.read(number[:7], suffix="")
    scanner.wait(0.48)
    scanner.read(number[7:])
    expect_verdict(page, "taken")


def test_what_was_misread_is_said_wherever_the_focus_is(sign_in: SignIn, served_here: Serving) -> None:
    number = served_here.crew.accept()
    wrong = number[:-2] + f"{(int(number[-2:]) + 1) % 100:02d}"
    page = sign_in("accumulator.aksu", then="/scan/look_up")
    Scanner(page).read(wrong)
    expect_verdict(page, "bad_check")
    Scanner(page).read("990101300013")
    expect_verdict(page, "unknown")
    expect(page.locator("#last li .code").first).to_have_text("•" * 12)
    # The focus is on a button: the scan is taken all the same, and its Enter presses nothing.
    page.focus("#sound")
    Scanner(page).read(number)
    expect_verdict(page, "taken")
    expect(page.locator("#sound")).to_have_text("Turn sound off")
    for _ in range(3):  # A key that is held down repeats itself.
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect(page.locator("#sound")).to_have_text("Turn sound off")
    page.keyboard.press("Space")
    expect(page.locator("#sound")).to_have_text("Turn sound on")
    page.evaluate("document.activeElement.blur()")
    scanner = Scanner(page)
    scanner.wait(2)
    scanner.read(wrong)
    expect_verdict(page, "bad_check")


def test_the_same_code_at_once_is_one_scan(sign_in: SignIn, served_here: Serving) -> None:
    number, other = served_here.crew.accept(), packet_number("1001", 2026, 999)
    page = sign_in("accumulator.aksu", then="/scan/look_up")
    scanner = Scanner(page)
    scanner.read(number)
    scanner.end()  # The second suffix of a scanner that sends two.
    scanner.read(other)
    scanner.read(number)
    expect(page.locator("#last li.taken")).to_have_count(1)
    expect(page.locator("#last li.unknown")).to_have_count(1)
    scanner.wait(1.6)
    scanner.read(number)
    expect(page.locator("#last li.taken")).to_have_count(2)
    expect(page.locator("#last li")).to_have_count(3)


def test_two_labels_under_one_beam_are_two_scans(sign_in: SignIn, served_here: Serving) -> None:
    first, second = served_here.crew.accept(), served_here.crew.accept()
    manifest = manifest_number("1001", 2026, 1)
    page = sign_in("accumulator.aksu", then="/scan/look_up")
    scanner = Scanner(page)
    scanner.read(manifest + first + second)
    expect(page.locator("#last li .code")).to_have_text([grouped(second), grouped(first), grouped(manifest)])
    # The bars and the QR of one label are one scan; a label that was cut off before another is told of.
    scanner.wait(2)
    scanner.read(first + first)
    expect(page.locator("#last li")).to_have_count(4)
    scanner.wait(2)
    scanner.read(second[2:] + first)
    expect(page.locator("#last li .code").first).to_have_text(grouped(first))
    expect(page.locator("#last li")).to_have_count(6)
    expect(page.locator("#last li.unknown, #last li.wrong_state")).to_have_count(2)


def test_a_scan_into_a_text_field_leaves_what_was_written(sign_in: SignIn, served_here: Serving) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu", then="/scan/look_up")
    page.evaluate("document.querySelector('main').append(document.createElement('textarea'))")
    page.locator("textarea").fill("Corner torn")
    page.locator("textarea").press("ArrowLeft")
    Scanner(page, "kk").read(number)
    expect_verdict(page, "taken")
    expect(page.locator("textarea")).to_have_value("Corner torn")
    expect(page.locator("textarea")).to_be_focused()


def test_typed_by_hand_with_spaces(sign_in: SignIn, served_here: Serving) -> None:
    number = served_here.crew.accept()
    page = sign_in("accumulator.aksu", then="/scan/look_up")
    page.fill("#field", grouped(number))
    page.press("#field", "Enter")
    expect_verdict(page, "taken")
