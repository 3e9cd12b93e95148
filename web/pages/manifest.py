"""The page of one manifest: its lines, the seal, and the closing with a reason for each packet that is not there."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from barcodes.label import Label, render
from barcodes.numbers import grouped
from config.clock import local
from config.errors import ShabarmanError
from config.language import Text
from models.manifest import LineState, ManifestState
from models.printed import Paper
from web import words
from web.asking import Asking, AskingForm, AskingPage
from web.pages.packet import MEDIA_TYPES, two_languages
from web.pages.showing import show
from web.views import manifests
from web.views.manifests import SeenManifest
from web.views.packets import canonical
from workflow import closing, collecting, settling
from workflow.closing import RECEIVERS, UnexplainedError
from workflow.collecting import COLLECTORS

router = APIRouter()

DIFFERING = frozenset(
    {LineState.MISSING, LineState.DAMAGED, LineState.REFUSED, LineState.UNEXPECTED, LineState.ELSEWHERE}
)
"""States of lines that the act of discrepancy lists."""

COMMON_REASONS = (
    Text("Not in the bag"),
    Text("On the list, but the envelope is empty"),
    Text("The courier says it was not given to them"),
)
"""What is often the reason for a missing packet; offered, never demanded."""


@router.get("/manifests/{number}")
def manifest(request: Request, number: str, asking: AskingPage) -> HTMLResponse:
    """Show one manifest."""
    return _page(request, number, asking)


@router.get("/manifests/{number}/lines")
def lines(request: Request, number: str, asking: AskingPage) -> Response:
    """Return the part of the page that grows while a bag is taken over; 304 while nothing has changed.

    Pages ask for it every second, so two people who work on one bag see each other's ticks.
    """
    with asking.database.reading() as session:
        version = manifests.version(session, canonical(number), by=asking.by)
        tag = f'"{version}-{asking.language}"'
        if version is not None and request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        seen = manifests.manifest(session, number, by=asking.by)
    return show(
        request,
        "manifest_lines.html",
        asking=asking,
        headers={"ETag": tag},
        **_shown(seen, asking),
    )


@router.get("/manifests/{number}/label.{fmt}")
def label(number: str, fmt: str, asking: AskingPage) -> Response:
    """Draw the label of the bag."""
    if fmt not in MEDIA_TYPES:
        raise HTTPException(404)
    with asking.database.reading() as session:
        seen = manifests.manifest(session, number, by=asking.by)
    drawn = render(
        Label(
            number=seen.manifest.number,
            district=two_languages(seen.manifest.destination),
            service=words.office_name(seen.manifest.destination, asking.language),
            accepted_on=local(seen.departs_at).strftime("%d.%m.%Y %H:%M"),
        ),
        fmt="pdf" if fmt == "pdf" else "svg",
    )
    return Response(drawn, media_type=MEDIA_TYPES[fmt], headers={"Content-Disposition": "inline"})


@router.post("/manifests/{number}/seal")
def seal(
    request: Request,
    number: str,
    asking: AskingForm,
    seal_number: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Seal the bag."""
    code = canonical(number)
    try:
        asking.database.transact(
            lambda session: collecting.seal(
                session, code, seal_number=seal_number, by=asking.by, now=asking.now
            )
        )
    except ShabarmanError as error:
        return _page(request, code, asking, error=error)
    return RedirectResponse(f"/manifests/{code}?said=sealed", status_code=303)


@router.post("/manifests/{number}/close")
def close(
    *,
    request: Request,
    number: str,
    asking: AskingForm,
    packet: Annotated[list[str] | None, Form()] = None,
    reason: Annotated[list[str] | None, Form()] = None,
    confirmed: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """Close the manifest; where packets are missing, only after the reasons were read and confirmed once more."""
    code = canonical(number)
    reasons = {
        canonical(one): why.strip()[:1000] for one, why in zip(packet or [], reason or [], strict=False)
    }
    try:
        blank = sorted(one for one, why in reasons.items() if not why)
        if blank:
            raise UnexplainedError(manifest=grouped(code), numbers=", ".join(map(grouped, blank)))
        if reasons and confirmed != "yes":
            return _page(request, code, asking, reasons=reasons, confirm=True)
        asking.database.transact(
            lambda session: closing.close(session, code, reasons=reasons, by=asking.by, now=asking.now)
        )
    except ShabarmanError as error:
        return _page(request, code, asking, error=error, reasons=reasons)
    return RedirectResponse(f"/manifests/{code}?said=closed", status_code=303)


@router.post("/manifests/{number}/lines/{packet}/{command}")
def line(
    *,
    request: Request,
    number: str,
    packet: str,
    command: str,
    asking: AskingForm,
    reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Take a packet over as damaged, or refuse it at the door."""
    work = {"damage": closing.damage, "refuse": closing.refuse}.get(command)
    if work is None:
        raise HTTPException(404)
    code, one = canonical(number), canonical(packet)
    try:
        asking.database.transact(
            lambda session: work(session, one, reason=reason, by=asking.by, now=asking.now)
        )
    except ShabarmanError as error:
        return _page(request, code, asking, error=error)
    return RedirectResponse(f"/manifests/{code}?said=done", status_code=303)


@router.get("/differences")
def differences(
    request: Request, asking: AskingPage, after: Annotated[int, Query(ge=0, lt=2**53)] = 0
) -> HTMLResponse:
    """List the unsettled differences of the own office."""
    return _differences(request, asking, after=after)


@router.post("/differences/{discrepancy}/note")
def note(request: Request, discrepancy: Annotated[int, Path(ge=1, lt=2**53)], asking: AskingForm) -> Response:
    """Settle a difference that needs no further step."""
    try:
        asking.database.transact(
            lambda session: settling.note(session, discrepancy, by=asking.by, now=asking.now)
        )
    except ShabarmanError as error:
        return _differences(request, asking, error=error)
    return RedirectResponse("/differences?said=done", status_code=303)


def _differences(
    request: Request, asking: Asking, *, after: int = 0, error: ShabarmanError | None = None
) -> HTMLResponse:
    with asking.database.reading() as session:
        found = manifests.differences(session, by=asking.by, after=after)
    return show(request, "differences.html", asking=asking, error=error, found=found)


def _page(
    request: Request,
    number: str,
    asking: Asking,
    *,
    error: ShabarmanError | None = None,
    reasons: dict[str, str] | None = None,
    confirm: bool = False,
) -> HTMLResponse:
    with asking.database.reading() as session:
        seen = manifests.manifest(session, number, by=asking.by)
    return show(
        request,
        "manifest.html",
        asking=asking,
        error=error,
        confirm=confirm,
        **_shown(seen, asking, reasons=reasons),
    )


def _shown(seen: SeenManifest, asking: Asking, *, reasons: dict[str, str] | None = None) -> dict[str, Any]:
    found, here = seen.manifest, asking.by.office
    arrived = found.destination == here and asking.may(*RECEIVERS)
    return {
        "seen": seen,
        "manifest": found,
        "reasons": reasons or {},
        "common": COMMON_REASONS,
        "may_seal": found.state is ManifestState.OPEN and found.origin == here and asking.may(*COLLECTORS),
        "may_receive": arrived and found.state in {ManifestState.IN_TRANSIT, ManifestState.RECEIVING},
        "may_close": arrived and found.state is ManifestState.RECEIVING,
        "differs": bool(seen.counts.keys() & DIFFERING),
        "Paper": Paper,
    }
