"""Address labels of offices, 24 to a sheet of 70 by 37 mm, for envelopes and bags."""

from __future__ import annotations

from collections.abc import Sequence

from barcodes.lettering import BOLD
from barcodes.papers.cells import SHEET_24, places
from barcodes.papers.facts import Place
from barcodes.papers.flow import write
from barcodes.papers.lines import Line, Style, wrapped
from barcodes.papers.sheet import POINT, Sheet

SIZES = (9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0)
"""Tried from the largest; on the smallest everything fits that the register holds (a test sets all 292)."""
EDGE_MM = 5.0
"""White around the text: printers leave the edge of the paper white, and die cuts wander."""


def addresses(offices: Sequence[Place], *, skip: int = 0) -> bytes:
    """Return address labels as a PDF; `skip` leaves as many empty at the beginning, for a sheet that was begun."""
    sheet = Sheet(title="Мекенжайлар / Адреса")
    room, tall = SHEET_24.width - 2 * EDGE_MM, SHEET_24.height - 2 * EDGE_MM + 2
    for office, (x, y) in zip(offices, places(sheet, SHEET_24, len(offices), skip=skip), strict=True):
        lines = _fitted(office, room=room, tall=tall)
        top = y + (SHEET_24.height - sum(style.step for _, style in lines) * POINT) / 2
        for line, style in lines:
            write(sheet, line, style=style, x=x + EDGE_MM, top=top, width=room)
            top += style.step * POINT
    return sheet.finish()


def _fitted(office: Place, *, room: float, tall: float) -> list[tuple[Line, Style]]:
    lines: list[tuple[Line, Style]] = []
    for size in SIZES:
        lines = [
            (line, style)
            for text, style in (
                (office.name.kk, Style(size=size, face=BOLD)),
                (office.name.ru, Style(size=size * 0.9, grey=0.2)),
                (office.address, Style(size=size * 0.95)),
                (", ".join(office.phones), Style(size=size * 0.9)),
            )
            if text.strip()
            for line in wrapped(text, style=style, width=room / POINT)
        ]
        if sum(style.step for _, style in lines) * POINT <= tall:
            break
    return lines
