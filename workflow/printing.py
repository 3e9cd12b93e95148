"""Printing: who may print which paper, which copy it is, and the log of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from barcodes.label import FORMATS, Format, Label
from barcodes.label import render as render_label
from barcodes.papers.facts import Copy, PaperError
from barcodes.papers.labels import labels as label_sheet
from config.errors import NotFoundError
from config.language import Text
from config.services import service
from models.manifest import Manifest
from models.packet import Outcome, Packet
from models.printed import OF_MANIFEST, Paper, Print
from models.run import Run
from workflow import papers
from workflow.archiving import require_open, require_whole_bag
from workflow.people import EVERYWHERE, Actor

COPY_MARK = "{copy}-көшірме · копия {copy}"
MOST_LABELS = 1000


class NotThisPaperError(PaperError):
    """The packet or manifest has no such paper, or not yet."""

    code = "not_this_paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A paper, ready to be sent to the printer."""

    data: bytes
    paper: Paper
    number: str
    copy: int
    media_type: str = "application/pdf"
    extension: str = "pdf"

    @property
    def file_name(self) -> str:
        """How the file is called; plain letters, so that every printer spool takes it."""
        return f"{self.paper.value}-{self.number}-{self.copy}.{self.extension}"


_MEDIA: dict[Format, str] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "zpl": "application/zpl",
}


def print_packet(
    session: Session,
    number: str,
    paper: Paper,
    *,
    by: Actor,
    now: datetime,
    fmt: Format = "pdf",
    dpi: int = 203,
) -> Printed:
    """Print a paper of a packet and log it; `fmt` and `dpi` are for labels, all else is a PDF.

    Raises NotFoundError for a packet that the office of `by` has nothing to do with, NotThisPaperError for a paper
    that the packet does not have (yet), PaperError for one that cannot be laid out, ArchivedError for a packet whose
    history is closed.
    """
    found = _packet(session, number, paper, by=by)
    if paper not in offered(found):
        raise _not_this(paper, found)
    copy = _next_copy(session, Print.packet_id == found.id, paper)
    if paper is Paper.LABEL:
        printed = _label(papers.label(found, copy=copy, mark=COPY_MARK), paper, fmt=fmt, dpi=dpi)
    else:
        data = papers.OF_PACKET[paper](session, found, Copy(number=copy))
        printed = Printed(data=data, paper=paper, number=number, copy=copy)
    session.add(
        Print(paper=paper, packet_id=found.id, copy=copy, printed_at=now, printed_by=by.id, office=by.office)
    )
    return printed


def print_manifest(
    session: Session,
    number: str,
    paper: Paper,
    *,
    by: Actor,
    now: datetime,
    reason: str = "",
    fmt: Format = "pdf",
    dpi: int = 203,
) -> Printed:
    """Print a paper of a manifest and log it; `reason` is that of a refused batch. Errors as `print_packet`."""
    found, run = _manifest(session, number, by=by)
    if paper not in OF_MANIFEST:
        raise NotThisPaperError(what=Text("it belongs to a packet and not to a manifest"))
    copy = _next_copy(session, Print.manifest_id == found.id, paper)
    if paper is Paper.BAG_LABEL:
        printed = _label(papers.bag_label(found, copy=copy, mark=COPY_MARK), paper, fmt=fmt, dpi=dpi)
    else:
        require_whole_bag(session, found.id)
        data = papers.of_manifest(session, found, run, paper, copy=Copy(number=copy), reason=reason)
        printed = Printed(data=data, paper=paper, number=number, copy=copy)
    session.add(
        Print(
            paper=paper, manifest_id=found.id, copy=copy, printed_at=now, printed_by=by.id, office=by.office
        )
    )
    return printed


