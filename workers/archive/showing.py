"""The history of one packet, from the database or from its archive: the same either way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Archive, Manifest, Message, Packet, Staff
from models.database import Database
from workers.archive import file
from workers.archive.errors import BrokenArchiveError, MissingArchiveError, UnknownPacketError
from workflow.histories import TABLES, History, histories

_APPLICANT = ("name", "iin", "phone")
_TOLD = ("number", "service", "channel", "state", "state_since", "origin", "department", "register_number")
_MORE = ("outcome", "reason", "round", "details", "postal_number", "remark", "accepted_at", "promised_at")


def way_of(database: Database, folder: Path, number: str) -> dict[str, Any]:
    """Return what happened to a packet, for programs: as the API tells of one, and the rows of the other tables.

    `archive` says where its history lies, and is None while the database has it. Raises UnknownPacketError,
    MissingArchiveError or BrokenArchiveError.
    """
    with database.reading() as session:
        row = session.execute(
            select(Packet.id, Packet.archived_at, Archive)
            .outerjoin(Archive, Archive.id == Packet.archive_id)
            .where(Packet.number == number)
        ).one_or_none()
        if row is None:
            raise UnknownPacketError(what=number)
        archived = row.archived_at is not None
        history = None if archived else _from_database(session, row.id, number)
    if history is None:
        history = _from_file(folder, row.Archive, number)
    with database.reading() as session:
        return _told(session, history, row.Archive if archived else None)


def _from_database(session: Session, packet_id: int, number: str) -> History:
    told = session.scalars(select(Message.id).where(Message.subject == number).order_by(Message.id)).all()
    return histories(session, [packet_id], {packet_id: told})[packet_id]


def _from_file(folder: Path, archive: Archive, number: str) -> History:
    place = folder / archive.file
    if not place.exists():
        raise MissingArchiveError(files=archive.file, folder=folder)
    if file.digest_of(place) != archive.sha256:
        raise BrokenArchiveError(file=place, cause="SHA-256")
    for record in file.records(place):
        if record["kind"] == file.PACKET and record["packet"]["number"] == number:
            return record
    raise BrokenArchiveError(file=place, cause=number)


def _told(session: Session, history: History, archive: Archive | None) -> dict[str, Any]:
    packet, events = history["packet"], history["events"]
    people = dict(
        session.execute(
            select(Staff.id, Staff.name).where(Staff.id.in_({row["staff_id"] for row in events}))
        ).all()
    )
    bags = dict(
        session.execute(
            select(Manifest.id, Manifest.number).where(
                Manifest.id.in_({row["manifest_id"] for row in events} - {None})
            )
        ).all()
    )
    return {
        **{name: packet[name] for name in (*_TOLD, *_MORE)},
        "archive": archive and {"month": archive.month, "file": archive.file},
        "applicant": {
            **{name: packet[f"applicant_{name}"] for name in _APPLICANT},
            "residence": packet["residence"],
        },
        "enclosures": packet["enclosures"],
        "events": [
            {
                **{name: value for name, value in row.items() if name not in {"packet_id", "previous"}},
                "who": people.get(row["staff_id"]),
                "manifest": bags.get(row["manifest_id"]),
            }
            for row in events
        ],
        **{name: history[name] for name in TABLES if name != "events"},
    }
