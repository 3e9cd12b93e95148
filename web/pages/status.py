"""The applicant's own look-up: the code on the receipt, and nothing else, tells the stage."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from config.errors import NotFoundError
from web.asking import language_of_request
from web.installation import Installed
from web.pages.showing import show
from web.views import packets
from web.views.stages import stages

router = APIRouter()


@router.get("/status")
def status(request: Request, house: Installed, code: str = "") -> HTMLResponse:
    """Show the form and, when a code is given, the stage; never the number, a name or an office."""
    code = code.strip()
    known = error = None
    if code:
        with house.database.reading() as session:
            known = packets.stage(session, code)
        if known is None:
            error = NotFoundError(packets.NOT_FOUND_BY_RECEIPT)
    return show(
        request,
        "status.html",
        asking=None,
        language=language_of_request(request),
        error=error,
        code=code,
        known=known,
        stages=stages(known.state, direct=known.direct) if known else (),
    )
