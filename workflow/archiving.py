"""Archiving, the part of the database: which packets may go, what their history is, and its going.

A packet is marked first, and nothing moves it from then on; its history is written into a file; the file is sealed;
only then do the rows go, and only where they still are what the file says. Triggers refuse any other deletion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, insert, select, true, update
from sqlalchemy.orm import Session

from config.clock import ALMATY, local
from config.errors import ConflictError, NotFoundError
from config.language import Text
from models import (
    Archive,
    Deadline,
    Discrepancy,
    LeavingScan,
    Line,
    Manifest,
    Message,
    Packet,
    Scan,
)
from models.manifest import ManifestState
from models.message import MessageState
from models.packet import FINAL
from workflow.histories import OF_MESSAGE, OF_PACKET, OWN, History, as_json, columns_of, histories, parts

AT_ONCE = 200
"""Packets, and five times as many scans, of one transaction."""

ERASED: dict[str, Any] = {
    "applicant_phone": None,
    "residence": "",
    "enclosures": [],
    "details": {},
    "remark": None,
}
"""What the row of an archived packet no longer says: it stays in the archive alone, like the reason of a refusal."""


class ArchivedError(ConflictError):
    """The history of the packet lies in an archive, and nothing is added to it. Facts: `number`, `month`."""

    code = "archived"
    text = Text(
        "The history of packet {number} lies in the archive of {month}: nothing can be added to it. "
        "Ask the operator for what it says."
    )


class BeingArchivedError(ArchivedError):
    """The packet is marked, and its history is on its way into an archive. Facts: `number`, `month`."""

    code = "being_archived"
    text = Text(
        "The history of packet {number} is being put into the archive of {month} just now. Try again in a few minutes; "
        "if it stays so, tell the operator."
    )


class UnknownArchiveError(NotFoundError):
    """No archive of this file waits for its end. Fact: `file`."""

    code = "unknown_archive"
    text = Text(
        "The database has no sealed archive {file} of which anything is left to do. `shabarman archive` names those "
        "that are held up."
    )


def first_kept(now: datetime, months: int) -> datetime:
    """Return the first moment whose packets stay: the first day of the month `months` before that of `now`."""
    today = local(now)
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return datetime(year, month + 1, 1, tzinfo=ALMATY).astimezone(UTC)


def month_of(moment: datetime) -> str:
    """Return the month of a moment, in the time of Almaty, such as `2024-03`."""
    return f"{local(moment):%Y-%m}"


def span_of(month: str) -> tuple[datetime, datetime]:
    """Return the first moment of a month of Almaty and the first one after it, in UTC."""
    first = datetime.fromisoformat(f"{month}-01").replace(tzinfo=ALMATY)
    after = (first + timedelta(days=31)).replace(day=1)
    return first.astimezone(UTC), after.astimezone(UTC)


def _has_ended() -> ColumnElement[bool]:
    """Tell which packets may go, and are not marked yet."""
    return and_(Packet.archive_id.is_(None), _is_over())


def _is_over() -> ColumnElement[bool]:
    """Tell of which packets the way is over, and nobody waits for anything of them."""
    untold = [
        ~exists().where(Message.subject == Packet.number, state)
        # Each as the index of such messages has it, so that the few are looked at and not all.
        for state in (
            Message.state.in_([MessageState.PENDING, MessageState.PUBLISHED]),
            Message.state == MessageState.DEAD,
        )
    ]
    return and_(
        Packet.state.in_(sorted(FINAL)),
        ~exists().where(Discrepancy.packet_id == Packet.id, Discrepancy.settled_at.is_(None)),
        ~exists().where(Deadline.packet_id == Packet.id, Deadline.closed_at.is_(None)),
        ~exists().where(Line.packet_id == Packet.id, Line.live),
        *untold,
    )


def _is_loose(gone: ColumnElement[bool]) -> ColumnElement[bool]:
    """Tell which scans belong to nothing in the database: neither to a packet nor to a bag that has packets there.

    `gone` says which packets of a bag count as no longer there.
    """
    return and_(
        # Its own scans go with the packet; these are later ones.
        ~exists().where(Packet.number == Scan.code, Packet.archived_at.is_(None)),
        ~exists().where(Manifest.number == Scan.code, Manifest.state != ManifestState.CLOSED),
        ~exists().where(
            Manifest.number == Scan.code, Line.manifest_id == Manifest.id, Packet.id == Line.packet_id, ~gone
        ),
    )


_MARKED = Packet.archive_id.is_not(None)
_GONE = Packet.archived_at.is_not(None)


def next_month(session: Session, *, after: datetime | None, before: datetime) -> str | None:
    """Return the first month from `after` on in which something ended that may go, None where there is none.

    Everything that may go lies before `before`.
    """
    packets = select(Packet.state_since).where(_has_ended(), Packet.state_since < before)
    # Scans of nothing go along with packets, and make an archive of their own only where there are none.
    scans = select(func.min(Scan.received_at)).where(_is_loose(_MARKED), Scan.received_at < before)
    if after is not None:
        packets = packets.where(Packet.state_since >= after)
        scans = scans.where(Scan.received_at >= after)
    found = session.scalar(packets.order_by(Packet.state_since).limit(1)) or session.scalar(scans)
    return month_of(found) if found is not None else None


def begin(
    session: Session, *, month: str, taken: Collection[str], version: str, by: str, now: datetime
) -> Archive:
    """Enter a new archive of `month`; `taken` are names of files that are there already."""
    part = _free_part(session, month, taken)
    made = Archive(
        month=month, part=part, file=file_of(month, part), version=version, made_by=by[:64], started_at=now
    )
    session.add(made)
    session.flush()  # For its id.
    return made


def rename(session: Session, archive: Archive, *, taken: Collection[str]) -> None:
    """Give an archive that is not sealed another part and file, because its name is among those `taken`."""
    archive.part = _free_part(session, archive.month, taken)
    archive.file = file_of(archive.month, archive.part)


def _free_part(session: Session, month: str, taken: Collection[str]) -> int:
    part = max(session.scalars(select(Archive.part).where(Archive.month == month)), default=0) + 1
    while file_of(month, part) in taken:
        part += 1
    return part


def file_of(month: str, part: int) -> str:
    """Return the name of an archive's file."""
    return f"{month}.jsonl.gz" if part == 1 else f"{month}-{part}.jsonl.gz"


