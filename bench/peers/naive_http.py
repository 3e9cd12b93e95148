"""The core job over HTTP, as people write it: FastAPI's plain functions, a look-up of the sign-in, naive Celery behind.

Less than ours does: a scan sent again is not known, the code is not repaired, the answer has no facts and is not
translated, and the sign-in is not renewed.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
from datetime import timedelta
from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, Header, HTTPException
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select

from bench.peers import job, naive
from config.clock import utc_now
from models import SignIn, Staff
from models.packet import State
from models.scan import Station

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)
"""How long a sign-in lasts without any request, and however much it is used."""

app = FastAPI()
Session = job.sessions()


class Scan(BaseModel):
    """One reading of one code."""

    id: str = Field(min_length=1, max_length=64)
    raw: str = Field(max_length=4000)
    station: Station
    at: AwareDatetime
    device: str = Field(default="api", max_length=100)


class Answer(BaseModel):
    """The answer to one scan."""

    id: str
    verdict: str
    say: str
    state: State | None = None
    code: str | None = None


class Person(BaseModel):
    """Who is signed in."""

    id: int
    office: str


def signed_in(
    shabarman_session: Annotated[str, Cookie()] = "", x_csrf_token: Annotated[str, Header()] = ""
) -> Person:
    """Return who asks; the connection is given back before the work begins, which takes one of its own."""
    with Session() as session:
        found = session.execute(
            select(SignIn, Staff)
            .join(Staff, Staff.id == SignIn.staff_id)
            .where(SignIn.key_hash == hashlib.sha256(shabarman_session.encode()).hexdigest(), Staff.active)
        ).one_or_none()
        if found is None:
            raise HTTPException(401, "Sign in first.")
        opened, staff = found
        now = utc_now()
        if now - opened.seen_at > IDLE or now - opened.created_at > LONGEST:
            raise HTTPException(401, "Sign in again.")
        token = hmac.new(shabarman_session.encode(), b"shabarman form", hashlib.sha256).hexdigest()
        if not hmac.compare_digest(token.encode(), x_csrf_token.encode()):
            raise HTTPException(403, "Load the page again.")
        return Person(id=staff.id, office=staff.office)


@app.post("/api/v1/scans")
def scan(
    given: Annotated[list[Scan], Field(min_length=1, max_length=500)],
    person: Annotated[Person, Depends(signed_in)],
) -> list[Answer]:
    """Apply the scans one by one, and answer each."""
    answers = []
    for one in given:
        try:
            naive.scan(one.raw, staff_id=person.id, office=person.office)
        except job.NotReceivedError:
            answers.append(Answer(id=one.id, verdict="refused", say="The packet is not here."))
        else:
            answers.append(
                Answer(id=one.id, verdict="taken", say="Registered.", state=State.REGISTERED, code=one.raw)
            )
    return answers


def commands() -> list[list[str]]:
    """Return the command lines: the server first, then the worker with its events, and Flower, which hears them.

    The server has one process, the loop of asyncio and no line for each request, as ours has.
    """
    return [
        [
            *(sys.executable, "-m", "uvicorn", "bench.peers.naive_http:app"),
            *("--host", "127.0.0.1", "--port", os.environ["SHABARMAN_PORT"]),
            *("--loop", "asyncio", "--no-access-log", "--log-level", "warning"),
        ],
        *([*command, "-E"] for command in naive.commands()),
        [
            *(sys.executable, "-m", "celery", "-A", "bench.peers.naive", "flower"),
            *("--address=127.0.0.1", f"--port={os.environ['SHABARMAN_FLOWER_PORT']}"),
            # As ours: the worker sends them of its own accord.
            "--enable_events=False",
        ],
    ]
