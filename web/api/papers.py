"""Printing for programs: a paper of a packet or a manifest, logged as a print of the person behind the token."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from barcodes.label import Format
from models.printed import Paper
from web.asking import AskingApi
from web.pages.papers import of_printed
from web.views.packets import canonical
from workflow import printing

router = APIRouter(prefix="/api/v1", tags=["papers"])

PAPER: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The paper; labels also as PNG, SVG or ZPL.",
        "content": {
            media: {"schema": {"type": "string", "format": "binary"}}
            for media in ("application/pdf", "image/png", "image/svg+xml", "application/zpl")
        },
    }
}


@router.post("/packets/{number}/papers/{paper}", responses=PAPER, response_class=Response)
def print_packet(
    number: str, paper: Paper, asking: AskingApi, fmt: Annotated[Format, Query()] = "pdf", dpi: int = 203
) -> Response:
    """Print a paper of a packet; each call is a new copy. `fmt` and `dpi` are for labels."""
    code = canonical(number)
    return of_printed(
        asking.database.transact(
            lambda session: printing.print_packet(
                session, code, paper, by=asking.by, now=asking.now, fmt=fmt, dpi=dpi
            )
        )
    )


@router.post("/manifests/{number}/papers/{paper}", responses=PAPER, response_class=Response)
def print_manifest(
    *,
    number: str,
    paper: Paper,
    asking: AskingApi,
    reason: Annotated[str, Query(max_length=1000)] = "",
    fmt: Annotated[Format, Query()] = "pdf",
    dpi: int = 203,
) -> Response:
    """Print a paper of a manifest; each call is a new copy. `reason` is that of a refused batch."""
    code = canonical(number)
    return of_printed(
        asking.database.transact(
            lambda session: printing.print_manifest(
                session, code, paper, reason=reason, by=asking.by, now=asking.now, fmt=fmt, dpi=dpi
            )
        )
    )
