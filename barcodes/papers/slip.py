"""The slip of the department: annex 2 of services 1, 2, 3, 5, annex 5 of service 7; half a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from barcodes.numbers import grouped
from barcodes.papers.facts import FIRST, NBSP, Asked, Both, Copy, Place, on_day
from barcodes.papers.flow import Flow
from barcodes.papers.frame import foot, letterhead, signature, title
from barcodes.papers.lines import NOTE, Style, Words, bold, plain
from barcodes.papers.sheet import A5_ACROSS, Sheet

SHORT = Both("Тұтынушыға берілетін түбіртек", "Талон, выдаваемый потребителю")
LONG = Both("Тұтынушыға қызмет көрсету талоны", "Талон об оказании услуги потребителю")
ANNEX = Both(
    "Мемлекеттік қызмет регламентіне {annex}-қосымша",
    "Приложение {annex} к регламенту государственной услуги",
)
TOOK = Both("Құжаттарды қабылдаған тұлға", "Документы принял(а)")
STATUS = Both("Өтініштің барысын білу коды", "Код для проверки хода обращения")
TEXT = Style(size=10.5)
_LONG_FORM = frozenset({5, 7})
"""Services whose slip has the other wording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What the department gives for the papers that it takes."""

    number: str
    """14 digits of the packet."""
    registered_as: str = ""
    """Number in the department's register; the packet's own where it is empty."""
    accepted_on: date
    place: Place
    service: Asked
    annex: int | None
    applicant: str
    accepted_by: str
    status_code: str = ""
    copy: Copy = FIRST


def slip(facts: Slip) -> bytes:
    """Return the slip as a PDF of half a sheet (A5 across)."""
    name = LONG if facts.service.number in _LONG_FORM else SHORT
    note = None
    if facts.annex is not None:
        note = Both(ANNEX.kk.format(annex=facts.annex), ANNEX.ru.format(annex=facts.annex))
    sheet = Sheet(title=f"{name.kk} {grouped(facts.number)}", size=A5_ACROSS)
    flow = Flow(sheet, top=9, bottom=15)
    letterhead(flow, facts.place)
    title(flow, name, number=facts.number, note=note, copy=facts.copy)
    flow.beside([facts.service.name.kk], [facts.service.name.ru], style=NOTE, after=2.5)
    flow.beside([_kazakh(facts)], [_russian(facts)], style=TEXT, divided=0.15, after=4)
    signature(flow, TOOK, facts.accepted_by)
    if facts.status_code:
        said = f"{STATUS.kk} / {STATUS.ru}: "
        flow.paragraph((plain(said), bold(facts.status_code)), style=Style(size=9))
    return sheet.finish(foot=foot(name, number=facts.number, copy=facts.copy))


def _kazakh(facts: Slip) -> Words:
    day = on_day(facts.accepted_on).kk
    if facts.service.number in _LONG_FORM:
        return (
            plain("Құрметті "),
            _or_line(facts.applicant),
            plain(f", {day} Сіздің құжаттарыңыз қабылданып, құжаттардың нөмірі "),
            bold(_number(facts)),
            plain(" болып тіркелді."),
        )
    return (
        plain("Құрметті "),
        _or_line(facts.applicant),
        plain(f", Сіздің құжаттарыңыз {day} қабылданды, құжаттардың тіркеу нөмірі "),
        bold(_number(facts)),
        plain("."),
    )


def _russian(facts: Slip) -> Words:
    day = on_day(facts.accepted_on).ru
    if facts.service.number in _LONG_FORM:
        return (
            plain("Уважаемый(-ая) "),
            _or_line(facts.applicant),
            plain(f", {day} Ваши документы приняты и зарегистрированы под номером "),
            bold(_number(facts)),
            plain("."),
        )
    return (
        plain("Уважаемый(-ая) "),
        _or_line(facts.applicant),
        plain(f", Ваши документы приняты {day}, регистрационный номер документов "),
        bold(_number(facts)),
        plain("."),
    )


def _number(facts: Slip) -> str:
    return facts.registered_as.strip() or grouped(facts.number).replace(" ", NBSP)


def _or_line(name: str) -> tuple[str, str]:
    return bold(name) if name.strip() else plain("_" * 28)