def mark(session: Session, archive: Archive) -> int:
    """Mark some packets that ended in the archive's month; return how many, 0 when none is left."""
    if not _is_unsealed(session, archive):
        return 0
    first, after = span_of(archive.month)
    ids = session.scalars(
        select(Packet.id)
        .where(_has_ended(), Packet.state_since >= first, Packet.state_since < after)
        .order_by(Packet.state_since)
        .limit(AT_ONCE)
        .with_for_update(of=Packet)
    ).all()
    if ids:
        session.execute(
            update(Packet)
            .where(Packet.id.in_(ids), Packet.archive_id.is_(None))
            .values(archive_id=archive.id)
        )
    return len(ids)


def mark_scans(session: Session, archive: Archive) -> int:
    """Mark some scans before the end of the archive's month that belong to nothing; return how many."""
    if not _is_unsealed(session, archive):
        return 0
    ids = session.scalars(
        select(Scan.id)
        .where(
            Scan.received_at < span_of(archive.month)[1],
            _is_loose(_MARKED),
            ~exists().where(LeavingScan.scan_id == Scan.id),
        )
        .limit(AT_ONCE * 5)
    ).all()
    if ids:
        session.execute(
            insert(LeavingScan), [{"scan_id": scan_id, "archive_id": archive.id} for scan_id in ids]
        )
    return len(ids)


def _is_unsealed(session: Session, archive: Archive) -> bool:
    """Tell whether something may be marked for an archive; until the end of the transaction nobody seals it."""
    statement = select(Archive.id).where(Archive.id == archive.id, Archive.sealed_at.is_(None))
    return session.scalar(statement.with_for_update()) is not None


