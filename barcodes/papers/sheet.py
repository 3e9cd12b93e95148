"""A paper under construction: pages of millimetres from the top left, and what is drawn on them."""

from __future__ import annotations

from collections.abc import Callable

from barcodes import symbols
from barcodes.papers import ink
from barcodes.papers.faces import face
from barcodes.papers.lines import BODY, Line, Style, width_of
from barcodes.papers.pdf import Document

POINT = symbols.MM_PER_INCH / 72
"""Millimetres of a point."""
A4 = (210.0, 297.0)
A5_ACROSS = (210.0, 148.5)
LASER_DPI = 600
BARS_MODULE_MM = 8 * symbols.MM_PER_INCH / LASER_DPI
"""0.339 mm: 8 whole dots of a laser printer."""
ROW_MODULE_MM = 7 * symbols.MM_PER_INCH / LASER_DPI
"""0.30 mm: 7 whole dots, for the rows of a manifest."""
QR_MODULE_MM = 12 * symbols.MM_PER_INCH / LASER_DPI
"""0.508 mm."""


class Sheet:
    """Pages of one size; `finish` makes the PDF."""

    def __init__(self, *, title: str, size: tuple[float, float] = A4) -> None:
        """Begin a paper of `size` (width and height in millimetres) that viewers show as `title`."""
        self.title = title
        self.width, self.height = size
        self.document = Document()
        self.pages: list[list[str]] = []
        self._grey = 0.0
        self._parts = [0]

    def begin_page(self) -> None:
        """Add an empty page; what follows is drawn on it."""
        self.pages.append([])
        self._grey = 0.0

    def text(self, x: float, baseline: float, text: str, *, style: Style = BODY) -> None:
        """Write one line that begins at `x` on `baseline`."""
        self.line(x, baseline, ((text, style.face),), style=style)

    def line(self, x: float, baseline: float, line: Line, *, style: Style) -> None:
        """Write the pieces of one line."""
        shown = " ".join(self.shown(text, name, style.size) for text, name in line)
        self._shade(style.grey)
        self.pages[-1].append(f"BT {x / POINT:.2f} {(self.height - baseline) / POINT:.2f} Td {shown} ET")

    def shown(self, text: str, name: str, size: float) -> str:
        """Return the operators that show `text` in the face called `name`, where the text position is."""
        return self.document.shown(text, name, size)

    def right(self, x: float, baseline: float, text: str, *, style: Style = BODY) -> None:
        """Write one line that ends at `x`."""
        self.text(x - face(style.face).width(text, style.size) * POINT, baseline, text, style=style)

    def centred(self, x: float, baseline: float, line: Line, *, style: Style) -> None:
        """Write one line around `x`."""
        self.line(x - width_of(line, style.size) * POINT / 2, baseline, line, style=style)

    def rule(
        self, x: float, y: float, x2: float, y2: float, *, mm: float = 0.2, grey: float = 0.0, dash: str = ""
    ) -> None:
        """Draw a straight line `mm` thick; `dash` as PDF writes it, in points."""
        self.pages[-1].append(
            f"{grey:g} G {mm / POINT:.2f} w [{dash}] 0 d {x / POINT:.2f} {(self.height - y) / POINT:.2f} m "
            f"{x2 / POINT:.2f} {(self.height - y2) / POINT:.2f} l S"
        )

    def fill(self, x: float, y: float, width: float, height: float, *, grey: float) -> None:
        """Fill a rectangle; `y` is its upper edge."""
        self._shade(grey)
        self.pages[-1].append(
            f"{x / POINT:.2f} {(self.height - y - height) / POINT:.2f} {width / POINT:.2f} {height / POINT:.2f} re f"
        )

    def bars(
        self, number: str, x: float, y: float, *, height: float, module: float = BARS_MODULE_MM
    ) -> float:
        """Draw Code 128 from `x`, its upper edge at `y`, and return its width without quiet zones, in millimetres."""
        self._symbol(ink.bars(number), x, y + height, across=module, up=height)
        return ink.bars_modules(number) * module

    def square(self, number: str, x: float, y: float, *, module: float = QR_MODULE_MM) -> float:
        """Draw the QR symbol, its upper left corner at `x`, `y`, and return its side without quiet zone."""
        side = ink.QR_SIDE * module
        self._symbol(ink.square(number), x, y + side, across=module, up=module)
        return side

    def _symbol(self, rectangles: str, x: float, bottom: float, *, across: float, up: float) -> None:
        # On whole dots of the printer, so that every bar of one width comes out in one width.
        dot = symbols.MM_PER_INCH / LASER_DPI
        left, low = round(x / dot) * 72 / LASER_DPI, round((self.height - bottom) / dot) * 72 / LASER_DPI
        self._shade(0)
        self.pages[-1].append(
            f"q {across / POINT:.5f} 0 0 {up / POINT:.5f} {left:.4f} {low:.4f} cm\n{rectangles}f Q"
        )

    def _shade(self, grey: float) -> None:
        if grey != self._grey:
            self._grey = grey
            self.pages[-1].append(f"{grey:g} g")

    def begin_part(self) -> None:
        """Say that pages are counted from 1 again with the next one: another copy, or another paper."""
        self._parts.append(len(self.pages))

    def finish(self, *, foot: Callable[[Sheet, int, int], None] | None = None) -> bytes:
        """Return the PDF; `foot` draws the edge of each page, given its number and how many its part has."""
        pages, self.pages = self.pages, []
        ends = [*self._parts[1:], len(pages)]
        for start, end in zip(self._parts, ends, strict=True):
            for number, drawn in enumerate(pages[start:end], start=1):
                # Each page begins black, so what is added last stands first.
                self.begin_page()
                if foot is not None:
                    foot(self, number, end - start)
                    self._shade(0)
                self.document.add_page(
                    "\n".join((*self.pages.pop(), *drawn)),
                    width=self.width / POINT,
                    height=self.height / POINT,
                )
        return self.document.save(self.title)
