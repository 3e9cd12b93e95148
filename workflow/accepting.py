"""Accepting an application: the packet gets its number, its department and its first holder."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from barcodes.numbers import packet_number
from barcodes.typed import iin_check
from config.errors import BadInputError, ConflictError, NotFoundError
from config.language import Text
from config.offices import office
from config.services import accepted_at, service
from models import Packet
from models.office import OfficeKind
from models.packet import Channel, State
from models.staff import Role
from routing import residence
from workflow import naming
from workflow.clocks import timing
from workflow.deciding import ReasonMissingError
from workflow.desk import Card, Desk
from workflow.ledger import PACKETS, SqlLedger
from workflow.moves import Move
from workflow.people import Actor, require_role
from workflow.promise import promised

NAME_LENGTH = 200

ACCEPTORS = (Role.INSPECTOR, Role.REGISTRAR, Role.CLERK)


class ApplicationError(BadInputError):
    """Something is missing from the application."""

    code = "application"


class NotAcceptedHereError(ConflictError):
    """This office does not accept such an application."""

    code = "not_accepted_here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """One kind of enclosed document."""

    name: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What the inspector types in when a citizen brings papers."""

    service: str
    """Code of the service, as in `shabarman services`."""
    applicant_name: str
    residence: str
    """Village, rural district, town or district, in Kazakh or Russian, or an akimat's office code."""
    district: str | None = None
    """Code of the district, where the name of the place alone does not tell."""
    applicant_iin: str | None = None
    """12 digits with their check, where the applicant has one."""
    applicant_phone: str | None = None
    enclosures: tuple[Enclosure, ...] = ()
    request_id: str | None = None
    """Made by the client; the same id accepts once and gets the same number again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What acceptance gives back: for the label and the receipt."""

    number: str
    status_code: str
    """For the applicant's own look-up; unguessable."""
    department: str
    """Code of the office that decides."""
    district: str


def accept(
    session: Session, applications: Sequence[Application], *, by: Actor, now: datetime
) -> list[Accepted]:
    """Accept applications, all or none, and return their numbers in the same order.

    Raises ApplicationError, NotAcceptedHereError, `config.services.UnknownServiceError`, or the errors of
    `routing.residence` for a place that nobody knows or that several districts have.
    """
    role = require_role(by, *ACCEPTORS)
    known = _accepted_before(session, applications, by=by)
    fresh = [application for application in applications if application.request_id not in known]
    asked = [application.request_id for application in fresh if application.request_id]
    if len(set(asked)) < len(asked):
        raise ApplicationError(
            Text("Two applications of the list have the same request id. Make a new id for each.")
        )
    if not fresh:
        return [known[application.request_id] for application in applications]
    places = [_checked(application, by=by) for application in fresh]
    ledger = SqlLedger(session)
    year, last = ledger.serial(by.office, "packet", now, count=len(fresh))
    rules = timing(session)
    rows: list[dict[str, Any]] = []
    for serial, (application, place) in enumerate(
        zip(fresh, places, strict=True), start=last - len(fresh) + 1
    ):
        rows.append(
            {
                "number": packet_number(by.office, year, serial),
                "request_id": application.request_id,
                "service": application.service,
                "channel": Channel(by.kind.value),
                "origin": by.office,
                "department": by.office if decided_here(application.service, by) else place.department().code,
                "state": State.ACCEPTED,
                "state_since": now,
                "moved_by": by.id,
                "holder_office": by.office,
                "holder_role": role,
                "holder_id": by.id,
                "version": 1,
                "manifest_id": None,
                "register_number": None,
                "executor_id": None,
                "outcome": None,
                "reason": None,
                "round": 1,
                "remark": None,
                "details": {},
                "postal_number": None,
                "accepted_at": now,
                "accepted_by": by.id,
                "promised_at": promised(
                    rules,
                    service=application.service,
                    channel=by.kind.value,
                    origin=by.office,
                    department=place.department().code,
                    at=now,
                ),
                "status_code": secrets.token_urlsafe(16),
                "applicant_name": application.applicant_name.strip(),
                "applicant_iin": application.applicant_iin,
                "applicant_phone": application.applicant_phone,
                "residence": application.residence.strip(),
                "residence_akimat": _akimat(place),
                "enclosures": [{"name": item.name, "count": item.count} for item in application.enclosures],
            }
        )
    ids = session.scalars(insert(PACKETS).returning(PACKETS.c.id, sort_by_parameter_order=True), rows)
    desk = Desk(by=by, now=now, ledger=ledger)
    numbered = list(zip(ids, rows, strict=True))
    naming.enter(
        session, [(id_, row["applicant_name"], {row["origin"], row["department"]}) for id_, row in numbered]
    )
    for id_, row in numbered:
        desk.begin(
            Card(id=id_, **{name: row[name] for name in Card.__slots__ if name != "id"}),
            department=row["department"],
        )
    ledger.save(desk)
    made = iter(rows)
    return [known.get(application.request_id) or _given(next(made)) for application in applications]


