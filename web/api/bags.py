"""Manifests: looking at them, sealing, closing; and the differences between a list and its bag."""

from typing import Any

from fastapi import APIRouter, Request, Response

from models import Manifest
from web.api.shapes import (
    BagAnswer,
    Closing,
    DifferenceAnswer,
    Id,
    LineAnswer,
    ManifestAnswer,
    ManifestListed,
    Seal,
)
from web.api.slicing import IN_SLICES, After, AfterId, tell_next
from web.asking import AskingApi
from web.views import manifests
from web.views.packets import canonical
from workflow import closing, collecting, settling
from workflow.desk import Bag

router = APIRouter(prefix="/api/v1", tags=["manifests"])


@router.get("/manifests", responses=IN_SLICES)
def list_manifests(
    request: Request, answer: Response, asking: AskingApi, after: After = ""
) -> list[ManifestListed]:
    """List the manifests from, to, or carried by the own office that are not closed, the first departure first.

    Up to 200, and the `Link` to the next.
    """
    with asking.database.reading() as session:
        found = manifests.under_way(session, by=asking.by, after=after)
    tell_next(request, answer, found.next)
    return [
        ManifestListed(
            **_head(row.Manifest),
            centre=row.centre,
            departs_at=row.departs_at,
            lines=row.lines or 0,
            left=row.left or 0,
        )
        for row in found.rows
    ]


@router.get("/manifests/{number}")
def look_at_manifest(number: str, asking: AskingApi) -> ManifestAnswer:
    """Show a manifest with its lines; what needs attention comes first."""
    with asking.database.reading() as session:
        seen = manifests.manifest(session, number, by=asking.by)
    return ManifestAnswer(
        **_head(seen.manifest),
        centre=seen.centre,
        departs_at=seen.departs_at,
        expected=seen.expected,
        left=seen.left,
        lines=[LineAnswer.model_validate(line, from_attributes=True) for line in seen.lines],
    )


@router.post("/manifests/{number}/seal")
def seal(number: str, given: Seal, asking: AskingApi) -> BagAnswer:
    """Seal an open manifest; from now on its list never changes."""
    code = canonical(number)
    bag = asking.database.transact(
        lambda session: collecting.seal(
            session, code, seal_number=given.seal_number, by=asking.by, now=asking.now
        )
    )
    return BagAnswer(**_head(bag))


@router.post("/manifests/{number}/close")
def close(number: str, given: Closing, asking: AskingApi) -> BagAnswer:
    """Close a manifest, with the reason for each packet that was not in the bag."""
    code = canonical(number)
    reasons = {canonical(packet): reason for packet, reason in given.reasons.items()}
    bag = asking.database.transact(
        lambda session: closing.close(session, code, reasons=reasons, by=asking.by, now=asking.now)
    )
    return BagAnswer(**_head(bag))


@router.get("/discrepancies", responses=IN_SLICES)
def list_differences(
    request: Request, answer: Response, asking: AskingApi, after: AfterId = 0
) -> list[DifferenceAnswer]:
    """List the unsettled differences that the own office found or caused, the oldest first.

    Up to 200, and the `Link` to the next.
    """
    with asking.database.reading() as session:
        found = manifests.differences(session, by=asking.by, after=after)
    tell_next(request, answer, found.next)
    return [
        DifferenceAnswer(
            id=row.Discrepancy.id,
            kind=row.Discrepancy.kind.value,
            number=row.number,
            manifest=row.manifest,
            office=row.Discrepancy.office,
            sender=row.Discrepancy.sender,
            reason=row.Discrepancy.reason,
            opened_at=row.Discrepancy.opened_at,
            settlement=row.Discrepancy.settlement,
        )
        for row in found.rows
    ]


@router.post("/discrepancies/{discrepancy}/note", status_code=204)
def note(discrepancy: Id, asking: AskingApi) -> None:
    """Settle a difference that needs no further step."""
    asking.database.transact(
        lambda session: settling.note(session, discrepancy, by=asking.by, now=asking.now)
    )


def _head(bag: Bag | Manifest) -> dict[str, Any]:
    return {
        "number": bag.number,
        "state": bag.state,
        "leg": bag.leg,
        "origin": bag.origin,
        "destination": bag.destination,
        "seal_number": bag.seal_number,
    }
