"""Acts: of discrepancy between a manifest and its bag, and of the refusal of a whole batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from barcodes.numbers import grouped
from barcodes.papers.facts import FIRST, NBSP, Both, Copy, PaperError, Place, short
from barcodes.papers.flow import Flow
from barcodes.papers.frame import Field, fields, foot, in_both, letterhead, signature, title
from barcodes.papers.lines import NOTE, SMALL, STRONG, Style, bold, clean
from barcodes.papers.sheet import Sheet
from barcodes.papers.table import Bars, Column, Paragraph, table
from config.language import Text

DISCREPANCY = Both("Сәйкессіздік актісі", "Акт о расхождении")
REFUSAL = Both("Топтаманы қабылдаудан бас тарту актісі", "Акт об отказе в приёме партии")
FOUND = Both(
    "Біз, төменде қол қойғандар, пломбасы бар сөмкедегі пакеттерді осы реестрмен салыстырып, мынадай "
    "сәйкессіздіктерді анықтап, осы актіні жасадық.",
    "Мы, нижеподписавшиеся, сверили пакеты в опломбированной сумке с этим реестром, установили указанные ниже "
    "расхождения и составили настоящий акт.",
)
REFUSED = Both(
    "Біз, төменде қол қойғандар, осы реестр бойынша жеткізілген топтаманың қабылданбағаны және пакеттердің "
    "жөнелтушіге қайтарылатыны туралы осы актіні жасадық.",
    "Мы, нижеподписавшиеся, составили настоящий акт о том, что партия, доставленная по этому реестру, не принята "
    "и пакеты возвращаются отправителю.",
)
REASON = Both("Бас тартудың себебі", "Причина отказа")
FROM = Both("Жөнелтуші", "Отправитель")
TO = Both("Алушы", "Получатель")
RUN = Both("Тасымал, пломба №", "Рейс, пломба №")
RECEIVED = Both("Сөмке ашылды, қабылдау аяқталды", "Сумка вскрыта, приём окончен")
LINE = Both("№", "п/п")
BARS = Both("Штрихкод", "Штрихкод")
PACKET = Both("Пакет", "Пакет")
KIND = Both("Сәйкессіздік", "Расхождение")
WHY = Both("Себебі", "Причина")
SETTLED = Both("Шешімі", "Как решено")
RECEIVER = Both("Қабылдаушы тараптың қызметкері", "Сотрудник принимающей стороны")
COURIER = Both("Іс-қағаздар тасушы", "Курьер")
NONE = Both("Сәйкессіздік жоқ", "Расхождений нет")
KINDS = {
    "missing": Both("сөмкеде жоқ", "в сумке нет"),
    "unexpected": Both("реестрде жоқ", "в реестре нет"),
    "damaged": Both("бүлінген", "повреждён"),
    "refused": Both("қабылданбады", "не принят"),
    "misrouted": Both("басқа мекемеге жолданған", "адресован другому учреждению"),
}
"""Words of the kinds of discrepancies."""
SETTLEMENTS = {
    "found": Both("табылды", "найден"),
    "lost": Both("жоғалды", "утрачен"),
    "never_sent": Both("жөнелтілмеген", "не отправлялся"),
    "noted": Both("ескерілді", "принято к сведению"),
    "taken_back": Both("кері алынды", "принят обратно"),
    "taken_over": Both("қабылданды", "принят"),
}
"""Words of the settlements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One packet that differs."""

    number: str
    kind: str
    """Word of `KINDS`."""
    reason: str = ""
    settlement: str = ""
    """Word of `SETTLEMENTS`; empty while it is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What was found when a bag was opened."""

    manifest: str
    """16 digits."""
    origin: Place
    destination: Place
    run: datetime
    seal_number: str = ""
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    differences: tuple[Difference, ...]
    received_by: str = ""
    courier: str = ""
    copy: Copy = FIRST


def discrepancy(facts: Act) -> bytes:
    """Return the act of discrepancy as a PDF."""
    return _act(facts, DISCREPANCY, FOUND, reason="")


def batch_refusal(facts: Act, *, reason: str) -> bytes:
    """Return the act on a batch that was not taken over; raise PaperError without a reason."""
    if not clean(reason):
        raise PaperError(what=Text("the refusal of a batch needs its reason"))
    return _act(facts, REFUSAL, REFUSED, reason=reason)


def _act(facts: Act, name: Both, said: Both, *, reason: str) -> bytes:
    sheet = Sheet(title=f"{name.kk} {grouped(facts.manifest)}")
    flow = Flow(sheet)
    letterhead(flow, facts.destination)
    title(flow, name, number=facts.manifest, copy=facts.copy)
    opened = " — ".join(filter(None, (short(facts.opened_at), short(facts.closed_at))))
    fields(
        flow,
        [
            Field(FROM, in_both(facts.origin.name)),
            Field(TO, in_both(facts.destination.name)),
            Field(RUN, f"{short(facts.run)}, № {facts.seal_number or '____________'}"),
            Field(RECEIVED, opened),
        ],
    )
    flow.space(4)
    flow.beside([said.kk], [said.ru], style=Style(size=10, leading=1.3), divided=0.15, after=4)
    if reason:
        flow.keep(16)
        flow.paragraph(f"{REASON.kk} / {REASON.ru}:", style=STRONG, after=1)
        flow.paragraph(reason, after=4)
    _differences(flow, facts)
    flow.space(8)
    signature(flow, RECEIVER, facts.received_by)
    signature(flow, COURIER, facts.courier)
    return sheet.finish(foot=foot(name, number=facts.manifest, copy=facts.copy))


def _differences(flow: Flow, facts: Act) -> None:
    if not facts.differences:
        flow.beside([NONE.kk], [NONE.ru], style=STRONG)
        return
    columns = (
        Column(9, LINE, align="right"),
        Column(43, BARS),
        Column(34, PACKET),
        Column(28, KIND),
        Column(40, WHY),
        Column(flow.width - 154, SETTLED),
    )
    with table(flow, columns, style=SMALL, pad=1.0) as rows:
        for place, found in enumerate(facts.differences, start=1):
            kind = KINDS.get(found.kind, Both(found.kind, ""))
            end = SETTLEMENTS.get(found.settlement, Both(found.settlement, ""))
            rows.add(
                str(place),
                Bars(found.number),
                (bold(grouped(found.number).replace(" ", NBSP)),),
                (Paragraph(kind.kk, SMALL), Paragraph(kind.ru, NOTE)),
                found.reason,
                (Paragraph(end.kk, SMALL), Paragraph(end.ru, NOTE)),
            )
