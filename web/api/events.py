"""Events by SSE: the notices of the own office as they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from models import Notice
from web.asking import Asking, AskingApi
from web.bell import Bell, Rung
from web.installation import Installed
from web.views import notices

BEAT_SECONDS = 15.0
"""A comment this often, so that nothing on the way closes the stream as idle."""

LONGEST_SECONDS = 300.0
"""Then the stream ends and the browser comes back by itself: a sign-in that has run out is noticed."""

router = APIRouter(prefix="/api/v1", tags=["notices"])


@router.get("/events", response_class=StreamingResponse)
async def listen(
    asking: AskingApi,
    house: Installed,
    after: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """Stream `notice` events; with `Last-Event-ID`, or `after`, first the unread notices that came meanwhile.

    One `listening` event says that from now on everything is told, and after which id: whoever hangs up before the
    first notice can ask for what comes until the next time.
    """
    if last_event_id.isascii() and last_event_id.isdigit():
        after = int(last_event_id)
    return StreamingResponse(
        _stream(house.bell, asking, after=after),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(bell: Bell, asking: Asking, *, after: int | None) -> AsyncIterator[str]:
    ends = asyncio.get_running_loop().time() + LONGEST_SECONDS
    async with bell.listening(asking.by.office) as heard:
        newest = bell.newest
        told: set[int] = set()
        yield "retry: 3000\n\n"
        if after is not None and after < 2**53:
            for notice in await run_in_threadpool(_missed, asking, after):
                told.add(notice.id)
                yield _event(notice, asking.language)
        yield f"id: {max([newest, *told])}\nevent: listening\ndata: {{}}\n\n"
        while asyncio.get_running_loop().time() < ends:
            try:
                rung = await asyncio.wait_for(heard.get(), BEAT_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if rung is None:
                return
            if rung.id not in told:
                yield _event(rung, asking.language)


def _missed(asking: Asking, after: int) -> list[Notice]:
    with asking.database.reading() as session:
        return notices.unread(session, by=asking.by, after=after)


def _event(notice: Notice | Rung, language: str) -> str:
    told: dict[str, Any] = {
        "id": notice.id,
        "type": notice.type,
        "subject": notice.subject,
        "address": notices.address(notice.subject),
        "say": notices.sentence(
            type_=notice.type, subject=notice.subject, data=notice.data, language=language
        ),
    }
    return f"id: {notice.id}\nevent: notice\ndata: {json.dumps(told, ensure_ascii=False)}\n\n"