def _given(row: Mapping[Any, Any]) -> Accepted:
    return Accepted(
        number=row["number"],
        status_code=row["status_code"],
        department=row["department"],
        district=office(row["department"]).district,
    )


def _checked(application: Application, *, by: Actor) -> residence.Match:
    """Return where the applicant lives; raise when the application cannot be accepted here as it is."""
    wanted = service(application.service)
    if by.kind.value not in wanted.routes:
        raise NotAcceptedHereError(
            Text("This office does not accept the service “{service}”. It accepts: {services}."),
            service=application.service,
            services=", ".join(held.code for held in accepted_at(by.kind.value)) or "–",
        )
    if not 0 < len(application.applicant_name.strip()) <= NAME_LENGTH:
        raise ApplicationError(
            Text("Type the applicant's name as it stands in the identity card (up to 200 characters).")
        )
    if application.applicant_iin is not None and not iin_check(application.applicant_iin):
        raise ApplicationError(
            Text("The IIN does not pass its check: 12 digits, as on the identity card. Type it again.")
        )
    if any(not item.name.strip() or item.count < 1 for item in application.enclosures):
        raise ApplicationError(Text("Every enclosure needs a name and a count of at least 1."))
    place = residence.find(application.residence, district=application.district)
    home = place.department()
    if by.kind is not OfficeKind.CENTRE and home.district != by.district:
        raise NotAcceptedHereError(
            Text("The applicant lives in another district. Send them to {office}."), office=home.name_kk
        )
    return place


def decided_here(code: str, by: Actor) -> bool:
    """Tell whether the office of `by` decides on the service itself: its route resolves where it accepts."""
    route = service(code).routes[by.kind.value]
    resolution = route.step("resolve")
    return resolution is not None and resolution.at == by.kind.value


def _akimat(place: residence.Match) -> str | None:
    """Return the akimat of the residence, where the place names exactly one."""
    akimats = place.candidates[0].akimats
    return akimats[0] if len(akimats) == 1 else None


def withdraw(session: Session, number: str, *, reason: str, by: Actor, now: datetime) -> Card:
    """Give the papers back to an applicant who withdraws, before they are sent."""
    require_role(by, *ACCEPTORS)
    if not reason.strip():
        raise ReasonMissingError
    ledger = SqlLedger(session)
    desk = ledger.desk(by=by, now=now, numbers=[number])
    card = ledger.card(desk, number)
    if card.origin != by.office:
        raise NotFoundError(what=number)
    desk.move(card, Move.WITHDRAW, State.WITHDRAWN, holder=None, reason=reason.strip())
    ledger.save(desk)
    return card


def _accepted_before(
    session: Session, applications: Sequence[Application], *, by: Actor
) -> dict[str | None, Accepted]:
    ids = [application.request_id for application in applications if application.request_id]
    if not ids:
        return {}
    rows = session.execute(
        select(Packet.request_id, Packet.number, Packet.status_code, Packet.department).where(
            Packet.request_id.in_(ids), Packet.accepted_by == by.id
        )
    )
    return {row["request_id"]: _given(row) for row in rows.mappings()}
