"""Accepting an application: the form of the inspector, and the district asked for where the place does not tell."""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from config.errors import ShabarmanError
from config.language import Text
from config.offices import districts
from config.services import accepted_at
from routing.residence import find
from web.asking import Asking, AskingForm, AskingPage
from web.pages.showing import show
from workflow.accepting import ACCEPTORS, Application, ApplicationError, Enclosure, accept

router = APIRouter()

ROWS = 12
"""Lines for enclosures on the form; a script shows them one after the other."""

COMMON = (
    Text("Copy of the identity card"),
    Text("Birth certificate of the child, copy"),
    Text("Certificate of the place of residence"),
    Text("Certificate of the composition of the family"),
    Text("Certificate of income"),
    Text("Application"),
)
"""Documents that are often enclosed; offered, never demanded."""

LONGEST_PLACE = 300
PLACE_CODES = frozenset({"ambiguous_place", "place_elsewhere", "unknown_place"})
"""Codes of the errors after which the district is asked."""

EMPTY: dict[str, object] = {
    "service": "",
    "applicant_name": "",
    "applicant_iin": "",
    "applicant_phone": "",
    "residence": "",
    "district": "",
    "enclosures": [],
}


@router.get("/accept")
def accept_page(request: Request, asking: AskingPage) -> HTMLResponse:
    """Show the empty form."""
    asking.require(*ACCEPTORS)
    return _form(request, asking, typed=EMPTY | {"request_id": str(uuid4())})


@router.post("/accept/department")
def department_for(
    request: Request,
    asking: AskingForm,
    residence: Annotated[str, Form()] = "",
    district: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Show to which department a place of residence leads, or in which districts it may be; a part of the form."""
    asking.require(*ACCEPTORS)
    place = residence.strip()[:LONGEST_PLACE]
    goes_to = error = None
    if place:
        try:
            goes_to = find(place, district=district or None).department().code
        except ShabarmanError as refused:
            error = refused
    shown = {"typed": {"district": district}, "goes_to": goes_to, **_asked(asking, error)}
    if goes_to and district:
        # What was chosen from stays to be chosen from.
        with suppress(ShabarmanError):
            shown["asked"] = [one.district for one in find(place).candidates]
    # What is asked is no failure: the answer is a part of the page.
    return show(request, "department.html", asking=asking, **shown)


@router.post("/accept")
def accept_form(
    *,
    request: Request,
    asking: AskingForm,
    service: Annotated[str, Form()] = "",
    applicant_name: Annotated[str, Form()] = "",
    applicant_iin: Annotated[str, Form()] = "",
    applicant_phone: Annotated[str, Form()] = "",
    residence: Annotated[str, Form()] = "",
    district: Annotated[str, Form()] = "",
    request_id: Annotated[str, Form()] = "",
    enclosure: Annotated[list[str] | None, Form()] = None,
    count: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Accept the application and go to the page of the new packet; the same form sent twice accepts once."""
    typed: dict[str, object] = {
        "service": service,
        "applicant_name": applicant_name,
        "applicant_iin": applicant_iin,
        "applicant_phone": applicant_phone,
        "residence": residence,
        "district": district,
        "request_id": request_id,
        "enclosures": list(zip(enclosure or [], count or [], strict=False)),
    }
    try:
        application = Application(
            service=service,
            applicant_name=_kept(applicant_name, most=200),
            residence=_kept(residence, most=LONGEST_PLACE),
            district=district or None,
            applicant_iin="".join(applicant_iin.split()) or None,
            applicant_phone=_kept(applicant_phone, most=40) or None,
            enclosures=_enclosures(enclosure or [], count or []),
            request_id=_request_id(typed),
        )
        made = asking.database.transact(
            lambda session: accept(session, [application], by=asking.by, now=asking.now)
        )
    except ShabarmanError as error:
        return _form(request, asking, typed=typed, error=error)
    return RedirectResponse(f"/packets/{made[0].number}?said=accepted", status_code=303)


def _request_id(typed: dict[str, object]) -> str:
    """Return the id of this form with this content.

    The same form sent twice accepts once; a form that somebody went back to and filled in for another applicant is
    another request.
    """
    content = json.dumps(typed, sort_keys=True)
    return f"{str(typed['request_id'])[:36]}:{sha256(content.encode()).hexdigest()[:24]}"


def _kept(text: str, *, most: int) -> str:
    text = text.strip()
    if len(text) > most:
        raise ApplicationError(Text("A field is too long: {most} characters at most."), most=most)
    return text


def _enclosures(names: list[str], counts: list[str]) -> tuple[Enclosure, ...]:
    found = []
    for name, count in zip(names, counts, strict=False):
        if not name.strip():
            continue
        if not (count.strip().isdecimal() and 1 <= int(count) <= 999):
            raise ApplicationError(Text("Every enclosure needs a name and a count of at least 1."))
        found.append(Enclosure(name=_kept(name, most=300), count=int(count)))
    return tuple(found)


def _form(
    request: Request, asking: Asking, *, typed: dict[str, object], error: ShabarmanError | None = None
) -> HTMLResponse:
    return show(
        request,
        "accept.html",
        asking=asking,
        error=error,
        services=accepted_at(asking.by.kind.value),
        typed=typed,
        rows=ROWS,
        common=COMMON,
        goes_to=None,
        **_asked(asking, error),
    )


def _asked(asking: Asking, error: ShabarmanError | None) -> dict[str, Any]:
    """Return what the form asks for where the place does not tell the department."""
    facts = error.facts if error else {}
    near, asked = facts.get("suggestions", ()), facts.get("districts", ())
    return {
        "districts": districts(),
        "asked": list(asked) if isinstance(asked, (list, tuple)) else [],
        "ask_district": error is not None and error.code in PLACE_CODES,
        "near": [name.label(asking.language) for name in near] if isinstance(near, (list, tuple)) else [],
    }
