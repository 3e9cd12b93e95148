"""The own password: changing it, and ending the own sign-ins everywhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session

from config.errors import ShabarmanError
from web import sessions
from web.asking import Asking, AskingForm, AskingPage
from web.installation import Installation, Installed
from web.pages.entrance import address_of, keep, recognised
from web.pages.showing import show
from workflow.staffing import SHORTEST_PASSWORD, change_password

router = APIRouter()


@router.get("/password")
def password_page(request: Request, house: Installed, asking: AskingPage) -> HTMLResponse:
    """Show the form, and how often the person is signed in."""
    error = sessions.PasswordGivenError() if asking.password_given else None
    return _page(request, house, asking, hint=error)


@router.post("/password")
def change(
    *,
    request: Request,
    house: Installed,
    asking: AskingForm,
    present: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Change the own password; every sign-in ends but this one, which gets a new key."""
    now, lasting = house.clock(), house.lasting
    try:
        recognised(house, login=asking.by.login, password=present, address=address_of(request))
        if password != again:
            raise sessions.UnlikePasswordsError
        if password in {present, asking.by.login}:
            raise sessions.SamePasswordError
        kept = sessions.new_hash(password)
    except ShabarmanError as error:
        return _page(request, house, asking, error=error)

    def write(session: Session) -> str:
        change_password(session, password_hash=kept, by=asking.by, now=now)
        return sessions.begin(session, staff_id=asking.by.id, now=now, lasting=lasting)

    answer = RedirectResponse("/?said=password", status_code=303)
    keep(request, answer, house.database.transact(write), lasting=lasting)
    return answer


def _page(
    request: Request,
    house: Installation,
    asking: Asking,
    *,
    error: ShabarmanError | None = None,
    hint: ShabarmanError | None = None,
) -> HTMLResponse:
    with house.database.reading() as session:
        open_ = sessions.count(session, staff_id=asking.by.id, now=asking.now, lasting=house.lasting)
    return show(
        request,
        "password.html",
        asking=asking,
        error=error,
        hint=hint,
        open=open_,
        least=SHORTEST_PASSWORD,
        most=sessions.LONGEST_PASSWORD,
    )
