"""The calendar: dates on which offices work otherwise than usual, set with their source and confirmed year by year."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from config.calendar import today
from config.errors import BadInputError, ShabarmanError
from config.language import Text
from config.offices import office as office_of
from config.offices import offices
from config.public_days import DayKind
from models import CalendarYear
from models.office import OfficeKind
from web import words
from web.asking import Asking, AskingForm, AskingPage
from web.pages.showing import show
from workflow import calendar
from workflow.staffing import KEEPERS

router = APIRouter(prefix="/calendar")

KINDS: dict[str, Text] = {
    DayKind.CLOSED: Text("the office is closed"),
    DayKind.HOURS: Text("works in other hours"),
    DayKind.WORKING: Text("works as on a working day"),
    DayKind.HOLIDAY: Text("public holiday"),
    DayKind.MOVED: Text("holiday that was moved"),
    DayKind.TRANSFERRED: Text("day off that was transferred"),
    DayKind.ORDINARY: Text("as the week has it"),
}
"""Kinds of dates, those that operators set most often first."""

SCOPES: dict[str, Text] = {
    "all": Text("all offices"),
    OfficeKind.CENTRE: Text("all public service centres"),
    OfficeKind.DEPARTMENT: Text("all departments"),
    OfficeKind.AKIMAT: Text("all village akimats"),
}
"""Whose date it is, where it is not that of one office."""

Typed = Annotated[str, Form(max_length=200)]


class ScopeError(BadInputError):
    """It is not said whose date it is."""

    code = "which_offices"
    text = Text("Choose whose date it is.")


@router.get("")
def listed(
    request: Request,
    asking: AskingPage,
    year: Annotated[int | None, Query(ge=2020, le=2100)] = None,
    office: Annotated[str, Query(max_length=4)] = "",
) -> HTMLResponse:
    """List the dates of a year, of every scope or those that touch one office."""
    return _page(request, asking, year=year, office=office)


@router.post("/day")
def set_day(
    *,
    request: Request,
    asking: AskingForm,
    first: Typed = "",
    last: Typed = "",
    kind: Annotated[DayKind, Form()],
    scope: Typed = "",
    hours: Typed = "",
    name_kk: Typed = "",
    name_ru: Typed = "",
    source: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Set a date, or several in a row, for one office or for all of a kind."""
    asking.require(*KEEPERS)
    try:
        days = calendar.dates(f"{first}..{last}" if last else first)
        kinds, codes = _scope(scope)
        asking.database.transact(
            lambda session: calendar.set_days(
                session,
                days,
                kind=kind,
                kinds=kinds,
                codes=codes,
                hours=[part for part in hours.split(",") if part.strip()],
                name_kk=name_kk,
                name_ru=name_ru,
                source=source,
                by=asking.by.login,
                now=asking.now,
            )
        )
    except ShabarmanError as error:
        typed = {
            "first": first,
            "last": last,
            "kind": kind.value,
            "scope": scope,
            "hours": hours,
            "name_kk": name_kk,
            "name_ru": name_ru,
            "source": source,
        }
        return _page(request, asking, error=error, typed=typed)
    return RedirectResponse(f"/calendar?year={days[0].year}&said=dates", status_code=303)


@router.post("/confirm")
def confirm(
    request: Request,
    asking: AskingForm,
    year: Annotated[int, Form()],
    source: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Confirm that the dates of a year are those of the decree."""
    asking.require(*KEEPERS)
    try:
        asking.database.transact(
            lambda session: calendar.confirm(session, year, source=source, by=asking.by.login, now=asking.now)
        )
    except ShabarmanError as error:
        return _page(request, asking, year=year, error=error)
    return RedirectResponse(f"/calendar?year={year}&said=confirmed", status_code=303)


def _scope(scope: str) -> tuple[list[OfficeKind], list[str]]:
    if scope == "all":
        return list(OfficeKind), []
    if scope in set(OfficeKind):
        return [OfficeKind(scope)], []
    if not scope:
        raise ScopeError
    return [], [office_of(scope).code]


def _page(
    request: Request,
    asking: Asking,
    *,
    year: int | None = None,
    office: str = "",
    error: ShabarmanError | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    asking.require(*KEEPERS)
    this = today(asking.now).year
    wanted = year or this
    with asking.database.reading() as session:
        found = calendar.listed(session, wanted, code=office or None)
        held = session.get(CalendarYear, wanted)
    blank = dict.fromkeys(("first", "last", "kind", "scope", "hours", "name_kk", "name_ru", "source"), "")
    return show(
        request,
        "calendar.html",
        asking=asking,
        error=error,
        year=wanted,
        years=[this - 1, this, this + 1],
        chosen=office,
        found=found,
        held=held,
        kinds=KINDS,
        scopes=SCOPES,
        office_kinds=words.CHANNELS,
        offices=offices(),
        typed=typed or blank | {"scope": office},
    )
