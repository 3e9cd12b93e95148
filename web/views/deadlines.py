"""Deadlines as people see them: how much working time is left, in words and with a colour, and what is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.calendar import Calendar, today
from config.language import Text
from config.settings import settings
from models import Deadline
from web.words import WHY
from workflow.deadlines import was_late
from workflow.hours import calendar
from workflow.people import Actor

STEPS: dict[str, Text] = {
    "accept": Text("acceptance"),
    "collect": Text("onto the manifest"),
    "carry": Text("on the way to the department"),
    "register": Text("registration"),
    "pass_to_head": Text("to the head"),
    "resolve": Text("resolution"),
    "prepare": Text("examination and notice"),
    "sign": Text("signature"),
    "complete": Text("completion"),
    "send": Text("sending the result"),
    "carry_result": Text("on the way back"),
    "hand_over": Text("handing over"),
}
"""The steps that are timed, as people call them."""

MINUTES_LEFT = Text("{minutes} working minute left", "{minutes} working minutes left", "minutes")
HOURS_LEFT = Text("{hours} h {minutes} min of working time left")
DAYS_LEFT = Text("{days} working day left", "{days} working days left", "days")
MINUTES_LATE = Text("{minutes} working minute late", "{minutes} working minutes late", "minutes")
HOURS_LATE = Text("{hours} h {minutes} min of working time late")
DAYS_LATE = Text("{days} working day late", "{days} working days late", "days")

TWO_HOURS = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One clock in words."""

    step: str
    due_at: datetime
    mood: str
    """`good`, `warn` or `bad`: names of the colours of the pages."""
    words: str
    late: bool
    closed: bool
    """Whether the step is over; then the words tell how late it was."""
    reason: str | None
    explains: bool
    """Whether the asking person is the one who explains it."""
    changes: tuple[str, ...]
    """Why its time was moved, or its bag left behind, in words."""


def clocks(session: Session, packet_id: int, *, by: Actor, now: datetime, language: str) -> list[Shown]:
    """Return the open clock of a packet, and those that were late, the newest first."""
    rows = session.scalars(
        select(Deadline).where(Deadline.packet_id == packet_id).order_by(Deadline.id.desc())
    ).all()
    dates = calendar(session)
    return [
        shown(clock, dates, by=by, now=now, language=language)
        for clock in rows
        if clock.closed_at is None or clock.late_minutes is not None
    ]


def shown(clock: Deadline, dates: Calendar, *, by: Actor, now: datetime, language: str) -> Shown:
    """Return one clock in words; of a whole list, `dates` is read once."""
    until = clock.closed_at or now
    late = until > clock.due_at
    step = STEPS.get(clock.step)
    return Shown(
        step=step.render(language) if step else clock.step,
        due_at=clock.due_at,
        mood="bad" if late else "warn" if _is_near(clock, dates, now) else "good",
        words=left(dates, clock.office, due_at=clock.due_at, now=until, language=language),
        late=late,
        closed=clock.closed_at is not None,
        reason=clock.reason,
        explains=late and clock.reason is None and was_late(clock, by),
        changes=tuple(_why(change, language) for change in clock.changes),
    )


def _is_near(clock: Deadline, dates: Calendar, now: datetime) -> bool:
    hours = dates.of(clock.office)
    whole = hours.between(clock.opened_at, clock.due_at)
    return hours.between(clock.opened_at, now) >= whole * settings().near_share


def _why(change: dict[str, Any], language: str) -> str:
    known = WHY.get(str(change.get("why")))
    told = known.render(language) if known else str(change.get("why"))
    return f"{told} ({change['source']})" if change.get("source") else told


def left(dates: Calendar, office: str, *, due_at: datetime, now: datetime, language: str) -> str:
    """Return in words how much working time of an office is left until `due_at`, or how late it is at `now`."""
    hours = dates.of(office)
    time = hours.between(now, due_at)
    late = now > due_at
    time = abs(time)
    first, last = sorted([today(now), today(due_at)])
    days = hours.working_days_between(first, last)
    minutes = int(time / timedelta(minutes=1))
    if days > 1:
        text = DAYS_LATE if late else DAYS_LEFT
    elif time >= TWO_HOURS:
        text = HOURS_LATE if late else HOURS_LEFT
        return text.render(language, hours=minutes // 60, minutes=minutes % 60)
    else:
        text = MINUTES_LATE if late else MINUTES_LEFT
    return text.render(language, minutes=minutes, days=days)
