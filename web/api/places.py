"""The regulation as data, and places of residence for a type-ahead field."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from config import offices, services
from routing.residence import suggest
from web.api.shapes import PlaceAnswer
from web.asking import AskingApi
from web.words import district_name

router = APIRouter(prefix="/api/v1", tags=["regulation"])


@router.get("/residence")
def suggest_places(
    asking: AskingApi,
    q: Annotated[str, Query(max_length=100, description="Beginning or part of the name.")],
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> list[PlaceAnswer]:
    """Suggest villages, rural districts and towns by the beginning of their name, in Kazakh or Russian."""
    return [
        PlaceAnswer(
            label=name.label(asking.language),
            kind=name.kind,
            district=name.district,
            district_name=district_name(name.district, asking.language),
            office=name.office or None,
        )
        for name in suggest(q, limit=limit)
    ]


@router.get("/offices")
def list_offices(_asking: AskingApi, kind: str | None = None) -> list[dict[str, Any]]:
    """List the offices of the regulation, all or of one kind: centre, department, akimat."""
    return [offices.as_json(held) for held in offices.offices(kind)]


@router.get("/services")
def list_services(_asking: AskingApi) -> list[dict[str, Any]]:
    """List the services with their channels, steps and limits."""
    return [services.as_json(held) for held in services.services()]
