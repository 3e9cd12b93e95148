"""The manifest (реестр) of one bag, out or back: two copies, a line and a barcode for each packet, both signatures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from barcodes.numbers import grouped
from barcodes.papers.facts import FIRST, NBSP, Asked, Both, Copy, Place, short
from barcodes.papers.flow import Flow
from barcodes.papers.frame import (
    MARK,
    TITLE_KK,
    TITLE_RU,
    both_symbols,
    foot,
    signature,
    symbols_width,
)
from barcodes.papers.lines import NOTE, SMALL, Style, bold, clean
from barcodes.papers.sheet import Sheet
from barcodes.papers.table import Bars, Cell, Column, Paragraph, table

OUT = Both("Құжаттар пакеттерінің реестрі", "Реестр пакетов документов")
BACK = Both("Нәтижелердің кері реестрі", "Обратный реестр результатов")
COPIES = (
    Both("1-дана: жөнелтушіде қалады", "экземпляр 1: остаётся у отправителя"),
    Both("2-дана: пакеттермен бірге жүреді", "экземпляр 2: следует с пакетами"),
)
FROM = Both("Қайдан", "Откуда")
TO = Both("Қайда", "Куда")
RUN = Both("Тасымал", "Рейс")
SEAL = Both("Пломба №", "Пломба №")
COUNT = Both("Пакет саны", "Пакетов")
SEALED = Both("Пломба салынған уақыт", "Опломбирован")
COURIER = Both("Іс-қағаздар тасушы", "Курьер")
SERVICES = Both("Мемлекеттік қызметтер", "Государственные услуги")
TAKEN = Both(
    "Қабылданды: ______ пакет. Жоқ: ______. Бүлінген: ______. Артық: ______.",
    "Принято пакетов: ______. Нет: ______. Повреждено: ______. Лишних: ______.",
)
LINE = Both("№", "п/п")
NUMBER = Both("Пакет, тұтынушы", "Пакет, потребитель")
SERVICE = Both("Мемлекеттік қызмет", "Государственная услуга")
ENCLOSURES = Both("Қосымша", "Прилож.")
SHEETS = Both("Дана", "Экз.")
MARKED = Both("Белгі", "Отметка")
BARS = Both("Штрихкод", "Штрихкод")
REGISTERED = Both("Тіркеу №", "Рег. №")
SENT_OUT = Both("Тапсырды: жинақтаушы бөлімнің инспекторы", "Сдал(а): инспектор накопительного отдела")
SENT_BACK = Both("Тапсырды: кеңсе қызметкері", "Сдал(а): сотрудник канцелярии")
CARRIED = Both("Тасымалдады: іс-қағаздар тасушы", "Перевёз(-ла): курьер")
TAKEN_OUT = Both("Қабылдады: кеңсе қызметкері", "Принял(а): сотрудник канцелярии")
TAKEN_BACK = Both("Қабылдады: жинақтаушы бөлімнің инспекторы", "Принял(а): инспектор накопительного отдела")
PLACE = Style(size=9)
SERVICE_STYLE = Style(size=7.5)
MARGIN = 12.0
SIGNATURES_MM = 62.0
"""Room for the count and the three signatures, which stay together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One packet on the list."""

    position: int
    number: str
    applicant: str
    """Initials only: the list lies open on many tables."""
    service: Asked
    enclosures: int = 0
    """Kinds of enclosed documents."""
    sheets: int = 0
    """All enclosed documents, counted."""
    registered_as: str = ""
    """Number in the department's register; printed on the way back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What stands on the list of one bag."""

    number: str
    """16 digits."""
    back: bool = False
    """The results on their way back to the centre."""
    origin: Place
    destination: Place
    run: datetime
    """Planned departure, time of the offices."""
    seal_number: str = ""
    sealed_at: datetime | None = None
    sent_by: str = ""
    courier: str = ""
    taken_by: str = ""
    lines: tuple[Line, ...]
    copy: Copy = FIRST


def initials(name: str) -> str:
    """Return the initials of a full name, `Ә. Ұ. Ш.`: those of a double name with its hyphen."""
    words = clean(name).split(" ")
    return f".{NBSP}".join(
        "-".join(part[0] for part in word.split("-") if part) for word in words if word.strip("-")
    ) + ("." if clean(name).strip("-") else "")


def manifest(facts: Manifest) -> bytes:
    """Return both copies of the manifest as one PDF, each with pages of its own."""
    return _drawn(facts, COPIES)


def one_copy(facts: Manifest) -> bytes:
    """Return the copy that stays with the sender as a PDF."""
    return _drawn(facts, COPIES[:1])


