"""Days and moments as people write them in each language, on the clock of Almaty."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from config.clock import local
from config.language import Text

TODAY = Text("today, {time}")
YESTERDAY = Text("yesterday, {time}")
TOMORROW = Text("tomorrow, {time}")
_NEAR = {-1: YESTERDAY, 0: TODAY, 1: TOMORROW}

_WITH_YEAR = {"kk": "y 'ж'. d MMMM", "ru": "d MMMM y 'г'.", "en": "d MMMM y"}
"""Patterns of Unicode's locale data, which Babel fills with the names of months."""
_WITHOUT_YEAR = "d MMMM"


def day_in(language: str, day: date, *, today: date | None = None) -> str:
    """Return a day in words: `25 ноября 2026 г.`; without the year where it is that of `today`."""
    # Babel is imported here because the command line answers `--help` without it.
    from babel.dates import format_date  # noqa: PLC0415

    known = language if language in _WITH_YEAR else "en"
    same_year = today is not None and today.year == day.year
    return format_date(day, _WITHOUT_YEAR if same_year else _WITH_YEAR[known], locale=known)


def moment_in(language: str, moment: datetime, *, now: datetime | None = None) -> str:
    """Return an aware moment in words: `today, 18:07`, `25 November, 18:07`, with its year where that is another.

    Without `now` the year is always there, and nothing is called today.
    """
    at = local(moment)
    time = f"{at:%H:%M}"
    today = None if now is None else local(now).date()
    near = None if today is None else _NEAR.get((at.date() - today) // timedelta(days=1))
    if near is not None:
        return near.render(language, time=time)
    return f"{day_in(language, at.date(), today=today)}, {time}"
