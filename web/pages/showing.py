"""Showing a page: templates, words, dates, and what every page carries."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from barcodes.numbers import grouped
from config.clock import local
from config.dates import day_in, moment_in
from config.errors import ShabarmanError
from config.language import Text
from models.scan import Station
from models.staff import Role
from web import words
from web.asking import Asking, known
from web.installation import installation
from web.pages.files import address
from web.problems import sentence, title
from web.squeezing import LEAST, squeeze, takes_gzip
from workflow.accepting import ACCEPTORS
from workflow.collecting import COLLECTORS
from workflow.handing import WHO_HANDS_OVER
from workflow.protocol import STATES
from workflow.scanning import WHO

UNABLE = 500
"""From this status on the house itself is the matter, and nobody is looked up for the page that says so."""

LANGUAGE_NAMES = {"kk": "Қазақша", "ru": "Русский", "en": "English"}

SAID: dict[str, Text] = {
    "accepted": Text(
        "Accepted. Print the label, put it on the packet, and give the receipt code to the applicant."
    ),
    "sealed": Text("The manifest is sealed. The courier may scan it now."),
    "closed": Text("The manifest is closed. The sender has been told."),
    "done": Text("Done."),
    "resolved": Text("The executor has been named."),
    "signed": Text("Signed. The accepting office has been told."),
    "drafted": Text("The draft is with the head for signature."),
    "posted": Text("Posted. The way of this packet is complete."),
    "sent_back": Text("Sent back for completion."),
    "withdrawn": Text("Withdrawn. Give the papers back to the applicant."),
    "undone": Text("The last step is taken back."),
    "read": Text("Marked as read."),
    "password": Text("The password is changed. Every other sign-in of yours has ended."),
    "handed_over": Text("Handed over. The way of this packet is complete."),
    "passed": Text("Passed to the head."),
    "kept": Text("Kept, with your name and the time."),
    "replay": Text("They are tried again now."),
    "discard": Text("Discarded; the note is kept."),
    "dates": Text("The date is set. Open deadlines go later where working time is lost."),
    "confirmed": Text("The year is confirmed."),
}
"""What a page says after a form was carried out."""


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "static": address,
        "grouped": grouped,
        "words": words,
        "STATES": STATES,
        "LANGUAGE_NAMES": LANGUAGE_NAMES,
    }
    return environment


def show(
    request: Request,
    template: str,
    *,
    asking: Asking | None,
    language: str | None = None,
    status: int = 200,
    error: ShabarmanError | None = None,
    headers: Mapping[str, str] | None = None,
    **shown: Any,  # noqa: ANN401 - whatever the template shows
) -> HTMLResponse:
    """Return a page; `error` is shown at its top and sets the status."""
    language = asking.language if asking else language or "kk"
    said = SAID.get(request.query_params.get("said", ""))
    now = installation(request).clock()
    context: dict[str, Any] = {
        "_": partial(_say, language),
        "counted": partial(_counted, language),
        "say": lambda text: text.render(language),
        "word": lambda listed, key: listed[key].render(language) if key in listed else key,
        "office": lambda code: words.office_name(code, language),
        "place": lambda code: words.short_office(code, language),
        "district": lambda code: words.district_name(code, language),
        "service": lambda code: words.service_name(code, language),
        "when": lambda moment: moment_in(language, moment, now=now) if moment else "–",
        "day": lambda moment: day_in(language, local(moment).date()) if moment else "–",
        "clock": _clock,
        "moment": _moment,
        "when_written": lambda written: _moment(datetime.fromisoformat(written)),
        "language": language,
        "asking": asking,
        "by": asking.by if asking else None,
        "csrf": asking.csrf if asking else "",
        "stations": stations_of(asking) if asking else [],
        "accepts": asking is not None and asking.may(*ACCEPTORS),
        "hands_out": asking is not None and asking.may(*WHO_HANDS_OVER),
        "collects": asking is not None and asking.may(*COLLECTORS),
        "Role": Role,
        "path": request.url.path,
        "said": said.render(language) if said and error is None else None,
        "error": sentence(error, language) if error else None,
        "error_title": title(error, language) if error else None,
    }
    page = _templates().get_template(template).render(context | shown).encode()
    sent = {"Vary": "Accept-Encoding", **(headers or {})}
    if len(page) >= LEAST and takes_gzip(request):
        page = squeeze(page)
        sent["Content-Encoding"] = "gzip"
    return HTMLResponse(page, error.status if error else status, headers=sent)


def show_error(
    request: Request, error: ShabarmanError, *, language: str, headers: Mapping[str, str]
) -> HTMLResponse:
    """Return a page of its own for an error that no page shows better; who is signed in keeps the way on."""
    asking = None
    if error.status < UNABLE:
        # Nobody is signed in, or the sign-in ran out: the page is shown without the ways of the office.
        with suppress(ShabarmanError):
            asking = known(request, installation(request))
    return show(request, "error.html", asking=asking, language=language, error=error, headers=headers)


def stations_of(asking: Asking) -> list[Station]:
    """Return the stations at which the person may scan, in the order of the trip."""
    return [station for station in Station if asking.by.role_among(WHO[station]) is not None]


def _say(language: str, message: str, **facts: object) -> str:
    return Text(message).render(language, **facts)


def _counted(language: str, one: str, many: str, count: int, **facts: object) -> str:
    return Text(one, many).render(language, count=count, **facts)


def _clock(moment: datetime | None) -> str:
    return local(moment).strftime("%H:%M") if moment else "–"


def _moment(moment: datetime) -> str:
    return local(moment).strftime("%d.%m.%Y %H:%M:%S")
