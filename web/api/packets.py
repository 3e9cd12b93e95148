"""Packets: accepting, looking at one, and listing what the own office holds."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import Discriminator, Field, Tag

from models import Packet
from models.packet import State
from web.api.shapes import (
    MOST_AT_ONCE,
    AcceptedAnswer,
    Applicant,
    ApplicationGiven,
    DeadlineAnswer,
    EventAnswer,
    HeldAnswer,
    PacketAnswer,
)
from web.api.slicing import IN_SLICES, After, tell_next
from web.asking import AskingApi
from web.views import deadlines, packets
from workflow.accepting import Accepted, Application, Enclosure, accept
from workflow.protocol import STATES

router = APIRouter(prefix="/api/v1", tags=["packets"])


def _one_or_many(given: object) -> str:
    return "many" if isinstance(given, list) else "one"


Many = Annotated[list[ApplicationGiven], Field(min_length=1, max_length=MOST_AT_ONCE)]
OneOrMany = Annotated[
    Annotated[ApplicationGiven, Tag("one")] | Annotated[Many, Tag("many")], Discriminator(_one_or_many)
]


@router.post("/packets", status_code=201)
def accept_packets(
    given: Annotated[OneOrMany, Body()], asking: AskingApi
) -> AcceptedAnswer | list[AcceptedAnswer]:
    """Accept one application, or a list of them, all or none."""
    wanted = given if isinstance(given, list) else [given]
    applications = [application(one) for one in wanted]
    made = asking.database.transact(
        lambda session: accept(session, applications, by=asking.by, now=asking.now)
    )
    answers = [_accepted(one) for one in made]
    return answers if isinstance(given, list) else answers[0]


@router.get("/packets", responses=IN_SLICES)
def held_packets(
    request: Request,
    answer: Response,
    asking: AskingApi,
    state: Annotated[list[State] | None, Query()] = None,
    after: After = "",
) -> list[HeldAnswer]:
    """List what the own office holds, the longest waiting first; up to 200, and the `Link` to the next."""
    with asking.database.reading() as session:
        found = packets.held(session, by=asking.by, states=state or (), after=after)
    tell_next(request, answer, found.next)
    return [_held(packet) for packet in found.rows]


@router.get("/packets/{number}")
def look_at_packet(number: str, asking: AskingApi) -> PacketAnswer:
    """Show a packet with its timeline to an office that has, or had, to do with it."""
    with asking.database.reading() as session:
        seen = packets.packet(session, number, by=asking.by)
        clocks = deadlines.clocks(
            session, seen.packet.id, by=asking.by, now=asking.now, language=asking.language
        )
    found = seen.packet
    applicant = Applicant(
        name=found.applicant_name,
        iin=found.applicant_iin,
        phone=found.applicant_phone,
        residence=found.residence,
    )
    return PacketAnswer(
        number=found.number,
        service=found.service,
        channel=found.channel,
        state=found.state,
        state_name=STATES[found.state].render(asking.language),
        state_since=found.state_since,
        origin=found.origin,
        department=found.department,
        holder_office=found.holder_office,
        holder_role=found.holder_role,
        holder_name=seen.holder_name,
        manifest=seen.manifest,
        register_number=found.register_number,
        executor_name=seen.executor_name,
        outcome=found.outcome,
        reason=found.reason if seen.private else None,
        round=found.round,
        remark=found.remark,
        accepted_at=found.accepted_at,
        promised_at=found.promised_at,
        deadlines=[DeadlineAnswer.model_validate(clock, from_attributes=True) for clock in clocks],
        applicant=applicant if seen.private else None,
        enclosures=found.enclosures,
        archived=seen.archived,
        events=[
            EventAnswer.model_validate(event, from_attributes=True)
            if seen.private
            else EventAnswer.model_validate(event, from_attributes=True).model_copy(update={"data": {}})
            for event in seen.events
        ],
    )


def application(given: ApplicationGiven) -> Application:
    """Return what the workflow accepts; a field that was left empty counts as not given."""
    return Application(
        service=given.service,
        applicant_name=given.applicant_name,
        residence=given.residence,
        district=given.district or None,
        applicant_iin=given.applicant_iin or None,
        applicant_phone=given.applicant_phone or None,
        enclosures=tuple(Enclosure(name=item.name, count=item.count) for item in given.enclosures),
        request_id=given.request_id,
    )


def _accepted(made: Accepted) -> AcceptedAnswer:
    return AcceptedAnswer(
        number=made.number, status_code=made.status_code, department=made.department, district=made.district
    )


def _held(found: Packet) -> HeldAnswer:
    return HeldAnswer(
        number=found.number,
        service=found.service,
        state=found.state,
        state_since=found.state_since,
        holder_role=found.holder_role,
        origin=found.origin,
        department=found.department,
    )