def counts(session: Session, archive: Archive) -> tuple[int, int]:
    """Return how many packets and scans are marked for an archive whose rows are all there."""
    packets = select(func.count()).where(Packet.archive_id == archive.id)
    scans = select(func.count()).where(LeavingScan.archive_id == archive.id)
    return session.scalar(packets) or 0, session.scalar(scans) or 0


def messages_of(session: Session, archive: Archive) -> dict[int, list[int]]:
    """Return packet id → ids of the messages about it, for all marked packets: one look at the whole table."""
    rows = session.execute(
        select(Packet.id, Message.id)
        .join(Message, Message.subject == Packet.number)
        .where(Packet.archive_id == archive.id, Packet.archived_at.is_(None))
        .order_by(Message.id)
    )
    found: defaultdict[int, list[int]] = defaultdict(list)
    for packet_id, message_id in rows:
        found[packet_id].append(message_id)
    return found


def marked(session: Session, archive: Archive, *, after: int) -> list[int]:
    """Return the ids of some marked packets whose history is still there, in order."""
    return list(
        session.scalars(
            select(Packet.id)
            .where(Packet.archive_id == archive.id, Packet.archived_at.is_(None), Packet.id > after)
            .order_by(Packet.id)
            .limit(AT_ONCE)
        )
    )


def leaving_scans(session: Session, archive: Archive, *, after: str) -> list[History]:
    """Return some marked scans, in the order of their ids, as JSON has them."""
    rows = session.execute(
        select(*columns_of(Scan))
        .join(LeavingScan, LeavingScan.scan_id == Scan.id)
        .where(LeavingScan.archive_id == archive.id, Scan.id > after)
        .order_by(Scan.id)
        .limit(AT_ONCE * 5)
    )
    return as_json(rows)


def remove(
    session: Session,
    archive_id: int,
    kept: Sequence[History],
    *,
    messages: Mapping[int, Sequence[int]],
    now: datetime,
) -> tuple[int, int]:
    """Let the history of packets go whose lines of the sealed file are `kept`; return how many went, and how many not.

    `messages` are those that the database has of each packet, by `messages_of`. A packet that is not exactly what its
    line says, or for which somebody waits again, stays, and is free for another archive. One that is gone already, by
    an archive that was interrupted or works beside this one, is left alone, and so is one that stayed.
    """
    lines = {history["packet"]["id"]: history for history in kept}
    ids = list(
        session.scalars(
            select(Packet.id)
            .where(Packet.id.in_(lines), Packet.archive_id == archive_id, Packet.archived_at.is_(None))
            .order_by(Packet.id)
            .with_for_update()
        )
    )
    fresh = histories(session, ids, messages, lock=True)
    # Asked as well as compared: a message that came after `messages` were asked for is in neither of the two.
    over = set(session.scalars(select(Packet.id).where(Packet.id.in_(ids), _is_over())))
    changed = [
        packet_id for packet_id in ids if packet_id not in over or fresh[packet_id] != lines[packet_id]
    ]
    same = sorted(set(ids) - set(changed))
    told = [row["id"] for packet_id in same for row in lines[packet_id]["messages"]]
    scans = [row["id"] for packet_id in same for row in lines[packet_id]["scans"]]
    for table in OF_MESSAGE:
        _delete(session, table, table.message_id, told, OWN.get(table))
    _delete(session, Message, Message.id, told)
    _delete(session, Scan, Scan.id, scans)
    for of_packet in OF_PACKET:
        _delete(session, of_packet, of_packet.packet_id, same)
    if same:
        # A refusal has a reason, by a constraint; what it says is in the archive.
        reason = case((Packet.reason.is_not(None), ""))
        session.execute(
            update(Packet).where(Packet.id.in_(same)).values(archived_at=now, reason=reason, **ERASED)
        )
    if changed:
        session.execute(update(Packet).where(Packet.id.in_(changed)).values(archive_id=None))
        _stayed(session, archive_id, len(changed))
    return len(same), len(changed)


