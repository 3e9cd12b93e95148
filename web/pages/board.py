"""The board: every office at one look, and one click from a number to its packets. It asks the database alone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from config.errors import ShabarmanError
from config.language import Text
from config.offices import office as office_of
from models.message import Message, MessageState
from web import words
from web.asking import Asking, AskingPage
from web.pages.showing import show
from web.views import board as views
from web.views import notices
from web.views.deadlines import STEPS
from workflow.staffing import KEEPERS
from workflow.telling import office_told

router = APIRouter(prefix="/board")

COLUMNS: dict[str, Text] = {
    "waiting": Text("Waiting"),
    "in_work": Text("In work"),
    "on_the_way": Text("On the way"),
    "late": Text("Late"),
    "differences": Text("Unsettled differences"),
    "unread": Text("Unread notices"),
}
"""The numbers of an office, as the board names them."""

MESSAGES: dict[str, Text] = {
    MessageState.PENDING: Text("To be given to the broker"),
    MessageState.PUBLISHED: Text("With the broker"),
    MessageState.DEAD: Text("Dead"),
}
"""The states of unfinished messages, as the board names them."""

RUNS: dict[str, Text] = {
    "planned": Text("planned"),
    "gone": Text("departed"),
    "late": Text("late"),
    "empty": Text("nothing to carry"),
    "cancelled": Text("cancelled"),
}
"""The states of a run."""

MOODS = {"planned": "", "gone": "good", "late": "bad", "empty": "taken_out", "cancelled": "taken_out"}
"""State of a run → colour of its chip."""

ROLES: dict[str, Text] = {"relay": Text("relay"), "worker": Text("worker")}

Office = Annotated[str, Query(max_length=4)]


@router.get("")
def board(request: Request, asking: AskingPage) -> HTMLResponse:
    """Show the whole board."""
    asking.require(*KEEPERS)
    with asking.database.reading() as session:
        found = views.board(session, now=asking.now)
    return show(
        request,
        "board.html",
        asking=asking,
        board=found,
        columns=COLUMNS,
        message_words=MESSAGES,
        run_words=RUNS,
        moods=MOODS,
        process_words=ROLES,
        span=_span,
    )


@router.get("/unread")
def unread(request: Request, asking: AskingPage, office: Office = "", after: int = 0) -> HTMLResponse:
    """List notices that nobody has read."""
    asking.require(*KEEPERS)
    code = _office(office)
    with asking.database.reading() as session:
        found = views.unread(session, office=code, after=after)
    rows = [
        {
            "subject": notice.subject,
            "address": notices.address(notice.subject),
            "office": notice.office,
            "at": notice.created_at,
            "said": notices.sentence(
                type_=notice.type, subject=notice.subject, data=notice.data, language=asking.language
            ),
        }
        for notice in found
    ]
    return _told(request, asking, COLUMNS["unread"], rows, office=code, last=found[-1].id if found else 0)


@router.get("/messages")
def messages(request: Request, asking: AskingPage, state: str = "pending", after: int = 0) -> HTMLResponse:
    """List messages that are pending or with the broker."""
    asking.require(*KEEPERS)
    if state not in {MessageState.PENDING, MessageState.PUBLISHED}:
        raise HTTPException(404)
    with asking.database.reading() as session:
        found = views.open_messages(session, MessageState(state), after=after)
    rows = [
        {
            "subject": message.subject,
            "address": notices.address(message.subject),
            "office": _told_office(message),
            "at": message.created_at,
            "said": notices.sentence(
                type_=message.type,
                subject=message.subject,
                data=message.body["data"],
                language=asking.language,
            ),
            "tried": message.attempts,
            "last_error": message.last_error,
        }
        for message in found
    ]
    return _told(request, asking, MESSAGES[state], rows, state=state, last=found[-1].id if found else 0)


@router.get("/run")
def run(request: Request, asking: AskingPage, id: int) -> HTMLResponse:  # noqa: A002 - the name in the address
    """List the manifests of one run."""
    asking.require(*KEEPERS)
    with asking.database.reading() as session:
        found, bags = views.bags_of(session, id)
    if found is None:
        raise HTTPException(404)
    return show(request, "board_run.html", asking=asking, run=found, bags=bags)


@router.get("/{what}")
def behind(
    *, request: Request, what: str, asking: AskingPage, office: Office = "", since: str = "", key: int = 0
) -> HTMLResponse:
    """List the packets behind one number of the board."""
    asking.require(*KEEPERS)
    if what not in views.LISTS:
        raise HTTPException(404)
    code = _office(office)
    with asking.database.reading() as session:
        listed = views.behind(session, what, office=code, now=asking.now, after=_key(since, key))
    following = ""
    if listed.after is not None:
        moment, last = listed.after
        following = "?" + urlencode({"office": office, "since": moment.isoformat(), "key": last})
    return show(
        request,
        "board_packets.html",
        asking=asking,
        title=COLUMNS[what],
        where=code,
        rows=listed.rows,
        following=following,
        note=lambda value: _note(value, asking.language),
    )


def _told(
    request: Request,
    asking: Asking,
    title: Text,
    rows: list[dict[str, Any]],
    *,
    last: int,
    office: str | None = None,
    state: str = "",
) -> HTMLResponse:
    following = ""
    if len(rows) == views.PAGE:
        following = "?" + urlencode({"office": office or "", "state": state, "after": last})
    return show(
        request,
        "board_told.html",
        asking=asking,
        title=title,
        where=office,
        rows=rows,
        following=following,
    )


def _told_office(message: Message) -> str:
    """Return the office that a message is for; the queue itself where it belongs to none."""
    try:
        return office_told(message)
    except ShabarmanError:
        return message.queue


def _office(code: str) -> str | None:
    return office_of(code).code if code else None


def _key(since: str, key: int) -> views.Key | None:
    if not since:
        return None
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise HTTPException(404) from None
    if moment.tzinfo is None:
        raise HTTPException(404)
    return moment, key


def _note(value: object, language: str) -> str:
    """Return a role, a step or a kind of difference in words."""
    for listed in (words.ROLES, STEPS, words.DIFFERENCES):
        if str(value) in listed:
            return listed[str(value)].render(language)
    return str(value or "–")


def _span(seconds: float, language: str) -> str:
    """Return a time span in words that fit a small place."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return Text("{days} d {hours} h").render(language, days=days, hours=hours)
    if hours:
        return Text("{hours} h {minutes} min").render(language, hours=hours, minutes=minutes)
    return Text("{minutes} min {seconds} s").render(language, minutes=minutes, seconds=left)
