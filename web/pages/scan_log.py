"""The scan log, for whoever has to find out what a scanner sent: every reading, also refused ones, as it came."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from config.calendar import today
from config.clock import ALMATY
from config.errors import BadInputError, ShabarmanError
from config.language import Text
from config.offices import offices
from models.scan import Verdict
from web import words
from web.asking import AskingPage
from web.pages.showing import show
from web.views import scan_log as views
from workflow.staffing import KEEPERS

router = APIRouter(prefix="/scan-log")


class TimesError(BadInputError):
    """The times of the search cannot be used."""

    code = "times"
    text = Text("Give days as 2026-11-23, the first not after the last and at most a month before it.")


@router.get("")
def scan_log(
    *,
    request: Request,
    asking: AskingPage,
    first: Annotated[str, Query(max_length=10)] = "",
    last: Annotated[str, Query(max_length=10)] = "",
    office: Annotated[str, Query(max_length=4)] = "",
    code: Annotated[str, Query(max_length=200)] = "",
    login: Annotated[str, Query(max_length=64)] = "",
    verdict: Annotated[str, Query(max_length=20)] = "",
    since: Annotated[str, Query(max_length=40)] = "",
    key: Annotated[str, Query(max_length=64)] = "",
) -> HTMLResponse:
    """List scans, the newest first: those of today unless other days are given."""
    asking.require(*KEEPERS)
    asked = {
        "first": first or today(asking.now).isoformat(),
        "last": last or today(asking.now).isoformat(),
        "office": office,
        "code": code,
        "login": login,
        "verdict": verdict,
    }
    error: ShabarmanError | None = None
    found = views.Page(rows=[], after=None)
    try:
        begin, end = _days(asked["first"], asked["last"])
        wanted = views.Wanted(
            first=begin,
            last=end,
            office=office,
            code=code,
            login=login,
            verdict=Verdict(verdict) if verdict in set(Verdict) else None,
        )
        with asking.database.reading() as session:
            found = views.scans(session, wanted, by=asking.by, after=_key(since, key))
    except TimesError as fault:
        error = fault
    following = ""
    if found.after is not None:
        moment, id_ = found.after
        following = "?" + urlencode(asked | {"since": moment.isoformat(), "key": id_})
    return show(
        request,
        "scan_log.html",
        asking=asking,
        error=error,
        asked=asked,
        rows=found.rows,
        following=following,
        offices=[held for kind in ("centre", "department") for held in offices(kind)],
        verdicts=words.VERDICTS,
    )


def _days(first: str, last: str) -> tuple[datetime, datetime]:
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        raise TimesError from None
    if not begin <= end <= begin + views.LONGEST - timedelta(days=1):
        raise TimesError
    midnight = datetime.min.time()
    return (
        datetime.combine(begin, midnight, tzinfo=ALMATY),
        datetime.combine(end + timedelta(days=1), midnight, tzinfo=ALMATY),
    )


def _key(since: str, key: str) -> views.Key | None:
    if not since:
        return None
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise HTTPException(404) from None
    if moment.tzinfo is None:
        raise HTTPException(404)
    return moment, key
