"""Scans: the one protocol for pages, handhelds and offline queues."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, FastAPI
from pydantic import Field

from barcodes.typed import read
from web.api.shapes import MOST_AT_ONCE, ReadingAnswer, ReadingGiven, ScanAnswer, ScanGiven
from web.asking import SCANS, Asking, AskingApi
from web.installation import Installed
from web.straight import Straight
from web.words import REPAIRS, spoken
from workflow.protocol import Answer, Scanned
from workflow.scanning import Handful

router = APIRouter(prefix="/api/v1", tags=["scans"])


def install(app: FastAPI) -> None:
    """Put the address to which scans are sent before all others of `app`."""
    app.router.add_api_route(
        SCANS, scan, methods=["POST"], tags=[*router.tags], route_class_override=Straight
    )


async def scan(
    given: Annotated[list[ScanGiven], Field(min_length=1, max_length=MOST_AT_ONCE)],
    asking: AskingApi,
    house: Installed,
) -> list[ScanAnswer]:
    """Apply scans in their order and answer each in the same order; scans sent again get the answers they got."""
    scans = [Scanned(**dict(one)) for one in given]
    answers = await house.tray.apply(Handful(scans=scans, by=asking.by, now=asking.now))
    for answered in answers:
        house.metrics.scans.labels(answered.verdict.value).inc()
    return [_shown(one, answered, asking) for one, answered in zip(scans, answers, strict=True)]


@router.post("/readings")
def try_reading(given: ReadingGiven, asking: AskingApi) -> ReadingAnswer:
    """Tell what a text would be taken for, to set a scanner up; nothing is recorded."""
    reading = read(given.raw)
    return ReadingAnswer(
        kind=reading.kind,
        code=reading.code,
        repair=reading.repair,
        repaired=", ".join(REPAIRS[repair].render(asking.language) for repair in reading.repair.split("+")),
        say=reading.advice.render(asking.language),
    )


def _shown(scanned: Scanned, answered: Answer, asking: Asking) -> ScanAnswer:
    return ScanAnswer(
        id=scanned.id,
        verdict=answered.verdict,
        say=_sentence(answered, asking.language),
        state=answered.state,
        code=answered.code,
        facts=answered.facts,
    )


def _sentence(answered: Answer, language: str) -> str:
    words = {name: value for name, value in answered.facts.items() if name in {"roles", "command"}}
    return replace(answered, facts=answered.facts | spoken(words, language)).sentence(language)
