"""Telephones, e-mail and hours of an office: as the regulation printed them, or as an operator knows them better."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.calendar import today
from config.errors import BadInputError
from config.language import Text
from config.offices import office as office_of
from config.working_time import Span, parse_spans, written_spans
from models.change import ChangeOf
from models.office import Office, OfficeKind
from models.office_fact import Fact, OfficeFact
from workflow.changes import note_changes
from workflow.deadlines import move_later
from workflow.hours import calendar, calendar_changed
from workflow.people import Actor, require_role
from workflow.planning import plan_runs
from workflow.staffing import KEEPERS

MOST = 10
"""Telephones or addresses of one office."""

DAYS_AHEAD = 366
"""How far ahead deadlines are looked at when hours change."""

_PHONE = re.compile(r"\+?[0-9][0-9 ()\-]{2,38}")

Weekly = tuple[tuple[Span, ...], ...]


class FactSourceError(BadInputError):
    """Nobody could check where a fact is known from."""

    code = "fact_source"
    text = Text("Write where this is known from: an order, a letter, a call with date and name.")


class PhoneError(BadInputError):
    """A telephone cannot be dialled. Fact: `text`."""

    code = "phone"
    text = Text("“{text}” is no telephone. Write digits, spaces, brackets and hyphens: +7 (72832) 2-10-05.")


class EmailError(BadInputError):
    """An e-mail address cannot be used. Fact: `text`."""

    code = "email"
    text = Text("“{text}” is no e-mail address.")


class WeekError(BadInputError):
    """The hours of the week cannot be used. Fact: `text`."""

    code = "week"
    text = Text(
        "“{text}” are no hours of a day. Write 09:00-13:00, 14:00-18:00, and nothing for a day off; the office "
        "works on one day at least."
    )


class RunOutsideError(BadInputError):
    """A courier would leave while the centre is closed all week. Fact: `at`."""

    code = "run_outside"
    text = Text(
        "The courier leaves at {at}, when the centre would never be open. Change the run times first."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What counts about one office now."""

    phones: tuple[str, ...]
    emails: tuple[str, ...]
    weekly: Weekly
    sources: Mapping[Fact, OfficeFact]
    """Those that an operator said, with their source; all others are as printed."""


def facts_of(session: Session, code: str) -> Facts:
    """Return telephones, e-mail and hours of an office; raise UnknownOfficeError."""
    held = office_of(code)
    newest = select(func.max(OfficeFact.id)).where(OfficeFact.office == code).group_by(OfficeFact.fact)
    said = {
        row.fact: row
        for row in session.scalars(select(OfficeFact).where(OfficeFact.id.in_(newest)))
        if row.value is not None
    }
    printed = _printed(code)
    phones, emails = (
        tuple(said[fact].value or ()) if fact in said else tuple(printed[fact])
        for fact in (Fact.PHONES, Fact.EMAILS)
    )
    weekly = week_of(said[Fact.HOURS].value or []) if Fact.HOURS in said else held.hours.weekly
    return Facts(phones=phones, emails=emails, weekly=weekly, sources=said)


def said_phones(session: Session) -> dict[str, list[str]]:
    """Return the telephones of those offices of which operators know better."""
    found: dict[str, list[str]] = {}
    for row in session.scalars(
        select(OfficeFact).where(OfficeFact.fact == Fact.PHONES).order_by(OfficeFact.id)
    ):
        found[row.office] = row.value or []
    return {code: phones for code, phones in found.items() if phones}


def _printed(code: str) -> dict[Fact, list[Any]]:
    held = office_of(code)
    return {
        Fact.PHONES: [phone.number or phone.printed for phone in held.phones],
        Fact.EMAILS: list(held.emails),
        Fact.HOURS: [written_spans(spans) for spans in held.hours.weekly],
    }


def week_of(value: Sequence[Sequence[str]]) -> Weekly:
    """Return the hours of a week as they are kept: seven lists of spans."""
    return tuple(parse_spans(list(spans)) for spans in value)


