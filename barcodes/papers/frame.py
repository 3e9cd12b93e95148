"""What frames a paper: letterhead, title with the symbols of the packet, fields, signatures, cutting line and foot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from barcodes import symbols
from barcodes.lettering import BOLD
from barcodes.numbers import grouped
from barcodes.papers import ink
from barcodes.papers.facts import FIRST, Both, Copy, Place
from barcodes.papers.flow import FAINT, Flow, write
from barcodes.papers.lines import NOTE, Style, Words, bold, clean, wrapped
from barcodes.papers.sheet import BARS_MODULE_MM, POINT, QR_MODULE_MM, Sheet
from barcodes.papers.table import ByHand, Cell, Column, Paragraph, table

TITLE_KK = Style(size=15, face=BOLD)
TITLE_RU = Style(size=11, grey=0.2)
OFFICE = Style(size=9, face=BOLD)
NUMBER = Style(size=11, face=BOLD)
FIELD = Style(size=10)
LABEL_KK = Style(size=8.5, grey=0.0)
LABEL_RU = Style(size=7.5, grey=0.35)
FOOT = Style(size=7.5, grey=0.35)
MARK = Style(size=9, face=BOLD)
SYMBOLS_HEIGHT_MM = ink.QR_SIDE * QR_MODULE_MM
FIELD_LABEL_MM = 62.0


def letterhead(flow: Flow, place: Place) -> None:
    """Draw the head of an office's letter: its name in both languages, and where it is."""
    name = place.full
    flow.beside([name.kk], [name.ru], style=OFFICE, align="centre", gap=12, divided=0.2, after=1.2)
    reach = " · ".join(clean(part) for part in (place.address, ", ".join(place.phones)) if part.strip())
    if reach:
        flow.paragraph(reach, style=NOTE, align="centre", after=0.8)
    flow.space(0.6)
    flow.rule(mm=0.5)
    flow.space(0.7)
    flow.rule(mm=0.15)
    flow.space(5)


def title(flow: Flow, name: Both, *, number: str = "", note: Both | None = None, copy: Copy = FIRST) -> None:
    """Draw the title on the left and, where a `number` is given, its symbols on the right."""
    top = flow.y
    across = symbols_width(number) if number else 0.0
    room = flow.width - across - (4 if number else 0)
    flow.paragraph(name.kk, style=TITLE_KK, width=room)
    flow.paragraph(name.ru, style=TITLE_RU, width=room, after=1.2)
    if note is not None:
        flow.paragraph(note.kk, style=NOTE, width=room)
        flow.paragraph(note.ru, style=NOTE, width=room)
    if copy.mark:
        flow.space(1)
        flow.paragraph(copy.mark, style=MARK, width=room)
    if number:
        flow.y = max(flow.y, both_symbols(flow.sheet, number, flow.right - across, top))
    flow.space(4)


def symbols_width(number: str) -> float:
    """Return how much room the symbols of a number take, their quiet zones on the inside, in millimetres."""
    bars = ink.bars_modules(number) * BARS_MODULE_MM
    return bars + symbols.BARS_QUIET * BARS_MODULE_MM + symbols.QR_QUIET * QR_MODULE_MM + SYMBOLS_HEIGHT_MM


def both_symbols(sheet: Sheet, number: str, x: float, y: float) -> float:
    """Draw the bars of `number` and its QR beside them, its digits below, and return where they end."""
    bars = sheet.bars(number, x, y, height=SYMBOLS_HEIGHT_MM)
    right = x + bars + symbols.BARS_QUIET * BARS_MODULE_MM + symbols.QR_QUIET * QR_MODULE_MM
    sheet.square(number, right, y)
    sheet.centred(x + bars / 2, y + SYMBOLS_HEIGHT_MM + 5.2, ((grouped(number), NUMBER.face),), style=NUMBER)
    return y + SYMBOLS_HEIGHT_MM + 7


@dataclass(frozen=True, slots=True)
class Field:
    """A line of a form: what is asked, and the answer; what is empty is left to the pen."""

    label: Both
    value: Cell = ""
    hand_lines: int = 1


