"""The scan page of one station; what it does is in static/scan/, what it says is here."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from barcodes.numbers import Command, command_code
from config.language import Text, translate
from models.scan import Station
from web.asking import Asking, AskingPage
from web.gate import WITH_WASM
from web.pages.files import address, is_here, modules
from web.pages.showing import show, stations_of
from web.third_party import FOLDER
from web.views.bags import rounds
from web.words import STATION_HINTS, STATIONS, VERDICTS
from workflow.people import RoleError
from workflow.scanning import WHO

router = APIRouter()

READER = f"{FOLDER}/barcode-detector/ponyfill.js"
READER_WASM = f"{FOLDER}/zxing-wasm/zxing_reader.wasm"

SAYS: dict[str, Text] = {
    "unsent": Text("Not sent yet: {count}"),
    "all_sent": Text("Everything is sent"),
    "offline": Text("No connection. Go on scanning: everything is kept here and sent later."),
    "signed_out": Text(
        "Your sign-in has run out. The scans are kept here: sign in again, and they are sent."
    ),
    "another_person": Text(
        "Somebody else has signed in at this browser. The scans are kept here: sign in again, and they are sent."
    ),
    "others": Text(
        "Scans of another person are kept here: {count}. They are sent when that person signs in."
    ),
    "refused": Text("The server refuses this scan: {detail}"),
    "more": Text("Before it, also not taken: {count}. See the list."),
    "undo": Text("Take back"),
    "undo_one": Text("Take back {number}"),
    "undone": Text("Taken back"),
    "undo_question": Text("Take back the scan of packet {number}?"),
    "nothing_to_undo": Text("Nothing on this page can be taken back."),
    "no_batch": Text("No manifest is open on this page: there is nothing to close."),
    "nothing_to_print": Text("Nothing was scanned yet: there is nothing to print."),
    "nothing_asked": Text("No question is open: nothing was done."),
    "answer_first": Text("Answer the question first."),
    "progress": Text("{settled} of {lines}"),
    "to_manifest": Text("Open manifest {manifest}"),
    "sound_on": Text("Turn sound on"),
    "sound_off": Text("Turn sound off"),
    "sound_blocked": Text("Click to hear sounds"),
    "not_kept": Text("This browser keeps nothing: do not reload the page before everything is sent."),
    "waiting": Text("Waiting for the answer"),
    "camera_on": Text("Use the camera"),
    "camera_off": Text("Turn the camera off"),
    "camera_hint": Text("Hold one label under the line."),
    "camera_two": Text("More than one code is to be seen. Show one label alone."),
    "camera_forbidden": Text(
        "The browser does not let this page use the camera. Allow it for this page; the page must come over https."
    ),
    "camera_missing": Text("No camera was found."),
    "camera_failed": Text("The camera does not work here. Type the number under the bars."),
}
"""Sentences of the script."""


@router.get("/scan")
def first(asking: AskingPage) -> Response:
    """Go to the first station at which the person works."""
    return RedirectResponse(f"/scan/{stations_of(asking)[0].value}", status_code=303)


@router.get("/scan/{station}")
def scan(request: Request, station: str, asking: AskingPage, manifest: str = "") -> HTMLResponse:
    """Show the page of one station."""
    if station not in set(Station):
        raise HTTPException(404)
    here = Station(station)
    if asking.by.role_among(WHO[here]) is None:
        raise RoleError(roles=", ".join(sorted(WHO[here])))
    working_on = manifest if manifest.isdecimal() and len(manifest) == 16 else ""
    more: dict[str, Any] = {}
    if here is Station.DEPART:
        with asking.database.reading() as session:
            more["rounds"] = rounds(session, by=asking.by, now=asking.now)
    return show(
        request,
        "courier.html" if here is Station.DEPART else "scan.html",
        asking=asking,
        headers={"Content-Security-Policy": WITH_WASM},
        station=here,
        title=STATIONS[here],
        hint=STATION_HINTS[here],
        manifest=working_on,
        modules=modules("scan"),
        settings=_settings(asking, here, manifest=working_on),
        back=request.url.path + (f"?manifest={working_on}" if working_on else ""),
        **more,
    )


def _settings(asking: Asking, here: Station, *, manifest: str) -> str:
    """Return what the script has to know, as JSON."""
    camera = {"script": address(READER), "wasm": address(READER_WASM)} if is_here(READER) else None
    settings = {
        "station": here.value,
        "staff": asking.by.id,
        "login": asking.by.login,
        "csrf": asking.csrf,
        "manifest": manifest,
        "commands": {command_code(command): command.value for command in Command},
        "camera": camera,
        "verdicts": {verdict: text.render(asking.language) for verdict, text in VERDICTS.items()},
        "says": {name: translate(text.message, asking.language) for name, text in SAYS.items()},
    }
    return json.dumps(settings, ensure_ascii=False)
