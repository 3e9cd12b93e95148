"""The label of a packet or a manifest, 58×40 mm: district and service, QR, bars, number, date, mark of a copy."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

from barcodes import drawing, lettering, symbols
from barcodes.numbers import BadNumberError, Kind, grouped, kind_of
from config.errors import BadInputError
from config.language import Text

Format = Literal["svg", "png", "pdf", "zpl"]
FORMATS: tuple[Format, ...] = ("svg", "png", "pdf", "zpl")
DPIS = (203, 300, 600)
"""Resolutions of label and laser printers; others do not give whole dots of the right width."""

WIDTH_MM = 58.0
HEIGHT_MM = 40.0
MARGIN_MM = 2.5
QR_EDGE_MM = 2.0
TEXT_TOP_MM = 2.1
TEXT_BOTTOM_MM = 16.2
BARS_TOP_MM = 17.0
NUMBER_BASELINE_MM = 33.8
FOOT_BASELINE_MM = 37.9
DISTRICT_SIZES_MM = (4.4, 3.8, 3.2)
DISTRICT_HEIGHT_MM = 7.6
BLOCK_GAP_MM = 0.4
SERVICE_SIZES_MM = (2.8, 2.4)
NUMBER_SIZES_MM = (5.2, 4.8, 4.4)
FOOT_SIZE_MM = 2.8


class BadLabelError(BadInputError):
    """A label that cannot be drawn as asked; `what` says why."""

    code = "bad_label"
    text = Text("The label cannot be drawn: {what}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What stands on a label; every text comes in the language that the office wants to read."""

    number: str
    """14 digits of a packet or 16 of a manifest."""
    district: str
    """Where it goes; a second line after a line break (Kazakh, then Russian)."""
    service: str = ""
    accepted_on: str = ""
    """The date as people write it."""
    copy: int = 1
    """Counts reprints; from the second on the label says so, since two labels of one number are two chances to
    scan it twice."""
    copy_mark: str = "copy {copy}"
    """How the label says so."""


def render(label: Label, *, fmt: Format, dpi: int = 203) -> bytes:
    """Return the label as `svg`, `png`, `pdf` or `zpl`, laid out in whole dots of `dpi` (203, 300 or 600).

    Raise `BadNumberError` when the number is not ours, `BadLabelError` for another format or resolution.
    """
    draw = {"svg": drawing.svg, "png": drawing.png, "pdf": drawing.pdf, "zpl": drawing.zpl}.get(fmt)
    if draw is None:
        raise BadLabelError(what=Text("the format is one of svg, png, pdf, zpl"))
    return draw(layout(label, dpi=dpi))


def layout(label: Label, *, dpi: int = 203) -> drawing.Drawing:
    """Place everything on the label, in dots; the errors are those of `render`."""
    if kind_of(label.number) not in {Kind.PACKET, Kind.MANIFEST}:
        raise BadNumberError
    if dpi not in DPIS:
        raise BadLabelError(what=Text("the resolution is one of 203, 300, 600 dots per inch"))
    if label.copy < 1:
        raise BadLabelError(what=Text("copies count from 1"))

    width = _dots(WIDTH_MM, dpi)
    module = symbols.dots_per_module(dpi, symbols.BARS_MODULE_MM)
    bars_width = len(symbols.bars(label.number)) * module
    bars = drawing.Bars(
        number=label.number,
        x=(width - bars_width) // 2,
        y=_dots(BARS_TOP_MM, dpi),
        module=module,
        height=_dots(symbols.BARS_HEIGHT_MM, dpi),
    )
    module = symbols.dots_per_module(dpi, symbols.QR_MODULE_MM)
    # As near to the corner as its quiet zone allows: beyond the edge a dark table may begin.
    edge = max(symbols.QR_QUIET * module, _dots(QR_EDGE_MM, dpi))
    side = len(symbols.matrix(label.number)) * module
    square = drawing.Square(number=label.number, x=width - edge - side, y=edge, module=module)
    # A letter may lean a dot out of its advance, so the text ends a little before the quiet zone.
    head_room = square.x - symbols.QR_QUIET * module - _dots(MARGIN_MM + BLOCK_GAP_MM, dpi)
    return drawing.Drawing(
        title=grouped(label.number),
        width_mm=WIDTH_MM,
        height_mm=HEIGHT_MM,
        dpi=dpi,
        bars=bars,
        square=square,
        lines=(*_head(label, dpi=dpi, room=head_room), _number(label, dpi=dpi), *_foot(label, dpi=dpi)),
    )


