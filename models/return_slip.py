"""Return slips of referrals: what the employer wrote below the cutting line (service 4, annex 2)."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class ReturnSlip(Base):
    """The answer of the employer to one referral."""

    __tablename__ = "return_slips"
    __table_args__ = (
        CheckConstraint("hired = (order_number IS NOT NULL)", name="hired_by_an_order"),
        CheckConstraint("hired = (entered_on IS NOT NULL)", name="hired_on_a_day"),
    )

    packet_id: Mapped[int] = mapped_column(BigId, ForeignKey("packets.id"), primary_key=True)
    hired: Mapped[bool] = mapped_column(comment="whether the person was taken on")
    entered_on: Mapped[date | None] = mapped_column(comment="first day of work")
    order_number: Mapped[str | None] = mapped_column(String(40), comment="number of the employer's order")
    received_at: Mapped[datetime]
    received_by: Mapped[int] = mapped_column(BigId, ForeignKey("staff.id"))
