"""Looking packets up by what an applicant says at the counter: the IIN, or the beginning of the name."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from barcodes.foreign import iin_check
from config.errors import BadInputError
from config.language import Text
from config.letters import name_key
from models import ApplicantName, Packet
from workflow.people import EVERYWHERE, Actor

SHORTEST = 3
"""Letters of a name; fewer find half of the district."""

LONGEST = 200
"""Characters that are looked at."""

PAGE = 50
"""Packets on one page."""

_LAST_LETTER = "\U0010ffff"


class TooShortError(BadInputError):
    """What was typed finds too many."""

    code = "too_short"
    text = Text("Type a number, the 12 digits of the IIN, or at least three letters of the family name.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of what was found; the newest first for an IIN, by name otherwise."""

    packets: tuple[Packet, ...]
    next: str | None
    """Where the next page begins; None on the last one."""


def find(session: Session, typed: str, *, by: Actor, after: str = "") -> Found:
    """Return the packets of an applicant that the office of `by` accepted or decides on.

    `typed` is an IIN, or the beginning of a family name, where wanted with that of the first name; Kazakh and Russian
    spelling find each other. Operators find an IIN in all offices. Raises TooShortError.
    """
    digits = "".join(typed.split())
    if iin_check(digits):
        rows = session.execute(_by_iin(digits, by, after=after).limit(PAGE + 1)).all()
    else:
        rows = session.execute(_by_name(typed, by, after=after).limit(PAGE + 1)).all()
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return Found(
        packets=tuple(row.Packet for row in rows[:PAGE]),
        next=f"{last.key} {last.Packet.id}" if last is not None else None,
    )


def _by_iin(iin: str, by: Actor, *, after: str) -> Select[Packet, str | None]:
    statement = (
        select(Packet, Packet.applicant_iin.label("key"))
        .where(Packet.applicant_iin == iin)
        .order_by(Packet.id.desc())
    )
    if not by.roles & EVERYWHERE:
        statement = statement.where(_own(by))
    last = after.rpartition(" ")[2]
    return statement.where(Packet.id < int(last)) if last.isdecimal() else statement


def _by_name(typed: str, by: Actor, *, after: str) -> Select[Packet, str]:
    begin, *more = name_key(typed).split()[:5] or [""]
    if len(begin) < SHORTEST:
        raise TooShortError
    key = ApplicantName.key
    statement = (
        select(Packet, key.label("key"))
        .join(Packet, Packet.id == ApplicantName.packet_id)
        .where(ApplicantName.office == by.office, key >= begin, key < begin + _LAST_LETTER, _own(by))
        .order_by(key, ApplicantName.packet_id)
    )
    for word in more:
        statement = statement.where(key.contains(f" {word}"))
    last_key, _, last = after.rpartition(" ")
    if last.isdecimal():
        statement = statement.where(
            or_(key > last_key, and_(key == last_key, ApplicantName.packet_id > int(last)))
        )
    return statement


def _own(by: Actor) -> ColumnElement[bool]:
    """Tell which packets show their applicant to the office of `by`."""
    return or_(Packet.origin == by.office, Packet.department == by.office)
