"""What follows a decision: return slips of referrals, results that nobody fetches, and who deputises."""

from fastapi import APIRouter, Response

from web.api.shapes import AbsenceGiven, SlipAnswer, SlipGiven, UnclaimedAnswer
from web.asking import AskingApi
from web.views.packets import canonical
from workflow import deciding, referring, unclaimed

router = APIRouter(prefix="/api/v1", tags=["results"])


@router.put("/packets/{number}/return_slip")
def return_slip(number: str, given: SlipGiven, asking: AskingApi) -> SlipAnswer:
    """Record, or correct, what the employer wrote on the return slip of a referral."""
    code = canonical(number)
    slip = asking.database.transact(
        lambda session: referring.slip_returned(
            session,
            code,
            entered_on=given.entered_on,
            order_number=given.order_number,
            by=asking.by,
            now=asking.now,
        )
    )
    return SlipAnswer(
        number=code, hired=slip.hired, entered_on=slip.entered_on, order_number=slip.order_number
    )


@router.get("/unclaimed")
def list_unclaimed(asking: AskingApi) -> list[UnclaimedAnswer]:
    """List the results of the own office that nobody has fetched for a month, the oldest first."""
    with asking.database.reading() as session:
        return [
            UnclaimedAnswer(number=packet.number, service=packet.service, since=packet.state_since)
            for packet in unclaimed.listed(session, by=asking.by, now=asking.now)
        ]


@router.put("/staff/{login}/absence", status_code=204)
def absence(login: str, given: AbsenceGiven, asking: AskingApi) -> Response:
    """Say until when an executor of the own office is absent, and who deputises."""
    asking.database.transact(
        lambda session: deciding.absent(
            session, login, until=given.until, deputy=given.deputy, by=asking.by, now=asking.now
        )
    )
    return Response(status_code=204)
