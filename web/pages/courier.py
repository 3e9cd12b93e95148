"""What a courier sees beside the scanner: today's runs, the bags to take, to give over, and those given over."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from models.scan import Station
from web.asking import AskingPage
from web.pages.showing import show
from web.views.bags import rounds
from workflow.scanning import WHO

router = APIRouter()


@router.get("/scan/depart/bags")
def bags(request: Request, asking: AskingPage) -> HTMLResponse:
    """Show the lists alone; the page asks for them again when something was scanned."""
    asking.require(*WHO[Station.DEPART])
    with asking.database.reading() as session:
        seen = rounds(session, by=asking.by, now=asking.now)
    return show(request, "bags.html", asking=asking, rounds=seen)
