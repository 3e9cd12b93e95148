"""Sentences that a number decides, and days as people write them."""

from datetime import UTC, datetime, timedelta

import pytest

from config.dates import day_in, moment_in
from config.language import Text
from web.views.deadlines import DAYS_LATE, MINUTES_LEFT
from workflow.carrying import DEPARTED

NOW = datetime(2026, 11, 25, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 1, "1 working minute left"),
        ("en", 0, "0 working minutes left"),
        ("en", 21, "21 working minutes left"),
        ("ru", 1, "осталась 1 рабочая минута"),
        ("ru", 2, "осталось 2 рабочие минуты"),
        ("ru", 5, "осталось 5 рабочих минут"),
        ("ru", 11, "осталось 11 рабочих минут"),
        ("ru", 21, "осталась 21 рабочая минута"),
        ("ru", 112, "осталось 112 рабочих минут"),
        ("kk", 1, "1 минут жұмыс уақыты қалды"),
        ("kk", 40, "40 минут жұмыс уақыты қалды"),
    ],
)
def test_a_number_decides_the_form(language: str, count: int, said: str) -> None:
    assert MINUTES_LEFT.render(language, minutes=count) == said


def test_the_deciding_place_is_named_and_what_is_not_there_means_many() -> None:
    assert "1 пакет у вас" in DEPARTED.render("ru", manifest="M", count=1, office="O")
    assert "22 пакета у вас" in DEPARTED.render("ru", manifest="M", count=22, office="O")
    assert DAYS_LATE.render("en", days=1) == "1 working day late"
    assert Text("{count} packet", "{count} packets").render("en", count="–") == "– packets"
    assert Text("{count} untranslated", "{count} untranslated ones").render("ru", count=2).endswith("ones")


@pytest.mark.parametrize(
    ("language", "day", "this_year", "today"),
    [
        ("kk", "2026 ж. 25 қараша", "25 қараша, 11:07", "бүгін, 11:07"),
        ("ru", "25 ноября 2026 г.", "25 ноября, 11:07", "сегодня, 11:07"),
        ("en", "25 November 2026", "25 November, 11:07", "today, 11:07"),
    ],
)
def test_days_are_written_as_people_write_them(language: str, day: str, this_year: str, today: str) -> None:
    assert day_in(language, NOW.date()) == day
    assert moment_in(language, NOW, now=NOW - timedelta(days=3)) == this_year
    assert moment_in(language, NOW, now=NOW) == today
    assert moment_in(language, NOW) == f"{day}, 11:07"
    assert moment_in(language, NOW, now=NOW + timedelta(days=60)) == f"{day}, 11:07"


def test_the_day_is_that_of_almaty() -> None:
    late = datetime(2026, 11, 24, 19, 30, tzinfo=UTC)  # Half past midnight in Almaty.
    assert moment_in("en", late, now=NOW) == "today, 00:30"
    assert moment_in("en", late, now=NOW + timedelta(days=1)) == "yesterday, 00:30"
    assert moment_in("en", late, now=NOW - timedelta(days=1)) == "tomorrow, 00:30"
