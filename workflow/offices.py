"""What may be set about an office; all else of it is data of the regulation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import BadInputError
from config.language import Text
from config.offices import UnknownOfficeError
from models.change import ChangeOf
from models.office import Office, OfficeKind
from models.run_times import RunTimes
from workflow.changes import note_changes
from workflow.hours import calendar, calendar_changed
from workflow.office_facts import is_open_at
from workflow.people import Actor, require_role
from workflow.planning import plan_runs
from workflow.staffing import KEEPERS

MOST_RUNS = 12
"""Runs of one centre a day."""


class RunTimesError(BadInputError):
    """The run times cannot be used. Fact: `text`."""

    code = "run_times"
    text = Text("“{text}” are no run times. Write times of day in order, such as 10:00, 15:00.")


class ClosedAtRunError(BadInputError):
    """A run would leave while the centre is closed all week. Fact: `at`."""

    code = "closed_at_run"
    text = Text("At {at} the centre is never open: no courier could leave. Choose another time.")


class NoDepartmentError(BadInputError):
    """Only departments register packets."""

    code = "no_department"
    text = Text("Only a department has a register of its own.")


def set_own_register(session: Session, code: str, *, own: bool, by: Actor, now: datetime) -> None:
    """Say whether a department numbers packets in a system of its own.

    Where it does, a registrar types the number of that system; else a scan gives the next number of the year. Raises
    RoleError, UnknownOfficeError, NoDepartmentError.
    """
    require_role(by, *KEEPERS)
    kept = _locked(session, code)
    if kept.kind is not OfficeKind.DEPARTMENT:
        raise NoDepartmentError
    changed = {"own_register": (kept.own_register, own)}
    note_changes(session, ChangeOf.OFFICE, code, changed=changed, by=by.login, now=now)
    kept.own_register = own


def set_run_times(session: Session, code: str, *, text: str, by: Actor, now: datetime) -> None:
    """Set when the courier of a centre leaves (time of Almaty), and plan the runs anew; nothing means as the settings.

    Raises RoleError, UnknownOfficeError, RunTimesError, ClosedAtRunError.
    """
    require_role(by, *KEEPERS)
    kept = _locked(session, code)
    times = run_times(text)
    if kept.kind is not OfficeKind.CENTRE:
        raise UnknownOfficeError(office_code=code)
    weekly = calendar(session).of(code).weekly
    for at in times:
        if not is_open_at(weekly, at):
            raise ClosedAtRunError(at=f"{at:%H:%M}")
    before = own_run_times(session, code)
    after = [f"{at:%H:%M}" for at in times] or None
    if before == after:
        return
    calendar_changed(session)
    session.add(RunTimes(centre=code, times=after, set_at=now, set_by=by.login))
    session.flush()  # The plan below is made by them.
    note_changes(session, ChangeOf.OFFICE, code, changed={"run_times": (before, after)}, by=by.login, now=now)
    plan_runs(session, now=now)


def own_run_times(session: Session, code: str) -> list[str] | None:
    """Return the run times that were set for a centre; None where those of the settings count."""
    return session.scalar(
        select(RunTimes.times).where(RunTimes.centre == code).order_by(RunTimes.id.desc()).limit(1)
    )


def departures_of_day(session: Session, code: str) -> list[str]:
    """Return when the courier of a centre leaves on a working day, such as 10:00."""
    return [f"{at:%H:%M}" for at in calendar(session).run_times_of(code)]


def run_times(text: str) -> Sequence[time]:
    """Return the times of day in `text`, separated by commas or spaces; raise RunTimesError."""
    try:
        found = sorted({time.fromisoformat(part.zfill(5)) for part in text.replace(",", " ").split()})
    except ValueError:
        raise RunTimesError(text=text) from None
    if len(found) > MOST_RUNS or any(at.second or at.microsecond or at.tzinfo for at in found):
        raise RunTimesError(text=text)
    return found


def _locked(session: Session, code: str) -> Office:
    kept = session.get(Office, code, with_for_update=True)
    if kept is None:
        raise UnknownOfficeError(office_code=code)
    return kept
