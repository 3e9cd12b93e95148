"""Every paper: its words are the facts, its symbols decode as printed and worn, and nothing overlaps or is cut."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations

import pytest

from barcodes.label import Label
from barcodes.numbers import BadNumberError, Command, command_code, grouped
from barcodes.papers.act import KINDS, SETTLEMENTS, batch_refusal, discrepancy
from barcodes.papers.addresses import addresses
from barcodes.papers.card import WORDS, card
from barcodes.papers.certificate import certificate
from barcodes.papers.control import control
from barcodes.papers.facts import Copy, Enclosed, PaperError
from barcodes.papers.labels import labels
from barcodes.papers.manifest import initials, manifest
from barcodes.papers.notice import assignment, refusal
from barcodes.papers.receipt import receipt
from barcodes.papers.referral import referral
from barcodes.papers.slip import slip
from config.offices import offices
from models.discrepancy import DiscrepancyKind
from tests.unit.barcodes.papers import examples as a
from tests.unit.barcodes.papers.reading import both, boxes, degraded, only_bars, pixels, symbols, words

FOOT = re.compile(r"Қолхат · [\d ]+-бет, барлығы \d+ · стр. \d+ из \d+ ")
HEAD_MM = 62.0
"""Down to where the symbols of a paper reach."""
REASON = "Отбасының табысы шектен асады: 48 216 ₸."
PLAIN: dict[str, Callable[[], bytes]] = {
    "receipt": lambda: receipt(a.a_receipt()),
    "slip": lambda: slip(a.a_slip()),
    "slip of 7": lambda: slip(a.a_slip(7, annex=5)),
    "notice": lambda: assignment(a.a_notice()),
    "refusal": lambda: refusal(a.a_notice(2, reason=REASON)),
    "referral": lambda: referral(a.a_referral()),
    "certificate": lambda: certificate(a.a_certificate()),
    "control": lambda: control(a.a_control()),
}
WORST: dict[str, Callable[[], bytes]] = {
    "receipt of forty": lambda: receipt(
        a.a_receipt(applicant=a.LONG, inspector=a.UNBROKEN, enclosures=a.enclosures(40), copy=a.SECOND)
    ),
    "empty receipt": lambda: receipt(
        a.a_receipt(
            applicant="", inspector="", enclosures=(), status_code="", fetch_from=None, centre=a.SILENT
        )
    ),
    "long slip": lambda: slip(a.a_slip(2, applicant=a.LONG, accepted_by=a.UNBROKEN, copy=a.SECOND)),
    "empty slip": lambda: slip(a.a_slip(5, applicant="", accepted_by="", status_code="", place=a.SILENT)),
    "long notice": lambda: assignment(
        a.a_notice(
            5, applicant=a.UNBROKEN, address=a.LONG * 3, head=a.LONG, assignment=a.LONG * 20, copy=a.SECOND
        )
    ),
    "empty notice": lambda: assignment(
        a.a_notice(
            1,
            applicant="",
            address="",
            head="",
            executor="",
            executor_phone="",
            signed_on=None,
            department=a.SILENT,
        )
    ),
    "long refusal": lambda: refusal(a.a_notice(7, reason="\n".join([a.LONG * 6] * 12))),
    "long referral": lambda: referral(
        a.a_referral(applicant=a.LONG, employer=a.LONG, measure=a.LONG, head=a.LONG, copy=a.SECOND)
    ),
    "empty referral": lambda: referral(
        a.a_referral(applicant="", term="", employer="", measure="", head="", issued_on=None)
    ),
    "long certificate": lambda: certificate(
        a.a_certificate(applicant=a.LONG, members=(a.LONG, a.UNBROKEN) * 4)
    ),
    "empty certificate": lambda: certificate(
        a.a_certificate(applicant="", members=(), year="", quarter="", signer="", signed_on=None)
    ),
    "manifest": lambda: manifest(a.a_manifest(24)),
    "return manifest": lambda: manifest(
        a.a_manifest(16, back=True, seal_number="", courier="", copy=a.SECOND)
    ),
    "empty manifest": lambda: manifest(a.a_manifest(0)),
    "act": lambda: discrepancy(a.an_act()),
    "long act": lambda: batch_refusal(a.an_act(30, copy=a.SECOND), reason=a.LONG * 4),
    "card": card,
}
ALL = PLAIN | WORST


@pytest.mark.parametrize("name", ALL)
def test_nothing_overlaps_and_nothing_leaves_the_page(name: str) -> None:
    pages = boxes(ALL[name]())
    across = name == "control"
    width, height = (842, 595) if across else (595, 420.9 if "slip" in name else 842)
    for page in pages:
        for word, left, top, right, bottom in page:
            assert left >= 25, word
            assert right <= width - 25, word
            assert top >= 15, word
            assert bottom <= height - 12, word
        for (one, *first), (other, *second) in combinations(page, 2):
            # Boxes are as high as the font, not as the letters: lines may touch by the room for accents.
            apart = (
                first[2] <= second[0] + 0.5
                or second[2] <= first[0] + 0.5
                or first[3] <= second[1] + 2.6
                or second[3] <= first[1] + 2.6
            )
            assert apart, f"{one!r} {first} overlaps {other!r} {second}"


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_the_symbols_decode_as_printed_and_worn(name: str, dpi: int) -> None:
    # At 600 dpi the head of the paper alone, where the symbols are: a page has 35 million dots.
    page = pixels(PLAIN[name](), dpi=dpi, down_to=HEAD_MM if dpi == 600 else 300)
    assert symbols(page) == both(a.NUMBER)
    assert symbols(degraded(page, dpi=dpi)) == both(a.NUMBER)


@pytest.mark.parametrize("dpi", [203, 300])
def test_every_row_of_a_manifest_decodes_and_its_own_symbols_on_every_page(dpi: int) -> None:
    facts = a.a_manifest(18)
    pdf = manifest(facts)
    found: set[tuple[str, str]] = set()
    for page in range(1, len(boxes(pdf)) // 2 + 1):
        picture = pixels(pdf, dpi=dpi, page=page)
        seen = symbols(picture)
        assert both(a.BAG) <= seen
        if dpi != 203:
            assert symbols(degraded(picture, dpi=dpi)) == seen
        found |= seen
    rows = only_bars(*(line.number for line in facts.lines))
    assert found == rows | both(a.BAG)


def test_rows_of_a_manifest_decode_on_a_laser_printer() -> None:
    picture = pixels(manifest(a.a_manifest(9)), dpi=600, down_to=150)
    seen = symbols(degraded(picture, dpi=600))
    assert seen == symbols(picture)
    assert both(a.BAG) | only_bars(*(line.number for line in a.rows(2))) <= seen


def test_every_row_of_an_act_decodes() -> None:
    facts = a.an_act()
    seen = symbols(degraded(pixels(discrepancy(facts), dpi=300), dpi=300))
    assert seen == both(a.BAG) | only_bars(*(found.number for found in facts.differences))


@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_the_desk_card_decodes(dpi: int) -> None:
    commands = list(Command) if dpi < 600 else [Command.CLOSE_BATCH]
    page = pixels(card(), dpi=dpi, down_to=300 if dpi < 600 else 75)
    wanted = both(*(command_code(command) for command in commands))
    assert symbols(page) == wanted
    assert symbols(degraded(page, dpi=dpi)) == wanted
    assert set(WORDS) == set(Command)


@pytest.mark.parametrize(
    ("per_sheet", "dpi", "rows"), [(24, 203, 8), (40, 300, 10), (24, 600, 1), (40, 600, 1)]
)
def test_every_label_of_a_sheet_decodes(per_sheet: int, dpi: int, rows: int) -> None:
    wanted = a.some_labels(per_sheet)
    up, columns = {24: (37.0, 3), 40: (29.7, 4)}[per_sheet]
    page = pixels(labels(wanted, per_sheet=per_sheet), dpi=dpi, down_to=rows * up)
    assert symbols(page) == both(*(label.number for label in wanted[: rows * columns]))
    assert symbols(degraded(page, dpi=dpi)) >= only_bars(
        *(label.number for label in wanted[: rows * columns])
    )


def test_labels_fill_sheets_from_the_first_free_place() -> None:
    wanted = a.some_labels(26)
    pages = boxes(labels(wanted, per_sheet=24, skip=3))
    said = [" ".join(word for word, *_ in page) for page in pages]
    assert len(pages) == 2
    assert grouped(wanted[20].number) in said[0]
    assert grouped(wanted[21].number) in said[1]
    first = next(place for place in pages[0] if place[0].startswith(grouped(wanted[0].number)[:4]))
    assert first[2] > 37 / 25.4 * 72, "the first row stays empty"


@pytest.mark.parametrize("per_sheet", [24, 40])
def test_the_words_of_labels_stay_on_their_labels(per_sheet: int) -> None:
    across, up = {24: (70.0, 37.0), 40: (52.5, 29.7)}[per_sheet]
    top = (297 - {24: 8, 40: 10}[per_sheet] * up) / 2
    for page in boxes(labels(a.some_labels(per_sheet), per_sheet=per_sheet)):
        for word, left, above, right, below in page:
            column, row = int(left * 25.4 / 72 / across), int((above * 25.4 / 72 - top + 1) / up)
            assert column * across + 3 <= left * 25.4 / 72, word
            assert right * 25.4 / 72 <= (column + 1) * across - 3, word
            assert top + row * up + 2.5 <= above * 25.4 / 72, word
            assert below * 25.4 / 72 <= top + (row + 1) * up - 2.5, word


def test_labels_refuse_what_they_cannot_print() -> None:
    for per_sheet, skip in ((25, 0), (24, 24), (24, -1)):
        with pytest.raises(PaperError):
            labels(a.some_labels(1), per_sheet=per_sheet, skip=skip)
    with pytest.raises(PaperError):
        labels([], per_sheet=24)
    with pytest.raises(BadNumberError):
        labels([Label(number="10012600123400", district="")], per_sheet=24)


def test_the_receipt_says_what_annex_6_asks_for() -> None:
    # A page may end between the lines of an enclosure; its foot is no part of the text.
    said = FOOT.sub("", words(receipt(a.a_receipt(enclosures=a.enclosures(40)))))
    for part in (
        "Қолхат Расписка",
        "Қабылдаған құжаттың нөмірі мен мерзімі",
        f"{grouped(a.NUMBER)}, 23.11.2026 14:40",
        "Көрсетілетін мемлекеттік қызметтің түрі",
        a.ASKED[7].name.kk,
        a.ASKED[7].name.ru,
        "Құжаттағы қосымшалардың атауы және саны",
        "Құжатты қайтарып беретін орны және уақыты",
        "07.12.2026 09:00",
        a.CENTRE.address,
        "Құжатты рәсімдеуге өтініш қабылдаған ХҚКО-ның инспекторының аты-жөні",
        "Сейтқали Айгүл",
        a.STATUS,
        a.NAME,
    ):
        assert part in said, part
    for place, item in enumerate(a.enclosures(40), start=1):
        assert f"{place}. {item.name} — {item.count}" in said
    assert "көшірме ·" not in said


def test_the_slip_says_what_its_annex_says() -> None:
    short = words(slip(a.a_slip(3)))
    assert (
        f"Құрметті {a.NAME}, Сіздің құжаттарыңыз 2026 жылдың «23» қарашасында қабылданды, "
        f"құжаттардың тіркеу нөмірі {grouped(a.NUMBER)}."
    ) in short
    assert "Тұтынушыға берілетін түбіртек" in short
    other = words(slip(a.a_slip(7, annex=5, registered_as="12/26")))
    assert "Сіздің құжаттарыңыз қабылданып, құжаттардың нөмірі 12/26 болып тіркелді." in other
    assert "Тұтынушыға қызмет көрсету талоны" in other
    assert "регламентіне 5-қосымша" in other


@pytest.mark.parametrize(
    ("service", "text"),
    [
        (1, "ММ-сі Сізді әлеуметтік көмек алуға құжаттарыңыздың рәсімделгендігін хабарлайды."),
        (5, "ММ-сі Сізге әлеуметтік көмектің тағайындалғандығы туралы хабарлайды."),
        (
            7,
            (
                "ММ-сі Сізге 18 жасқа дейінгі балалы отбасыларға мемлекеттік жәрдемақылар тағайындалғандығы "
                "туралы хабарлайды."
            ),
        ),
    ],
)
def test_the_notice_says_what_its_annex_says(service: int, text: str) -> None:
    said = words(assignment(a.a_notice(service, assignment="Ай сайын 5 210 ₸, 2027 жылғы 1 қаңтардан.")))
    assert f"«{a.DEPARTMENT.name.kk}» {text}" in said
    for part in (
        a.NAME,
        "Үшарал қаласы, Жеңіс көшесі, 12-үй",
        "318/26",
        "Бастық",
        "Мұратбеков Дәурен",
        "5 210 ₸",
    ):
        assert part in said, part
    assert "2026 жылғы 1 желтоқсан / «1» декабря 2026 года" in said
    assert ("Орындаушы / Исполнитель: Өтегенова Сәуле" in said) == (service in {5, 7})


def test_a_refusal_states_its_reason_or_is_not_printed() -> None:
    said = words(refusal(a.a_notice(2, reason=f"{REASON}\nЕкінші себеп.")))
    assert f"Бас тартудың себебі / Причина отказа: {REASON} Екінші себеп." in said
    assert (
        f"«{a.ASKED[2].name.kk}» мемлекеттік қызметін көрсетуден бас тартылғандығы туралы хабарлайды." in said
    )
    for empty in ("", " \n", "\u200b"):
        with pytest.raises(PaperError, match="reason"):
            refusal(a.a_notice(reason=empty))
        with pytest.raises(PaperError, match="reason"):
            batch_refusal(a.an_act(), reason=empty)


def test_the_referral_and_its_return_slip() -> None:
    said = words(referral(a.a_referral()))
    for part in (
        "№ 7/26 Жолдама",
        f"{a.NAME} 6 ай мерзімге «Жетісу» ЖШС мекемесіне «әлеуметтік жұмыс орны» жіберіледі.",
        "Бөлім бастығы",
        "01.12.2026",
        "Кесу сызығы",
        "Уәкілетті органға қайтарылады",
        "кіріскенін хабарлайды",
        "Мекеме басшысы",
    ):
        assert part in said, part
    assert len(boxes(referral(a.a_referral()))) == 1


def test_the_certificate_says_what_annex_3_says() -> None:
    said = words(certificate(a.a_certificate()))
    assert "2026 жылдың IV тоқсанында атаулы әлеуметтік көмек алғандығы туралы" in said
    assert f"туралы {a.NAME} беріліп, тіркеу нөмірі 9/26 тіркелді." in said
    for part in (
        "Төмендегі отбасы мүшелеріне:",
        f"1. {a.NAME}",
        "5.",
        "Анықтама жұмыс орнына талап етіледі.",
        "Уәкілетті органның басшысы",
    ):
        assert part in said, part
    assert "Кент, ауыл, ауылдық округ әкімі" in words(certificate(a.a_certificate(signed_by_akim=True)))


def test_the_manifest_comes_twice_with_its_head_on_every_page() -> None:
    facts = a.a_manifest(24)
    pdf = manifest(facts)
    pages = [" ".join(word for word, *_ in page) for page in boxes(pdf)]
    half = len(pages) // 2
    assert len(pages) == 2 * half
    for page, said in enumerate(pages):
        assert grouped(a.BAG) in said
        assert f"{page % half + 1}-бет, барлығы {half}" in said
        assert ("1-дана" if page < half else "2-дана") in said
    text = words(pdf)
    for line in facts.lines:
        assert text.count(grouped(line.number)) == 2, line.number
    for part in (a.CENTRE.name.kk, a.DEPARTMENT.name.ru, "00481516", "23.11.2026 14:40", "Оспанов Ерлан"):
        assert part in text, part
    assert text.count("Пакет, тұтынушы") >= half * 2 - 2, "the head of the table is repeated"
    assert "Ұлжалғас" not in text, "initials only"


def test_initials() -> None:
    assert initials("Әбдіғаппарұлы Ұлжалғас Шәкәрімқызы") == "Ә.\u00a0Ұ.\u00a0Ш."
    assert initials("Ким-Өскен  Ольга") == "К-Ө.\u00a0О."
    assert initials(" - ") == initials("") == ""


def test_the_act_names_every_difference() -> None:
    said = words(discrepancy(a.an_act()))
    for found in a.an_act().differences:
        assert grouped(found.number) in said
    for kind in ("missing", "unexpected", "damaged", "refused", "misrouted"):
        assert KINDS[kind].ru.split(" ", maxsplit=1)[0] in said
    assert set(KINDS) == {kind.value for kind in DiscrepancyKind}
    assert SETTLEMENTS["taken_back"].kk in said


def test_a_reprint_says_so() -> None:
    for pdf in (
        receipt(a.a_receipt(copy=Copy(number=3))),
        manifest(a.a_manifest(3, copy=Copy(number=3))),
        control(a.a_control(copy=Copy(number=3))),
    ):
        assert "3-көшірме · копия 3" in words(pdf)
    with pytest.raises(PaperError):
        Copy(number=0)


def test_all_offices_have_an_address_label_in_which_everything_fits() -> None:
    wanted = [a.place(held.code) for held in offices()]
    pages = boxes(addresses(wanted))
    assert len(pages) == 13
    text = " ".join(word for page in pages for word, *_ in page)
    for held in wanted:
        for part in (held.name.kk, held.name.ru, held.address, ", ".join(held.phones)):
            assert " ".join(part.split()) in text, part
    for page in pages:
        for word, left, above, right, below in page:
            column, row = int(left * 25.4 / 72 / 70), int((above * 25.4 / 72 - 0.5) / 37)
            assert right * 25.4 / 72 <= column * 70 + 70 - 4, word
            assert row * 37 + 0.5 + 3 <= above * 25.4 / 72, word
            assert below * 25.4 / 72 <= row * 37 + 37.5 - 3, word


def test_letters_beyond_the_common_ones_are_printed_too() -> None:
    said = words(receipt(a.a_receipt(applicant="Ñandú Čapek ǵ (\\) Ђорђе")))
    assert "Ñandú Čapek ǵ (\\) Ђорђе" in said


def test_a_paper_is_the_same_every_time() -> None:
    assert receipt(a.a_receipt()) == receipt(a.a_receipt())


def test_a_signature_never_runs_into_the_foot_of_a_page() -> None:
    for count in range(8, 30, 2):
        facts = a.a_receipt(enclosures=tuple(Enclosed(name=f"Құжат {place}") for place in range(count)))
        for page in boxes(receipt(facts)):
            foot = min(above for word, _, above, _, _ in page if word == "Қолхат" and above > 700)
            assert all(below <= foot or above >= foot - 2 for _, _, above, _, below in page), count
