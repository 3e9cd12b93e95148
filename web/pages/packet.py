"""The page of one packet: where it is, what happened to it, its label, and what the person may do with it now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from barcodes.label import Label, render
from config.clock import local
from config.errors import BadInputError, ShabarmanError
from config.language import Text
from config.offices import districts
from config.services import service
from models.packet import Outcome, State
from models.printed import Paper
from models.staff import Role
from web import words
from web.asking import Asking, AskingForm, AskingPage
from web.pages.papers import NAMES as PAPER_NAMES
from web.pages.showing import show
from web.views import deadlines, packets
from web.views.packets import Seen, canonical
from web.views.stages import stages
from workflow import (
    accepting,
    collecting,
    deciding,
    handing,
    printing,
    referring,
    registering,
    settling,
    undoing,
)
from workflow.accepting import ACCEPTORS
from workflow.collecting import COLLECTORS
from workflow.deadlines import explain
from workflow.deciding import DECIDERS
from workflow.details import FIELDS, NAMES, REQUIRED
from workflow.handing import UNCLAIMED, WHO_HANDS_OVER
from workflow.moves import UNDOABLE, Move

router = APIRouter()

AT_THE_COUNTER = frozenset({Paper.LABEL, Paper.RECEIPT, Paper.SLIP})
"""Papers that are printed while the applicant waits, by one press from the page of the packet."""

MEDIA_TYPES = {"svg": "image/svg+xml", "pdf": "application/pdf"}


class OutcomeError(BadInputError):
    """No outcome was chosen."""

    text = Text("Choose the outcome: assigned, or refused with a reason.")


class DayError(BadInputError):
    """A date cannot be read."""

    text = Text("Write the day as year, month, day, such as 2026-12-01.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the forms of this page may hold."""

    reason: str
    register_number: str
    executor: str
    outcome: str
    district: str
    postal_number: str
    entered_on: date | None
    order_number: str
    details: dict[str, str]


Command = Callable[[Session, str, Typed, Asking], object]


def _outcome(typed: Typed) -> Outcome:
    try:
        return Outcome(typed.outcome)
    except ValueError:
        raise OutcomeError from None


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DayError from None


COMMANDS: dict[str, tuple[str, Command]] = {
    "withdraw": (
        "withdrawn",
        lambda s, n, t, a: accepting.withdraw(s, n, reason=t.reason, by=a.by, now=a.now),
    ),
    "take_out": ("done", lambda s, n, t, a: collecting.take_out(s, n, reason=t.reason, by=a.by, now=a.now)),
    "register": (
        "done",
        lambda s, n, t, a: registering.register(s, n, register_number=t.register_number, by=a.by, now=a.now),
    ),
    "pass": ("done", lambda s, n, _t, a: registering.pass_on(s, [n], by=a.by, now=a.now)),
    "resolve": (
        "resolved",
        lambda s, n, t, a: deciding.resolve(s, [n], executor=t.executor, by=a.by, now=a.now),
    ),
    "draft": (
        "drafted",
        lambda s, n, t, a: deciding.draft(
            s, n, outcome=_outcome(t), reason=t.reason, details=t.details, by=a.by, now=a.now
        ),
    ),
    "sign": ("signed", lambda s, n, _t, a: deciding.sign(s, [n], by=a.by, now=a.now)),
    "send_back": (
        "sent_back",
        lambda s, n, t, a: deciding.send_back(s, n, reason=t.reason, by=a.by, now=a.now),
    ),
    "never_sent": (
        "done",
        lambda s, n, t, a: settling.never_sent(s, n, reason=t.reason, by=a.by, now=a.now),
    ),
    "lose": ("done", lambda s, n, t, a: settling.lose(s, n, reason=t.reason, by=a.by, now=a.now)),
    "reroute": (
        "done",
        lambda s, n, t, a: settling.reroute(s, n, district=t.district, reason=t.reason, by=a.by, now=a.now),
    ),
    "post": (
        "posted",
        lambda s, n, t, a: handing.post(s, n, postal_number=t.postal_number, by=a.by, now=a.now),
    ),
    "slip": (
        "done",
        lambda s, n, t, a: referring.slip_returned(
            s, n, entered_on=t.entered_on, order_number=t.order_number, by=a.by, now=a.now
        ),
    ),
    "explain": ("done", lambda s, n, t, a: explain(s, n, reason=t.reason, by=a.by, now=a.now)),
    "undo": ("undone", lambda s, n, t, a: undoing.undo(s, n, by=a.by, now=a.now, reason=t.reason or None)),
}
"""Word in the address → (what the page says afterwards, the call of the workflow)."""


@router.get("/packets/{number}")
def packet(request: Request, number: str, asking: AskingPage) -> HTMLResponse:
    """Show one packet."""
    return _page(request, number, asking)


@router.get("/packets/{number}/label.{fmt}")
def label(number: str, fmt: str, asking: AskingPage) -> Response:
    """Draw the label, in the size in which it is printed."""
    if fmt not in MEDIA_TYPES:
        raise HTTPException(404)
    with asking.database.reading() as session:
        found = packets.packet(session, number, by=asking.by).packet
    drawn = render(
        Label(
            number=found.number,
            district=two_languages(found.department),
            service=words.service_name(found.service, asking.language),
            accepted_on=local(found.accepted_at).strftime("%d.%m.%Y"),
        ),
        fmt="pdf" if fmt == "pdf" else "svg",
    )
    return Response(drawn, media_type=MEDIA_TYPES[fmt], headers={"Content-Disposition": "inline"})


