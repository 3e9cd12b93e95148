"""Sheets of labels for laser printers, 24 or 40 to a page: bars of 8 dots, the QR beside, and the words of `Label`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from barcodes import lettering
from barcodes.label import Label
from barcodes.lettering import BOLD, LEADING, REGULAR
from barcodes.numbers import BadNumberError, Kind, grouped, kind_of
from barcodes.papers import ink
from barcodes.papers.cells import SHEET_24, SHEET_40, cells, places
from barcodes.papers.faces import face
from barcodes.papers.facts import PaperError
from barcodes.papers.lines import Style, clean, wrapped
from barcodes.papers.sheet import BARS_MODULE_MM, LASER_DPI, POINT, QR_MODULE_MM, Sheet
from config.language import Text

DOT = 72 / LASER_DPI
"""A dot of the printer, in points."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where things lie on a label, in millimetres from its upper left corner; sizes of letters in points."""

    edge: float
    """White at all sides: printers leave the edge of the paper white, and die cuts wander."""
    square_module: float
    bars_top: float
    bars_height: float
    number_baseline: float
    number_size: float
    small_size: float
    district_sizes: tuple[float, ...]
    service_sizes: tuple[float, ...]


_PLANS = {
    SHEET_24: _Plan(
        edge=4.5,
        square_module=QR_MODULE_MM,
        bars_top=18.8,
        bars_height=8.8,
        number_baseline=31.8,
        number_size=10.5,
        small_size=7.5,
        district_sizes=(10.5, 9.5, 8.5, 8),
        service_sizes=(7.5, 7, 6.5),
    ),
    SHEET_40: _Plan(
        edge=4.0,
        # Ten dots and not twelve: what the square does not take, the bars have.
        square_module=10 * POINT * DOT,
        bars_top=15.0,
        bars_height=7.4,
        number_baseline=25.7,
        number_size=9,
        small_size=6,
        district_sizes=(9, 8, 7),
        service_sizes=(6.5, 6, 5.5),
    ),
}


def labels(wanted: Sequence[Label], *, per_sheet: int = 24, skip: int = 0) -> bytes:
    """Return labels on sheets of 24 or 40 as a PDF; the first `skip` places stay empty.

    Raise `BadNumberError` when a number is not ours, PaperError for another sheet or no labels at all.
    """
    kind = cells(per_sheet)
    if not wanted:
        raise PaperError(what=Text("there is nothing to print"))
    plan = _PLANS[kind]
    sheet = Sheet(title="Штрихкодтар / Штрихкоды")
    heads: dict[tuple[str, str, str], str] = {}
    height = sheet.height / POINT
    for label, (x, y) in zip(wanted, places(sheet, kind, len(wanted), skip=skip), strict=True):
        mark = label.copy_mark.replace("{copy}", str(label.copy)) if label.copy > 1 else ""
        words = (label.district, label.service, mark)
        head = heads.get(words)
        if head is None:
            head = heads[words] = _head(sheet, plan, kind.width, words=words)
        # Whole dots, so that bars of one width come out in one width.
        left, top = round(x / POINT / DOT) * DOT, round((height - y / POINT) / DOT) * DOT
        sheet.pages[-1].append(
            f"q 1 0 0 1 {left:.2f} {top:.2f} cm\n{head}\n{_body(sheet, plan, kind.width, label)}\nQ"
        )
    return sheet.finish()


def _body(sheet: Sheet, plan: _Plan, width: float, label: Label) -> str:
    number = label.number
    if kind_of(number) not in {Kind.PACKET, Kind.MANIFEST}:
        raise BadNumberError
    across = ink.bars_modules(number) * BARS_MODULE_MM
    side = ink.QR_SIDE * plan.square_module
    parts = [
        _symbol(
            ink.bars(number),
            (width - across) / 2,
            plan.bars_top + plan.bars_height,
            across=BARS_MODULE_MM,
            up=plan.bars_height,
        ),
        _symbol(
            ink.square(number),
            width - plan.edge - side,
            plan.edge + side,
            across=plan.square_module,
            up=plan.square_module,
        ),
        _line(
            sheet, grouped(number), BOLD, size=plan.number_size, x=plan.edge, baseline=plan.number_baseline
        ),
    ]
    date = clean(label.accepted_on)
    if date:
        start = width - plan.edge - face(REGULAR).width(date, plan.small_size) * POINT
        parts.append(
            _line(sheet, date, REGULAR, size=plan.small_size, x=start, baseline=plan.number_baseline)
        )
    return "\n".join(parts)


def _symbol(rectangles: str, x: float, bottom: float, *, across: float, up: float) -> str:
    left, low = round(x / POINT / DOT) * DOT, round(-bottom / POINT / DOT) * DOT
    return f"q {across / POINT:.5f} 0 0 {up / POINT:.5f} {left:.2f} {low:.2f} cm\n{rectangles}f Q"


def _line(sheet: Sheet, text: str, name: str, *, size: float, x: float, baseline: float) -> str:
    return f"BT {x / POINT:.2f} {-baseline / POINT:.2f} Td {sheet.shown(text, name, size)} ET"


def _head(sheet: Sheet, plan: _Plan, width: float, *, words: tuple[str, str, str]) -> str:
    """Set district, service and the mark of a copy beside the square; what does not fit ends with an ellipsis."""
    district, service, mark = words
    side = ink.QR_SIDE * plan.square_module
    room = width - 2 * plan.edge - side - 4 * plan.square_module
    top, bottom = plan.edge - 0.3, plan.bars_top - 0.8
    parts = []
    if mark:
        bottom -= plan.small_size * LEADING * POINT
        parts.append(
            _line(sheet, clean(mark), BOLD, size=plan.small_size, x=plan.edge, baseline=plan.bars_top - 1.6)
        )
    named = [text for text in map(clean, district.splitlines()) if text]
    blocks = [(text, BOLD if not place else REGULAR) for place, text in enumerate(named)]
    if clean(service):
        blocks.append((clean(service), REGULAR))
    for place, (text, name) in enumerate(blocks):
        sizes = plan.district_sizes if name == BOLD else plan.service_sizes
        # What is left is shared among what is still to come, but the service, last, takes all of it.
        share = (bottom - top) / (1 if place == len(blocks) - 1 else 2)
        size, lines = _fitted(text, name, sizes, room=room, tall=share)
        for line in lines:
            parts.append(_line(sheet, line, name, size=size, x=plan.edge, baseline=top + 0.93 * size * POINT))
            top += size * LEADING * POINT
    return "\n".join(parts)


def _fitted(
    text: str, name: str, sizes: Sequence[float], *, room: float, tall: float
) -> tuple[float, list[str]]:
    for size in sizes:
        lines = [
            "".join(part for part, _ in line)
            for line in wrapped(text, style=Style(size=size, face=name), width=room / POINT)
        ]
        fits = int(tall / (size * LEADING * POINT) + 1e-6)
        if len(lines) <= fits:
            return size, lines
    kept = lines[: max(1, fits)]
    return size, [*kept[:-1], _shortened(kept[-1], name, size, room)]


def _shortened(line: str, name: str, size: float, room: float) -> str:
    """Return the last line that there is room for with an ellipsis."""
    own = face(name)
    while line and own.width(line + lettering.ELLIPSIS, size) * POINT > room:
        line = line[:-1].rstrip(" ,;-–(«")
    return line + lettering.ELLIPSIS
