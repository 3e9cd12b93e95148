"""The scan log: every reading of every code with the text as it came; identity numbers masked for most."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from barcodes.typed import read
from models import Scan, Staff
from models.scan import Verdict
from models.staff import Role
from workflow.people import Actor

PAGE = 100

LONGEST = timedelta(days=31)
"""Longest time that is searched at once: what is older is asked for by its dates."""

SEES_IDENTITY = frozenset({Role.ADMINISTRATOR})
"""Who sees identity numbers (IIN) that somebody scanned or typed where a packet's number was expected."""

_IDENTITY = re.compile(r"(?<!\d)\d(?:[ \u00a0.-]?\d){11}(?!\d)")

Key = tuple[datetime, str]
"""Where a page begins: after the scan with this time of arrival and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which scans; what is empty does not narrow the search."""

    first: datetime
    last: datetime
    """From, and before, by the time of arrival."""
    office: str = ""
    code: str = ""
    """A number as typed, of a packet or manifest."""
    login: str = ""
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some scans, the newest first: columns of Scan, `name` and `login` of who scanned, `text` as it may be shown."""

    rows: list[dict[str, Any]]
    after: Key | None


def scans(session: Session, wanted: Wanted, *, by: Actor, after: Key | None = None) -> Page:
    """Return a page of scans, the newest first."""
    statement = (
        select(
            Scan.id,
            Scan.raw,
            Scan.code,
            Scan.station,
            Scan.verdict,
            Scan.device,
            Scan.office,
            Scan.scanned_at,
            Scan.received_at,
            Staff.name,
            Staff.login,
        )
        .join(Staff, Staff.id == Scan.staff_id)
        .where(Scan.received_at >= max(wanted.first, wanted.last - LONGEST), Scan.received_at < wanted.last)
        .order_by(Scan.received_at.desc(), Scan.id.desc())
        .limit(PAGE + 1)
    )
    if wanted.office:
        statement = statement.where(Scan.office == wanted.office)
    if wanted.code:
        code = read(wanted.code).code
        statement = statement.where(Scan.code == code if code else Scan.raw == wanted.code.strip())
    if wanted.login:
        statement = statement.where(Staff.login == wanted.login.strip().lower())
    if wanted.verdict:
        statement = statement.where(Scan.verdict == wanted.verdict)
    if after is not None:
        statement = statement.where(tuple_(Scan.received_at, Scan.id) < tuple_(*after))
    rows = [dict(row) for row in session.execute(statement).mappings()]
    shown = rows[:PAGE]
    for row in shown:
        row["text"] = row["raw"] if by.roles & SEES_IDENTITY else masked(row["raw"])
    last = (shown[-1]["received_at"], shown[-1]["id"]) if len(rows) > PAGE else None
    return Page(rows=shown, after=last)


def masked(text: str) -> str:
    """Return a scanned text with all but the last four digits of an identity number hidden.

    Twelve digits that stand alone are one, whether or not their check digit is right: people mistype.
    """
    return _IDENTITY.sub(lambda found: "•" * 8 + re.sub(r"\D", "", found[0])[-4:], text)
