"""The desk of an office: packets to send, to pass on, to resolve, to draft and to sign, one by one or many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from config.errors import BadInputError, ShabarmanError
from config.language import Text
from models import Packet
from models.packet import State
from models.staff import Role
from web.asking import Asking, AskingForm, AskingPage
from web.pages.showing import show
from web.views import deadlines, lists, next_run, packets
from web.views.packets import canonical
from workflow import deciding, registering
from workflow.collecting import COLLECTORS
from workflow.hours import calendar

router = APIRouter(prefix="/desk")

MOST_AT_ONCE = 500
PASSERS = (Role.REGISTRAR, Role.CLERK)


class NothingChosenError(BadInputError):
    """No packet was marked."""

    text = Text("Mark at least one packet.")


class TooManyChosenError(BadInputError):
    """More packets were marked than one step takes. Fact: `most`."""

    text = Text("Mark at most {most} packets at once.")


Numbers = Annotated[list[str] | None, Form()]


@router.get("/send")
def send_page(request: Request, asking: AskingPage) -> HTMLResponse:
    """Show what waits for the courier, by the office it goes to."""
    asking.require(*COLLECTORS)
    with asking.database.reading() as session:
        found = next_run.destinations(session, by=asking.by, now=asking.now)
        dates = calendar(session)
    words = {
        one.office: deadlines.left(
            dates, asking.by.office, due_at=one.due_at, now=asking.now, language=asking.language
        )
        for one in found
        if one.due_at
    }
    return show(request, "send.html", asking=asking, destinations=found, left=words, now=asking.now)


@router.get("/pass")
def pass_page(request: Request, asking: AskingPage, order: str = "", after: str = "") -> HTMLResponse:
    """List what is registered and goes to the head."""
    return _list(request, asking, "pass", order=order, after=after)


@router.post("/pass")
def pass_on(request: Request, asking: AskingForm, number: Numbers = None) -> Response:
    """Pass the marked packets to the head."""
    return _do(
        request,
        asking,
        "pass",
        number,
        lambda session, chosen: registering.pass_on(session, chosen, by=asking.by, now=asking.now),
        said="passed",
    )


@router.get("/resolve")
def resolve_page(request: Request, asking: AskingPage, order: str = "", after: str = "") -> HTMLResponse:
    """List what is with the head for the resolution."""
    return _list(request, asking, "resolve", order=order, after=after)


@router.post("/resolve")
def resolve(
    request: Request,
    asking: AskingForm,
    number: Numbers = None,
    executor: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Name the executor of the marked packets."""
    return _do(
        request,
        asking,
        "resolve",
        number,
        lambda session, chosen: deciding.resolve(
            session, chosen, executor=executor, by=asking.by, now=asking.now
        ),
        said="resolved",
        executor=executor,
    )


@router.get("/draft")
def draft_page(request: Request, asking: AskingPage, order: str = "", after: str = "") -> HTMLResponse:
    """List what the executor has to examine and draft."""
    return _list(request, asking, "draft", order=order, after=after)


@router.get("/sign")
def sign_page(request: Request, asking: AskingPage, order: str = "", after: str = "") -> HTMLResponse:
    """List the drafts that wait for the signature."""
    return _list(request, asking, "sign", order=order, after=after)


@router.post("/sign")
def sign(request: Request, asking: AskingForm, number: Numbers = None) -> Response:
    """Sign the marked drafts."""
    return _do(
        request,
        asking,
        "sign",
        number,
        lambda session, chosen: deciding.sign(session, chosen, by=asking.by, now=asking.now),
        said="signed",
    )


@router.post("/sign/{number}/send-back")
def send_back(
    request: Request, number: str, asking: AskingForm, reason: Annotated[str, Form(max_length=1000)] = ""
) -> Response:
    """Send one draft back for completion, and go on with the list."""
    return _do(
        request,
        asking,
        "sign",
        [number],
        lambda session, chosen: deciding.send_back(
            session, chosen[0], reason=reason, by=asking.by, now=asking.now
        ),
        said="sent_back",
    )


_LISTS: dict[str, tuple[tuple[Role, ...], ColumnElement[bool]]] = {
    "pass": (PASSERS, lists.TO_PASS),
    "resolve": (deciding.DECIDERS, Packet.state == State.WITH_HEAD),
    "draft": ((Role.EXECUTOR,), Packet.state == State.WITH_EXECUTOR),
    "sign": (deciding.DECIDERS, Packet.state == State.FOR_SIGNATURE),
}
"""Word in the address → (who works there, what lies there)."""


def _do(
    request: Request,
    asking: Asking,
    name: str,
    numbers: list[str] | None,
    work: Callable[[Session, list[str]], object],
    *,
    said: str,
    **typed: str,
) -> Response:
    """Carry out one step for the marked packets, all or none; where it is refused, the marks stay."""
    try:
        chosen = _chosen(numbers)
        asking.database.transact(lambda session: work(session, chosen))
    except ShabarmanError as error:
        return _list(request, asking, name, error=error, marked=numbers or [], **typed)
    return RedirectResponse(f"/desk/{name}?said={said}", status_code=303)


def _chosen(numbers: list[str] | None) -> list[str]:
    if not numbers:
        raise NothingChosenError
    if len(numbers) > MOST_AT_ONCE:
        raise TooManyChosenError(most=MOST_AT_ONCE)
    return [canonical(number) for number in numbers]


def _list(
    request: Request,
    asking: Asking,
    name: str,
    *,
    error: ShabarmanError | None = None,
    marked: list[str] | None = None,
    order: str = "",
    after: str = "",
    executor: str = "",
) -> HTMLResponse:
    roles, where = _LISTS[name]
    asking.require(*roles)
    more: dict[str, Any] = {}
    with asking.database.reading() as session:
        page = lists.held(
            session,
            by=asking.by,
            now=asking.now,
            language=asking.language,
            where=where,
            executor=asking.by.id if name == "draft" else None,
            order=order,
            after=after,
        )
        if name == "resolve":
            more = {"executors": packets.executors(session, by=asking.by), "executor": executor}
    return show(request, f"{name}.html", asking=asking, error=error, page=page, marked=marked or [], **more)
