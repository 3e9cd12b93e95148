"""Offices: what the regulation says of each is shown, what may be set is set here."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from config.errors import ShabarmanError
from config.language import Text
from config.offices import KINDS, Office, offices
from config.offices import office as office_of
from config.working_time import written_spans
from models import Office as Kept
from models.change import ChangeOf
from web import words
from web.asking import Asking, AskingForm, AskingPage
from web.pages.showing import show
from workflow import offices as settings_of
from workflow.changes import changes_of
from workflow.office_facts import facts_of, said_phones, set_facts
from workflow.staffing import KEEPERS

router = APIRouter(prefix="/offices")

WEEK: tuple[Text, ...] = (
    Text("Monday"),
    Text("Tuesday"),
    Text("Wednesday"),
    Text("Thursday"),
    Text("Friday"),
    Text("Saturday"),
    Text("Sunday"),
)

FIELDS: dict[str, Text] = {
    "own_register": Text("register of its own"),
    "run_times": Text("run times"),
    "phones": Text("telephones"),
    "emails": Text("e-mail addresses"),
    "hours": Text("hours of the week"),
}
"""What may be changed about an office, as the list of changes names it."""


@router.get("")
def listed(request: Request, asking: AskingPage, q: str = "", kind: str = "centre") -> HTMLResponse:
    """List the offices of one kind, or those whose name or code has `q` in it."""
    asking.require(*KEEPERS)
    chosen = kind if kind in KINDS else "centre"
    found = [held for held in offices() if _fits(held, q)] if q.strip() else list(offices(chosen))
    with asking.database.reading() as session:
        said = said_phones(session)
    phones = {
        held.code: said.get(held.code) or [phone.number or phone.printed for phone in held.phones]
        for held in found
    }
    return show(
        request,
        "offices.html",
        asking=asking,
        found=found,
        phones=phones,
        q=q,
        kind=chosen,
        kinds=words.CHANNELS,
    )


@router.get("/{code}")
def office(request: Request, code: str, asking: AskingPage) -> HTMLResponse:
    """Show one office."""
    return _page(request, asking, code)


@router.post("/{code}")
def keep(
    *,
    request: Request,
    code: str,
    asking: AskingForm,
    own_register: Annotated[bool, Form()] = False,
    run_times: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Set what may be set about an office."""
    asking.require(*KEEPERS)
    held = office_of(code)
    try:
        if held.kind == "department":
            asking.database.transact(
                lambda session: settings_of.set_own_register(
                    session, code, own=own_register, by=asking.by, now=asking.now
                )
            )
        else:
            asking.database.transact(
                lambda session: settings_of.set_run_times(
                    session, code, text=run_times, by=asking.by, now=asking.now
                )
            )
    except ShabarmanError as error:
        return _page(request, asking, code, error=error, typed=run_times)
    return RedirectResponse(f"/offices/{code}?said=kept", status_code=303)


@router.post("/{code}/facts")
def keep_facts(
    *,
    request: Request,
    code: str,
    asking: AskingForm,
    phones: Annotated[str, Form(max_length=1000)] = "",
    emails: Annotated[str, Form(max_length=3000)] = "",
    hours: Annotated[list[str] | None, Form(max_length=len(WEEK))] = None,
    source: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Say what telephones, e-mail and hours of an office are, and where that is known from."""
    asking.require(*KEEPERS)
    office_of(code)
    try:
        asking.database.transact(
            lambda session: set_facts(
                session,
                code,
                phones=phones.splitlines(),
                emails=emails.splitlines(),
                hours=hours or (),
                source=source,
                by=asking.by,
                now=asking.now,
            )
        )
    except ShabarmanError as error:
        typed = {"phones": phones, "emails": emails, "hours": hours or [], "source": source}
        return _page(request, asking, code, error=error, facts=typed)
    return RedirectResponse(f"/offices/{code}?said=kept", status_code=303)


def _fits(held: Office, wanted: str) -> bool:
    part = wanted.strip().casefold()
    return any(part in name.casefold() for name in (held.code, held.name_kk, held.name_ru, *held.spellings))


def _page(
    request: Request,
    asking: Asking,
    code: str,
    *,
    error: ShabarmanError | None = None,
    typed: str = "",
    facts: dict[str, Any] | None = None,
) -> HTMLResponse:
    asking.require(*KEEPERS)
    held = office_of(code)
    with asking.database.reading() as session:
        kept = session.get_one(Kept, code)
        changes = changes_of(session, ChangeOf.OFFICE, code)
        known = facts_of(session, code)
        own, leaves = None, []
        if held.kind == "centre":
            own = settings_of.own_run_times(session, code)
            leaves = settings_of.departures_of_day(session, code)
    return show(
        request,
        "office.html",
        asking=asking,
        error=error,
        held=held,
        kept=kept,
        own_times=typed or ", ".join(own or ()),
        leaves=leaves,
        known=known,
        sources={fact.value: row for fact, row in known.sources.items()},
        week=list(zip(WEEK, known.weekly, strict=True)),
        typed=facts
        or {
            "phones": "\n".join(known.phones),
            "emails": "\n".join(known.emails),
            "hours": [", ".join(written_spans(spans)) for spans in known.weekly],
            "source": "",
        },
        kinds=words.CHANNELS,
        changes=changes,
        fields=FIELDS,
    )
