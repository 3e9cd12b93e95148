"""The camera of a telephone: a video of one of our labels stands in for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from barcodes.numbers import grouped, packet_number
from models.scan import Station
from tests.functional.web.browsing import expect_verdict
from tests.functional.web.filming import RATE, camera_flags, film, frame
from tests.functional.web.serving import Serving
from web.third_party import FOLDER, ROOT

pytestmark = pytest.mark.browser

NUMBER = packet_number("1001", 2026, 1)
"""The number that the first packet of an empty database gets."""
OTHER = packet_number("1001", 2026, 2)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what the camera sees, over and over: two labels, nothing, one label, and nothing for two seconds."""
    empty = frame()
    shots = [
        *[frame(NUMBER, OTHER)] * RATE,
        *[empty] * (RATE // 2),
        *[frame(NUMBER)] * (2 * RATE),
        *[empty] * (2 * RATE),
    ]
    return film(tmp_path_factory.mktemp("camera") / "label.y4m", shots)


@pytest.fixture(scope="module")
def flags(video: Path) -> tuple[str, ...]:
    """Return what makes a browser take the video for its camera, and allow it without a question."""
    return camera_flags(video)


def test_one_label_before_the_camera_is_one_scan(sign_in: Callable[..., Page], served_here: Serving) -> None:
    assert (ROOT / "web" / "static" / FOLDER).is_dir(), "Run `make .venv/ready-web` first."
    crew = served_here.crew
    assert crew.accept() == NUMBER
    page = sign_in("accumulator.aksu", width=360, then="/scan/collect")
    foreign: list[str] = []
    page.on(
        "request",
        lambda request: None if request.url.startswith(served_here.address) else foreign.append(request.url),
    )
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#camera video")).to_be_visible()
    expect_verdict(page, "taken")
    expect(page.locator("#last li.taken .code")).to_have_text(grouped(NUMBER))
    assert crew.moves(NUMBER) == ["accept", "collect"]
    # The video shows it for two seconds at a time, and again after it was away: then it is a new scan.
    expect(page.locator("#last li.already").first).to_be_visible()
    assert crew.moves(NUMBER) == ["accept", "collect"]
    # Beside another label nobody knows which was meant: the other, which is only seen so, was never taken.
    expect(page.locator("#camera-hint")).to_have_text(
        "More than one code is to be seen. Show one label alone."
    )
    expect(page.locator("#last li", has_text=grouped(OTHER))).to_have_count(0)
    assert foreign == []

    page.get_by_role("button", name="Turn the camera off").click()
    expect(page.locator("#camera")).to_be_hidden()
    assert page.evaluate("document.querySelector('video').srcObject") is None


def test_every_station_has_the_camera_and_remembers_that_it_is_on(sign_in: Callable[..., Page]) -> None:
    page = sign_in("registrar.aksu", then=f"/scan/{Station.RECEIVE}")
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#camera video")).to_be_visible()
    for station in (Station.REGISTER, Station.PASS, Station.RESULT, Station.LOOK_UP):
        page.goto(f"/scan/{station}")
        expect(page.locator("#camera video")).to_be_visible()
        expect(page.locator("#last li .code").first).to_have_text(grouped(NUMBER))
    for login, station in (("courier.aksu", Station.DEPART), ("inspector.aksu", Station.HAND_OVER)):
        page = sign_in(login, then=f"/scan/{station}")
        expect(page.get_by_role("button", name="Use the camera")).to_be_visible()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("NotAllowedError", "The browser does not let this page use the camera."),
        ("NotFoundError", "No camera was found."),
        ("NotReadableError", "The camera does not work here."),
    ],
)
def test_a_camera_that_cannot_be_used_says_why(sign_in: Callable[..., Page], error: str, said: str) -> None:
    page = sign_in("accumulator.aksu", then="/scan/look_up")
    page.evaluate(
        "name => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', name)); }",
        error,
    )
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#trouble")).to_contain_text(said)
    expect(page.locator("#camera")).to_be_hidden()
