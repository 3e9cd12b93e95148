"""Rows in columns: a head that comes back on every page; rows stay whole, only very tall ones break between lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from barcodes import symbols
from barcodes.lettering import BOLD
from barcodes.papers import ink
from barcodes.papers.facts import NOTHING, Both
from barcodes.papers.flow import FAINT, Flow, write
from barcodes.papers.lines import BODY, Line, Style, Words, wrapped
from barcodes.papers.sheet import POINT, ROW_MODULE_MM

HEAD_KK = Style(size=8, face=BOLD)
HEAD_RU = Style(size=7.5, grey=0.25)
PAD_ACROSS = 1.4
"""White at both sides of a cell's text, in millimetres."""
BARS_HEIGHT_MM = 8.0
BARS_WHITE_MM = 3.2
"""White around the bars of a row, in millimetres: with a border 2 pixels away none of 40 was read, with 2 mm all."""
DOTTED = "0.6 2.2"
WHOLE_MM = 60.0
"""Rows up to this height stay whole; a taller one, such as a list of forty enclosures, is broken between its lines."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its width in millimetres, what stands above it, and on which side its texts stand."""

    width: float
    head: Both = NOTHING
    align: str = "left"


@dataclass(frozen=True, slots=True)
class Bars:
    """A cell that shows the bars of a number."""

    number: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """A cell to be filled in with a pen: dotted lines."""

    lines: int = 1


Cell = Words | Bars | ByHand | tuple["Paragraph", ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words in a style of their own within a cell."""

    words: Words
    style: Style = BODY


@dataclass(slots=True)
class _Laid:
    """A cell, broken into lines."""

    lines: list[tuple[Line, Style]]
    bars: str = ""
    dotted: int = 0

    @property
    def height(self) -> float:
        if self.bars:
            return BARS_HEIGHT_MM + 2 * BARS_WHITE_MM
        if self.dotted:
            return self.dotted * HAND_STEP
        return sum(style.step for _, style in self.lines) * POINT


HAND_STEP = 7.0
"""Between lines for a pen, in millimetres."""


class Table:
    """Rows under a head; made by `table`."""

    def __init__(
        self, flow: Flow, columns: Sequence[Column], *, style: Style, pad: float, inset: float
    ) -> None:
        self._flow, self._columns, self._style, self._pad = flow, tuple(columns), style, pad
        self._inset = inset
        self._across = sum(column.width for column in columns)
        heads = [
            (Paragraph(column.head.kk, HEAD_KK), Paragraph(column.head.ru, HEAD_RU)) for column in columns
        ]
        self._heads = [self._laid(column, head) for column, head in zip(columns, heads, strict=True)]
        self.head_height = max(part.height for part in self._heads) + 2 * pad

    def head(self) -> None:
        """Draw the head at the cursor."""
        flow = self._flow
        flow.sheet.fill(flow.left, flow.y, self._across, self.head_height, grey=0.93)
        self._rule(mm=0.3, grey=0)
        self._draw(self._heads, self.head_height)
        self._rule(mm=0.3, grey=0)

    def add(self, *cells: Cell) -> None:
        """Add a row: on the next page where this one has no room, broken between lines when it is very tall."""
        flow = self._flow
        row = [self._laid(column, cell) for column, cell in zip(self._columns, cells, strict=True)]
        height = self._height(row)
        if height > flow.room and (height <= WHOLE_MM or flow.room < WHOLE_MM / 2):
            flow.turn()
        while height > flow.room + 1e-6:
            room = flow.room - 2 * self._pad
            self._draw([_upper(part, room) for part in row], flow.room)
            row = [_lower(part, room) for part in row]
            self._rule()
            flow.turn()
            height = self._height(row)
        self._draw(row, height)
        self._rule()

    def _height(self, row: Sequence[_Laid]) -> float:
        return max(part.height + (0 if part.bars else 2 * self._pad) for part in row)

    def _width(self, column: Column) -> float:
        """Return how wide the texts of a column may be, in millimetres."""
        return column.width - self._inset - PAD_ACROSS

    def _laid(self, column: Column, cell: Cell) -> _Laid:
        width = self._width(column) / POINT
        match cell:
            case Bars(number):
                return _Laid([], bars=number)
            case ByHand(lines):
                return _Laid([], dotted=lines)
            case (Paragraph(), *_):
                return _Laid(
                    [
                        (line, part.style)
                        for part in cell
                        if isinstance(part, Paragraph) and part.words
                        for line in wrapped(part.words, style=part.style, width=width)
                    ]
                )
            case _:
                words: Words = cell  # type: ignore[assignment]
                return _Laid([(line, self._style) for line in wrapped(words, style=self._style, width=width)])

    def _draw(self, row: Sequence[_Laid], height: float) -> None:
        flow = self._flow
        left = flow.left
        for column, part in zip(self._columns, row, strict=True):
            if part.bars:
                self._bars(part.bars, left, column.width, height)
            top = flow.y + self._pad
            for place in range(part.dotted):
                low = flow.y + HAND_STEP * (place + 1) - 0.5
                right = left + self._inset + self._width(column)
                flow.sheet.rule(left + self._inset, low, right, low, mm=0.2, grey=0.3, dash=DOTTED)
            for line, style in part.lines:
                write(
                    flow.sheet,
                    line,
                    style=style,
                    x=left + self._inset,
                    top=top,
                    width=self._width(column),
                    align=column.align,
                )
                top += style.step * POINT
            left += column.width
        flow.y += height

    def _bars(self, number: str, left: float, width: float, height: float) -> None:
        across = ink.bars_modules(number) * ROW_MODULE_MM
        assert width >= across + 2 * symbols.BARS_QUIET * ROW_MODULE_MM
        self._flow.sheet.bars(
            number,
            left + (width - across) / 2,
            self._flow.y + (height - BARS_HEIGHT_MM) / 2,
            height=BARS_HEIGHT_MM,
            module=ROW_MODULE_MM,
        )

    def _rule(self, *, mm: float = 0.15, grey: float = FAINT) -> None:
        flow = self._flow
        flow.sheet.rule(flow.left, flow.y, flow.left + self._across, flow.y, mm=mm, grey=grey)


def _upper(part: _Laid, room: float) -> _Laid:
    return part if part.bars or part.dotted else _Laid(part.lines[: _fitting(part, room)])


def _lower(part: _Laid, room: float) -> _Laid:
    return _Laid([]) if part.bars or part.dotted else _Laid(part.lines[_fitting(part, room) :])


def _fitting(part: _Laid, room: float) -> int:
    """Return how many lines of a cell fit into `room` millimetres, at least one."""
    count = 0
    for _, style in part.lines:
        room -= style.step * POINT
        if room < 0:
            break
        count += 1
    return max(1, count)


@contextmanager
def table(
    flow: Flow,
    columns: Sequence[Column],
    *,
    style: Style = BODY,
    pad: float = 1.2,
    inset: float = PAD_ACROSS,
) -> Iterator[Table]:
    """Open a table at the cursor of `flow`; its head, where a column has one, comes back until the block ends."""
    made = Table(flow, columns, style=style, pad=pad, inset=inset)
    if not any(column.head.kk for column in columns):
        yield made
        return
    # A head alone at the foot of a page says nothing.
    flow.keep(made.head_height + BARS_HEIGHT_MM + 2 * BARS_WHITE_MM)
    made.head()
    flow.above.append(made.head)
    try:
        yield made
    finally:
        flow.above.remove(made.head)
