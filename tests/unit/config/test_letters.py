"""Names are found however they are spelled, and by their beginning."""

from hypothesis import given
from hypothesis import strategies as st

from config.letters import name_key

LETTERS = st.text(alphabet="абвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюяaceikmoptxy -", max_size=30)


def test_spellings_meet() -> None:
    for one, other in (
        ("Ахметова Гүлнәр", "ахметова гулнар"),
        ("Қасымов", "Касымов"),
        ("Axmetoва", "Ахметова"),  # Latin letters that look the same
        ("Анна  Мария-Луиза", "анна мария луиза"),
        ("Әлімжанұлы", "Алимжанулы"),
    ):
        assert name_key(one) == name_key(other)
    assert name_key("Оспанов") != name_key("Осипов")


@given(LETTERS, st.integers(min_value=0, max_value=30))
def test_the_beginning_of_a_name_begins_its_key(name: str, length: int) -> None:
    assert name_key(name).startswith(name_key(name[:length]))


@given(st.text(max_size=40))
def test_a_key_has_nothing_that_a_search_could_stumble_over(name: str) -> None:
    assert set(name_key(name)).isdisjoint("%_\\\n")
