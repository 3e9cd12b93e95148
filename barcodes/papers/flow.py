"""The flow of a paper from top to bottom: paragraphs, and both languages side by side; pages break between lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from barcodes.papers.lines import BODY, Line, Style, Words, width_of, wrapped
from barcodes.papers.sheet import POINT, Sheet

FAINT = 0.6
"""Grey of hairlines."""
ASCENT = 0.93
"""From the top of a line to its baseline, in ems."""


class Flow:
    """A cursor that goes down the pages of a sheet; places in millimetres."""

    def __init__(
        self,
        sheet: Sheet,
        *,
        left: float = 20.0,
        right: float = 12.0,
        top: float = 12.0,
        bottom: float = 17.0,
        head: Callable[[Flow], None] | None = None,
    ) -> None:
        """Flow on `sheet` within margins; `head` draws the head of every page but the first, and moves the cursor."""
        self.sheet = sheet
        self.left, self.right = left, sheet.width - right
        self.top, self.bottom = top, sheet.height - bottom
        self.y = self.top
        self.above: list[Callable[[], None]] = []
        """What is drawn again on top of each new page: the heads of open tables."""
        self._head = head
        sheet.begin_page()

    @property
    def width(self) -> float:
        """From margin to margin, in millimetres."""
        return self.right - self.left

    @property
    def room(self) -> float:
        """What is left of the page, in millimetres."""
        return self.bottom - self.y

    def turn(self) -> None:
        """Go on to the next page, and repeat the heads that belong there."""
        self.sheet.begin_page()
        self.y = self.top
        if self._head is not None:
            self._head(self)
        for repeat in self.above:
            repeat()

    def keep(self, height: float) -> None:
        """Turn the page unless `height` millimetres are left of this one."""
        if self.room < height:
            self.turn()

    def space(self, height: float) -> None:
        """Leave white."""
        self.y += height

    def rule(self, *, mm: float = 0.25, grey: float = 0.0, dash: str = "") -> None:
        """Draw a line from margin to margin."""
        self.sheet.rule(self.left, self.y, self.right, self.y, mm=mm, grey=grey, dash=dash)

    def paragraph(
        self,
        words: Words,
        *,
        style: Style = BODY,
        x: float | None = None,
        width: float | None = None,
        align: str = "left",
        after: float = 0.0,
    ) -> None:
        """Write `words`, broken into lines; `align` is `left`, `centre` or `right`."""
        left = self.left if x is None else x
        across = self.right - left if width is None else width
        step = style.step * POINT
        for line in wrapped(words, style=style, width=across / POINT):
            self.keep(step)
            write(self.sheet, line, style=style, x=left, top=self.y, width=across, align=align)
            self.y += step
        self.y += after

    def beside(
        self,
        kk: Sequence[Words],
        ru: Sequence[Words],
        *,
        style: Style = BODY,
        align: str = "left",
        gap: float = 9.0,
        divided: float = 0.0,
        after: float = 0.0,
    ) -> None:
        """Write Kazakh paragraphs on the left and Russian ones on the right, with a line `divided` mm thick between.

        Where a page ends within them, both go on side by side on the next.
        """
        column = (self.width - gap) / 2
        both = [
            [line for words in side for line in wrapped(words, style=style, width=column / POINT)]
            for side in (kk, ru)
        ]
        step, done, count = style.step * POINT, 0, max(map(len, both))
        while done < count:
            self.keep(step)
            fits = min(max(1, int(self.room / step + 1e-6)), count - done)
            for lines, left in zip(both, (self.left, self.right - column), strict=True):
                for place, line in enumerate(lines[done : done + fits]):
                    top = self.y + place * step
                    write(self.sheet, line, style=style, x=left, top=top, width=column, align=align)
            if divided:
                middle = self.left + self.width / 2
                self.sheet.rule(middle, self.y, middle, self.y + fits * step, mm=divided, grey=FAINT)
            self.y += fits * step
            done += fits
        self.y += after


def write(
    sheet: Sheet, line: Line, *, style: Style, x: float, top: float, width: float, align: str = "left"
) -> None:
    """Write one line whose em begins at `top`, in a place `width` wide."""
    if not line:
        return
    if align != "left":
        spare = width - width_of(line, style.size) * POINT
        x += spare / 2 if align == "centre" else spare
    sheet.line(x, top + ASCENT * style.size * POINT, line, style=style)
