"""What a person does at a page in a real browser, and a scanner beside the keyboard."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from playwright.sync_api import BrowserContext, CDPSession, Page, expect
from playwright.sync_api import Error as PlaywrightError

CHROMIUM = Path(os.environ.get("SHABARMAN_TEST_CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 60_000
"""Milliseconds until a browser test gives up: a machine that does much at once is slow, not wrong."""

SCREENSHOTS = os.environ.get("SHABARMAN_TEST_SCREENSHOTS")
"""Folder that gets pictures of the pages, for people to look at; none by default."""

_ROW = "1234567890"
LAYOUTS: dict[str, dict[str, str]] = {
    "us": {},
    "ru": {},
    "kk": dict(zip(_ROW, '"әіңғ,.үұқ', strict=True)),
    "kk_caps": dict(zip(_ROW, '"ӘІҢҒ,.ҮҰҚ', strict=True)),
    "kk_latin": dict(zip(_ROW, '"áíńǵ,.úýó', strict=True)),
}
"""What the digit keys of a US keyboard type under each layout; under the Russian one they are digits."""


class Scanner:
    """Presses keys of a US keyboard, whatever layout the machine has, by a clock of its own.

    The page goes by the times of the keys: how long this machine takes to press them changes nothing.
    """

    def __init__(self, page: Page, layout: str = "us") -> None:
        self.keys: CDPSession = page.context.new_cdp_session(page)
        self.layout = LAYOUTS[layout]
        self.now = time.time()

    def wait(self, seconds: float) -> None:
        """Let time pass between two keys, as the page sees them."""
        self.now += seconds

    def read(self, code: str, *, suffix: str = "Enter") -> None:
        """Read one code; no key is pressed after it where `suffix` is empty."""
        for digit in code:
            typed = self.layout.get(digit, digit)
            self.press(f"Digit{digit}", typed, typed)
        if suffix:
            self.end(suffix)

    def end(self, suffix: str = "Enter") -> None:
        """Press the key that a scanner sends after a code."""
        self.press(suffix, suffix.removeprefix("Numpad"), "\r" if suffix.endswith("Enter") else "")

    def press(self, code: str, key: str, text: str) -> None:
        """Press one key and let it go."""
        self.now += 0.005
        down = {"type": "keyDown" if text else "rawKeyDown", "code": code, "key": key, "timestamp": self.now}
        if text:
            down |= {"text": text, "unmodifiedText": text}
        self.keys.send("Input.dispatchKeyEvent", down)
        self.keys.send(
            "Input.dispatchKeyEvent", {"type": "keyUp", "code": code, "key": key, "timestamp": self.now}
        )


def leave(context: BrowserContext) -> None:
    """Close the pages of one visitor, none of them on its way to another page.

    Chromium forgets to close a page whose next one begins at that very moment, and Playwright waits for it without end.
    """
    for page in context.pages:
        go(page, "about:blank")
    context.close()


def go(page: Page, address: str) -> None:
    """Go on from a page that may load itself anew at this very moment: somebody else has changed what it shows."""
    try:
        page.goto(address)
    except PlaywrightError as error:
        if "interrupted by another navigation" not in str(error):
            raise
        page.goto(address)


def expect_verdict(page: Page, word: str) -> None:
    """Wait until the banner shows a verdict and every scan was answered."""
    expect(page.locator("#banner")).to_have_class(re.compile(rf"\b{word}\b"))
    expect_unsent(page, 0)


def expect_unsent(page: Page, count: int) -> None:
    """Wait until so many scans wait for an answer."""
    expect(page.locator("#scan")).to_have_attribute("data-unsent", str(count))


def picture(page: Page, name: str) -> None:
    """Hold a page to the width of its screen, and keep a picture of it where a folder was given."""
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider == 0, f"{name} is wider than the screen by {wider} px"
    if SCREENSHOTS:
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=f"{SCREENSHOTS}/{name}-{width}.png", full_page=True)
