"""What papers say: reads packets, manifests and their history, and hands it to the layout in `barcodes.papers`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from barcodes.label import Label
from barcodes.papers import act, certificate, manifest, notice, receipt, referral, slip
from barcodes.papers.act import Act, Difference
from barcodes.papers.certificate import Certificate
from barcodes.papers.facts import Asked, Both, Copy, Enclosed, Place
from barcodes.papers.manifest import Line as PaperLine
from barcodes.papers.manifest import Manifest as PaperManifest
from barcodes.papers.manifest import initials
from barcodes.papers.notice import Notice
from barcodes.papers.receipt import Receipt
from barcodes.papers.referral import Referral
from barcodes.papers.slip import Slip
from config.clock import local
from config.offices import district, office
from config.services import service
from config.working_time import written_spans
from models.discrepancy import Discrepancy
from models.event import Event
from models.manifest import Line, LineState, Manifest
from models.office_fact import Fact
from models.packet import Leg, Packet
from models.printed import Paper
from models.run import Run
from models.staff import Staff
from workflow.control import control_sheet
from workflow.moves import Move
from workflow.office_facts import Weekly, facts_of

_NOT_SENT = (LineState.TAKEN_OUT, LineState.UNEXPECTED)
"""Lines that the bag never held when it was sealed."""


def place(code: str, session: Session | None = None) -> Place:
    """Return an office as papers name it; with a `session` by what operators know better than the regulation."""
    held, known = office(code), facts_of(session, code) if session is not None else None
    phones = tuple(phone.printed for phone in held.phones)
    hours = held.hours.printed
    if known is not None and Fact.PHONES in known.sources:
        phones = known.phones
    if known is not None and Fact.HOURS in known.sources:
        hours = _week(known.weekly)
    return Place(
        name=Both(held.name_kk, held.name_ru),
        address=held.address,
        phones=phones,
        hours=hours,
        institution=held.kind == "department",
    )


_DAYS = ("дүйсенбі", "сейсенбі", "сәрсенбі", "бейсенбі", "жұма", "сенбі", "жексенбі")
"""As the regulation prints them: papers give the hours of an office in Kazakh."""


def _week(weekly: Weekly) -> str:
    """Return the hours of a week as the regulation writes them: days with the same hours together."""
    parts = []
    for spans, days in groupby(zip(_DAYS, weekly, strict=True), key=lambda day: day[1]):
        names = [name for name, _ in days]
        when = names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}"
        parts.append(f"{when} {', '.join(written_spans(spans)) or 'демалыс'}")
    return "; ".join(parts)


def asked(code: str) -> Asked:
    """Return a service as papers name it."""
    held = service(code)
    return Asked(number=held.number, name=Both(held.name_kk, held.name_ru))


def label(packet: Packet, *, copy: int, mark: str) -> Label:
    """Return what stands on the label of a packet."""
    held = service(packet.service)
    return Label(
        number=packet.number,
        district=_district(packet.department),
        service=f"{held.number}. {held.name_kk}",
        accepted_on=f"{local(packet.accepted_at):%d.%m.%Y}",
        copy=copy,
        copy_mark=mark,
    )


def bag_label(found: Manifest, *, copy: int, mark: str) -> Label:
    """Return what stands on the label of a bag."""
    return Label(
        number=found.number,
        district=_district(found.destination),
        service=(manifest.BACK if found.leg is Leg.BACK else manifest.OUT).kk,
        accepted_on=f"{local(found.created_at):%d.%m.%Y}",
        copy=copy,
        copy_mark=mark,
    )


def of_manifest(
    session: Session, found: Manifest, run: Run, paper: Paper, *, copy: Copy, reason: str
) -> bytes:
    """Return the list of a manifest, or an act about it, as a PDF."""
    if paper is Paper.MANIFEST:
        return manifest.manifest(_list(session, found, run, copy=copy))
    facts = _act(session, found, run, copy=copy)
    if paper is Paper.BATCH_REFUSAL:
        return act.batch_refusal(facts, reason=reason)
    return act.discrepancy(facts)


def _receipt(session: Session, packet: Packet, copy: Copy) -> bytes:
    promised = local(packet.promised_at) if packet.promised_at else None
    return receipt.receipt(
        Receipt(
            number=packet.number,
            accepted_at=local(packet.accepted_at),
            centre=place(packet.origin, session),
            service=asked(packet.service),
            applicant=packet.applicant_name,
            enclosures=enclosures(packet),
            inspector=_names(session, [packet.accepted_by])[packet.accepted_by],
            status_code=packet.status_code,
            fetch_from=promised,
            copy=copy,
        )
    )


def _slip(session: Session, packet: Packet, copy: Copy) -> bytes:
    return slip.slip(
        Slip(
            number=packet.number,
            registered_as=packet.register_number or "",
            accepted_on=local(packet.accepted_at).date(),
            place=place(packet.origin, session),
            service=asked(packet.service),
            annex=_annex(packet.service, "slip"),
            applicant=packet.applicant_name,
            accepted_by=_names(session, [packet.accepted_by])[packet.accepted_by],
            status_code=packet.status_code,
            copy=copy,
        )
    )


def _letter(session: Session, packet: Packet, copy: Copy) -> Notice:
    signed_on, head = _signed(session, packet)
    department = place(packet.department, session)
    return Notice(
        number=packet.number,
        registered_as=packet.register_number or "",
        signed_on=signed_on,
        department=department,
        service=asked(packet.service),
        annex=_annex(packet.service, "notice"),
        applicant=packet.applicant_name,
        address=packet.residence,
        head=head,
        signed_by_akim=office(packet.department).kind == "akimat",
        executor=_names(session, [packet.executor_id]).get(packet.executor_id or 0, ""),
        executor_phone=", ".join(department.phones[:1]),
        assignment=packet.details.get("assignment", ""),
        reason=packet.reason or "",
        copy=copy,
    )


def _notice(session: Session, packet: Packet, copy: Copy) -> bytes:
    return notice.assignment(_letter(session, packet, copy))


def _refusal(session: Session, packet: Packet, copy: Copy) -> bytes:
    return notice.refusal(_letter(session, packet, copy))


def _referral(session: Session, packet: Packet, copy: Copy) -> bytes:
    signed_on, head = _signed(session, packet)
    return referral.referral(
        Referral(
            number=packet.number,
            registered_as=packet.register_number or "",
            department=place(packet.department, session),
            applicant=packet.applicant_name,
            term=packet.details.get("term", ""),
            employer=packet.details.get("employer", ""),
            measure=packet.details.get("measure", ""),
            head=head,
            issued_on=signed_on,
            copy=copy,
        )
    )


def _certificate(session: Session, packet: Packet, copy: Copy) -> bytes:
    signed_on, signer = _signed(session, packet)
    return certificate.certificate(
        Certificate(
            number=packet.number,
            registered_as=packet.register_number or "",
            year=packet.details.get("year", ""),
            quarter=packet.details.get("quarter", ""),
            place=place(packet.department, session),
            applicant=packet.applicant_name,
            members=tuple(packet.details.get("members", "").splitlines()),
            signer=signer,
            signed_by_akim=office(packet.department).kind == "akimat",
            signed_on=signed_on,
            copy=copy,
        )
    )


OF_PACKET: Mapping[Paper, Callable[[Session, Packet, Copy], bytes]] = {
    Paper.RECEIPT: _receipt,
    Paper.SLIP: _slip,
    Paper.NOTICE: _notice,
    Paper.REFUSAL: _refusal,
    Paper.REFERRAL: _referral,
    Paper.CERTIFICATE: _certificate,
    Paper.CONTROL: lambda session, packet, copy: control_sheet(
        session,
        packet,
        origin=place(packet.origin, session),
        department=place(packet.department, session),
        asked=asked(packet.service),
        copy=copy,
    ),
}
"""Paper of a packet → what lays it out, but for the label, which has formats of its own."""


def enclosures(packet: Packet) -> tuple[Enclosed, ...]:
    """Return the enclosed documents of a packet."""
    return tuple(Enclosed(name=item["name"], count=item["count"]) for item in packet.enclosures)


def _list(session: Session, found: Manifest, run: Run, *, copy: Copy) -> PaperManifest:
    rows = session.execute(
        select(Line, Packet)
        .join(Packet, Packet.id == Line.packet_id)
        .where(Line.manifest_id == found.id, Line.state.not_in(_NOT_SENT))
        .order_by(Line.position)
    ).all()
    names = _names(session, [found.sealed_by, found.courier_id, found.closed_by])
    return PaperManifest(
        number=found.number,
        back=found.leg is Leg.BACK,
        origin=place(found.origin, session),
        destination=place(found.destination, session),
        run=local(run.departs_at),
        seal_number=found.seal_number or "",
        sealed_at=_local(found.sealed_at),
        sent_by=names.get(found.sealed_by or 0, ""),
        courier=names.get(found.courier_id or 0, ""),
        taken_by=names.get(found.closed_by or 0, ""),
        lines=tuple(_line(line, packet) for line, packet in rows),
        copy=copy,
    )


def _line(line: Line, packet: Packet) -> PaperLine:
    listed = enclosures(packet)
    return PaperLine(
        position=line.position,
        number=packet.number,
        applicant=initials(packet.applicant_name),
        service=asked(packet.service),
        enclosures=len(listed),
        sheets=sum(item.count for item in listed),
        registered_as=packet.register_number or "",
    )


def _act(session: Session, found: Manifest, run: Run, *, copy: Copy) -> Act:
    rows = session.execute(
        select(Discrepancy, Packet.number)
        .join(Packet, Packet.id == Discrepancy.packet_id)
        .where(Discrepancy.manifest_id == found.id)
        .order_by(Discrepancy.id)
    )
    names = _names(session, [found.courier_id, found.closed_by])
    return Act(
        manifest=found.number,
        origin=place(found.origin, session),
        destination=place(found.destination, session),
        run=local(run.departs_at),
        seal_number=found.seal_number or "",
        opened_at=_local(found.opened_at),
        closed_at=_local(found.closed_at),
        differences=tuple(
            Difference(
                number=number,
                kind=row.kind.value,
                reason=row.reason or "",
                settlement=row.settlement or "",
            )
            for row, number in rows
        ),
        received_by=names.get(found.closed_by or 0, ""),
        courier=names.get(found.courier_id or 0, ""),
        copy=copy,
    )


def _signed(session: Session, packet: Packet) -> tuple[date | None, str]:
    """Return when the result was signed and by whom; nothing while it waits for the signature."""
    row = session.execute(
        select(Event.at, Event.move, Staff.name)
        .join(Staff, Staff.id == Event.staff_id)
        .where(Event.packet_id == packet.id, Event.move.in_([Move.SIGN.value, Move.DRAFT.value]))
        .order_by(Event.seq.desc())
        .limit(1)
    ).one_or_none()
    if row is None or row.move != Move.SIGN.value:
        return None, ""
    return local(row.at).date(), row.name


def _annex(code: str, form: str) -> int | None:
    return next((held.annex for held in service(code).forms if held.code == form), None)


def _district(code: str) -> str:
    held = district(office(code).district)
    return f"{held.name_kk}\n{held.name_ru}"


def _local(moment: datetime | None) -> datetime | None:
    return None if moment is None else local(moment)


def _names(session: Session, ids: Iterable[int | None]) -> dict[Any, str]:
    wanted = {id_ for id_ in ids if id_ is not None}
    if not wanted:
        return {}
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(wanted)))
    return {row.id: row.name for row in rows}
