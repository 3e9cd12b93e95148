"""Handing results out: what waits for its applicants, and the receipt scanned against the notice."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from barcodes.numbers import grouped
from config.errors import BadInputError, ShabarmanError
from config.language import Text
from models.scan import Station, Verdict
from web.asking import Asking, AskingForm, AskingPage
from web.pages.showing import show
from web.views import lists
from web.views.packets import canonical
from workflow.handing import WHO_HANDS_OVER
from workflow.protocol import Answer, Scanned
from workflow.scanning import Handful, record

router = APIRouter(prefix="/desk/hand-out")

DEVICE = "page"
"""Where the scan came from, as the scan log keeps it."""

Typed = Annotated[str, Form(max_length=200)]


class OtherPaperError(BadInputError):
    """Receipt and result belong to different packets. Facts: `receipt` and `result`, their numbers in groups."""

    code = "other_paper"
    text = Text(
        "The receipt is of packet {receipt}, the result of packet {result}. Give nothing out: find the right result."
    )


@router.get("")
def hand_out_page(request: Request, asking: AskingPage, order: str = "", after: str = "") -> HTMLResponse:
    """List the results that wait for their applicants."""
    return _page(request, asking, order=order, after=after)


@router.post("")
def hand_out(
    request: Request, asking: AskingForm, result: Typed = "", receipt: Typed = "", scan_id: Typed = ""
) -> Response:
    """Hand one result over when its number and that of the receipt are the same; the same form works once.

    A scanner ends each code with Enter, so the form comes first with one of the two: then the other is asked for.
    """
    typed = {"result": result.strip(), "receipt": receipt.strip()}
    try:
        numbers = {name: canonical(text) for name, text in typed.items() if text}
        if len(set(numbers.values())) > 1:
            raise OtherPaperError(**{name: grouped(number) for name, number in numbers.items()})
        if len(numbers) < len(typed):
            return _page(request, asking, typed=typed, scan_id=scan_id)
        scanned = Scanned(
            id=scan_id[:64], raw=typed["result"], station=Station.HAND_OVER, at=asking.now, device=DEVICE
        )
        ((answer,),) = record(asking.database, [Handful(scans=[scanned], by=asking.by, now=asking.now)])
    except ShabarmanError as error:
        return _page(request, asking, error=error)
    if answer.verdict is Verdict.TAKEN:
        return RedirectResponse("/desk/hand-out?said=handed_over", status_code=303)
    return _page(request, asking, answer=answer)


def _page(
    request: Request,
    asking: Asking,
    *,
    error: ShabarmanError | None = None,
    typed: dict[str, str] | None = None,
    scan_id: str = "",
    answer: Answer | None = None,
    order: str = "",
    after: str = "",
) -> HTMLResponse:
    asking.require(*WHO_HANDS_OVER)
    with asking.database.reading() as session:
        page = lists.held(
            session,
            by=asking.by,
            now=asking.now,
            language=asking.language,
            where=lists.TO_HAND_OUT,
            order=order,
            after=after,
        )
    return show(
        request,
        "hand_out.html",
        asking=asking,
        error=error,
        page=page,
        typed=typed or {"result": "", "receipt": ""},
        scan_id=scan_id or uuid4().hex,
        refused=answer.sentence(asking.language) if answer else None,
    )
