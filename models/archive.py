"""Archives: the files into which packets that ended long ago have gone with all of their history."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id


class Archive(Base):
    """One file: begun (its packets are marked), sealed (the file is whole), finished (the rows are gone)."""

    __tablename__ = "archives"
    __table_args__ = (
        # What ended late, or was held up, goes into a further part: a file is never changed.
        UniqueConstraint("month", "part"),
        CheckConstraint("part >= 1", name="parts_from_one"),
        CheckConstraint("(sealed_at IS NULL) = (sha256 IS NULL)", name="sealed_with_a_digest"),
        CheckConstraint("finished_at IS NULL OR sealed_at IS NOT NULL", name="finished_after_the_seal"),
    )

    id: Mapped[Id]
    month: Mapped[str] = mapped_column(
        String(7), comment="in which its packets ended, such as 2024-03, time of Almaty"
    )
    part: Mapped[int] = mapped_column(Integer, comment="1, and 1 more for each further file of the month")
    file: Mapped[str] = mapped_column(String(60), unique=True, comment="name in the folder of archives")
    packets: Mapped[int] = mapped_column(Integer, default=0, comment="lines of packets in the file")
    scans: Mapped[int] = mapped_column(
        Integer, default=0, comment="lines of scans that belong to no packet of the database"
    )
    rows: Mapped[int] = mapped_column(BigInteger, default=0, comment="rows of all tables in the file")
    size: Mapped[int] = mapped_column(BigInteger, default=0, comment="bytes of the file")
    sha256: Mapped[str | None] = mapped_column(String(64), comment="of the file, hex")
    stayed: Mapped[int] = mapped_column(
        Integer, default=0, comment="lines that do not count: changed meanwhile, and still in the database"
    )
    version: Mapped[str] = mapped_column(String(40), comment="of the program that began it")
    made_by: Mapped[str] = mapped_column(String(64), comment="system user at the command line")
    started_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None] = mapped_column(comment="when the file was read back and found right")
    finished_at: Mapped[datetime | None] = mapped_column(comment="when the last of its rows had gone")


class LeavingScan(Base):
    """A scan of no packet that an archive takes: marked before the file is written, gone with the scan."""

    __tablename__ = "leaving_scans"

    scan_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    archive_id: Mapped[int] = mapped_column(BigId, ForeignKey("archives.id"), index=True)
