"""Dead letters: messages that nobody could handle, why, and the two things that may be done with them."""

from __future__ import annotations

import json
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from config.errors import BadInputError, ShabarmanError
from config.language import Text
from models.message import MessageState
from web.asking import Asking, AskingForm, AskingPage
from web.pages.showing import show
from web.views import notices
from workflow import outbox
from workflow.staffing import KEEPERS

router = APIRouter(prefix="/dead-letters")

PAGE = 50
JUNK_SHOWN = 50

WORK = {"replay": outbox.replay, "discard": outbox.discard}
"""Word of the button → the call of the workflow."""


class NothingMarkedError(BadInputError):
    """No message was marked."""

    text = Text("Mark at least one message, or choose all of the reason.")


@router.get("")
def dead_letters(
    request: Request, asking: AskingPage, reason: str | None = None, after: int = 0
) -> HTMLResponse:
    """List the dead messages with their whole story, all or those of one reason, and the junk."""
    return _page(request, asking, reason=reason, after=after)


@router.post("")
def settle(
    *,
    request: Request,
    asking: AskingForm,
    work: Annotated[str, Form(pattern="^(replay|discard)$")],
    note: Annotated[str, Form(max_length=1000)] = "",
    reason: Annotated[str | None, Form(max_length=80)] = None,
    every: Annotated[bool, Form()] = False,
    id: Annotated[list[int] | None, Form()] = None,  # noqa: A002 - the name of the field
) -> Response:
    """Try messages again or let them go: the marked ones, or all that the page is about."""
    asking.require(*KEEPERS)
    try:
        if not every and not id:
            raise NothingMarkedError
        asking.database.transact(
            lambda session: WORK[work](
                session,
                ids=None if every else id,
                died_of=reason if every else None,
                by=asking.by.login,
                reason=note,
            )
        )
    except ShabarmanError as error:
        return _page(request, asking, reason=reason, error=error, marked=id or [], note=note)
    return RedirectResponse(f"/dead-letters?said={work}", status_code=303)


def _page(
    request: Request,
    asking: Asking,
    *,
    reason: str | None,
    after: int = 0,
    error: ShabarmanError | None = None,
    marked: list[int] | None = None,
    note: str = "",
) -> HTMLResponse:
    asking.require(*KEEPERS)
    with asking.database.reading() as session:
        found = outbox.listed(
            session, states=(MessageState.DEAD,), limit=PAGE + 1, after=after, died_of=reason
        )
        letters = outbox.with_story(session, found[:PAGE])
        reasons = outbox.reasons(session)
        junk = outbox.junk(session, limit=JUNK_SHOWN)
    following = {"after": letters[-1]["id"]} if len(found) > PAGE else {}
    if following and reason is not None:
        following["reason"] = reason
    return show(
        request,
        "dead_letters.html",
        asking=asking,
        error=error,
        letters=letters,
        reasons=reasons,
        reason=reason,
        junk=junk,
        marked=marked or [],
        note=note,
        following="?" + urlencode(following) if following else "",
        address=notices.address,
        written=lambda body: json.dumps(body, ensure_ascii=False, indent=2),
    )
