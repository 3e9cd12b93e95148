"""Symbols as strokes of a PDF's content: rectangles in whole modules, put together from parts made before.

The modules are those of `barcodes.symbols` (a test holds them equal); what differs is speed. Code 128 C is a row of
pairs of digits, each a fixed pattern, so the rectangles of a pair at a place are written once. A QR symbol with a
fixed mask is linear: the symbol of a number is the exclusive or of the symbols of its bits, so a number costs a few
exclusive ors instead of a search.
"""

from __future__ import annotations

from functools import cache, lru_cache

from barcodes import symbols

QR_SIDE = 21
_MASK = 3
"""Readers take any of the eight masks; a fixed one makes the symbol linear, and decodes as well as a chosen one."""
_START_C = 105
_PAIR = 11
"""Modules of a pair of digits."""
_STOP = "1100011101011"


def bars(number: str) -> str:
    """Return rectangles of Code 128 C in a unit of one module across and the whole height up; no quiet zone.

    Raise `UndrawableError` unless it is an even count of digits that does not start with 99.
    """
    symbols.require_drawable(number)
    values = [_START_C, *(int(number[place : place + 2]) for place in range(0, len(number), 2))]
    check = (_START_C + sum(place * value for place, value in enumerate(values))) % 103
    parts = [_pair(place, value) for place, value in enumerate((*values, check))]
    return "".join((*parts, _stop(len(values) + 1)))


def bars_modules(number: str) -> int:
    """Return how many modules wide the bars of `number` are, without quiet zones: 112 for 14 digits."""
    return _PAIR * (len(number) // 2 + 2) + len(_STOP)


def square(number: str) -> str:
    """Return rectangles of the QR symbol 1-M in a unit of one module, from the lower left corner; no quiet zone."""
    return _rows(_matrix(number))


@lru_cache(maxsize=4096)
def _pair(place: int, value: int) -> str:
    return _runs(_patterns()[value], place * _PAIR)


@cache
def _stop(place: int) -> str:
    return _runs(_STOP, place * _PAIR)


def _runs(modules: str, offset: int) -> str:
    return "".join(f"{offset + start} 0 {width} 1 re\n" for start, width in symbols.runs(modules))


@cache
def _patterns() -> tuple[str, ...]:
    """Return the modules of the values 0-105 as python-barcode has them."""
    from barcode.charsets import code128  # noqa: PLC0415 - whoever prints no bars needs none of it

    return tuple(code128.CODES)


def _matrix(number: str) -> int:
    """Return the 441 modules of a number, row by row from the top left, as the bits of one integer."""
    symbols.require_drawable(number)
    found = _blank(len(number))
    for place in range(0, len(number), 3):
        found ^= _group(len(number), place, number[place : place + 3])
    return found


@lru_cache(maxsize=16384)
def _group(length: int, place: int, digits: str) -> int:
    """Return what three digits at `place` change in the symbol of noughts: the sum of what their bits change."""
    value, found, bit = int(digits), 0, 1
    while bit <= value:
        if value & bit:
            found ^= _bit(length, place, bit, len(digits))
        bit <<= 1
    return found


@cache
def _bit(length: int, place: int, bit: int, width: int) -> int:
    number = "0" * place + f"{bit:0{width}d}"
    return _drawn(number.ljust(length, "0")) ^ _blank(length)


@cache
def _blank(length: int) -> int:
    return _drawn("0" * length)


def _drawn(number: str) -> int:
    import segno  # noqa: PLC0415 - as above

    code = segno.make(
        number, version=1, error="m", mode="numeric", micro=False, boost_error=False, mask=_MASK
    )
    return int("".join(str(module) for row in code.matrix for module in row), 2)


def _rows(matrix: int) -> str:
    row_bits = (1 << QR_SIDE) - 1
    return "".join(_row(row, matrix >> row * QR_SIDE & row_bits) for row in range(QR_SIDE))


@lru_cache(maxsize=65536)
def _row(row: int, bits: int) -> str:
    return "".join(f"{start} {row} {width} 1 re\n" for start, width in symbols.runs(f"{bits:0{QR_SIDE}b}"))
