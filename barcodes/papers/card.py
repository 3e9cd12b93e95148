"""The desk card: the commands that a scanner can give, far enough apart that one is never read for another."""

from __future__ import annotations

from barcodes.lettering import BOLD
from barcodes.numbers import Command, command_code, grouped
from barcodes.papers import ink
from barcodes.papers.facts import Both
from barcodes.papers.flow import FAINT, Flow
from barcodes.papers.frame import LABEL_RU, TITLE_KK, TITLE_RU
from barcodes.papers.lines import NOTE, Style
from barcodes.papers.sheet import A4, POINT, QR_MODULE_MM, Sheet

NAME = Both("Үстел картасы", "Карта команд")
HOW = Both(
    "Пернетақтаның орнына сканерлеңіз. Басқа кодтарды алақаныңызбен жауып тұрыңыз.",
    "Сканируйте вместо клавиатуры. Соседние коды прикройте ладонью.",
)
WORDS = {
    Command.CLOSE_BATCH: Both("Топтаманы жабу", "Закрыть партию"),
    Command.UNDO: Both("Соңғысын қайтару", "Отменить последнее"),
    Command.YES: Both("Иә", "Да"),
    Command.NO: Both("Жоқ", "Нет"),
    Command.PRINT: Both("Басып шығару", "Печать"),
}
WORD = Style(size=20, face=BOLD)
OTHER = Style(size=13, grey=0.2)
MODULE_MM = 2 * QR_MODULE_MM
"""Large, because it is read from a metre away."""
BARS_MM = 0.508
BARS_HEIGHT_MM = 18.0
ROW_MM = 47.0


def card() -> bytes:
    """Return the desk card as a PDF."""
    sheet = Sheet(title=f"{NAME.kk} / {NAME.ru}", size=A4)
    flow = Flow(sheet, left=18, right=18, top=14)
    flow.paragraph(NAME.kk, style=TITLE_KK)
    flow.paragraph(NAME.ru, style=TITLE_RU, after=1.5)
    flow.beside([HOW.kk], [HOW.ru], style=NOTE, after=2)
    for command, word in WORDS.items():
        code = command_code(command)
        flow.rule(mm=0.15, grey=FAINT)
        top = flow.y + 9
        side = sheet.square(code, flow.left + 4 * MODULE_MM, top, module=MODULE_MM)
        across = ink.bars_modules(code) * BARS_MM
        x = flow.right - across - 10 * BARS_MM
        sheet.bars(code, x, top, height=BARS_HEIGHT_MM, module=BARS_MM)
        sheet.centred(
            x + across / 2, top + BARS_HEIGHT_MM + 4.5, ((grouped(code), LABEL_RU.face),), style=LABEL_RU
        )
        left = flow.left + side + 8 * MODULE_MM + 3
        sheet.text(left, top + 9, word.kk, style=WORD)
        sheet.text(left, top + 9 + WORD.step * POINT * 0.9, word.ru, style=OTHER)
        flow.space(ROW_MM)
    flow.rule(mm=0.15, grey=FAINT)
    return sheet.finish()
