"""The scanner test: which layout, suffix and speed a scanner has, and what becomes of what it types."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from barcodes.label import Label, render
from barcodes.numbers import LAST_SERIAL, packet_number
from config.clock import local
from config.language import Text, translate
from web import words
from web.asking import AskingPage
from web.pages.packet import MEDIA_TYPES, two_languages
from web.pages.showing import show

router = APIRouter()

SAYS: dict[str, Text] = {
    "digits": Text("English or Russian"),
    "kk": Text("Kazakh"),
    "kk_caps": Text("Kazakh, capitals locked"),
    "kk_latin": Text("Kazakh Latin"),
    "other": Text("another layout"),
    "no_keys": Text("not to be told: this keyboard names no keys"),
    "enter": Text("Enter"),
    "numpad_enter": Text("Enter of the number pad"),
    "tab": Text("Tab"),
    "no_suffix": Text("none: set the scanner to send Enter after each code"),
    "speed": Text("{each} ms from key to key, {slowest} ms at most"),
    "slow": Text("too slow: the keys of one code may be 500 ms apart at most"),
    "by_keys": Text("read by the position of the keys"),
    "as_typed": Text("read as it was typed"),
    "good": Text("This scanner works."),
    "bad": Text("This was not understood."),
    "offline": Text("No connection: what the server would make of it cannot be told now."),
}
"""Sentences of the script."""


@router.get("/scan/test")
def scanner(request: Request, asking: AskingPage) -> HTMLResponse:
    """Show the page; it works for everybody who has signed in, and records nothing."""
    settings = {
        "csrf": asking.csrf,
        "says": {name: translate(text.message, asking.language) for name, text in SAYS.items()},
    }
    return show(request, "scanner.html", asking=asking, settings=json.dumps(settings, ensure_ascii=False))


@router.get("/scan/test/label.svg")
def label(asking: AskingPage) -> Response:
    """Draw a label to try: the last number that the own office could ever give this year."""
    today = local(asking.now)
    drawn = render(
        Label(
            number=packet_number(asking.by.office, today.year, LAST_SERIAL),
            district=two_languages(asking.by.office),
            service=words.office_name(asking.by.office, asking.language),
            accepted_on=today.strftime("%d.%m.%Y"),
        ),
        fmt="svg",
    )
    return Response(drawn, media_type=MEDIA_TYPES["svg"], headers={"Content-Disposition": "inline"})
