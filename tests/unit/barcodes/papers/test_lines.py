"""Lines: nothing is wider than its place, and nothing is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from barcodes.lettering import BOLD, REGULAR
from barcodes.papers.lines import Style, clean, width_of, wrapped

letters = st.text(alphabet="АӘҒҚҢӨҰҮҺІйцуәғқңөұүһі -«»№,Wj\n\u00a0\x00", max_size=200)


def said(lines: list[tuple[tuple[str, str], ...]]) -> str:
    return "".join(text for line in lines for text, _ in line)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(letters, st.sampled_from([REGULAR, BOLD])), max_size=4),
    st.floats(20, 400),
    st.sampled_from([7.0, 11.0]),
)
def test_no_line_is_wider_than_its_place_and_no_letter_is_lost(
    pieces: list[tuple[str, str]], width: float, size: float
) -> None:
    lines = wrapped(pieces, style=Style(size=size), width=width)
    assert all(width_of(line, size) <= width + 1e-6 for line in lines)
    given_letters = "".join(clean(text) for text, _ in pieces)
    assert said(lines).replace(" ", "") == given_letters.replace(" ", "")


def test_long_words_break_behind_a_hyphen() -> None:
    lines = wrapped("Әбілқайырханұлы-Құдайбергенова", style=Style(size=10), width=100)
    assert [said([line]) for line in lines] == ["Әбілқайырханұлы-", "Құдайбергенова"]


def test_pieces_that_touch_stay_together() -> None:
    lines = wrapped(
        [("Құрметті ", REGULAR), ("Ұлжалғас", BOLD), (", бүгін", REGULAR)], style=Style(), width=1000
    )
    assert said(lines) == "Құрметті Ұлжалғас, бүгін"
    assert [name for _, name in lines[0]] == [REGULAR, BOLD, REGULAR]


def test_no_break_spaces_hold() -> None:
    assert all(
        "№" not in said([line]) or "5" in said([line])
        for line in wrapped("аа аа № \u00a05".replace("№ ", "№"), style=Style(), width=30)
    )