@router.post("/packets/{number}/{command}")
def do(
    *,
    request: Request,
    number: str,
    command: str,
    asking: AskingForm,
    reason: Annotated[str, Form(max_length=1000)] = "",
    register_number: Annotated[str, Form(max_length=100)] = "",
    executor: Annotated[str, Form(max_length=64)] = "",
    outcome: Annotated[str, Form(max_length=20)] = "",
    district: Annotated[str, Form(max_length=40)] = "",
    postal_number: Annotated[str, Form(max_length=40)] = "",
    entered_on: Annotated[str, Form(max_length=10)] = "",
    order_number: Annotated[str, Form(max_length=100)] = "",
    detail_name: Annotated[list[str] | None, Form(max_length=len(NAMES))] = None,
    detail: Annotated[list[str] | None, Form(max_length=len(NAMES))] = None,
) -> Response:
    """Carry out one command and come back to the page."""
    if command not in COMMANDS:
        raise HTTPException(404)
    said, work = COMMANDS[command]
    code = canonical(number)
    try:
        typed = Typed(
            reason=reason,
            register_number=register_number,
            executor=executor,
            outcome=outcome,
            district=district,
            postal_number=postal_number,
            entered_on=_day(entered_on),
            order_number=order_number,
            details=dict(zip(detail_name or (), detail or (), strict=False)),
        )
        asking.database.transact(lambda session: work(session, code, typed, asking))
    except ShabarmanError as error:
        return _page(request, code, asking, error=error)
    return RedirectResponse(f"/packets/{code}?said={said}", status_code=303)


def two_languages(office_code: str) -> str:
    """Return the district of an office in Kazakh and, on a second line, in Russian, as the label has it."""
    return f"{words.district_of(office_code, 'kk')}\n{words.district_of(office_code, 'ru')}"


def commands(seen: Seen, asking: Asking) -> list[str]:
    """Return what the person may try with the packet now; the workflow has the last word."""
    if seen.archived:
        return []
    found, here = seen.packet, asking.by.office
    holds = found.holder_office == here
    decides = holds and found.department == here
    held = service(found.service)
    last = seen.events[-1]
    right_to_undo = last.staff_id == asking.by.id or (last.office == here and asking.may(*DECIDERS))
    possible = {
        "register": found.state is State.RECEIVED and decides and asking.may(Role.REGISTRAR),
        "pass": decides
        and asking.may(Role.REGISTRAR, Role.CLERK)
        and (
            found.state is State.REGISTERED
            or (found.state is State.ACCEPTED and found.origin == found.department)
        ),
        "resolve": found.state in {State.WITH_HEAD, State.WITH_EXECUTOR}
        and decides
        and asking.may(*DECIDERS),
        "draft": found.state is State.WITH_EXECUTOR and found.executor_id == asking.by.id,
        "sign": found.state is State.FOR_SIGNATURE and decides and asking.may(*DECIDERS),
        "send_back": found.state is State.FOR_SIGNATURE and decides and asking.may(*DECIDERS),
        "undo": Move(last.move) in UNDOABLE and right_to_undo,
        "take_out": found.state in {State.COLLECTED, State.RESULT_COLLECTED}
        and holds
        and asking.may(*COLLECTORS),
        "reroute": found.state is State.RECEIVED and holds and asking.may(Role.REGISTRAR),
        "withdraw": found.state is State.ACCEPTED and found.origin == here and asking.may(*ACCEPTORS),
        "never_sent": found.state is State.MISSING
        and asking.may(Role.ACCUMULATOR, Role.REGISTRAR, Role.INSPECTOR, Role.CLERK),
        "lose": found.state is State.MISSING and asking.may(*DECIDERS, Role.OPERATOR),
        "post": found.state is State.SIGNED
        and holds
        and (found.origin == here or found.remark == UNCLAIMED)
        and held.result_by_post
        and asking.may(*WHO_HANDS_OVER),
        "slip": found.state is State.HANDED_OVER
        and found.department == here
        and found.outcome is Outcome.ASSIGNED
        and held.result == "referral"
        and asking.may(Role.EXECUTOR, Role.REGISTRAR),
    }
    return [name for name, may in possible.items() if may]


def _page(
    request: Request, number: str, asking: Asking, *, error: ShabarmanError | None = None
) -> HTMLResponse:
    with asking.database.reading() as session:
        seen = packets.packet(session, number, by=asking.by)
        possible = commands(seen, asking)
        clocks = deadlines.clocks(
            session, seen.packet.id, by=asking.by, now=asking.now, language=asking.language
        )
        executors = packets.executors(session, by=asking.by) if "resolve" in possible else []
        names = packets.names(session, [event.holder_id for event in seen.events])
    found = seen.packet
    return show(
        request,
        "packet.html",
        asking=asking,
        error=error,
        seen=seen,
        packet=found,
        stages=stages(found.state, direct=found.origin == found.department),
        sent_back=_sent_back(seen),
        prints=[
            paper
            for paper in printing.offered(found)
            if paper in AT_THE_COUNTER
            and not seen.archived
            and printing.may_print(found, paper, by=asking.by)
        ],
        NAMES=PAPER_NAMES,
        clocks=clocks,
        commands=possible,
        executors=executors,
        names=names,
        districts=districts() if "reroute" in possible else (),
        fields={name: NAMES[name] for name in FIELDS[service(found.service).result]},
        required=REQUIRED,
        receipt=asking.by.office == found.origin,
        hands_over=found.state is State.READY
        and found.origin == asking.by.office
        and asking.may(*WHO_HANDS_OVER),
    )


def _sent_back(seen: Seen) -> str | None:
    """Return why the head sent the draft back, where it lies with the executor because of that."""
    if seen.packet.state is not State.WITH_EXECUTOR or not seen.private:
        return None
    reasons = [event.data.get("reason") for event in seen.events if event.move == Move.SEND_BACK]
    return str(reasons[-1]) if reasons else None
