"""The calendar: when offices work and couriers leave, from the regulation, the public days and what was corrected."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from config.clock import ALMATY
from config.errors import SettingsError
from config.language import Text
from config.offices import Office, office
from config.public_days import OFF, PUBLIC, DayKind, public_days
from config.settings import settings
from config.working_time import Span, WorkingTime

UTC_OFFSET = timedelta(hours=5)
"""Asia/Almaty since 1 March 2024."""


class TimeZoneError(SettingsError):
    """The time zone data of this machine is too old. Facts: `offset`, `needed`."""

    code = "time_zone"
    text = Text(
        "By the time zone data of this machine Almaty is UTC+{offset} hours instead of UTC+{needed}: every deadline "
        "would be wrong. Install the pinned package tzdata, and start with an empty PYTHONTZPATH, so that it is used."
    )


def require_time_zone(now: datetime) -> None:
    """Raise TimeZoneError unless Almaty is UTC+5 at `now`, as it has been since 1 March 2024."""
    offset = now.astimezone(ALMATY).utcoffset()
    if offset != UTC_OFFSET:
        raise TimeZoneError(
            offset=(offset or timedelta()) / timedelta(hours=1), needed=UTC_OFFSET / timedelta(hours=1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """A date as the table of dates has it, for one office or for all of a kind."""

    day: date
    kind: DayKind
    office_kind: str
    office: str | None = None
    """Code of the one office, None for all of `office_kind`."""
    hours: tuple[Span, ...] | None = None
    """Hours of the date, where it has its own."""


class Calendar:
    """When each office works. A date of one office counts before one of its kind, and that before the public seed."""

    def __init__(
        self,
        days: Iterable[SpecialDay] = (),
        *,
        seeded: Container[int] = (),
        run_times: Mapping[str, tuple[time, ...]] | None = None,
        weekly: Mapping[str, tuple[tuple[Span, ...], ...]] | None = None,
    ) -> None:
        """Take `days` in the order in which they were set: a later one replaces an earlier one of the same scope.

        `seeded` are the years whose public days are among them; for all other years the public seed counts.
        `run_times` are the departures of centres that operators set; for all others the settings count. `weekly` are
        the hours of offices that operators know better than the regulation.
        """
        self._days = {(day.office or day.office_kind, day.day): day for day in days}
        self._seeded = seeded
        self._run_times = run_times or {}
        self._weekly = weekly or {}
        self._made: dict[str, WorkingTime] = {}

    def of(self, code: str) -> WorkingTime:
        """Return the working time of an office; raise UnknownOfficeError."""
        made = self._made.get(code)
        if made is None:
            held = office(code)

            def special(day: date) -> tuple[Span, ...] | None:
                return self._special(held, day)

            made = self._made[code] = WorkingTime(weekly=self.weekly_of(held), special=special)
        return made

    def weekly_of(self, held: Office) -> tuple[tuple[Span, ...], ...]:
        """Return the hours of an ordinary week."""
        return self._weekly.get(held.code) or held.hours.weekly

    def run_times_of(self, centre: str) -> tuple[time, ...]:
        """Return the departures of a centre's courier, in order."""
        return self._run_times.get(centre) or settings().run_times_of(centre)

    def kind_of(self, code: str, day: date) -> DayKind:
        """Return why the hours of a date are what they are; ORDINARY where the week holds."""
        return self._found(office(code), day)[0]

    def _special(self, held: Office, day: date) -> tuple[Span, ...] | None:
        kind, hours, own = self._found(held, day)
        if kind in OFF:
            return None if kind in PUBLIC and held.hours.open_on_public_holidays and not own else ()
        if kind is DayKind.ORDINARY:
            return None
        return hours or full_day(self.weekly_of(held))

    def _found(self, held: Office, day: date) -> tuple[DayKind, tuple[Span, ...] | None, bool]:
        own = self._days.get((held.code, day))
        listed = own or self._days.get((held.kind, day))
        if listed is not None:
            return listed.kind, listed.hours, own is not None
        if day.year not in self._seeded:
            public = public_days(day.year, week=self._week_of(held)).get(day)
            if public is not None:
                return public.kind, None, False
        return DayKind.ORDINARY, None, False

    def _week_of(self, held: Office) -> int:
        """Return the working days of the week, 5 or 6."""
        own = self._weekly.get(held.code)
        return held.hours.week if own is None else 6 if sum(map(bool, own)) >= 6 else 5


def full_day(weekly: tuple[tuple[Span, ...], ...]) -> tuple[Span, ...]:
    """Return the spans of an ordinary working day: those of the first day of the week on which people work."""
    return next((spans for spans in weekly if spans), ())


BY_SEED = Calendar()
"""The calendar before anybody corrected anything."""


def today(now: datetime) -> date:
    """Return the date that people have at `now`."""
    return now.astimezone(UTC).astimezone(ALMATY).date()
