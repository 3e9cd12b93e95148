"""What programs send and get: the JSON of the API."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from barcodes.numbers import Kind
from models.manifest import LineState, ManifestState
from models.packet import Channel, Leg, Outcome, State
from models.scan import Station, Verdict
from models.staff import Role
from web.characters import storable

MOST_AT_ONCE = 500
"""Most packets or scans in one list."""


def _storable(text: str) -> str:
    if not storable(text):
        raise ValueError("control characters cannot be kept")
    return text


def _of_this_age(moment: datetime) -> datetime:
    # The ends of the calendar cannot be brought to UTC, and no scan is from there.
    if not 2000 <= moment.year < 2100:
        raise ValueError("the year is between 2000 and 2099")
    return moment


Words = Annotated[str, AfterValidator(_storable)]
Reason = Annotated[Words, Field(max_length=1000, description="Why; shown to both sides and kept for good.")]
Number = Annotated[Words, Field(max_length=40, description="Digits of a packet, grouped or not.")]
Numbers = Annotated[list[Number], Field(min_length=1, max_length=MOST_AT_ONCE)]
Id = Annotated[int, Field(ge=1, lt=2**53)]
Moment = Annotated[AwareDatetime, AfterValidator(_of_this_age)]


class Given(BaseModel):
    """Something that a client sends; a field that is not known is refused, so that a typing error is noticed."""

    model_config = ConfigDict(extra="forbid")


class ScanGiven(Given):
    """One reading of one code."""

    id: Annotated[Words, Field(min_length=1, max_length=64)] = Field(
        description="Made by the client; the same id gets the same answer for ever."
    )
    raw: Annotated[str, Field(max_length=4000)] = Field(description="The code as read, before any repair.")
    station: Station
    at: Moment = Field(description="The client's time of the scan, with its zone.")
    device: Annotated[Words, Field(max_length=100)] = Field(
        default="api", description="Scanner, camera, keyboard or the name of a handheld."
    )
    manifest: Annotated[Words, Field(max_length=40)] | None = Field(
        default=None, description="The manifest that is open at this place, where one is."
    )


class ReadingGiven(Given):
    """A text as a scanner typed it."""

    raw: Annotated[str, Field(max_length=4000)] = Field(description="The text as it came, before any repair.")


class ReadingAnswer(BaseModel):
    """What a text is taken for."""

    kind: Kind
    code: str | None = Field(description="The number in digits alone, where it is one of ours.")
    repair: str = Field(description="What was undone to read it, as the scan log would keep it: `aim+kk`.")
    repaired: str = Field(description="The same in words.")
    say: str = Field(description="What to do now.")


class ScanAnswer(BaseModel):
    """The answer to one scan."""

    id: str
    verdict: Verdict
    say: str = Field(description="What happened and what to do next, in the language of the request.")
    state: State | None
    code: str | None = Field(description="The number that was read, in digits alone.")
    facts: dict[str, Any]


class EnclosureGiven(Given):
    """One kind of enclosed document."""

    name: Annotated[Words, Field(max_length=300)]
    count: Annotated[int, Field(ge=1, le=999)] = 1


class ApplicationGiven(Given):
    """An application as the inspector takes it."""

    service: Annotated[Words, Field(max_length=40)] = Field(description="Code, see /api/v1/services.")
    applicant_name: Annotated[Words, Field(max_length=400)]
    residence: Annotated[Words, Field(max_length=300)] = Field(
        description="Village, rural district, town or district, in Kazakh or Russian, or an akimat's code."
    )
    district: Annotated[Words, Field(max_length=40)] | None = Field(
        default=None, description="Code of the district, where the name of the place alone does not tell."
    )
    applicant_iin: Annotated[Words, Field(max_length=40)] | None = None
    applicant_phone: Annotated[Words, Field(max_length=40)] | None = None
    enclosures: Annotated[list[EnclosureGiven], Field(max_length=50)] = []
    request_id: Annotated[Words, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="Made by the client; the same id accepts once and gets the same number."
    )


class AcceptedAnswer(BaseModel):
    """An accepted packet."""

    number: str
    status_code: str = Field(description="Unguessable; for the receipt and the applicant's own look-up.")
    department: str
    district: str


class Because(Given):
    """A command that needs a reason."""

    reason: Reason


class MaybeBecause(Given):
    """A command for which only some need a reason."""

    reason: Reason | None = None


class Seal(Given):
    """The seal of a bag."""

    seal_number: Annotated[Words, Field(max_length=100)]


class Closing(Given):
    """Why each packet that was not in the bag is held to be missing."""

    reasons: dict[Number, Reason] = {}


class RegisterGiven(Given):
    """The number in the department's own register."""

    register_number: Annotated[Words, Field(max_length=100)]


class NumbersGiven(Given):
    """Several packets, all or none."""

    numbers: Numbers


class ResolutionGiven(NumbersGiven):
    """The head's resolution."""

    executor: Annotated[Words, Field(max_length=64)] = Field(description="Login of the executor.")


class DraftGiven(Given):
    """The executor's draft."""

    outcome: Outcome
    reason: Reason | None = Field(default=None, description="Needed for a refusal.")
    details: dict[Annotated[Words, Field(max_length=40)], Annotated[Words, Field(max_length=300)]] = Field(
        default_factory=dict,
        description="Fields of the result's paper: employer, measure, term; quarter, year, members; assignment.",
    )


