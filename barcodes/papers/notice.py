"""Letters to the applicant: the notice of assignment (annex 3 of services 1, 2, 3, 5, annex 4 of 7) and the refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from barcodes.numbers import grouped
from barcodes.papers.facts import FIRST, NBSP, Asked, Both, Copy, PaperError, Place, day_of
from barcodes.papers.flow import Flow
from barcodes.papers.frame import LABEL_RU, foot, letterhead, signature, title
from barcodes.papers.lines import NOTE, STRONG, Style, Words, bold, clean, plain
from barcodes.papers.sheet import Sheet
from config.language import Text

ASSIGNED = Both("Хабарлама", "Уведомление")
REFUSED = Both("Дәйектелген бас тарту", "Мотивированный отказ")
ANNEX = Both(
    "Мемлекеттік қызмет регламентіне {annex}-қосымша",
    "Приложение {annex} к регламенту государственной услуги",
)
HEAD = Both("Бастық", "Руководитель")
AKIM = Both("Кент, ауыл, ауылдық округ әкімі", "Аким посёлка, села, сельского округа")
EXECUTOR = Both("Орындаушы", "Исполнитель")
PHONE = Both("тел.", "тел.")
REASON = Both("Бас тартудың себебі", "Причина отказа")
REGISTERED = Both("Тіркеу нөмірі", "Регистрационный номер")
BODY = Style(size=11, leading=1.36)
ADDRESSEE = Style(size=11)
_PREPARED = Both(
    "Сізді әлеуметтік көмек алуға құжаттарыңыздың рәсімделгендігін хабарлайды.",
    "извещает Вас о том, что Ваши документы на получение социальной помощи оформлены.",
)
_WITH_EXECUTOR = frozenset({5, 7})
"""Services whose letter names the executor and the telephone."""
_GRANTED = {
    5: Both(
        "Сізге әлеуметтік көмектің тағайындалғандығы туралы хабарлайды.",
        "извещает о назначении Вам социальной помощи.",
    ),
    7: Both(
        "Сізге 18 жасқа дейінгі балалы отбасыларға мемлекеттік жәрдемақылар тағайындалғандығы туралы хабарлайды.",
        "извещает о назначении Вам государственных пособий семьям, имеющим детей до 18 лет.",
    ),
}
"""What the letter says, by the number of the service; the others have the wording of annex 3 of services 1 to 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A letter with the outcome; with a `reason` it is a refusal."""

    number: str
    """14 digits of the packet."""
    registered_as: str = ""
    signed_on: date | None = None
    department: Place
    service: Asked
    annex: int | None = None
    applicant: str
    address: str
    head: str = ""
    signed_by_akim: bool = False
    executor: str = ""
    executor_phone: str = ""
    assignment: str = ""
    """What else the notice says: what exactly is assigned, from when."""
    reason: str = ""
    """Why it was refused; an assignment has none."""
    copy: Copy = FIRST


def assignment(facts: Notice) -> bytes:
    """Return the notice that what was asked for is granted, as a PDF."""
    kk, ru = _office(facts.department)
    said = _GRANTED.get(facts.service.number, _PREPARED)
    return _letter(
        facts,
        ASSIGNED,
        kk=(plain(f"{kk}-сі "), plain(said.kk)),
        ru=(plain(f"{ru} "), plain(said.ru)),
    )


def refusal(facts: Notice) -> bytes:
    """Return the reasoned refusal as a PDF; raise PaperError without a reason."""
    if not clean(facts.reason):
        raise PaperError(what=Text("a refusal needs its reason; ask the executor to write it"))
    kk, ru = _office(facts.department)
    name = facts.service.name
    return _letter(
        facts,
        REFUSED,
        kk=(
            plain(
                f"{kk}-сі Сізге «{name.kk}» мемлекеттік қызметін көрсетуден бас тартылғандығы туралы хабарлайды."
            ),
        ),
        ru=(plain(f"{ru} извещает об отказе Вам в оказании государственной услуги «{name.ru}»."),),
        reason=facts.reason,
    )


def _office(place: Place) -> tuple[str, str]:
    return place.full.kk, place.full.ru


def _letter(facts: Notice, name: Both, *, kk: Words, ru: Words, reason: str = "") -> bytes:
    sheet = Sheet(title=f"{name.kk} {grouped(facts.number)}")
    flow = Flow(sheet)
    letterhead(flow, facts.department)
    note = None
    if facts.annex is not None and not reason:
        note = Both(ANNEX.kk.format(annex=facts.annex), ANNEX.ru.format(annex=facts.annex))
    title(flow, name, number=facts.number, note=note, copy=facts.copy)
    half = flow.left + flow.width / 2 + 4
    day = day_of(facts.signed_on)
    flow.paragraph(f"{day.kk} / {day.ru}", style=LABEL_RU)
    registered = facts.registered_as.strip() or grouped(facts.number).replace(" ", NBSP)
    flow.paragraph(f"{REGISTERED.kk} / {REGISTERED.ru}: {registered}", style=LABEL_RU, after=6)
    for words in ((bold(facts.applicant or "_" * 40),), (plain(facts.address or "_" * 40),)):
        flow.paragraph(words, style=ADDRESSEE, x=half, width=flow.right - half, after=0.8)
    flow.space(10)
    if not reason:
        flow.beside([facts.service.name.kk], [facts.service.name.ru], style=NOTE, after=3)
    flow.beside([kk], [ru], style=BODY, divided=0.15, after=6)
    if reason:
        flow.keep(20)
        flow.paragraph(f"{REASON.kk} / {REASON.ru}:", style=STRONG, after=1.5)
    for part in _paragraphs(reason or facts.assignment):
        flow.paragraph(part, style=BODY, after=1.5)
    flow.space(12)
    signature(flow, AKIM if facts.signed_by_akim else HEAD, facts.head)
    if facts.service.number in _WITH_EXECUTOR:
        _executor(flow, facts)
    return sheet.finish(foot=foot(name, number=facts.number, copy=facts.copy))


def _paragraphs(text: str) -> Sequence[str]:
    return [part for part in text.splitlines() if clean(part)]


def _executor(flow: Flow, facts: Notice) -> None:
    """Say who prepared the letter and how to reach them (annex 3 of service 5, annex 4 of 7)."""
    flow.space(8)
    name = clean(facts.executor) or "_" * 30
    flow.paragraph(f"{EXECUTOR.kk} / {EXECUTOR.ru}: {name}", style=NOTE)
    flow.paragraph(f"{PHONE.kk} {clean(facts.executor_phone) or '_' * 20}", style=NOTE)
