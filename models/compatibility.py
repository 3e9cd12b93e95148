"""Which programs still work with the tables: what lets old and new ones run side by side while a site is renewed."""

from sqlalchemy import CheckConstraint, Connection, Integer, String, inspect, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Compatibility(Base):
    """One row. A step that only adds leaves it; a step that takes something away says whom it shuts out."""

    __tablename__ = "compatibility"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    oldest: Mapped[str] = mapped_column(
        String(32), comment="the oldest step whose programs still work with these tables"
    )


def oldest_program(connection: Connection) -> str | None:
    """Return the oldest step whose programs still work with these tables, None where nothing is promised."""
    if not inspect(connection).has_table(Compatibility.__tablename__):
        return None
    return connection.scalar(select(Compatibility.oldest))
