"""The quick strokes are the modules of python-barcode and segno."""

import re

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from barcodes import symbols
from barcodes.numbers import Command, command_code, manifest_number, packet_number
from barcodes.papers import ink

numbers = st.one_of(
    st.builds(
        packet_number,
        st.sampled_from(["1001", "2019", "8999"]),
        st.integers(2000, 2099),
        st.integers(1, 999_999),
    ),
    st.builds(
        manifest_number, st.sampled_from(["1001", "8999"]), st.integers(2000, 2099), st.integers(1, 999_999)
    ),
    st.sampled_from([command_code(command) for command in Command]),
)


def rectangles(drawn: str) -> list[tuple[int, ...]]:
    return [tuple(map(int, found)) for found in re.findall(r"(\d+) (\d+) (\d+) (\d+) re\n", drawn)]


@settings(max_examples=60, deadline=None)
@given(numbers)
def test_bars_are_those_of_python_barcode(number: str) -> None:
    modules = ["0"] * ink.bars_modules(number)
    for x, y, width, height in rectangles(ink.bars(number)):
        assert (y, height) == (0, 1)
        modules[x : x + width] = "1" * width
    assert "".join(modules) == symbols.bars(number)


@settings(max_examples=40, deadline=None)
@given(numbers)
def test_the_square_is_a_symbol_of_segno(number: str) -> None:
    rows = [["0"] * ink.QR_SIDE for _ in range(ink.QR_SIDE)]
    for x, y, width, height in rectangles(ink.square(number)):
        assert height == 1
        rows[ink.QR_SIDE - 1 - y][x : x + width] = "1" * width
    code = segno.make(number, version=1, error="m", mode="numeric", micro=False, boost_error=False, mask=3)
    assert ["".join(row) for row in rows] == ["".join(map(str, row)) for row in code.matrix]


@pytest.mark.parametrize("number", ["", "123", "9912345678", "12a4"])
def test_what_has_no_symbol_is_refused(number: str) -> None:
    for draw in (ink.bars, ink.square):
        with pytest.raises(symbols.UndrawableError):
            draw(number)
