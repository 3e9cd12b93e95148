"""The receipt of the centre (annex 6 of service 7): what was handed in, and when and where the answer is fetched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from barcodes.numbers import grouped
from barcodes.papers.facts import FIRST, NBSP, Asked, Both, Copy, Enclosed, Place, short
from barcodes.papers.flow import Flow
from barcodes.papers.frame import Field, fields, foot, in_both, letterhead, signature, title
from barcodes.papers.lines import NOTE, Style, bold
from barcodes.papers.sheet import Sheet
from barcodes.papers.table import Cell, Paragraph

NAME = Both("Қолхат", "Расписка")
ANNEX = Both("Мемлекеттік қызмет регламентіне 6-қосымша", "Приложение 6 к регламенту государственной услуги")
NUMBER_AND_DATE = Both("Қабылдаған құжаттың нөмірі мен мерзімі", "Номер и дата приёма документов")
KIND = Both("Көрсетілетін мемлекеттік қызметтің түрі", "Вид запрашиваемой государственной услуги")
APPLICANT = Both("Тұтынушының аты-жөні", "Ф. И. О. потребителя")
ENCLOSURES = Both(
    "Құжаттағы қосымшалардың атауы және саны", "Наименования и количество приложенных документов"
)
RETURNED = Both("Құжатты қайтарып беретін орны және уақыты", "Место и время выдачи документов")
INSPECTOR = Both(
    "Құжатты рәсімдеуге өтініш қабылдаған ХҚКО-ның инспекторының аты-жөні",
    "Ф. И. О. инспектора ЦОНа, принявшего заявление на оформление документов",
)
STATUS = Both(
    "Өтініштің қай кезеңде екенін білуге арналған код", "Код, по которому видно, на каком этапе обращение"
)
SIGNS = Both("ХҚКО инспекторы", "Инспектор ЦОНа")
FETCHED = Both("Нәтижені алдым: тұтынушы", "Результат получен: потребитель")
CODE = Style(size=12)
TOTAL = Both("Барлығы", "Всего")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the centre gives for the papers that it takes."""

    number: str
    """14 digits of the packet."""
    accepted_at: datetime
    """Time of the office."""
    centre: Place
    service: Asked
    applicant: str
    enclosures: tuple[Enclosed, ...]
    inspector: str
    status_code: str
    """By which the applicant sees how far it is; unguessable."""
    fetch_from: datetime | None = None
    """When the answer is promised, time of the office; left to the pen when it is not known."""
    copy: Copy = FIRST


def receipt(facts: Receipt) -> bytes:
    """Return the receipt as a PDF."""
    sheet = Sheet(title=f"{NAME.kk} {grouped(facts.number)}")
    flow = Flow(sheet)
    letterhead(flow, facts.centre)
    title(flow, NAME, number=facts.number, note=ANNEX, copy=facts.copy)
    fields(
        flow,
        [
            Field(
                NUMBER_AND_DATE,
                (
                    bold(grouped(facts.number).replace(" ", NBSP)),
                    (f",  {short(facts.accepted_at)}", "Roboto"),
                ),
            ),
            Field(KIND, in_both(facts.service.name)),
            Field(APPLICANT, facts.applicant),
            Field(ENCLOSURES, enclosed(facts.enclosures)),
            Field(RETURNED, _returned(facts)),
            Field(INSPECTOR, facts.inspector),
            Field(STATUS, (Paragraph((bold(facts.status_code),), CODE),)),
        ],
    )
    flow.space(8)
    signature(flow, SIGNS, facts.inspector)
    flow.space(3)
    signature(flow, FETCHED, facts.applicant)
    return sheet.finish(foot=foot(NAME, number=facts.number, copy=facts.copy))


def enclosed(enclosures: tuple[Enclosed, ...]) -> Cell:
    """Return a cell that lists enclosures with their counts, and the sum below; empty where there are none."""
    if not enclosures:
        return ""
    listed = tuple(
        Paragraph(f"{place}.{NBSP}{item.name} — {item.count}")
        for place, item in enumerate(enclosures, start=1)
    )
    total = sum(item.count for item in enclosures)
    return (*listed, Paragraph(f"{TOTAL.kk} / {TOTAL.ru}: {len(enclosures)} — {total}", NOTE))


def _returned(facts: Receipt) -> Cell:
    place, small = facts.centre, Style(size=9)
    when = short(facts.fetch_from) or "____.____.20____  ____:____"
    return (
        Paragraph(place.name.kk),
        Paragraph(place.name.ru, Style(size=9, grey=0.25)),
        *(Paragraph(part, small) for part in (place.address, place.hours) if part.strip()),
        Paragraph((bold(when),)),
    )
