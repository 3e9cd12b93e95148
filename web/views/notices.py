"""Notices as people see them: unread ones of the own office, each in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from barcodes.numbers import Kind, grouped, kind_of
from config.language import Text
from models import Notice
from web.words import DIFFERENCES, SETTLEMENTS, short_office
from workflow.people import Actor

MOST_LISTED = 100

SENTENCES: dict[str, Text] = {
    "packet.accepted": Text("Packet {number} was accepted at {office}; it will come to you."),
    "packet.registered": Text("Packet {number} is registered at {office}."),
    "packet.decided": Text("Packet {number}: the decision is signed at {office}."),
    "packet.handed_over": Text("The result of packet {number} was handed over to the applicant."),
    "packet.withdrawn": Text("Packet {number} was withdrawn by the applicant: {reason}."),
    "packet.undone": Text("Packet {number}: the last step at {office} was taken back."),
    "packet.missing": Text("Packet {number} is missing: {office} did not find it in the bag."),
    "packet.found": Text("Packet {number} was found at {office}."),
    "packet.lost": Text("Packet {number} was given up as lost: {reason}. Tell the applicant."),
    "packet.misrouted": Text(
        "Your packet {number} was brought to {office}; it comes with the next manifest."
    ),
    "packet.rerouted": Text("Packet {number} goes to another department: {reason}."),
    "manifest.departed": Text(
        "Manifest {number} with {count} packet left {office}.",
        "Manifest {number} with {count} packets left {office}.",
    ),
    "manifest.closed": Text("Manifest {number} was taken over by {office}."),
    "result.ready": Text("The result of packet {number} is here. Hand it over to the applicant today."),
    "result.returned": Text("The result of packet {number}, which nobody fetched, is at {office} again."),
    "result.unclaimed": Text(
        "Nobody has fetched the result of packet {number} for a month. Call the applicant, or send it back."
    ),
    "discrepancy.opened": Text("Packet {number}: {office} reports a difference ({kind}). {reason}"),
    "discrepancy.settled": Text("Packet {number}: the difference is settled ({settlement})."),
    "deadline.near": Text("Packet {number}: the time for this step is nearly over."),
    "message.died": Text(
        "News of {number} could not be told to {office} ({reason}): see `shabarman messages --dead`."
    ),
    "deadline.missed": Text("Packet {number}: the time for this step is over. Act today."),
    "run.late": Text("The courier run {number} is late."),
    "calendar.unconfirmed": Text("The working calendar of {number} is not confirmed yet. Confirm its dates."),
}
"""What each type of message says; the places are filled from its data."""

OF_MANY: dict[str, Text] = {
    "deadline.near": Text(
        "The time for a step is nearly over for {count} packet: {number}.",
        "The time for a step is nearly over for {count} packets, the first is {number}.",
    ),
    "deadline.missed": Text(
        "The time for a step is over for {count} packet: {number}. Act today.",
        "The time for a step is over for {count} packets, the first is {number}. Act today.",
    ),
}
"""The same where one notice stands for several packets."""

OF_SEVERAL: dict[str, Text] = {
    "packet.accepted": Text(
        "{count} packet was accepted at {office}; it will come to you.",
        "{count} packets were accepted at {office}; they will come to you.",
    ),
    "packet.registered": Text(
        "{count} packet is registered at {office}.", "{count} packets are registered at {office}."
    ),
    "packet.decided": Text(
        "The decision on {count} packet is signed at {office}.",
        "The decisions on {count} packets are signed at {office}.",
    ),
    "packet.handed_over": Text(
        "The result of {count} packet was handed over to the applicant.",
        "The results of {count} packets were handed over to the applicants.",
    ),
    "packet.missing": Text(
        "{count} packet is missing: {office} did not find it in the bag.",
        "{count} packets are missing: {office} did not find them in the bag.",
    ),
    "result.ready": Text(
        "The result of {count} packet is here. Hand it over to the applicant today.",
        "The results of {count} packets are here. Hand them over to the applicants today.",
    ),
}
"""What several notices of one type say together, when they come from one office."""

SEVERAL = 3
"""So many notices of one type and office are told in one sentence."""

URGENT = frozenset({"result.ready", "packet.missing", "deadline.missed", "run.late", "result.unclaimed"})
"""What somebody has to act upon today; it comes first."""

OTHER = Text("News of {number}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One notice, or several that say the same of different packets."""

    said: str
    notices: tuple[Notice, ...]
    """The newest last."""
    urgent: bool

    @property
    def at(self) -> datetime:
        """When the newest of them came."""
        return self.notices[-1].created_at


def grouped_news(unread: Sequence[Notice], *, language: str) -> list[News]:
    """Return notices in sentences, alike ones together: what is urgent first, then the newest."""
    alike: dict[tuple[object, ...], list[Notice]] = {}
    for notice in unread:
        alone = notice.type not in OF_SEVERAL
        alike.setdefault((notice.type, notice.data.get("office"), notice.id if alone else 0), []).append(
            notice
        )
    found = []
    for notices in alike.values():
        parts = [notices] if len(notices) >= SEVERAL else [[notice] for notice in notices]
        found += [
            News(
                said=_of(part, language),
                notices=tuple(part),
                urgent=part[0].type in URGENT,
            )
            for part in parts
        ]
    return sorted(found, key=lambda news: (not news.urgent, -news.notices[-1].id))


def _of(notices: Sequence[Notice], language: str) -> str:
    first = notices[0]
    if len(notices) == 1:
        return sentence(type_=first.type, subject=first.subject, data=first.data, language=language)
    office = first.data.get("office")
    return OF_SEVERAL[first.type].render(
        language,
        count=len(notices),
        office=short_office(office, language) if isinstance(office, str) else "–",
    )


def sentence(*, type_: str, subject: str, data: dict[str, Any], language: str) -> str:
    """Return one notice in words."""
    place = data.get("office")
    said = OF_MANY.get(type_) if "numbers" in data else None
    return (
        (said or SENTENCES.get(type_, OTHER))
        .render(
            language,
            number=grouped(subject),
            office=short_office(place, language) if isinstance(place, str) else "–",
            reason=data.get("reason") or "–",
            count=data.get("count", "–"),
            kind=_word(DIFFERENCES, data.get("kind"), language),
            settlement=_word(SETTLEMENTS, data.get("settlement"), language),
        )
        .removesuffix(" –")
    )


def address(subject: str) -> str:
    """Return the address of the page of what a notice is about; the first page where there is none."""
    kind = kind_of(subject)
    if kind is Kind.MANIFEST:
        return f"/manifests/{subject}"
    return f"/packets/{subject}" if kind is Kind.PACKET else "/"


def _word(words: dict[str, Text], word: object, language: str) -> str:
    known = words.get(str(word))
    return known.render(language) if known else str(word or "–")


def unread(session: Session, *, by: Actor, limit: int = MOST_LISTED, after: int = 0) -> list[Notice]:
    """Return the unread notices of the office of `by`, the oldest first; only those with an id over `after`."""
    return list(
        session.scalars(
            select(Notice)
            .where(Notice.office == by.office, Notice.read_at.is_(None), Notice.id > after)
            .order_by(Notice.id)
            .limit(limit)
        )
    )


def count_unread(session: Session, *, by: Actor) -> int:
    """Return how many notices of the office of `by` nobody has read."""
    return (
        session.scalar(
            select(func.count(Notice.id)).where(Notice.office == by.office, Notice.read_at.is_(None))
        )
        or 0
    )