def remove_scans(session: Session, archive_id: int, kept: Sequence[History]) -> tuple[int, int]:
    """Let marked scans go that are in the sealed file; return how many went and how many stayed."""
    # Whoever removes beside us waits here, and then finds nothing due: a line that stays is counted once.
    session.execute(select(Archive.id).where(Archive.id == archive_id).with_for_update())
    ids = [row["id"] for row in kept]
    due = set(
        session.scalars(
            select(LeavingScan.scan_id).where(
                LeavingScan.scan_id.in_(ids), LeavingScan.archive_id == archive_id
            )
        )
    )
    free = set(session.scalars(select(Scan.id).where(Scan.id.in_(due), _is_loose(_GONE))))
    _delete(session, Scan, Scan.id, sorted(free))
    _delete(session, LeavingScan, LeavingScan.scan_id, sorted(due))
    if due - free:
        _stayed(session, archive_id, len(due - free))
    return len(free), len(due - free)


def unfinished(session: Session, name: str) -> Archive:
    """Return the sealed archive of the file `name` whose packets have not all gone; raise UnknownArchiveError."""
    statement = select(Archive).where(
        Archive.file == name, Archive.sealed_at.is_not(None), Archive.finished_at.is_(None)
    )
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise UnknownArchiveError(file=name)
    return found


def free(session: Session, archive_id: int) -> int:
    """Take the mark of a given-up archive from some packets whose history is still there; return how many."""
    ids = session.scalars(
        select(Packet.id)
        .where(Packet.archive_id == archive_id, Packet.archived_at.is_(None))
        .order_by(Packet.id)
        .limit(AT_ONCE)
        .with_for_update()
    ).all()
    if ids:
        session.execute(update(Packet).where(Packet.id.in_(ids)).values(archive_id=None))
        _stayed(session, archive_id, len(ids))
    return len(ids)


def give_up(session: Session, archive_id: int, *, now: datetime) -> None:
    """Finish an archive whose packets are free again; the scans that it marked are free as well."""
    row = session.get_one(Archive, archive_id, with_for_update=True)
    if row.finished_at is None:
        marked = select(func.count()).where(LeavingScan.archive_id == archive_id)
        row.stayed += session.scalar(marked) or 0
        row.finished_at = now
        session.execute(delete(LeavingScan).where(LeavingScan.archive_id == archive_id))


def _stayed(session: Session, archive_id: int, count: int) -> None:
    session.execute(update(Archive).where(Archive.id == archive_id).values(stayed=Archive.stayed + count))


def require_open(session: Session, number: str) -> None:
    """Raise ArchivedError where nothing can be added any more to the history of a packet that the caller locked.

    It is a BeingArchivedError while the packet is marked only, and may be free again in a while.
    """
    found = session.execute(
        select(Archive.month, Packet.archived_at)
        .join(Packet, Packet.archive_id == Archive.id)
        .where(Packet.number == number)
    ).one_or_none()
    if found is not None:
        error = BeingArchivedError if found.archived_at is None else ArchivedError
        raise error(number=number, month=found.month)


def require_whole_bag(session: Session, manifest_id: int) -> None:
    """Raise ArchivedError where a paper of this manifest would lack what is in an archive now."""
    gone = session.execute(
        select(Packet.number, Archive.month)
        .join(Line, Line.packet_id == Packet.id)
        .join(Archive, Archive.id == Packet.archive_id)
        .where(Line.manifest_id == manifest_id, Packet.archived_at.is_not(None))
        .order_by(Packet.number)
        .limit(1)
    ).one_or_none()
    if gone is not None:
        raise ArchivedError(number=gone.number, month=gone.month)


def _delete(
    session: Session,
    table: Any,  # noqa: ANN401 - any of our tables
    column: Any,  # noqa: ANN401 - its column
    values: Sequence[Any],
    own: ColumnElement[bool] | None = None,
) -> None:
    for part in parts(values):
        statement = delete(table).where(column.in_(part), true() if own is None else own)
        session.execute(statement.execution_options(synchronize_session=False))
