"""When the couriers of a centre leave, where operators have set it. Rows are only added; the newest one counts."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, OfficeCode


class RunTimes(Base):
    """The departures of one centre."""

    __tablename__ = "run_times"

    id: Mapped[Id]
    centre: Mapped[OfficeCode] = mapped_column(ForeignKey("offices.code"))
    times: Mapped[list[Any] | None] = mapped_column(
        JSON(none_as_null=True), comment="such as 10:00, time of Almaty; empty: as the settings say"
    )
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(String(64), comment="login of the operator")
