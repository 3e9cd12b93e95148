"""The applicant's own look-up by the code on the receipt: the stage, and not a word about anybody."""

from fastapi import APIRouter, Request

from config.errors import NotFoundError
from web.api.shapes import StageAnswer
from web.asking import language_of_request
from web.installation import Installed
from web.views import packets
from workflow.protocol import STATES

router = APIRouter(prefix="/api/v1", tags=["status"])


@router.get("/status/{status_code}")
def stage(status_code: str, request: Request, house: Installed) -> StageAnswer:
    """Say how far the packet of a receipt is; needs no sign-in."""
    language = language_of_request(request)
    with house.database.reading() as session:
        known = packets.stage(session, status_code)
    if known is None:
        raise NotFoundError(packets.NOT_FOUND_BY_RECEIPT)
    return StageAnswer(
        state=known.state, state_name=STATES[known.state].render(language), promised_at=known.promised_at
    )
