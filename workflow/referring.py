"""Referrals: the return slip that the employer fills in and sends back (service 4, annex 2)."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import BadInputError, ConflictError, NotFoundError
from config.language import Text
from config.services import service
from models import Packet, ReturnSlip
from models.packet import Outcome, State
from models.staff import Role
from workflow.archiving import require_open
from workflow.people import Actor, require_role


class NoReferralError(ConflictError):
    """The packet has no referral that could come back."""

    code = "no_referral"
    text = Text(
        "Packet {number} has no referral that was handed over, so no return slip can come back for it."
    )


class SlipError(BadInputError):
    """The slip lacks what it must say."""

    code = "slip"


def slip_returned(
    session: Session,
    number: str,
    *,
    entered_on: date | None,
    order_number: str | None,
    by: Actor,
    now: datetime,
) -> ReturnSlip:
    """Record the employer's answer: the day of entry and the order, or neither where the person was not taken on.

    Recorded again, the slip is corrected. Raises NoReferralError, SlipError or ArchivedError.
    """
    require_role(by, Role.EXECUTOR, Role.REGISTRAR)
    packet = session.scalars(select(Packet).where(Packet.number == number).with_for_update()).one_or_none()
    if packet is None or packet.department != by.office:
        raise NotFoundError(what=number)
    referral = service(packet.service).result == "referral" and packet.outcome is Outcome.ASSIGNED
    if not referral or packet.state is not State.HANDED_OVER:
        raise NoReferralError(number=number)
    require_open(session, number)
    order = (order_number or "").strip() or None
    if (entered_on is None) != (order is None):
        raise SlipError(Text("Write both the day of entry and the number of the order, or neither."))
    if order is not None and len(order) > 40:
        raise SlipError(Text("The number of the order has more than 40 characters."))
    slip = session.get(ReturnSlip, packet.id) or ReturnSlip(packet_id=packet.id)
    slip.hired = entered_on is not None
    slip.entered_on, slip.order_number = entered_on, order
    slip.received_at, slip.received_by = now, by.id
    session.add(slip)
    return slip