def _drawn(facts: Manifest, copies: tuple[Both, ...]) -> bytes:
    name = BACK if facts.back else OUT
    sheet = Sheet(title=f"{name.kk} {grouped(facts.number)}")
    for place, whose in enumerate(copies):
        if place:
            sheet.begin_part()
        _copy(sheet, facts, name, whose)
    return sheet.finish(foot=foot(name, number=facts.number, copy=facts.copy, left=MARGIN))


def _copy(sheet: Sheet, facts: Manifest, name: Both, whose: Both) -> None:
    def head(flow: Flow) -> None:
        _head(flow, facts, name, whose)

    flow = Flow(sheet, left=MARGIN, right=MARGIN, head=head)
    head(flow)
    _between(flow, facts)
    with table(flow, _columns(facts), style=SMALL, pad=1.0) as rows:
        for line in facts.lines:
            rows.add(*_row(line, facts))
    flow.space(3)
    _services(flow, facts)
    flow.keep(SIGNATURES_MM)
    flow.beside([TAKEN.kk], [TAKEN.ru], style=Style(size=9), after=5)
    signature(flow, SENT_BACK if facts.back else SENT_OUT, facts.sent_by)
    signature(flow, CARRIED, facts.courier)
    signature(flow, TAKEN_BACK if facts.back else TAKEN_OUT, facts.taken_by)


def _head(flow: Flow, facts: Manifest, name: Both, whose: Both) -> None:
    top = flow.y
    across = symbols_width(facts.number)
    room = flow.width - across - 6
    flow.paragraph(name.kk, style=TITLE_KK, width=room)
    flow.paragraph(name.ru, style=TITLE_RU, width=room, after=0.8)
    flow.paragraph(f"{whose.kk} / {whose.ru}", style=NOTE, width=room)
    if facts.copy.mark:
        flow.paragraph(facts.copy.mark, style=MARK, width=room)
    low = both_symbols(flow.sheet, facts.number, flow.right - across, top)
    flow.y = max(flow.y, low) + 3


def _between(flow: Flow, facts: Manifest) -> None:
    columns = (Column(24), Column(flow.width / 2 - 24), Column(30), Column(flow.width / 2 - 30))
    with table(flow, columns, style=PLACE, pad=1.1, inset=0.0) as rows:
        rows.add(_asked(FROM), _named(facts.origin), _asked(RUN), (bold(short(facts.run)),))
        rows.add(
            _asked(TO),
            _named(facts.destination),
            _asked(SEAL),
            (bold(facts.seal_number or "________________"),),
        )
        rows.add(
            _asked(COURIER),
            facts.courier or "________________________",
            _asked(COUNT),
            (bold(str(len(facts.lines))),),
        )
    flow.space(4)


def _asked(label: Both) -> Cell:
    return (Paragraph(label.kk, SMALL), Paragraph(label.ru, NOTE))


def _named(place: Place) -> Cell:
    return (Paragraph(place.name.kk, PLACE), Paragraph(place.name.ru, NOTE))


def _columns(facts: Manifest) -> tuple[Column, ...]:
    last = Column(22, REGISTERED) if facts.back else Column(15, SHEETS, align="right")
    middle = () if facts.back else (Column(17, ENCLOSURES, align="right"),)
    used = 9 + 43 + 34 + 16 + last.width + sum(column.width for column in middle)
    return (
        Column(9, LINE, align="right"),
        Column(43, BARS),
        Column(34, NUMBER),
        Column(186 - used, SERVICE),
        *middle,
        last,
        Column(16, MARKED),
    )


def _row(line: Line, facts: Manifest) -> tuple[Cell, ...]:
    who = (
        Paragraph((bold(grouped(line.number).replace(" ", NBSP)),), Style(size=9)),
        Paragraph(line.applicant, Style(size=9)),
    )
    counted: tuple[Cell, ...] = (
        (line.registered_as,) if facts.back else (str(line.enclosures), str(line.sheets))
    )
    return (
        str(line.position),
        Bars(line.number),
        who,
        (Paragraph(f"{line.service.number}. {line.service.name.kk}", SERVICE_STYLE),),
        *counted,
        "",
    )


def _services(flow: Flow, facts: Manifest) -> None:
    """Say in both languages what the services of the list are called."""
    asked = {line.service.number: line.service for line in facts.lines}
    if not asked:
        return
    flow.keep(5 + 7 * len(asked))
    flow.paragraph(f"{SERVICES.kk} / {SERVICES.ru}:", style=NOTE)
    for number, service in sorted(asked.items()):
        flow.beside([f"{number}. {service.name.kk}"], [f"{number}. {service.name.ru}"], style=NOTE, after=0.6)
    flow.space(4)
