"""Working time: the cases that were worked out by hand, the public days, and what holds for any office and moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.calendar import BY_SEED, Calendar, SpecialDay, TimeZoneError, require_time_zone
from config.clock import ALMATY, local
from config.public_days import DayKind, public_days
from config.working_time import NeverOpenError, WorkingTime, parse_spans, written_spans

DAY = parse_spans(["09:00-13:00", "14:00-18:00"])
SATURDAY = parse_spans(["10:00-14:00"])


def by_week_of_five(day: date) -> tuple[tuple[time, time], ...] | None:
    found = public_days(day.year, week=5).get(day)
    if found is None:
        return None
    return DAY if found.kind is DayKind.WORKING else ()


WITH_SATURDAY = WorkingTime(weekly=(*[DAY] * 5, SATURDAY, ()), special=by_week_of_five)
DEPARTMENT, CENTRE = BY_SEED.of("2001"), BY_SEED.of("1001")


def almaty(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ALMATY)


def shown(moment: datetime) -> str:
    assert moment.tzinfo is UTC
    return f"{moment.astimezone(ALMATY):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-23 12:50", 30, "2026-11-23 14:20"),  # the break
        ("2026-11-20 17:45", 30, "2026-11-21 10:15"),  # Saturday
        ("2026-12-15 17:50", 30, "2026-12-17 09:20"),  # Independence Day
        ("2026-03-20 17:50", 30, "2026-03-26 09:20"),  # Nauryz on a week-end, moved
        ("2024-05-03 17:50", 30, "2024-05-04 09:20"),  # a Saturday worked in exchange
        ("2024-02-29 17:50", 30, "2024-03-01 09:20"),  # the clock goes back at midnight
        ("2026-11-22 03:00", 5, "2026-11-23 09:05"),  # Sunday night
        ("2026-11-23 17:30", 30, "2026-11-23 18:00"),  # to the minute of closing
    ],
)
def test_minutes_of_working_time(start: str, minutes: int, end: str) -> None:
    found = WITH_SATURDAY.add_minutes(almaty(start), minutes)
    assert shown(found) == end
    assert WITH_SATURDAY.minutes_between(almaty(start), found) == minutes


def test_the_hour_that_happened_twice_counts_as_it_passed() -> None:
    night = WorkingTime(weekly=(parse_spans(["00:00-09:00"]),) * 7)
    # From 22:00 of 29 February to 1:00 of 1 March four hours passed, of which one is worked.
    assert night.minutes_between(almaty("2024-02-29 22:00"), almaty("2024-03-01 01:00")) == 60
    begin, end = almaty("2024-02-29 22:00").astimezone(UTC), almaty("2024-03-01 01:00").astimezone(UTC)
    assert end - begin == timedelta(hours=4)
    twice = almaty("2024-02-29 23:30")
    assert night.add_minutes(twice.replace(fold=1), 5) == night.add_minutes(twice, 5)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-23 10:00", 1, "2026-11-24 18:00"),
        ("2026-11-20 17:59", 1, "2026-11-23 18:00"),
        ("2026-11-22 12:00", 3, "2026-11-25 18:00"),
        ("2026-03-20 10:00", 1, "2026-03-26 18:00"),
    ],
)
def test_working_days_end_with_the_last_of_them(start: str, days: int, end: str) -> None:
    assert shown(DEPARTMENT.add_working_days(almaty(start), days)) == end


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-23 10:00", 9, "2026-12-02 18:00"),
        ("2026-11-23 10:00", 5, "2026-11-30 18:00"),  # the last day is a Saturday
        ("2026-12-11 10:00", 5, "2026-12-17 18:00"),  # and here a holiday
    ],
)
def test_calendar_days_end_on_a_working_day(start: str, days: int, end: str) -> None:
    assert shown(DEPARTMENT.add_days(almaty(start), days)) == end


def test_within_the_working_day() -> None:
    assert shown(CENTRE.end_of_working_day(almaty("2026-11-23 10:00"))) == "2026-11-23 20:00"
    assert shown(CENTRE.end_of_working_day(almaty("2026-11-23 20:00"))) == "2026-11-24 20:00"
    assert shown(CENTRE.end_of_working_day(almaty("2026-11-21 15:30"))) == "2026-11-23 20:00"


def test_a_centre_works_six_days_so_that_nothing_is_moved_for_a_saturday() -> None:
    # 21 March 2026 is a Saturday, 22 a Sunday, 23 a Monday.
    off = [day for day in range(20, 28) if not CENTRE.works_on(date(2026, 3, day))]
    assert off == [21, 22, 23, 24]
    assert [day for day in range(20, 28) if not DEPARTMENT.works_on(date(2026, 3, day))] == [
        21, 22, 23, 24, 25,
    ]  # fmt: skip
    # The exchange of 4 May 2024 for 8 May is one of the week of five days.
    assert CENTRE.works_on(date(2024, 5, 8))
    assert not DEPARTMENT.works_on(date(2024, 5, 8))
    assert written_spans(parse_spans(["09:00-15:00"])) == ["09:00-15:00"]
    assert CENTRE.minutes_between(almaty("2024-05-04 00:00"), almaty("2024-05-05 00:00")) == 6 * 60
    assert DEPARTMENT.minutes_between(almaty("2024-05-04 00:00"), almaty("2024-05-05 00:00")) == 8 * 60


@pytest.mark.parametrize("week", [5, 6])
@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027, 2028])
def test_every_public_day_has_its_names_in_both_languages(year: int, week: int) -> None:
    found = public_days(year, week=week)
    assert len(found) >= 14
    for day, public in found.items():
        assert day.year == year
        assert any("а" <= letter <= "я" for letter in public.name_kk.lower()), public
        assert any("а" <= letter <= "я" for letter in public.name_ru.lower()), public
    assert list(found) == sorted(found)


def test_what_the_moon_decides_is_marked_as_estimated() -> None:
    assert [day for day, public in public_days(2027, week=5).items() if public.estimated] == [
        date(2027, 5, 16)
    ]
    # Constitution Day has moved from 30 August to 15 March.
    assert date(2027, 3, 15) in public_days(2027, week=5)
    assert date(2027, 8, 30) not in public_days(2027, week=5)


def test_the_date_of_one_office_counts_before_that_of_its_kind() -> None:
    day = date(2026, 11, 23)
    closed = SpecialDay(day=day, kind=DayKind.CLOSED, office_kind="department")
    short = SpecialDay(
        day=day,
        kind=DayKind.HOURS,
        office_kind="department",
        office="2001",
        hours=parse_spans(["10:00-12:00"]),
    )
    calendar = Calendar([short, closed])
    assert calendar.of("2001").minutes_between(almaty("2026-11-23 00:00"), almaty("2026-11-24 00:00")) == 120
    assert not calendar.of("2002").works_on(day)
    assert calendar.of("1001").works_on(day)
    again = Calendar(
        [closed, SpecialDay(day=day, kind=DayKind.ORDINARY, office_kind="department")],
    )
    assert again.of("2002").works_on(day)
    # A seeded year without a row for 16 December says that it is worked.
    assert Calendar(seeded={2026}).of("2001").works_on(date(2026, 12, 16))
    assert not calendar.of("2001").works_on(date(2026, 12, 16))
    worked = SpecialDay(day=date(2026, 12, 16), kind=DayKind.WORKING, office_kind="centre")
    assert (
        Calendar([worked]).of("1001").minutes_between(almaty("2026-12-16 00:00"), almaty("2026-12-17 00:00"))
        == 11 * 60
    )


def test_an_office_that_never_opens_is_an_error_and_no_endless_search() -> None:
    with pytest.raises(NeverOpenError):
        WorkingTime(weekly=((),) * 7).add_minutes(almaty("2026-01-01 10:00"), 1)


def test_old_time_zone_data_is_noticed() -> None:
    require_time_zone(almaty("2026-11-23 10:00"))
    with pytest.raises(TimeZoneError, match=r"UTC\+6.0 hours instead of UTC\+5.0"):
        # What old data says of today is what today's data says of 2023.
        require_time_zone(almaty("2023-11-23 10:00"))


@pytest.mark.parametrize("wrong", [["9-13"], ["09:00"], ["13:00-09:00"], ["09:00-12:00", "11:00-13:00"]])
def test_spans_that_make_no_sense_are_refused(wrong: list[str]) -> None:
    with pytest.raises(ValueError):
        parse_spans(wrong)


OFFICES = st.sampled_from([WITH_SATURDAY, DEPARTMENT, CENTRE])
MOMENTS = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2027, 12, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)
MINUTES = st.integers(0, 4000)


@given(OFFICES, MOMENTS, MINUTES)
def test_adding_and_measuring_are_inverse(office: WorkingTime, start: datetime, minutes: int) -> None:
    assert office.minutes_between(start, office.add_minutes(start, minutes)) == minutes


@given(OFFICES, MOMENTS, MINUTES, MINUTES)
def test_terms_add_up(office: WorkingTime, start: datetime, one: int, other: int) -> None:
    whole = office.add_minutes(start, one + other)
    assert office.add_minutes(office.add_minutes(start, one), other) == whole
    assert office.between(start, whole) == timedelta(minutes=one + other)


@given(OFFICES, MOMENTS, st.lists(st.integers(0, 3 * 24 * 60), min_size=2, max_size=2))
def test_what_was_worked_does_not_depend_on_when_somebody_looks(
    office: WorkingTime, start: datetime, minutes: list[int]
) -> None:
    """Also not on whether the parts lie within one day and the whole does not."""
    seen, end = (start + timedelta(minutes=minute) for minute in sorted(minutes))
    assert office.between(start, seen) + office.between(seen, end) == office.between(start, end)


@given(OFFICES, MOMENTS, MOMENTS, MINUTES, st.integers(1, 20))
def test_who_begins_later_ends_no_earlier(
    office: WorkingTime, one: datetime, other: datetime, minutes: int, days: int
) -> None:
    first, second = sorted([one, other])
    assert office.add_minutes(first, minutes) <= office.add_minutes(second, minutes)
    assert office.add_working_days(first, days) <= office.add_working_days(second, days)
    assert office.add_days(first, days) <= office.add_days(second, days)
    assert office.end_of_working_day(first) <= office.end_of_working_day(second)
    assert office.between(first, second) == -office.between(second, first)
    assert office.between(first, second) <= second - first


@given(OFFICES, MOMENTS, MINUTES, st.integers(1, 20))
def test_no_term_ends_outside_working_hours(
    office: WorkingTime, start: datetime, minutes: int, days: int
) -> None:
    for end in (
        office.add_minutes(start, minutes),
        office.add_working_days(start, days),
        office.add_days(start, days),
        office.end_of_working_day(start),
        office.next_open(start),
    ):
        assert end >= start
        day = end.astimezone(ALMATY).date()
        assert any(begin <= end <= close for begin, close in office.intervals(day))
    assert office.is_open(office.next_open(start))


@given(OFFICES, MOMENTS, st.integers(0, 900), st.integers(0, 24 * 60))
def test_long_spans_are_summed_as_if_day_by_day(
    office: WorkingTime, start: datetime, days: int, minutes: int
) -> None:
    end = start + timedelta(days=days, minutes=minutes)
    first, last = local(start).date(), local(end).date()
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    passed = timedelta(0)
    for day in dates:
        for begin, close in office.intervals(day):
            passed += max(min(close, end) - max(begin, start), timedelta(0))
    assert office.between(start, end) == passed
    assert office.between(end, start) == -passed
    assert office.working_days_between(first, last) == sum(map(office.works_on, dates[1:]))
