"""Printing: the papers of a packet or a manifest with their log, sheets of labels, the desk card, address labels."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from barcodes.label import DPIS, FORMATS, Format
from barcodes.papers.addresses import addresses
from barcodes.papers.card import card
from barcodes.papers.cells import SHEETS
from config.errors import ShabarmanError
from config.language import Text
from config.offices import KINDS, offices
from models import Print, Staff
from models.printed import OF_MANIFEST, Paper
from web.asking import Asking, AskingForm, AskingPage
from web.pages.showing import show
from web.views import manifests, packets
from web.views.packets import canonical
from workflow import papers, printing
from workflow.printing import Printed

router = APIRouter()

NAMES: dict[Paper, Text] = {
    Paper.LABEL: Text("Label"),
    Paper.RECEIPT: Text("Receipt for the applicant"),
    Paper.SLIP: Text("Slip for the applicant"),
    Paper.NOTICE: Text("Notice of assignment"),
    Paper.REFUSAL: Text("Reasoned refusal"),
    Paper.REFERRAL: Text("Referral with its return slip"),
    Paper.CERTIFICATE: Text("Certificate"),
    Paper.CONTROL: Text("Control sheet"),
    Paper.MANIFEST: Text("Manifest, two copies"),
    Paper.DISCREPANCY: Text("Act of discrepancy"),
    Paper.BATCH_REFUSAL: Text("Refusal of the whole batch, with an act"),
    Paper.BAG_LABEL: Text("Label of the bag"),
}
"""How people call the papers."""

WITH_REASON = frozenset({Paper.BATCH_REFUSAL})
LABELS = frozenset({Paper.LABEL, Paper.BAG_LABEL})
_PDF_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
"""The browser's own viewer of PDFs is an object with styles of its own; nothing else runs in such an answer."""
_ORDER = list(Paper)


def served(data: bytes, *, media_type: str, name: str) -> Response:
    """Return a paper for the viewer of the browser, or for a program."""
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    if media_type == "application/pdf":
        headers["Content-Security-Policy"] = _PDF_SECURITY
    return Response(data, media_type=media_type, headers=headers)


def of_printed(made: Printed) -> Response:
    """Return what was printed."""
    return served(made.data, media_type=made.media_type, name=made.file_name)


@router.get("/papers")
def sheets_page(request: Request, asking: AskingPage) -> HTMLResponse:
    """Show the form for sheets of labels, the desk card and the address labels."""
    return _sheets(request, asking)


@router.post("/papers/labels")
def label_sheets(
    *,
    request: Request,
    asking: AskingForm,
    numbers: Annotated[str, Form(max_length=40_000)] = "",
    per_sheet: Annotated[int, Form()] = 24,
    skip: Annotated[int, Form()] = 0,
) -> Response:
    """Print labels of the given packets on sheets."""
    try:
        chosen = [canonical(typed) for typed in re.split(r"[\n,;]+", numbers) if typed.strip()]
        data = asking.database.transact(
            lambda session: printing.print_labels(
                session, chosen, per_sheet=per_sheet, skip=skip, by=asking.by, now=asking.now
            )
        )
    except ShabarmanError as error:
        return _sheets(request, asking, error=error, numbers=numbers, per_sheet=per_sheet, skip=skip)
    return served(data, media_type="application/pdf", name=f"labels-{len(chosen)}.pdf")


@router.get("/papers/card.pdf")
def desk_card(asking: AskingPage) -> Response:
    """Draw the desk card."""
    del asking  # Who has signed in may have it.
    return served(card(), media_type="application/pdf", name="card.pdf")


@router.get("/papers/addresses.pdf")
def address_labels(
    asking: AskingPage, kind: str = "", skip: Annotated[int, Query(ge=0, lt=24)] = 0
) -> Response:
    """Draw the address labels of all offices, or of one kind."""
    del asking
    if kind and kind not in KINDS:
        raise HTTPException(404)
    wanted = [papers.place(office.code) for office in offices(kind or None)]
    return served(addresses(wanted, skip=skip), media_type="application/pdf", name="addresses.pdf")


