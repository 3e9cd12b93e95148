"""Notices of the own office, and who is signed in."""

from typing import Annotated

from fastapi import APIRouter, Query

from web.api.shapes import MeAnswer, NoticeAnswer, ReadGiven
from web.asking import AskingApi
from web.reading import mark_read
from web.views import notices

router = APIRouter(prefix="/api/v1", tags=["notices"])


@router.get("/notices")
def unread_notices(asking: AskingApi, after: Annotated[int, Query(ge=0, lt=2**53)] = 0) -> list[NoticeAnswer]:
    """List the unread notices of the own office, the oldest first; up to 100, with an id over `after`."""
    with asking.database.reading() as session:
        found = notices.unread(session, by=asking.by, after=after)
    return [
        NoticeAnswer(
            id=notice.id,
            type=notice.type,
            subject=notice.subject,
            say=notices.sentence(
                type_=notice.type, subject=notice.subject, data=notice.data, language=asking.language
            ),
            data=notice.data,
            created_at=notice.created_at,
        )
        for notice in found
    ]


@router.post("/notices/read")
def read_notices(given: ReadGiven, asking: AskingApi) -> dict[str, int]:
    """Mark notices of the own office as read; those of others and those read before are left alone."""
    read = asking.database.transact(
        lambda session: mark_read(session, given.ids, by=asking.by, now=asking.now)
    )
    return {"read": read}


@router.get("/me")
def me(asking: AskingApi) -> MeAnswer:
    """Say who is signed in."""
    return MeAnswer(
        login=asking.by.login,
        name=asking.by.name,
        office=asking.by.office,
        roles=sorted(asking.by.roles),
        language=asking.language,
        csrf=asking.csrf,
    )
