"""The control sheet of one application: each step, who took it, its limit, the fact, how late and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from barcodes.numbers import grouped
from barcodes.papers.facts import FIRST, Asked, Both, Copy, Place, short
from barcodes.papers.flow import Flow
from barcodes.papers.frame import foot, title
from barcodes.papers.lines import NOTE, SMALL, Style, bold
from barcodes.papers.sheet import A4, Sheet
from barcodes.papers.table import Cell, Column, Paragraph, table

NAME = Both("Бақылау парағы", "Контрольный лист")
APPLICANT = Both("Тұтынушы", "Потребитель")
SERVICE = Both("Мемлекеттік қызмет", "Государственная услуга")
ORIGIN = Both("Қабылдаған мекеме", "Приняло учреждение")
DEPARTMENT = Both("Шешім шығаратын мекеме", "Решает учреждение")
ACCEPTED = Both("Қабылданды", "Принято")
PROMISED = Both("Уәде етілген мерзім", "Обещанный срок")
STEP = Both("Рәсім", "Процедура")
WHO = Both("Орындаған тұлға, мекеме", "Исполнил(а), учреждение")
LIMIT = Both("Мерзімі", "Срок")
BEGUN = Both("Басталды", "Начато")
DONE = Both("Аяқталды", "Окончено")
LATE = Both("Кешігу", "Опоздание")
WHY = Both("Себебі", "Причина")
LINE = Both("№", "п/п")
VALUE = Style(size=9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the way, as the regulation has it and as it was taken."""

    what: Both
    who: str = ""
    office: str = ""
    limit: str = ""
    """As the regulation prints it."""
    due_at: datetime | None = None
    """Until when, time of the office."""
    begun_at: datetime | None = None
    done_at: datetime | None = None
    late: str = ""
    """By how much of the working time; empty when it was kept."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One application and its steps."""

    number: str
    applicant: str
    service: Asked
    origin: Place
    department: Place
    accepted_at: datetime
    promised_at: datetime | None = None
    steps: tuple[Step, ...]
    copy: Copy = FIRST


def control(facts: Control) -> bytes:
    """Return the control sheet as a PDF across."""
    sheet = Sheet(title=f"{NAME.kk} {grouped(facts.number)}", size=(A4[1], A4[0]))
    flow = Flow(sheet, left=15, right=12)
    title(flow, NAME, number=facts.number, copy=facts.copy)
    half = flow.width / 2
    columns = (Column(34), Column(half - 34), Column(40), Column(half - 40))
    with table(flow, columns, style=VALUE, pad=1.0, inset=0.0) as rows:
        rows.add(_asked(APPLICANT), (bold(facts.applicant),), _asked(ORIGIN), _both(facts.origin.name))
        rows.add(_asked(SERVICE), _both(facts.service.name), _asked(DEPARTMENT), _both(facts.department.name))
        rows.add(_asked(ACCEPTED), short(facts.accepted_at), _asked(PROMISED), short(facts.promised_at))
    flow.space(4)
    way = (
        Column(9, LINE, align="right"),
        Column(72, STEP),
        Column(60, WHO),
        Column(25, LIMIT),
        Column(24, BEGUN),
        Column(24, DONE),
        Column(20, LATE),
        Column(flow.width - 234, WHY),
    )
    with table(flow, way, style=SMALL, pad=1.0) as rows:
        for place, step in enumerate(facts.steps, start=1):
            rows.add(
                str(place),
                (Paragraph(step.what.kk, SMALL), Paragraph(step.what.ru, NOTE)),
                (Paragraph(step.who, SMALL), Paragraph(step.office, NOTE)),
                (Paragraph(step.limit, SMALL), Paragraph(short(step.due_at), NOTE)),
                short(step.begun_at),
                short(step.done_at),
                (bold(step.late),) if step.late else "",
                step.reason,
            )
    return sheet.finish(foot=foot(NAME, number=facts.number, copy=facts.copy, left=15))


def _asked(label: Both) -> Cell:
    return (Paragraph(label.kk, SMALL), Paragraph(label.ru, NOTE))


def _both(name: Both) -> Cell:
    return (Paragraph(name.kk, VALUE), Paragraph(name.ru, NOTE))
