"""Sheets of sticky labels: where the labels of a sheet lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from barcodes.papers.facts import PaperError
from barcodes.papers.sheet import A4, Sheet
from config.language import Text


@dataclass(frozen=True, slots=True)
class Cells:
    """A sheet of `columns` by `rows` labels of equal size on A4; sizes in millimetres."""

    columns: int
    rows: int
    width: float
    height: float

    @property
    def count(self) -> int:
        """Labels on one sheet."""
        return self.columns * self.rows


SHEET_24 = Cells(3, 8, 70.0, 37.0)
SHEET_40 = Cells(4, 10, 52.5, 29.7)
SHEETS = {24: SHEET_24, 40: SHEET_40}


def cells(count: int) -> Cells:
    """Return the sheet of 24 or of 40 labels; raise PaperError for another."""
    try:
        return SHEETS[count]
    except KeyError:
        raise PaperError(what=Text("a sheet has 24 or 40 labels")) from None


def places(sheet: Sheet, kind: Cells, count: int, *, skip: int = 0) -> Iterator[tuple[float, float]]:
    """Yield the upper left corner of `count` labels, row by row, and begin pages; the first `skip` stay empty."""
    if not 0 <= skip < kind.count:
        raise PaperError(what=Text("fewer labels must be skipped than a sheet has"))
    left = (A4[0] - kind.columns * kind.width) / 2
    top = (A4[1] - kind.rows * kind.height) / 2
    for place in range(skip, skip + count):
        row, column = divmod(place % kind.count, kind.columns)
        if place == skip or (not row and not column):
            sheet.begin_page()
        yield left + column * kind.width, top + row * kind.height
