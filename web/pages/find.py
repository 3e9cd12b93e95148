"""Finding a packet or manifest: by its number, scanned or typed, or by what the applicant says at the counter."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from barcodes.foreign import iin_check
from barcodes.numbers import Kind
from barcodes.typed import read
from config.errors import ShabarmanError
from web.asking import Asking, AskingForm, AskingPage
from web.pages.showing import show
from web.views import manifests, packets, search
from web.views.search import Found
from workflow.closing import RECEIVERS

router = APIRouter()


@router.get("/find")
def find_page(request: Request, asking: AskingPage) -> HTMLResponse:
    """Show the form."""
    return _page(request, asking)


@router.post("/find")
def find(
    request: Request,
    asking: AskingForm,
    code: Annotated[str, Form(max_length=4000)] = "",
    after: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Go to the packet or manifest whose number was typed, or list the packets of an applicant.

    By a form and never by an address: an IIN or a name may be typed, and addresses are kept by browsers and logs.
    """
    reading = read(code)
    if reading.code is None:
        return _applicant(
            request, asking, typed=code, after=after, otherwise=packets.NoNumberError(reading.advice)
        )
    if reading.kind is Kind.MANIFEST:
        return RedirectResponse(f"/manifests/{reading.code}", status_code=303)
    if asking.may(*RECEIVERS):
        with asking.database.reading() as session:
            bag = manifests.arriving_with(session, reading.code, by=asking.by)
        if bag is not None:
            return RedirectResponse(f"/manifests/{bag}", status_code=303)
    return RedirectResponse(f"/packets/{reading.code}", status_code=303)


def _applicant(
    request: Request, asking: Asking, *, typed: str, after: str, otherwise: ShabarmanError
) -> HTMLResponse:
    typed = typed.strip()
    digits = "".join(typed.split())
    if len(typed) > search.LONGEST or (not any(map(str.isalpha, typed)) and not iin_check(digits)):
        return _page(request, asking, typed=typed, error=otherwise)
    try:
        with asking.database.reading() as session:
            found = search.find(session, typed, by=asking.by, after=after)
    except ShabarmanError as error:
        return _page(request, asking, typed=typed, error=error)
    return _page(request, asking, typed=typed, found=found)


def _page(
    request: Request,
    asking: Asking,
    *,
    typed: str = "",
    found: Found | None = None,
    error: ShabarmanError | None = None,
) -> HTMLResponse:
    return show(request, "find.html", asking=asking, error=error, typed=typed, found=found)
