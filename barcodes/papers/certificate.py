"""The certificate of service 6 (annex 3): that a family receives targeted social aid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from barcodes.numbers import grouped
from barcodes.papers.facts import FIRST, NBSP, QUARTERS, Both, Copy, Place, day_of
from barcodes.papers.flow import Flow
from barcodes.papers.frame import LABEL_RU, foot, letterhead, signature, title
from barcodes.papers.lines import STRONG, Style, Words, bold, clean, plain
from barcodes.papers.sheet import Sheet
from barcodes.papers.table import ByHand, Column, table

NAME = Both("Анықтама", "Справка")
ANNEX = Both("Мемлекеттік қызмет регламентіне 3-қосымша", "Приложение 3 к регламенту государственной услуги")
MEMBERS = Both("Төмендегі отбасы мүшелеріне:", "Следующим членам семьи:")
WHERE = Both("Анықтама жұмыс орнына талап етіледі.", "Справка предъявляется по месту работы.")
HEAD = Both("Уәкілетті органның басшысы", "Руководитель уполномоченного органа")
AKIM = Both("Кент, ауыл, ауылдық округ әкімі", "Аким посёлка, села, сельского округа")
TEXT = Style(size=11.5, leading=1.4)
PRINTED_LINES = 5
"""Family members for whom the form has a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Who receives targeted aid, and when."""

    number: str
    """14 digits of the packet."""
    registered_as: str = ""
    year: str = ""
    quarter: str = ""
    """`1` to `4` or as it is to be printed; left to the pen, as the year, when it is empty."""
    place: Place
    applicant: str
    members: tuple[str, ...] = ()
    signer: str = ""
    signed_by_akim: bool = False
    signed_on: date | None = None
    copy: Copy = FIRST


def certificate(facts: Certificate) -> bytes:
    """Return the certificate as a PDF."""
    sheet = Sheet(title=f"{NAME.kk} {grouped(facts.number)}")
    flow = Flow(sheet)
    letterhead(flow, facts.place)
    title(flow, Both(NAME.kk.upper(), NAME.ru.upper()), number=facts.number, note=ANNEX, copy=facts.copy)
    flow.space(6)
    flow.beside([_kazakh(facts)], [_russian(facts)], style=TEXT, divided=0.15, after=6)
    flow.beside([MEMBERS.kk], [MEMBERS.ru], style=STRONG, after=1)
    members = [name for name in facts.members if clean(name)]
    members += [""] * (PRINTED_LINES - len(members))
    with table(flow, (Column(9), Column(flow.width - 9)), style=TEXT, pad=1.2) as rows:
        for place, name in enumerate(members, start=1):
            rows.add(f"{place}.", name or ByHand())
    flow.space(6)
    flow.beside([WHERE.kk], [WHERE.ru], style=TEXT, after=12)
    signature(flow, AKIM if facts.signed_by_akim else HEAD, facts.signer, stamp=True)
    day = day_of(facts.signed_on)
    flow.paragraph(f"{day.kk} / {day.ru}", style=LABEL_RU)
    return sheet.finish(foot=foot(NAME, number=facts.number, copy=facts.copy))


def _kazakh(facts: Certificate) -> Words:
    return (
        plain(
            f"{_year(facts)}{NBSP}жылдың {_quarter(facts)}{NBSP}тоқсанында атаулы әлеуметтік көмек алғандығы туралы "
        ),
        _or_line(facts.applicant),
        plain(" беріліп, тіркеу нөмірі "),
        bold(_number(facts)),
        plain(" тіркелді."),
    )


def _russian(facts: Certificate) -> Words:
    return (
        plain("Выдана "),
        _or_line(facts.applicant),
        plain(
            f" о том, что в {_quarter(facts)}{NBSP}квартале {_year(facts)}{NBSP}года получена адресная социальная "
            "помощь; зарегистрирована под номером "
        ),
        bold(_number(facts)),
        plain("."),
    )


def _year(facts: Certificate) -> str:
    return clean(facts.year) or "20___"


def _quarter(facts: Certificate) -> str:
    return QUARTERS.get(clean(facts.quarter), clean(facts.quarter)) or "____"


def _number(facts: Certificate) -> str:
    return facts.registered_as.strip() or grouped(facts.number).replace(" ", NBSP)


def _or_line(text: str) -> tuple[str, str]:
    return bold(text) if clean(text) else plain("_" * 34)
