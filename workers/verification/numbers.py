"""Checks on numbers: right by their check digits, of the right office, given out by its counter, once."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.base import UtcDateTime
from workers.verification.report import Finding

NUMBERS_RIGHT = "numbers_right"
REGISTERED_ONCE = "registered_once"

_ALMATY = ZoneInfo("Asia/Almaty")

_NUMBERS = text(
    """
    SELECT number, origin, accepted_at AS made_at, 'packet' AS kind FROM packets
    UNION ALL SELECT number, origin, created_at, 'manifest' FROM manifests
    """
).columns(made_at=UtcDateTime())

_REGISTERED = text(
    """
    SELECT p.department, p.register_number, p.number, MAX(e.at) AS at
    FROM packets p JOIN events e ON e.packet_id = p.id AND e.move = 'register'
    WHERE (p.department, p.register_number) IN (
        SELECT department, register_number FROM packets WHERE register_number IS NOT NULL
        GROUP BY department, register_number HAVING COUNT(*) > 1)
    GROUP BY p.department, p.register_number, p.number
    """
).columns(at=UtcDateTime())

_UNREGISTERED = text(
    """
    SELECT number, state FROM packets
    WHERE register_number IS NULL AND origin <> department AND state IN ('registered', 'with_head',
        'with_executor', 'for_signature', 'signed', 'result_collected', 'result_in_transit', 'ready', 'handed_over')
        OR register_number IS NOT NULL AND state IN ('accepted', 'collected', 'in_transit', 'received', 'withdrawn')
    """
)


def wrong_numbers(session: Session) -> Iterator[Finding]:
    """Yield the numbers of packets and manifests that are not what their office's counter gave out."""
    counters = {
        (office, year, kind): last
        for office, year, kind, last in session.execute(text("SELECT office, year, kind, last FROM serials"))
    }
    for number, origin, made_at, kind in session.execute(_NUMBERS).yield_per(10_000):
        wrong = _wrong_with(number, origin, made_at, kind, counters)
        if wrong is not None:
            yield Finding(invariant=NUMBERS_RIGHT, subject=number, detail=f"{kind}: {wrong}")


def _wrong_with(
    number: str, origin: str, made_at: datetime, kind: str, counters: dict[tuple[str, int, str], int]
) -> str | None:
    own = number.removeprefix("80") if kind == "manifest" and len(number) == 16 else number
    if len(own) != 14 or not (number.isascii() and number.isdigit()):
        return "not of the form of such a number"
    if int(number) % 97 != 1:
        return "the check digits do not agree"
    office, year, serial = own[:4], 2000 + int(own[4:6]), int(own[6:12])
    if office != origin:
        return f"made by {origin}"
    if year != made_at.astimezone(_ALMATY).year:
        return f"made in {made_at.astimezone(_ALMATY).year}"
    if not 1 <= serial <= counters.get((office, year, kind), 0):
        return f"the counter stands at {counters.get((office, year, kind), 0)}"
    return None


def wrong_registrations(session: Session) -> Iterator[Finding]:
    """Yield packets without the register number that they need, and those that share theirs within a year."""
    for number, state in session.execute(_UNREGISTERED):
        yield Finding(invariant=REGISTERED_ONCE, subject=number, detail=f"{state}: number in the register")
    # Other years may begin again with the same numbers, where a department has a register of its own.
    rows = [
        (number, (department, register_number, at.astimezone(_ALMATY).year))
        for department, register_number, number, at in session.execute(_REGISTERED)
    ]
    times = Counter(key for _, key in rows)
    for number, key in rows:
        if times[key] > 1:
            department, register_number, year = key
            yield Finding(
                invariant=REGISTERED_ONCE,
                subject=number,
                detail=f"{register_number} of {department} in {year}, with others",
            )