class PostGiven(Given):
    """A result that went by registered post."""

    postal_number: Annotated[Words, Field(max_length=40)] = Field(description="S10 number of the letter.")


class SlipGiven(Given):
    """What the employer wrote on the return slip; both empty where the person was not taken on."""

    entered_on: date | None = Field(default=None, description="First day of work.")
    order_number: Annotated[Words, Field(max_length=100)] | None = None


class AbsenceGiven(Given):
    """An absence of an executor; without a day it is over."""

    until: date | None = Field(default=None, description="Last day of the absence.")
    deputy: Annotated[Words, Field(max_length=64)] | None = Field(default=None, description="Login.")


class SlipAnswer(BaseModel):
    """A return slip as it is kept."""

    number: str
    hired: bool
    entered_on: date | None
    order_number: str | None


class UnclaimedAnswer(BaseModel):
    """A result that has waited too long for its applicant."""

    number: str
    service: str
    since: datetime


class RerouteGiven(Because):
    """Where the packet belongs."""

    district: Annotated[Words, Field(max_length=40)]


class ReadGiven(Given):
    """Notices that somebody has read."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)]


class CardAnswer(BaseModel):
    """A packet after a command."""

    number: str
    state: State
    state_name: str
    holder_office: str | None
    holder_role: Role | None
    department: str
    register_number: str | None
    outcome: Outcome | None
    round: int
    version: int


class BagAnswer(BaseModel):
    """A manifest after a command."""

    number: str
    state: ManifestState
    leg: Leg
    origin: str
    destination: str
    seal_number: str | None


class EventAnswer(BaseModel):
    """One move of a packet."""

    seq: int
    at: datetime
    recorded_at: datetime
    move: str
    from_state: State | None
    to_state: State
    office: str
    who: str
    holder_office: str | None
    holder_role: Role | None
    manifest: str | None
    scan_id: str | None
    data: dict[str, Any]


class Applicant(BaseModel):
    """The applicant's data; only for the offices that accept and decide."""

    name: str
    iin: str | None
    phone: str | None
    residence: str


class DeadlineAnswer(BaseModel):
    """The clock of one step, in the working time of the office that holds the packet."""

    step: str
    due_at: datetime
    late: bool
    words: str = Field(description="How much working time is left, or how late it is.")
    reason: str | None = Field(description="Why it was late, as who was late explains it.")


class PacketAnswer(BaseModel):
    """A packet with its timeline."""

    number: str
    service: str
    channel: Channel
    state: State
    state_name: str
    state_since: datetime
    origin: str
    department: str
    holder_office: str | None
    holder_role: Role | None
    holder_name: str | None
    manifest: str | None
    register_number: str | None
    executor_name: str | None
    outcome: Outcome | None
    reason: str | None
    round: int
    remark: str | None
    accepted_at: datetime
    promised_at: datetime | None = Field(description="When the result is promised for, as on the receipt.")
    deadlines: list[DeadlineAnswer] = Field(
        description="The running clock, and those that were late, newest first."
    )
    applicant: Applicant | None
    enclosures: list[dict[str, Any]]
    archived: str | None = Field(
        description="Month of the archive in which the history lies; then `events` and what else is not there is empty."
    )
    events: list[EventAnswer]


class HeldAnswer(BaseModel):
    """A packet in a list."""

    number: str
    service: str
    state: State
    state_since: datetime
    holder_role: Role | None
    origin: str
    department: str


class LineAnswer(BaseModel):
    """One packet of a manifest."""

    number: str
    position: int
    state: LineState
    reason: str | None
    packet_state: State
    settled_at: datetime | None


class ManifestAnswer(BagAnswer):
    """A manifest with its lines."""

    centre: str = Field(description="The centre whose courier carries it.")
    departs_at: datetime = Field(description="Planned departure of its run.")
    expected: int
    left: int = Field(description="Packets that nobody has scanned or explained yet.")
    lines: list[LineAnswer]


class ManifestListed(BagAnswer):
    """A manifest in a list."""

    centre: str
    departs_at: datetime
    lines: int
    left: int


class DifferenceAnswer(BaseModel):
    """A difference between a manifest and its bag."""

    id: int
    kind: str
    number: str
    manifest: str | None
    office: str
    sender: str
    reason: str | None
    opened_at: datetime
    settlement: str | None


class NoticeAnswer(BaseModel):
    """Something the office is told."""

    id: int
    type: str
    subject: str
    say: str
    data: dict[str, Any]
    created_at: datetime


class PlaceAnswer(BaseModel):
    """A place for a type-ahead field."""

    label: str
    kind: str
    district: str
    district_name: str
    office: str | None


class StageAnswer(BaseModel):
    """How far a packet is, without a word about anybody."""

    state: State
    state_name: str
    promised_at: datetime | None = Field(description="When the result is promised for, as on the receipt.")


class MeAnswer(BaseModel):
    """Who is signed in."""

    login: str
    name: str
    office: str
    roles: list[Role]
    language: str
    csrf: str = Field(description="Token for requests of pages that change something; empty for programs.")


class FieldProblem(BaseModel):
    """One field that cannot be used."""

    field: str
    pointer: str
    detail: str
    kind: str


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    facts: dict[str, Any]
    errors: list[FieldProblem] = []