def set_facts(
    session: Session,
    code: str,
    *,
    phones: Sequence[str],
    emails: Sequence[str],
    hours: Sequence[str],
    source: str,
    by: Actor,
    now: datetime,
) -> int:
    """Say what an office's telephones, e-mail and hours are, and by which source; return the deadlines moved.

    `hours` are seven texts from Monday, empty on a day off. What is as printed counts as printed again. Runs are
    planned anew, and open deadlines go later where time is lost. Raises RoleError, UnknownOfficeError, FactSourceError,
    PhoneError, EmailError, WeekError, RunOutsideError.
    """
    require_role(by, *KEEPERS)
    session.get(Office, code, with_for_update=True)
    now_known, printed = facts_of(session, code), _printed(code)
    before: dict[Fact, list[Any]] = {
        Fact.PHONES: list(now_known.phones),
        Fact.EMAILS: list(now_known.emails),
        Fact.HOURS: [written_spans(spans) for spans in now_known.weekly],
    }
    after: dict[Fact, list[Any]] = {
        Fact.PHONES: _given(
            phones, PhoneError, lambda text: text in before[Fact.PHONES] or _PHONE.fullmatch(text)
        ),
        Fact.EMAILS: _given(emails, EmailError, _is_address),
        Fact.HOURS: _week(hours),
    }
    changed = [fact for fact in Fact if before[fact] != after[fact]]
    if not changed:
        return 0
    if not source.strip():
        raise FactSourceError
    if Fact.HOURS in changed and office_of(code).kind == OfficeKind.CENTRE:
        _require_runs_inside(session, code, week_of(after[Fact.HOURS]))
    calendar_changed(session)
    for fact in changed:
        value = None if after[fact] == printed[fact] else after[fact]
        session.add(
            OfficeFact(
                office=code, fact=fact, value=value, source=source.strip(), set_at=now, set_by=by.login
            )
        )
    session.flush()  # The calendar below is made by them.
    note_changes(
        session,
        ChangeOf.OFFICE,
        code,
        changed={fact.value: (_shown(before[fact]), _shown(after[fact])) for fact in changed},
        by=by.login,
        now=now,
    )
    if Fact.HOURS not in changed:
        return 0
    if office_of(code).kind == OfficeKind.CENTRE:
        plan_runs(session, now=now)
    first = today(now)
    return move_later(
        session,
        first=first,
        last=first + timedelta(days=DAYS_AHEAD),
        why="hours",
        source=source.strip(),
        now=now,
    )


def _shown(value: list[Any]) -> list[str]:
    """Return a fact as the list of changes shows it: a text for each day, telephone or address."""
    return [one if isinstance(one, str) else ", ".join(one) or "–" for one in value]


def _require_runs_inside(session: Session, code: str, weekly: Weekly) -> None:
    for at in calendar(session).run_times_of(code):
        if not is_open_at(weekly, at):
            raise RunOutsideError(at=f"{at:%H:%M}")


def is_open_at(weekly: Weekly, at: time) -> bool:
    """Tell whether people work at a time of day on any day of the week."""
    return any(begin <= at < end for spans in weekly for begin, end in spans)


def _given(texts: Sequence[str], error: type[BadInputError], fits: Any) -> list[str]:  # noqa: ANN401 - a question
    found = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    for text in found:
        if len(found) > MOST or not fits(text):
            raise error(text=text)
    return found


def _is_address(text: str) -> bool:
    name, at, host = text.partition("@")
    return bool(name and at and "." in host) and len(text) <= 254 and not re.search(r"\s", text)


def _week(hours: Sequence[str]) -> list[list[str]]:
    found = []
    for text in hours:
        try:
            spans = parse_spans([part for part in text.replace(";", ",").split(",") if part.strip()])
        except ValueError:
            raise WeekError(text=text) from None
        found.append(written_spans(spans))
    if len(found) != 7 or not any(found):
        raise WeekError(text=", ".join(hours))
    return found