@router.get("/packets/{number}/papers")
def packet_papers(request: Request, number: str, asking: AskingPage) -> HTMLResponse:
    """List the papers that a packet has now, and who printed which."""
    return _of_packet(request, number, asking)


@router.post("/packets/{number}/papers/{paper}")
def print_packet(
    *,
    request: Request,
    number: str,
    paper: Paper,
    asking: AskingForm,
    fmt: Annotated[str, Form()] = "pdf",
    dpi: Annotated[int, Query()] = 203,
) -> Response:
    """Print one paper of a packet."""
    code = canonical(number)
    try:
        made = asking.database.transact(
            lambda session: printing.print_packet(
                session, code, paper, by=asking.by, now=asking.now, fmt=_format(fmt), dpi=dpi
            )
        )
    except ShabarmanError as error:
        return _of_packet(request, code, asking, error=error)
    return of_printed(made)


@router.get("/manifests/{number}/papers")
def manifest_papers(request: Request, number: str, asking: AskingPage) -> HTMLResponse:
    """List the papers of a manifest, and who printed which."""
    return _of_manifest(request, number, asking)


@router.post("/manifests/{number}/papers/{paper}")
def print_manifest(
    *,
    request: Request,
    number: str,
    paper: Paper,
    asking: AskingForm,
    reason: Annotated[str, Form(max_length=1000)] = "",
    fmt: Annotated[str, Form()] = "pdf",
    dpi: Annotated[int, Query()] = 203,
) -> Response:
    """Print one paper of a manifest."""
    code = canonical(number)
    try:
        made = asking.database.transact(
            lambda session: printing.print_manifest(
                session, code, paper, reason=reason, by=asking.by, now=asking.now, fmt=_format(fmt), dpi=dpi
            )
        )
    except ShabarmanError as error:
        return _of_manifest(request, code, asking, error=error)
    return of_printed(made)


def _format(typed: str) -> Format:
    found = next((known for known in FORMATS if known == typed), None)
    if found is None:
        raise HTTPException(404)
    return found


def _sheets(
    request: Request,
    asking: Asking,
    *,
    error: ShabarmanError | None = None,
    numbers: str = "",
    per_sheet: int = 24,
    skip: int = 0,
) -> HTMLResponse:
    return show(
        request,
        "sheets.html",
        asking=asking,
        error=error,
        numbers=numbers,
        per_sheet=per_sheet,
        skip=skip,
        sheets=tuple(SHEETS),
    )


def _of_packet(
    request: Request, number: str, asking: Asking, *, error: ShabarmanError | None = None
) -> HTMLResponse:
    with asking.database.reading() as session:
        found = packets.packet(session, number, by=asking.by).packet
        log = _log(session, Print.packet_id == found.id)
    mine = [paper for paper in printing.offered(found) if printing.may_print(found, paper, by=asking.by)]
    return _page(request, asking, kind="packets", number=found.number, papers=mine, log=log, error=error)


def _of_manifest(
    request: Request, number: str, asking: Asking, *, error: ShabarmanError | None = None
) -> HTMLResponse:
    with asking.database.reading() as session:
        found = manifests.manifest(session, number, by=asking.by).manifest
        log = _log(session, Print.manifest_id == found.id)
    return _page(
        request,
        asking,
        kind="manifests",
        number=found.number,
        papers=sorted(OF_MANIFEST, key=_ORDER.index),
        log=log,
        error=error,
    )


def _page(
    request: Request,
    asking: Asking,
    *,
    kind: str,
    number: str,
    papers: list[Paper],
    log: list[tuple[Print, str]],
    error: ShabarmanError | None,
) -> HTMLResponse:
    return show(
        request,
        "papers.html",
        asking=asking,
        error=error,
        kind=kind,
        number=number,
        papers=papers,
        log=log,
        NAMES=NAMES,
        WITH_REASON=WITH_REASON,
        LABELS=LABELS,
        DPIS=DPIS[:2],
    )


def _log(session: Session, of: ColumnElement[bool]) -> list[tuple[Print, str]]:
    rows = session.execute(
        select(Print, Staff.name)
        .join(Staff, Staff.id == Print.printed_by)
        .where(of)
        .order_by(Print.id.desc())
    )
    return [(row, name) for row, name in rows]