def _dots(millimetres: float, dpi: int) -> int:
    return round(millimetres * dpi / symbols.MM_PER_INCH)


def _sizes(millimetres: tuple[float, ...], dpi: int) -> tuple[int, ...]:
    return tuple(_dots(size, dpi) for size in millimetres)


def _head(label: Label, *, dpi: int, room: int) -> list[drawing.Line]:
    """Place the district, its name in the other language, and the service, from the top down, beside the QR."""
    blocks = [(text, lettering.REGULAR) for text in _paragraphs(label.district)]
    if blocks:
        blocks[0] = (blocks[0][0], lettering.BOLD)
    others = len(blocks) - 1
    blocks += [(text, lettering.REGULAR) for text in _paragraphs(label.service)]
    top, bottom = _dots(TEXT_TOP_MM, dpi), _dots(TEXT_BOTTOM_MM, dpi)
    lines: list[drawing.Line] = []
    for place, (text, face) in enumerate(blocks):
        if face == lettering.BOLD:
            sizes, room_below = _sizes(DISTRICT_SIZES_MM, dpi), _dots(DISTRICT_HEIGHT_MM, dpi)
        else:
            sizes = _sizes(SERVICE_SIZES_MM, dpi)
            share = 1 if place > others else len(blocks) - place
            room_below = (bottom - top) // share
        if room_below < sizes[-1]:
            break
        size, found = lettering.fitted(text, face, sizes, room, heights=room_below)
        for line in found:
            # The letters hang from the top of their line: 0.93 of the em is Roboto's ascent.
            baseline = top + round(0.93 * size)
            lines.append(
                drawing.Line(text=line, x=_dots(MARGIN_MM, dpi), baseline=baseline, size=size, face=face)
            )
            top += round(lettering.LEADING * size)
        top += _dots(BLOCK_GAP_MM, dpi)
    return lines


def _number(label: Label, *, dpi: int) -> drawing.Line:
    text = grouped(label.number)
    room = _dots(WIDTH_MM - 2 * MARGIN_MM, dpi)
    size, _ = lettering.fitted(text, lettering.BOLD, _sizes(NUMBER_SIZES_MM, dpi), room, heights=0)
    across = lettering.width(text, lettering.BOLD, size)
    return drawing.Line(
        text=text,
        x=round((_dots(WIDTH_MM, dpi) - across) / 2),
        baseline=_dots(NUMBER_BASELINE_MM, dpi),
        size=size,
        face=lettering.BOLD,
    )


def _foot(label: Label, *, dpi: int) -> list[drawing.Line]:
    """Place the date at the left and, on a reprint, the mark of a copy at the right."""
    mark = lettering.clean(label.copy_mark.replace("{copy}", str(label.copy))) if label.copy > 1 else ""
    date = lettering.clean(label.accepted_on)
    room = _dots(WIDTH_MM - 2 * MARGIN_MM, dpi)
    lines: list[drawing.Line] = []
    if mark:
        size = _dots(FOOT_SIZE_MM, dpi)
        mark = lettering.shortened(mark, lettering.BOLD, size, room * 0.56)
        across = ceil(lettering.width(mark, lettering.BOLD, size))
        lines.append(
            drawing.Line(
                text=mark,
                x=_dots(WIDTH_MM - MARGIN_MM, dpi) - across,
                baseline=_dots(FOOT_BASELINE_MM, dpi),
                size=size,
                face=lettering.BOLD,
            )
        )
        room -= across + _dots(FOOT_SIZE_MM, dpi)
    if date:
        size = _dots(FOOT_SIZE_MM, dpi)
        text = lettering.shortened(date, lettering.REGULAR, size, room)
        baseline = _dots(FOOT_BASELINE_MM, dpi)
        lines.append(drawing.Line(text=text, x=_dots(MARGIN_MM, dpi), baseline=baseline, size=size))
    return lines


def _paragraphs(text: str) -> list[str]:
    return [line for line in map(lettering.clean, text.splitlines()) if line]
