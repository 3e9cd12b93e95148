"""Working time of one office: from dates to working intervals, and the arithmetic of minutes and days on them.

Inside everything is UTC; dates and hours are those of Asia/Almaty. Intervals include their end: a term of ten minutes
that begins ten minutes before closing ends at closing, not on the next morning.
"""

from __future__ import annotations

from array import array
from calendar import isleap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate

from config.clock import ALMATY, local
from config.errors import BadInputError
from config.language import Text

Span = tuple[time, time]
"""Begin and end of work on a clock on the wall."""

Interval = tuple[datetime, datetime]
"""Begin and end of work, UTC."""

LONGEST_CLOSURE = 366
"""Days in a row without work after which the calendar must be wrong."""

ONE_DAY = timedelta(days=1)
ONE_MICROSECOND = timedelta(microseconds=1)
NOTHING = timedelta(0)


class NeverOpenError(BadInputError):
    """The calendar leaves an office no working day in a whole year. Fact: `since`."""

    code = "never_open"
    text = Text(
        "By the calendar the office does not work in the year after {since}. "
        "Correct it with `shabarman calendar set`."
    )


def _as_usual(_day: date) -> tuple[Span, ...] | None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Year:
    """Sums over one year, so that the time between two moments costs the same however far they are apart."""

    worked: array[int]
    """Microseconds of working time from the first of January to the beginning of each day; the last is the whole."""
    days: array[int]
    """Working days before each day."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkingTime:
    """When one office works."""

    weekly: tuple[tuple[Span, ...], ...]
    """Seven days from Monday, each with its spans in order; none on a day off."""
    special: Callable[[date], tuple[Span, ...] | None] = _as_usual
    """The spans of a date that differs from the week; None where the week holds."""
    _known: dict[date, tuple[Interval, ...]] = field(default_factory=dict, repr=False)
    _years: dict[int, _Year] = field(default_factory=dict, repr=False)

    def intervals(self, day: date) -> tuple[Interval, ...]:
        """Return the working intervals of a date, none on a day off."""
        found = self._known.get(day)
        if found is None:
            found = self._known[day] = self._counted(day)
        return found

    def _counted(self, day: date) -> tuple[Interval, ...]:
        spans = self.special(day)
        if spans is None:
            spans = self.weekly[day.weekday()]
        return tuple((_moment(day, begin), _moment(day, end)) for begin, end in spans)

    def _year(self, year: int) -> _Year:
        found = self._years.get(year)
        if found is None:
            first = date(year, 1, 1)
            # Not kept by day: most of these dates are never asked for.
            counted = [self._counted(first + number * ONE_DAY) for number in range(365 + isleap(year))]
            worked = (
                sum((end - begin for begin, end in spans), NOTHING) // ONE_MICROSECOND for spans in counted
            )
            found = self._years[year] = _Year(
                worked=array("q", accumulate(worked, initial=0)),
                days=array("q", accumulate(map(bool, counted), initial=0)),
            )
        return found

    def works_on(self, day: date) -> bool:
        """Tell whether the office works on a date at all."""
        return bool(self.intervals(day))

    def is_open(self, moment: datetime) -> bool:
        """Tell whether people are at work at `moment`; at the minute of closing they are not."""
        return any(begin <= moment < end for begin, end in self.intervals(local(moment).date()))

    def next_open(self, moment: datetime) -> datetime:
        """Return the first moment from `moment` on at which people are at work."""
        moment = moment.astimezone(UTC)
        return next(max(begin, moment) for begin, end in self._from(moment) if end > moment)

    def add(self, start: datetime, span: timedelta) -> datetime:
        """Return the earliest moment by which `span` of working time has passed since `start`.

        Raises NeverOpenError when the calendar has no working time to pass, ValueError for a negative span.
        """
        if span < NOTHING:
            raise ValueError(f"Working time only runs forward, not by {span}.")
        start = start.astimezone(UTC)
        for begin, end in self._from(start):
            begin = max(begin, start)  # noqa: PLW2901 - what is left of the interval
            if end - begin >= span:
                return begin + span
            span -= end - begin
        raise AssertionError("unreachable")

    def add_minutes(self, start: datetime, minutes: float) -> datetime:
        """Return the earliest moment by which `minutes` of working time have passed since `start`."""
        return self.add(start, timedelta(minutes=minutes))

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time from `start` to `end`; negative when `end` comes first."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        if end < start:
            return -self.between(end, start)
        first, last = local(start).date(), local(end).date()
        if first == last:  # Most steps end on the day on which they began.
            return sum(
                (max(min(close, end) - max(begin, start), NOTHING) for begin, close in self.intervals(first)),
                NOTHING,
            )
        whole_years = sum(self._year(year).worked[-1] for year in range(first.year, last.year))
        return whole_years * ONE_MICROSECOND + self._worked(last, end) - self._worked(first, start)

    def _worked(self, day: date, moment: datetime) -> timedelta:
        """Return the working time from the beginning of the year to a moment of `day`."""
        passed = self._year(day.year).worked[_place(day)] * ONE_MICROSECOND
        for begin, close in self.intervals(day):
            passed += max(min(close, moment) - begin, NOTHING)
        return passed

    def working_days_between(self, first: date, last: date) -> int:
        """Return how many working days come after `first`, up to `last`, which does not come before it."""
        whole_years = sum(self._year(year).days[-1] for year in range(first.year, last.year))
        ends = (self._year(day.year).days[_place(day) + 1] for day in (first, last))
        return whole_years - next(ends) + next(ends)

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Return the whole working minutes from `start` to `end`; negative when `end` comes first."""
        return int(self.between(start, end) / timedelta(minutes=1))

    def add_working_days(self, start: datetime, days: int) -> datetime:
        """Return the closing of the `days`-th working day after the date of `start`.

        The date on which a term begins does not count (Civil Code of Kazakhstan, article 173).
        """
        if days < 1:
            raise ValueError(f"A term has at least one working day, not {days}.")
        closings = self._closings(local(start).date() + ONE_DAY)
        for _ in range(days - 1):
            next(closings)
        return next(closings)

    def add_days(self, start: datetime, days: int) -> datetime:
        """Return the closing of the `days`-th calendar day after the date of `start`.

        A term whose last day is a day off ends on the next working day (Civil Code, article 175).
        """
        return next(self._closings(local(start).date() + days * ONE_DAY))

    def end_of_working_day(self, moment: datetime) -> datetime:
        """Return the closing of the working day that `moment` belongs to, of the next one when it is over."""
        return next(closing for closing in self._closings(local(moment).date()) if closing > moment)

    def _closings(self, day: date) -> Iterator[datetime]:
        """Yield the closing of every working day from `day` on."""
        for spans in self._days(day):
            if spans:
                yield spans[-1][1]

    def _from(self, moment: datetime) -> Iterator[Interval]:
        """Yield the intervals that do not end before `moment`."""
        for spans in self._days(local(moment).date()):
            yield from (span for span in spans if span[1] >= moment)

    def _days(self, day: date) -> Iterator[tuple[Interval, ...]]:
        first, closed = day, 0
        while closed <= LONGEST_CLOSURE:
            spans = self.intervals(day)
            closed = 0 if spans else closed + 1
            yield spans
            day += ONE_DAY
        raise NeverOpenError(since=first)


def _place(day: date) -> int:
    """Return the number of a date in its year, from 0."""
    return day.timetuple().tm_yday - 1


def _moment(day: date, at: time) -> datetime:
    # An hour that happened twice (29 February 2024, 23:00) means its first occurrence.
    return datetime.combine(day, at, tzinfo=ALMATY).astimezone(UTC)


def parse_spans(written: tuple[str, ...] | list[str]) -> tuple[Span, ...]:
    """Read spans as people write them, `09:00-13:00`; raise ValueError when they are wrong or not in order."""
    spans = []
    for text in written:
        begin, _, end = text.partition("-")
        try:
            spans.append((time.fromisoformat(begin.strip()), time.fromisoformat(end.strip())))
        except ValueError:
            raise ValueError(f'"{text}" is no span such as 09:00-13:00') from None
    borders = [border for span in spans for border in span]
    if any(one >= other for one, other in zip(borders[::2], borders[1::2], strict=True)) or borders != sorted(
        borders
    ):
        raise ValueError("each span must end after it begins, and before the next one begins")
    return tuple(spans)


def written_spans(spans: tuple[Span, ...]) -> list[str]:
    """Return spans as people write them."""
    return [f"{begin:%H:%M}-{end:%H:%M}" for begin, end in spans]
