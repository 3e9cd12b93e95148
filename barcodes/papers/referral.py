"""The referral of service 4 (annex 2): to an employer, with the return slip below the cutting line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from barcodes.numbers import grouped
from barcodes.papers.facts import FIRST, NBSP, Both, Copy, Place, on_day
from barcodes.papers.flow import Flow
from barcodes.papers.frame import Field, cutting_line, fields, foot, letterhead, signature, title
from barcodes.papers.lines import Style, Words, bold, clean, plain
from barcodes.papers.sheet import Sheet

NAME = Both("Жолдама", "Направление")
ANNEX = Both("Мемлекеттік қызмет регламентіне 2-қосымша", "Приложение 2 к регламенту государственной услуги")
HEAD = Both("Бөлім бастығы", "Начальник отдела")
ISSUED = Both("Берілген күні", "Дата выдачи")
SLIP = Both("Жолдама берілгені туралы хабарлама", "Извещение к направлению")
RETURNED = Both("Уәкілетті органға қайтарылады", "Возвращается в уполномоченный орган")
EMPLOYER_HEAD = Both("Мекеме басшысы", "Руководитель учреждения")
TEXT = Style(size=10.5, leading=1.32)
LINE = "_" * 34
SLIP_HEIGHT_MM = 104.0
"""Room that the return slip takes at least; it stays on one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """Whom the department sends where."""

    number: str
    """14 digits of the packet."""
    registered_as: str = ""
    department: Place
    applicant: str
    term: str = ""
    """For how long, as the head decided."""
    employer: str = ""
    measure: str = ""
    """Kind of the active measure of employment promotion."""
    head: str = ""
    issued_on: date | None = None
    copy: Copy = FIRST


def referral(facts: Referral) -> bytes:
    """Return the referral with its return slip as a PDF; what is not known yet is left to the pen."""
    number = clean(facts.registered_as) or grouped(facts.number).replace(" ", NBSP)
    sheet = Sheet(title=f"{NAME.kk} {grouped(facts.number)}")
    flow = Flow(sheet)
    letterhead(flow, facts.department)
    title(
        flow,
        Both(f"№{NBSP}{number} {NAME.kk}", f"{NAME.ru} №{NBSP}{number}"),
        number=facts.number,
        note=ANNEX,
        copy=facts.copy,
    )
    flow.beside([_sends_kk(facts)], [_sends_ru(facts)], style=TEXT, divided=0.15, after=6)
    fields(flow, [Field(ISSUED, f"{facts.issued_on:%d.%m.%Y}" if facts.issued_on else "")])
    flow.space(5)
    signature(flow, HEAD, facts.head, stamp=True)
    flow.space(2)
    if flow.room > SLIP_HEIGHT_MM:
        # The slip lies at the foot of the page, where scissors find it.
        flow.y = max(flow.y, flow.bottom - SLIP_HEIGHT_MM - 6)
    else:
        flow.turn()
    cutting_line(flow)
    title(
        flow,
        Both(f"{SLIP.kk} №{NBSP}{number}", f"{SLIP.ru} №{NBSP}{number}"),
        number=facts.number,
        note=RETURNED,
    )
    flow.beside([_entered_kk(facts)], [_entered_ru(facts)], style=TEXT, divided=0.15, after=7)
    signature(flow, EMPLOYER_HEAD, stamp=True)
    return sheet.finish(foot=foot(NAME, number=facts.number, copy=facts.copy))


def _sends_kk(facts: Referral) -> Words:
    return (
        _or_line(facts.applicant),
        plain(" "),
        _or_line(facts.term),
        plain(" мерзімге "),
        _or_line(facts.employer),
        plain(" мекемесіне «"),
        _or_line(facts.measure),
        plain("» жіберіледі."),
    )


def _sends_ru(facts: Referral) -> Words:
    return (
        _or_line(facts.applicant),
        plain(" направляется на срок: "),
        _or_line(facts.term),
        plain(", в учреждение: "),
        _or_line(facts.employer),
        plain(", вид активной формы содействия занятости: «"),
        _or_line(facts.measure),
        plain("»."),
    )


def _entered_kk(facts: Referral) -> Words:
    day = on_day(None).kk
    return (
        _or_line(facts.employer),
        plain(" мекемесі "),
        _or_line(facts.applicant),
        plain(f" {day} «"),
        _or_line(facts.measure),
        plain("» кіріскенін хабарлайды (20___ жылғы ______________ №______ бұйрық)."),
    )


def _entered_ru(facts: Referral) -> Words:
    day = on_day(None).ru
    return (
        plain("Учреждение "),
        _or_line(facts.employer),
        plain(" сообщает, что "),
        _or_line(facts.applicant),
        plain(f" приступил(-а) {day} к участию: «"),
        _or_line(facts.measure),
        plain("» (приказ от ______________ 20___ года № ______)."),
    )


def _or_line(text: str) -> tuple[str, str]:
    return bold(text) if clean(text) else plain(LINE)
