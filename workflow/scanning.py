"""Scanning: one function applies a list of scans, of one as of two hundred, and answers each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from barcodes.numbers import Kind, command_of
from barcodes.typed import Reading, read
from config.errors import BadInputError, ConflictError, UnavailableError
from config.language import Text
from models.database import Database, worth_repeating
from models.scan import Scan, Station, Verdict
from models.staff import Role
from models.writes import ChangedMeanwhileError
from workflow import carrying, collecting, handing, receiving, registering
from workflow.desk import Card, Desk
from workflow.glance import Glance, LocksNeededError
from workflow.ledger import SqlLedger
from workflow.people import Actor
from workflow.protocol import Answer, Scanned, answer

SCANS = cast("Table", Scan.__table__)

MOST_AT_ONCE = 500
"""Most scans in one list; a longer queue is sent in parts."""

WHO: dict[Station, frozenset[Role]] = {
    Station.COLLECT: collecting.COLLECTORS,
    Station.DEPART: frozenset({Role.COURIER}),
    Station.RECEIVE: frozenset({Role.REGISTRAR, Role.ACCUMULATOR, Role.CLERK}),
    Station.REGISTER: frozenset({Role.REGISTRAR}),
    Station.PASS: frozenset({Role.REGISTRAR, Role.CLERK}),
    Station.RESULT: frozenset({Role.REGISTRAR}),
    Station.HAND_OVER: handing.WHO_HANDS_OVER,
    Station.LOOK_UP: frozenset(Role),
}
"""Who may work at each station."""

PACKET_RULES = {
    Station.COLLECT: collecting.scan,
    Station.RESULT: collecting.scan,
    Station.RECEIVE: receiving.scan,
    Station.REGISTER: registering.scan_register,
    Station.PASS: registering.scan_pass,
    Station.HAND_OVER: handing.scan,
}

UNKNOWN_NUMBER = Text(
    "The number {number} is not known here. Check the label; if it is right, tell the operator."
)
NOT_ALLOWED = Text("Your role may not scan here. Ask a person with one of these roles: {roles}.")
SCAN_THE_BAG = Text(
    "Here the manifest is scanned, not the packet. Scan the barcode at the top of the manifest."
)
SCAN_THE_PACKET = Text("Here packets are scanned, not manifests. Scan the label on the packet.")
COMMAND = Text("Command “{command}”.")
IT_IS = Text("Packet {number} is {state_name}, held by {office}.")
IT_WAS = Text("Packet {number} is {state_name}.")


WITHOUT_BAGS = frozenset({Station.REGISTER, Station.PASS, Station.HAND_OVER, Station.LOOK_UP})
"""Stations whose scans touch no manifest."""


class ReusedIdError(ConflictError):
    """An id belongs to another scan."""

    code = "reused_id"
    text = Text("The scan id {id} was used for another scan. Make a new id for every scan.")


class TooManyScansError(BadInputError):
    """The list is too long."""

    text = Text("A list may hold {most} scans at most. Send it in parts.")


class BadScanError(BadInputError):
    """A scan cannot be recorded as it is."""

    text = Text(
        "A scan needs an id of 1 to 64 characters and a time with its zone. Nothing of the list was recorded."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Handful:
    """Scans that one person sent together."""

    scans: Sequence[Scanned]
    by: Actor
    now: datetime


def apply_scans(session: Session, scans: Sequence[Scanned], *, by: Actor, now: datetime) -> list[Answer]:
    """Apply `scans` in their order, keep each of them, and return their answers in the same order.

    A scan whose id is known gets the answer it got before and changes nothing. Raises TooManyScansError,
    BadScanError, or ReusedIdError when an id comes again with another code or station; nothing is recorded then.
    """
    return apply_handfuls(session, [Handful(scans=scans, by=by, now=now)])[0]


def apply_handfuls(session: Session, handfuls: Sequence[Handful]) -> list[list[Answer]]:
    """Apply what several people sent, all of it or nothing, and return the answers of each; errors as `apply_scans`."""
    return _with_locks(session, _Work.of(handfuls))


def record(database: Database, handfuls: Sequence[Handful]) -> list[list[Answer]]:
    """Apply what several people sent as a transaction of its own; all else is as with `apply_handfuls`.

    Where no manifest is touched it takes no locks, and only who meets somebody else at the same papers comes again
    with them.
    """
    work = _Work.of(handfuls)
    if database.dialect == "postgresql" and work.is_without_bags:
        try:
            return database.transact(lambda session: _at_a_glance(session, work), single=True, tries=1)
        except LocksNeededError:
            pass
        except (ChangedMeanwhileError, DBAPIError, UnavailableError) as error:
            if not worth_repeating(error):
                raise
    return database.transact(lambda session: _with_locks(session, work))


def _with_locks(session: Session, work: _Work) -> list[list[Answer]]:
    ledger = SqlLedger(session)
    desk = _desk(ledger, work.handfuls, work.readings.values())
    return work.carry_out(desk, ledger, known=_known(session, work.once) if desk.repeated else {})


def _at_a_glance(session: Session, work: _Work) -> list[list[Answer]]:
    ledger = Glance(session)
    first = work.handfuls[0]
    numbers = {one.code for one in work.readings.values() if one.kind is Kind.PACKET and one.code}
    desk = ledger.look(by=first.by, now=first.now, numbers=numbers, scans=set(work.once))
    return work.carry_out(desk, ledger, known={})


@dataclass(frozen=True, slots=True)
class _Work:
    """Scans that are recorded together."""

    handfuls: Sequence[Handful]
    once: Mapping[str, tuple[Scanned, Handful]]
    """By the id of the scan: each is applied once, however often it stands in the lists."""
    readings: Mapping[str, Reading]

    @classmethod
    def of(cls, handfuls: Sequence[Handful]) -> _Work:
        """Read the codes; raise TooManyScansError, BadScanError or ReusedIdError."""
        once: dict[str, tuple[Scanned, Handful]] = {}
        for handful in handfuls:
            if len(handful.scans) > MOST_AT_ONCE:
                raise TooManyScansError(most=MOST_AT_ONCE)
            for scanned in handful.scans:
                if not 0 < len(scanned.id) <= 64 or scanned.at.tzinfo is None:
                    raise BadScanError
                twin, sent = once.setdefault(scanned.id, (scanned, handful))
                if (twin.raw, twin.station, sent.by.id) != (scanned.raw, scanned.station, handful.by.id):
                    raise ReusedIdError(id=scanned.id)
        return cls(handfuls, once, {id_: read(scanned.raw) for id_, (scanned, _) in once.items()})

    @property
    def is_without_bags(self) -> bool:
        """Whether neither the stations nor the codes have anything to do with a manifest."""
        return all(scanned.station in WITHOUT_BAGS for scanned, _ in self.once.values()) and not any(
            reading.kind is Kind.MANIFEST for reading in self.readings.values()
        )

    def carry_out(self, desk: Desk, ledger: SqlLedger, *, known: Mapping[str, Answer]) -> list[list[Answer]]:
        """Decide what is not `known` yet by what is on the desk, write it, and return the answers of each person."""
        answers = dict(known)
        rows = []
        for id_, (scanned, handful) in self.once.items():
            if id_ not in answers:
                reading = self.readings[id_]
                desk.by, desk.now = handful.by, handful.now
                answers[id_] = replace(_decide(desk, scanned, reading), code=reading.code)
                rows.append(_row(scanned, reading, answers[id_], handful))
        ledger.save(desk, scans=rows)
        return [[answers[scanned.id] for scanned in handful.scans] for handful in self.handfuls]


def _desk(ledger: SqlLedger, handfuls: Sequence[Handful], readings: Collection[Reading]) -> Desk:
    """Return a desk with all that these scans name, locked."""
    scans = [scanned for handful in handfuls for scanned in handful.scans]
    manifests = {reading.code for reading in readings if reading.kind is Kind.MANIFEST and reading.code}
    return ledger.desk(
        by=handfuls[0].by,
        now=handfuls[0].now,
        numbers={reading.code for reading in readings if reading.kind is Kind.PACKET and reading.code},
        manifests=manifests | {scanned.manifest for scanned in scans if scanned.manifest},
        contents=any(scanned.station is Station.DEPART for scanned in scans),
        scans={scanned.id for scanned in scans},
    )


def _known(session: Session, once: Mapping[str, tuple[Scanned, Handful]]) -> dict[str, Answer]:
    """Return the answers of those scans that came before; raise ReusedIdError for one that is another scan now."""
    answers = {}
    for row in session.execute(select(SCANS).where(SCANS.c.id.in_(once))):
        scanned, handful = once[row.id]
        if (row.digest, row.station, row.staff_id) != (_digest(scanned), scanned.station, handful.by.id):
            raise ReusedIdError(id=row.id)
        answers[row.id] = Answer.restored(verdict=row.verdict, code=row.code, answer=row.answer)
    return answers


def _row(scanned: Scanned, reading: Reading, given: Answer, handful: Handful) -> dict[str, Any]:
    return {
        "id": scanned.id,
        "raw": reading.raw,
        "digest": _digest(scanned),
        "code": reading.code,
        "station": scanned.station,
        "staff_id": handful.by.id,
        "office": handful.by.office,
        "device": scanned.device[:100],
        "scanned_at": scanned.at,
        "received_at": handful.now,
        "verdict": given.verdict,
        "answer": given.stored(),
    }


def _decide(desk: Desk, scanned: Scanned, reading: Reading) -> Answer:
    """Answer one scan: the pure rule of the whole protocol."""
    if reading.kind is Kind.BAD_CHECK:
        return answer(Verdict.BAD_CHECK, reading.advice)
    if reading.code is None:
        return answer(Verdict.UNKNOWN, reading.advice)
    if reading.kind is Kind.COMMAND:
        command = command_of(reading.code)
        if command is None:
            return answer(Verdict.UNKNOWN, reading.advice)
        return answer(Verdict.COMMAND, COMMAND, command=command.name.lower())
    if desk.by.role_among(WHO[scanned.station]) is None:
        return answer(Verdict.NOT_ALLOWED, NOT_ALLOWED, roles=", ".join(sorted(WHO[scanned.station])))
    if reading.kind is Kind.MANIFEST:
        return _decide_bag(desk, scanned, reading.code)
    card = desk.cards.get(reading.code)
    if card is None:
        return answer(Verdict.UNKNOWN, UNKNOWN_NUMBER, number=reading.code)
    rule = PACKET_RULES.get(scanned.station)
    if rule is not None:
        return rule(desk, scanned, card)
    if scanned.station is Station.LOOK_UP:
        return _look_up(card)
    return answer(Verdict.WRONG_STATE, SCAN_THE_BAG, state=card.state, number=card.number)


def _decide_bag(desk: Desk, scanned: Scanned, code: str) -> Answer:
    bag = desk.bag_numbered(code)
    if bag is None:
        return answer(Verdict.UNKNOWN, UNKNOWN_NUMBER, number=code)
    match scanned.station:
        case Station.DEPART:
            return carrying.scan(desk, scanned, bag)
        case Station.RECEIVE:
            return receiving.scan_bag(desk, bag)
        case _:
            return answer(Verdict.WRONG_STATE, SCAN_THE_PACKET, manifest=code)


def _look_up(card: Card) -> Answer:
    facts = {"number": card.number, "state_name": card.state.value}
    if card.holder_office is None:
        return answer(Verdict.TAKEN, IT_WAS, state=card.state, **facts)
    return answer(Verdict.TAKEN, IT_IS, state=card.state, office=card.holder_office, **facts)


def _digest(scanned: Scanned) -> str:
    # The id salts it, so that nobody can find out an IIN that was scanned by mistake.
    return sha256(f"{scanned.id}\0{scanned.raw}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