def print_labels(
    session: Session, numbers: list[str], *, per_sheet: int, skip: int = 0, by: Actor, now: datetime
) -> bytes:
    """Print labels of packets on sheets of 24 or 40, in the order given, and log each; all or none.

    Errors as `print_packet`.
    """
    if len(numbers) > MOST_LABELS:
        raise PaperError(what=Text("print at most 1000 labels at once"))
    # Locked, as one is, and as they are now: none of them is put into an archive meanwhile.
    rows = session.scalars(
        select(Packet)
        .where(Packet.number.in_(numbers))
        .order_by(Packet.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = {row.number: row for row in rows}
    for number in numbers:
        if number not in found or not may_print(found[number], Paper.LABEL, by=by):
            raise NotFoundError(what=number)
    counted = session.execute(
        select(Print.packet_id, func.max(Print.copy).label("last"))
        .where(Print.packet_id.in_([row.id for row in found.values()]), Print.paper == Paper.LABEL)
        .group_by(Print.packet_id)
    )
    copies = {row.packet_id: row.last for row in counted}
    wanted: list[Label] = []
    for number in numbers:
        row = found[number]
        if row.archive_id is not None:
            require_open(session, number)
        copies[row.id] = copy = copies.get(row.id, 0) + 1
        wanted.append(papers.label(row, copy=copy, mark=COPY_MARK))
        session.add(
            Print(
                paper=Paper.LABEL,
                packet_id=row.id,
                copy=copy,
                printed_at=now,
                printed_by=by.id,
                office=by.office,
            )
        )
    return label_sheet(wanted, per_sheet=per_sheet, skip=skip)


def offered(packet: Packet) -> tuple[Paper, ...]:
    """Return the papers that a packet has now, in the order in which they are needed."""
    asked = service(packet.service)
    route = asked.routes.get(packet.channel.value)
    given = route.given_at_acceptance if route else ""
    found = [Paper.LABEL]
    if given:
        found.append(Paper(given))
    if packet.outcome is Outcome.REFUSED:
        found.append(Paper.REFUSAL)
    elif packet.outcome is Outcome.ASSIGNED:
        found.append(Paper(asked.result))
    found.append(Paper.CONTROL)
    return tuple(found)


def may_print(packet: Packet, paper: Paper, *, by: Actor) -> bool:
    """Tell whether `by` may print a paper of a packet: at the office that accepted it, and at the one that decides.

    Who holds it may print its label, for a label that came off on the way.
    """
    offices = {packet.origin, packet.department}
    if paper is Paper.LABEL:
        offices.add(packet.holder_office or packet.origin)
    return by.office in offices or bool(by.roles & EVERYWHERE)


def _packet(session: Session, number: str, paper: Paper, *, by: Actor) -> Packet:
    # Locked, so that two people who print at once get different copies.
    found = session.scalars(select(Packet).where(Packet.number == number).with_for_update()).one_or_none()
    if found is None or not may_print(found, paper, by=by):
        raise NotFoundError(what=number)
    require_open(session, number)
    return found


def _manifest(session: Session, number: str, *, by: Actor) -> tuple[Manifest, Run]:
    row = session.execute(
        select(Manifest, Run)
        .join(Run, Run.id == Manifest.run_id)
        .where(Manifest.number == number)
        .with_for_update(of=Manifest)
    ).one_or_none()
    if row is None:
        raise NotFoundError(what=number)
    found, run = row
    if by.office not in {found.origin, found.destination, run.centre} and not by.roles & EVERYWHERE:
        raise NotFoundError(what=number)
    return found, run


def _next_copy(session: Session, of: ColumnElement[bool], paper: Paper) -> int:
    last = session.scalar(select(func.max(Print.copy)).where(of, Print.paper == paper))
    return (last or 0) + 1


def _label(wanted: Label, paper: Paper, *, fmt: Format, dpi: int) -> Printed:
    if fmt not in FORMATS:
        raise PaperError(what=Text("the format is one of svg, png, pdf, zpl"))
    return Printed(
        data=render_label(wanted, fmt=fmt, dpi=dpi),
        paper=paper,
        number=wanted.number,
        copy=wanted.copy,
        media_type=_MEDIA[fmt],
        extension=fmt,
    )


def _not_this(paper: Paper, packet: Packet) -> NotThisPaperError:
    if paper in {Paper.NOTICE, Paper.REFUSAL, Paper.REFERRAL, Paper.CERTIFICATE} and packet.outcome is None:
        return NotThisPaperError(what=Text("nothing has been decided yet; the executor drafts it first"))
    return NotThisPaperError(what=Text("this packet has no such paper"))
