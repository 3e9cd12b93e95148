"""People: entered, changed and switched off by operators and administrators; nobody is ever deleted."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from config.errors import BadInputError, ShabarmanError
from config.language import Text
from config.offices import offices
from models.staff import Role
from web import words
from web.asking import Asking, AskingForm, AskingPage
from web.pages.showing import LANGUAGE_NAMES, show
from web.views import people as views
from workflow import staffing
from workflow.staffing import KEEPERS, Particulars

router = APIRouter(prefix="/people")

FIELDS: dict[str, Text] = {
    "entered": Text("entered"),
    "name": Text("name"),
    "office": Text("office"),
    "roles": Text("roles"),
    "email": Text("e-mail"),
    "language": Text("language"),
    "absent_until": Text("absent until"),
    "deputy_id": Text("deputy"),
    "password": Text("password"),
    "active": Text("may sign in"),
}
"""What may be changed about a person, as the list of changes names it."""

Words = Annotated[str, Form(max_length=254)]


class AbsenceError(BadInputError):
    """The last day of an absence cannot be read."""

    code = "absence"
    text = Text("Write the last day of the absence as 2026-12-01, or leave it empty.")


@router.get("")
def people(
    request: Request, asking: AskingPage, q: str = "", office: str = "", after: str = ""
) -> HTMLResponse:
    """List people, all or those of one office."""
    asking.require(*KEEPERS)
    with asking.database.reading() as session:
        found = views.people(session, words=q, office=office, after=after)
    following = ""
    if len(found) == views.PAGE:
        following = "?" + urlencode({"q": q, "office": office, "after": found[-1].login})
    return show(
        request,
        "people.html",
        asking=asking,
        people=found,
        q=q,
        chosen=office,
        offices=offices(),
        following=following,
    )


@router.get("/new")
def new(request: Request, asking: AskingPage) -> HTMLResponse:
    """Show the empty form."""
    return _form(request, asking, login=None, values=Particulars(name="", office=asking.by.office, roles=[]))


@router.post("/new")
def enter(
    *,
    request: Request,
    asking: AskingForm,
    login: Words = "",
    name: Words = "",
    office: Words = "",
    role: Annotated[list[Role] | None, Form()] = None,
    email: Words = "",
    language: Words = "kk",
) -> Response:
    """Enter a person, and show the first password this once."""
    values = Particulars(name=name, office=office, roles=role or [], email=email, language=language)
    password = staffing.new_password()
    try:
        asking.database.transact(
            lambda session: staffing.add_person(
                session, login=login, person=values, password=password, by=asking.by, now=asking.now
            )
        )
    except ShabarmanError as error:
        return _form(request, asking, login=None, values=values, typed=login, error=error)
    return _person(request, asking, login.strip().lower(), password=password)


@router.get("/{login}")
def person(request: Request, login: str, asking: AskingPage) -> HTMLResponse:
    """Show one person."""
    return _person(request, asking, login)


@router.post("/{login}")
def change(
    *,
    request: Request,
    login: str,
    asking: AskingForm,
    name: Words = "",
    office: Words = "",
    role: Annotated[list[Role] | None, Form()] = None,
    email: Words = "",
    language: Words = "kk",
    absent_until: Words = "",
    deputy: Words = "",
) -> Response:
    """Change what is kept of a person."""
    values = Particulars(
        name=name, office=office, roles=role or [], email=email, language=language, deputy=deputy
    )
    try:
        values = Particulars(
            name=name,
            office=office,
            roles=role or [],
            email=email,
            language=language,
            absent_until=_day(absent_until),
            deputy=deputy,
        )
        asking.database.transact(
            lambda session: staffing.change_person(
                session, login, person=values, by=asking.by, now=asking.now
            )
        )
    except ShabarmanError as error:
        return _person(request, asking, login, values=values, error=error)
    return RedirectResponse(f"/people/{login}?said=kept", status_code=303)


@router.post("/{login}/password")
def password(request: Request, login: str, asking: AskingForm) -> HTMLResponse:
    """Give a new password, and show it this once."""
    try:
        made = asking.database.transact(
            lambda session: staffing.give_password(session, login, by=asking.by, now=asking.now)
        )
    except ShabarmanError as error:
        return _person(request, asking, login, error=error)
    return _person(request, asking, login, password=made)


@router.post("/{login}/switch")
def switch(request: Request, login: str, asking: AskingForm, active: Annotated[bool, Form()]) -> Response:
    """Let a person sign in no more, or again."""
    try:
        asking.database.transact(
            lambda session: staffing.switch(session, login, active=active, by=asking.by, now=asking.now)
        )
    except ShabarmanError as error:
        return _person(request, asking, login, error=error)
    return RedirectResponse(f"/people/{login}?said=kept", status_code=303)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise AbsenceError from None


def _person(
    request: Request,
    asking: Asking,
    login: str,
    *,
    values: Particulars | None = None,
    password: str | None = None,
    error: ShabarmanError | None = None,
) -> HTMLResponse:
    asking.require(*KEEPERS)
    with asking.database.reading() as session:
        seen = views.person(session, login)
    kept = seen.person
    shown = values or Particulars(
        name=kept.name,
        office=kept.office,
        roles=[Role(role) for role in kept.roles],
        email=kept.email,
        language=kept.language,
        absent_until=kept.absent_until,
        deputy=seen.deputy,
    )
    return _form(request, asking, login=kept.login, values=shown, seen=seen, password=password, error=error)


def _form(
    request: Request,
    asking: Asking,
    *,
    login: str | None,
    values: Particulars,
    typed: str = "",
    seen: views.Seen | None = None,
    password: str | None = None,
    error: ShabarmanError | None = None,
) -> HTMLResponse:
    asking.require(*KEEPERS)
    return show(
        request,
        "person.html",
        asking=asking,
        error=error,
        login=login,
        typed=typed,
        values=values,
        seen=seen,
        password=password,
        roles=words.ROLES,
        keepers=KEEPERS,
        may_make_keepers=asking.may(Role.ADMINISTRATOR),
        offices=offices(),
        languages=LANGUAGE_NAMES,
        fields=FIELDS,
    )
