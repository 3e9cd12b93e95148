"""Running the checks, each as one question to the database, and counting what they find."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Select, bindparam, column, func, select, text
from sqlalchemy.orm import Session

from models.base import UtcDateTime, database_now
from models.patience import allow_long_statements
from workers.verification import archives, bags, chains, deadlines, numbers, tidings
from workers.verification.check import Check, statement
from workers.verification.report import MOST_SHOWN, Finding, Report

PATIENCE_SECONDS = 120
"""How long, in seconds, a lease may have run out before that counts: a relay may be busy, or just starting."""

TABLES = (
    "packets",
    "events",
    "manifests",
    "manifest_lines",
    "discrepancies",
    "deadlines",
    "scans",
    "messages",
    "notices",
    "archives",
)

CHECKS = (*chains.CHECKS, *bags.CHECKS, *deadlines.CHECKS, *tidings.CHECKS, *archives.CHECKS)
LOST, MISROUTED, UNMEANT = "message_lost", "message_misrouted", "message_unmeant"

INVARIANTS = (
    *(check.name for check in CHECKS),
    LOST,
    MISROUTED,
    UNMEANT,
    numbers.NUMBERS_RIGHT,
    numbers.REGISTERED_ONCE,
)
"""The words of all invariants, in the order of their checks."""


def verify(
    session: Session,
    *,
    patience_seconds: int = PATIENCE_SECONDS,
    on_check: Callable[[str], None] = lambda _name: None,
) -> Report:
    """Check every invariant over the whole database, which may be in use meanwhile, and return what was found.

    `patience_seconds` is how long a lease may have run out. `on_check` is called with the word of each invariant
    before it is checked.
    """
    dialect = session.get_bind().dialect.name
    # A large house takes longer than any other statement may.
    allow_long_statements(session)
    now = session.scalars(select(database_now())).one()
    facts = {"patience_ended": now - timedelta(seconds=patience_seconds)}
    report = Report(checked=_sizes(session) | {"invariants": len(INVARIANTS)})
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    for check in CHECKS:
        on_check(check.name)
        _ask(session, check, facts, found, report.counts)
    on_check(LOST)
    _count(_messages(session, dialect), found, report.counts)
    on_check(numbers.NUMBERS_RIGHT)
    _count(numbers.wrong_numbers(session), found, report.counts)
    on_check(numbers.REGISTERED_ONCE)
    _count(numbers.wrong_registrations(session), found, report.counts)
    report.broken = list(islice(_some_of_each(found), MOST_SHOWN))
    waiting: defaultdict[str, list[Finding]] = defaultdict(list)
    for check in tidings.WARNINGS:
        _ask(session, check, facts, waiting, {})
    report.warnings = list(islice(_some_of_each(waiting), MOST_SHOWN))
    return report


def _sizes(session: Session) -> dict[str, int]:
    return {
        table: session.scalar(text(f"SELECT COUNT(*) FROM {table}")) or 0  # noqa: S608 - names of our own
        for table in TABLES
    }


@cache
def _question(check: Check, dialect: str) -> Select[Any]:
    asked = check.statement(dialect)
    if ":patience_ended" in asked.text:
        asked = asked.bindparams(bindparam("patience_ended", type_=UtcDateTime()))
    rows = asked.columns(column("subject"), column("detail")).subquery("found")
    return select(rows.c.subject, rows.c.detail, func.count().over()).limit(MOST_SHOWN)


def _ask(
    session: Session,
    check: Check,
    facts: dict[str, datetime],
    found: defaultdict[str, list[Finding]],
    counts: dict[str, int],
) -> None:
    question = _question(check, session.get_bind().dialect.name)
    for subject, detail, total in session.execute(question, facts):
        counts[check.name] = total
        found[check.name].append(
            Finding(invariant=check.name, subject=str(subject), detail=str(detail or check.promise))
        )


def _messages(session: Session, dialect: str) -> Iterator[Finding]:
    """Compare the messages that are there with those that were meant."""
    rows = session.execute(statement(tidings.COMPARED, tidings.TRUTH, dialect)).all()
    wanted = {(row.cause, row.type): row.queue for row in rows if row.meant > row.kept}
    astray = {
        (row.cause, row.type) for row in rows if row.kept > row.meant and (row.cause, row.type) in wanted
    }
    for row in rows:
        news = row.cause, row.type
        if row.meant > row.kept:
            if news not in astray:
                yield Finding(invariant=LOST, subject=row.cause, detail=f"{row.type} for {row.queue}")
        elif news in wanted:
            yield Finding(
                invariant=MISROUTED,
                subject=row.cause,
                detail=f"{row.type} in {row.queue} instead of {wanted[news]}",
            )
        else:
            yield Finding(invariant=UNMEANT, subject=row.cause, detail=f"{row.type} in {row.queue}")


def _count(
    findings: Iterable[Finding], found: defaultdict[str, list[Finding]], counts: dict[str, int]
) -> None:
    for finding in findings:
        counts[finding.invariant] = counts.get(finding.invariant, 0) + 1
        if len(found[finding.invariant]) < MOST_SHOWN:
            found[finding.invariant].append(finding)


def _some_of_each(found: dict[str, list[Finding]]) -> Iterator[Finding]:
    """Yield the first finding of each invariant, then the second of each …, so that each one is shown."""
    for place in range(MOST_SHOWN):
        for findings in found.values():
            if place < len(findings):
                yield findings[place]
