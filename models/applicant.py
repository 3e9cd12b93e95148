"""Applicants' names as offices look them up; rows are added with the packet and never changed."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, OfficeCode


class ApplicantName(Base):
    """One packet under its applicant's name, in the file of one office that accepts or decides on it.

    A table of its own and no index of `packets`: every move of a packet would have to write that index again.
    """

    __tablename__ = "applicant_names"

    office: Mapped[OfficeCode] = mapped_column(
        ForeignKey("offices.code"), primary_key=True, comment="office that may look it up"
    )
    key: Mapped[str] = mapped_column(
        # In the order of code points, so that names with one beginning lie together.
        String(200).with_variant(String(200, collation="C"), "postgresql"),
        primary_key=True,
        comment="name in the spelling of config.letters.name_key",
    )
    packet_id: Mapped[int] = mapped_column(BigId, ForeignKey("packets.id"), primary_key=True)
