"""The schedule as rows: who inserts a moment first carries its job out."""

from datetime import datetime

from sqlalchemy import Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, database_now


class Job(Base):
    """One moment at which one job was due, and was done."""

    __tablename__ = "jobs"
    __table_args__ = (
        # However many ticks there are for a moment, one of them does the work.
        UniqueConstraint("job", "due"),
    )

    id: Mapped[Id]
    job: Mapped[str] = mapped_column(String(40), comment="name of the task")
    due: Mapped[datetime] = mapped_column(comment="by the database's clock")
    missed: Mapped[int] = mapped_column(Integer, comment="moments before it that passed without a tick")
    taken_at: Mapped[datetime] = mapped_column(server_default=database_now())
    done_at: Mapped[datetime | None] = mapped_column(
        comment="empty while it runs, and where its worker died of it"
    )
