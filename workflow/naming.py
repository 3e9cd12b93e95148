"""Naming: enters packets under their applicants' names in the files of the offices that may look them up."""

from collections.abc import Collection, Sequence
from typing import cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from config.letters import name_key
from models import ApplicantName, Packet

LONGEST = 200
"""Characters of a name that are compared."""


def enter(session: Session, packets: Sequence[tuple[int, str, Collection[str]]]) -> None:
    """Enter new packets, each with the applicant's name and the codes of the offices in whose files it comes."""
    rows = [
        {"office": office, "key": _key(name), "packet_id": packet_id}
        for packet_id, name, offices in packets
        for office in sorted(offices)
    ]
    session.execute(insert(cast("Table", ApplicantName.__table__)), rows)


def enter_at(session: Session, packet_id: int, *, office: str) -> None:
    """Enter a packet in the file of one more office; where it is entered already, nothing changes."""
    name = session.scalars(select(Packet.applicant_name).where(Packet.id == packet_id)).one()
    session.merge(ApplicantName(office=office, key=_key(name), packet_id=packet_id))


def _key(name: str) -> str:
    return name_key(name)[:LONGEST]