def fields(flow: Flow, given: Sequence[Field], *, label_width: float = FIELD_LABEL_MM) -> None:
    """Draw the lines of a form: what is asked in both languages on the left, the answer on the right."""
    columns = (Column(label_width), Column(flow.width - label_width))
    with table(flow, columns, style=FIELD, pad=1.5, inset=0.0) as rows:
        for field in given:
            label = (Paragraph(field.label.kk, LABEL_KK), Paragraph(field.label.ru, LABEL_RU))
            empty = isinstance(field.value, str) and not clean(field.value)
            rows.add(label, ByHand(field.hand_lines) if empty else field.value)


def in_both(name: Both) -> Cell:
    """Return a cell that has a name in both languages, one under the other."""
    return (Paragraph(name.kk, FIELD), Paragraph(name.ru, Style(size=9, grey=0.25)))


SIGNED = Both("қолы", "подпись")
NAMED = Both("аты-жөні", "Ф. И. О.")
CAPTION = Style(size=6.5, grey=0.4)


def signature(flow: Flow, who: Both, name: str = "", *, stamp: bool = False) -> None:
    """Draw a place to sign: who signs, a line for the signature, the name or a line for it; kept on one page."""
    role, sign, gap = flow.width * 0.36, flow.width * 0.26, 5.0
    left = flow.left + role + sign + gap
    across = flow.right - left
    names = wrapped(bold_or_nothing(name), style=FIELD, width=across / POINT) if clean(name) else []
    roles = [
        *((line, FIELD) for line in wrapped((bold(who.kk),), style=FIELD, width=(role - 3) / POINT)),
        *((line, LABEL_RU) for line in wrapped(who.ru, style=LABEL_RU, width=(role - 3) / POINT)),
    ]
    tall = max(sum(style.step for _, style in roles) * POINT, len(names) * FIELD.step * POINT + 4, 10.0)
    flow.keep(tall + 3)
    top = flow.y
    for line, style in roles:
        write(flow.sheet, line, style=style, x=flow.left, top=top, width=role)
        top += style.step * POINT
    base = flow.y + max(1, len(names)) * FIELD.step * POINT
    for place, line in enumerate(names):
        write(flow.sheet, line, style=FIELD, x=left, top=flow.y + place * FIELD.step * POINT, width=across)
    for x, width, caption in ((flow.left + role, sign, SIGNED), (left, across, NAMED)):
        flow.sheet.rule(x, base + 0.6, x + width, base + 0.6, mm=0.2)
        words = ((f"{caption.kk} / {caption.ru}", CAPTION.face),)
        write(flow.sheet, words, style=CAPTION, x=x, top=base + 1, width=width, align="centre")
    flow.y += tall + 3
    if stamp:
        flow.paragraph("М.О. / М.П.", style=LABEL_RU, x=flow.left + role, after=2)


def bold_or_nothing(text: str) -> Words:
    """Return `text` in bold pieces."""
    return (bold(text),)


CUT = Both("Кесу сызығы", "Линия отреза")


def cutting_line(flow: Flow) -> None:
    """Draw the line along which a paper is cut, from edge to edge."""
    sheet = flow.sheet
    sheet.rule(5, flow.y, sheet.width - 5, flow.y, mm=0.25, grey=0.2, dash="4 3")
    words = ((f"{CUT.kk} / {CUT.ru}", CAPTION.face),)
    write(sheet, words, style=CAPTION, x=flow.left, top=flow.y + 0.8, width=flow.width, align="centre")
    flow.space(6)


def foot(
    name: Both, *, number: str = "", copy: Copy = FIRST, left: float = 20.0
) -> Callable[[Sheet, int, int], None]:
    """Return what draws the foot of each page: the paper and its number, the mark of a reprint, the page."""

    def draw(sheet: Sheet, page: int, pages: int) -> None:
        low = sheet.height - 9
        right = sheet.width - 12
        sheet.rule(left, low - 4, right, low - 4, mm=0.15, grey=FAINT)
        said = name.kk + (f" · {grouped(number)}" if number else "")
        sheet.text(left, low, said, style=FOOT)
        marks = [copy.mark] if copy.mark else []
        marks.append(f"{page}-бет, барлығы {pages} · стр. {page} из {pages}")
        sheet.right(right, low, "    ".join(marks), style=FOOT)

    return draw
