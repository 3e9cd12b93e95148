"""Signing in and out, and choosing the language."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session

from config.errors import ShabarmanError
from config.language import LANGUAGES
from models import Staff
from web import sessions
from web.asking import LANGUAGE_COOKIE, AskingForm, known, language_of_request
from web.installation import Installation, Installed
from web.pages.files import ours
from web.pages.showing import show
from workflow import tries
from workflow.tries import Lasting

router = APIRouter()

YEAR = 365 * 24 * 3600


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> HTMLResponse:  # noqa: A002 - the name in the address
    """Show the form."""
    return _form(request, next_=next, login="")


@router.post("/sign-in")
def sign_in(
    request: Request,
    house: Installed,
    login: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - as above
) -> Response:
    """Begin a sign-in and go to the page that was asked for; an earlier one of this browser ends."""
    login = login.strip().lower()[:64]
    try:
        staff_id = recognised(house, login=login, password=password, address=address_of(request))
    except (sessions.WrongPasswordError, sessions.LockedOutError) as error:
        return _form(request, next_=next, login=login, error=error)
    now, lasting = house.clock(), house.lasting

    def begin(session: Session) -> str:
        sessions.end(session, request.cookies.get(sessions.COOKIE, ""))
        return sessions.begin(session, staff_id=staff_id, now=now, lasting=lasting)

    answer = RedirectResponse(local_address(next), status_code=303)
    keep(request, answer, house.database.transact(begin), lasting=lasting)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, house: Installed, _asking: AskingForm) -> Response:
    """End the sign-in."""
    key = request.cookies[sessions.COOKIE]
    house.database.transact(lambda session: sessions.end(session, key))
    return _signed_out()


@router.post("/sign-out/everywhere")
def sign_out_everywhere(house: Installed, asking: AskingForm) -> Response:
    """End every sign-in of the person: for who left a page open somewhere, or lost a telephone."""
    house.database.transact(lambda session: sessions.end_all(session, staff_id=asking.by.id))
    return _signed_out()


@router.post("/language")
def choose_language(
    request: Request,
    house: Installed,
    language: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - as above
) -> Response:
    """Keep the language in a cookie, and with the person who is signed in."""
    answer = RedirectResponse(local_address(next), status_code=303)
    if language not in LANGUAGES:
        return answer
    answer.set_cookie(LANGUAGE_COOKIE, language, samesite="lax", max_age=YEAR)
    try:
        by = known(request, house).by
    except sessions.SignInNeededError:
        return answer

    def remember(session: Session) -> None:
        session.get_one(Staff, by.id).language = language

    house.database.transact(remember)
    return answer


def recognised(house: Installation, *, login: str, password: str, address: str) -> int:
    """Return the id of who has this login and password; raise WrongPasswordError or LockedOutError."""
    now = house.clock()
    pause = house.database.transact(
        lambda session: tries.take_try(session, login=login, address=address, now=now)
    )
    if pause is not None:
        raise sessions.LockedOutError(
            minutes=math.ceil(pause.total_seconds() / 60), seconds=math.ceil(pause.total_seconds())
        )
    with house.database.reading() as session:
        found = sessions.password_hash(session, login)
    staff_id, kept = found or (0, None)
    try:
        sessions.require_password(kept, password)
    except sessions.WrongPasswordError:
        house.metrics.failed_sign_ins.inc()
        raise
    house.database.transact(lambda session: tries.succeeded(session, login=login, address=address, now=now))
    return staff_id


def address_of(request: Request) -> str:
    """Return from where somebody asks, as far as the server can tell."""
    return request.client.host if request.client else ""


def keep(request: Request, answer: Response, key: str, *, lasting: Lasting) -> None:
    """Let the browser keep the key of a sign-in: out of reach for scripts, other sites and, over TLS, listeners.

    It is kept as long as the sign-in can last; whether it was idle too long, the server knows.
    """
    answer.set_cookie(
        sessions.COOKIE,
        key,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        max_age=lasting.longest * 60,
    )


def local_address(wanted: str) -> str:
    """Return `wanted` when it is an address of ours, else the first page: nobody is sent to another site."""
    ours = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    return wanted if ours and wanted.isprintable() else "/"


def _form(request: Request, *, next_: str, login: str, error: ShabarmanError | None = None) -> HTMLResponse:
    headers = {}
    if isinstance(error, sessions.LockedOutError):
        headers["Retry-After"] = str(error.facts["seconds"])
    return show(
        request,
        "sign_in.html",
        asking=None,
        language=language_of_request(request),
        error=error,
        headers=headers,
        next=local_address(next_),
        login=login,
        soon=ours(),
    )


def _signed_out() -> Response:
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(sessions.COOKIE)
    return answer
