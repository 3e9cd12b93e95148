"""Papers per second, and how surely their symbols are read: `python -m bench.papers [--quick]`.

Beside each figure stands plain python-barcode + fpdf2, once as people write it (a PNG from `ImageWriter` placed on the
page) and once at its best (python-barcode's modules drawn as rectangles). The peer draws bars and the same words;
ours draws the QR symbol too. fpdf2 is needed for the peer alone: without it (dependency group `bench`) the peer
is left out, and the table says so.
"""

# ruff: noqa: PLC0415, ANN401 - a fresh process loads what its job needs and nothing else; fpdf2 has no types here
from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from bench.measuring import Table, options

ROOT = Path(__file__).resolve().parent.parent
LABELS = 200
LINES = 400
LETTERS = 20
SERVICE = "7. 18 жасқа дейінгі балалы отбасыларға мемлекеттік жәрдемақылар тағайындау"
HAS_PEER = importlib.util.find_spec("fpdf") is not None


def numbers(count: int) -> list[str]:
    from barcodes.numbers import packet_number

    return [packet_number("1001", 2026, place) for place in range(1, count + 1)]


def our_labels() -> bytes:
    from barcodes.label import Label
    from barcodes.papers.labels import labels

    district = "Ұйғыр ауданы\nУйгурский район"
    return labels(
        [
            Label(number=number, district=district, service=SERVICE, accepted_on="23.11.2026")
            for number in numbers(LABELS)
        ],
        per_sheet=40,
    )


def our_manifest() -> bytes:
    from barcodes.papers.facts import Asked, Both, Place
    from barcodes.papers.manifest import Line, Manifest, one_copy

    asked = Asked(number=7, name=Both(SERVICE[3:], "Назначение государственных пособий"))
    place = Place(name=Both("Алакөл ауданының бөлімі", "Отдел Алакольского района"))
    facts = Manifest(
        number="8010012600004261",
        origin=place,
        destination=place,
        run=datetime(2026, 11, 23, 15),  # noqa: DTZ001 - papers take the time of the office
        seal_number="00481516",
        lines=tuple(
            Line(position=at, number=number, applicant="Ә. Ұ. Ш.", service=asked, enclosures=4, sheets=9)
            for at, number in enumerate(numbers(LINES), start=1)
        ),
    )
    return one_copy(facts)


def our_letters() -> bytes:
    from barcodes.papers.facts import Asked, Both, Place
    from barcodes.papers.notice import Notice, assignment

    place = Place(
        name=Both("Алакөл ауданының бөлімі", "Отдел Алакольского района"), address="Үшарал", institution=True
    )
    asked = Asked(number=7, name=Both(SERVICE[3:], "Назначение государственных пособий"))
    done = b""
    for number in numbers(LETTERS):
        done = assignment(
            Notice(
                number=number,
                signed_on=date(2026, 12, 1),
                department=place,
                service=asked,
                annex=4,
                applicant="Әбдіғаппарұлы Ұлжалғас",
                address="Үшарал қаласы, Жеңіс көшесі, 12-үй",
                head="Мұратбеков Дәурен",
            )
        )
    return done


def _peer_page() -> Any:
    import font_roboto
    from fpdf import FPDF  # type: ignore[import-untyped, import-not-found, unused-ignore]

    pdf = FPDF(unit="mm", format="A4")
    pdf.set_auto_page_break(auto=False)
    pdf.add_font("Roboto", fname=str(font_roboto.font_files["Roboto"]))
    pdf.add_font("Roboto", style="B", fname=str(font_roboto.font_files["RobotoBold"]))
    return pdf


def _peer_bars(pdf: Any, number: str, x: float, y: float, *, module: float, height: float, png: bool) -> None:
    if png:
        from barcode import Code128
        from barcode.writer import ImageWriter

        picture = BytesIO()
        Code128(number, writer=ImageWriter()).write(picture, {"write_text": False, "quiet_zone": 1})
        pdf.image(picture, x=x, y=y, w=112 * module, h=height)
        return
    from barcode import Code128

    modules = Code128(number).build()[0]
    start = None
    for place, dark in enumerate(f"{modules}0"):
        if dark == "1" and start is None:
            start = place
        elif dark == "0" and start is not None:
            pdf.rect(x + start * module, y, (place - start) * module, height, style="F")
            start = None


def peer_labels(*, png: bool) -> bytes:
    from barcodes.numbers import grouped

    pdf = _peer_page()
    for place, number in enumerate(numbers(LABELS)):
        row, column = divmod(place % 40, 4)
        if not place % 40:
            pdf.add_page()
        x, y = column * 52.5, row * 29.7
        pdf.set_font("Roboto", style="B", size=9)
        pdf.text(x + 4, y + 7, "Ұйғыр ауданы")
        pdf.set_font("Roboto", size=6.5)
        pdf.text(x + 4, y + 10, "Уйгурский район")
        pdf.text(x + 4, y + 13, SERVICE[:30])
        _peer_bars(pdf, number, x + 7, y + 15, module=0.339, height=7.4, png=png)
        pdf.set_font("Roboto", style="B", size=9)
        pdf.text(x + 4, y + 25.7, grouped(number))
        pdf.set_font("Roboto", size=6)
        pdf.text(x + 38, y + 25.7, "23.11.2026")
    return bytes(pdf.output())


def peer_manifest(*, png: bool) -> bytes:
    from barcodes.numbers import grouped

    pdf = _peer_page()
    y = 1000.0
    for place, number in enumerate(numbers(LINES), start=1):
        if y > 265:
            pdf.add_page()
            pdf.set_font("Roboto", style="B", size=8)
            y = 20.0
            for x, head in ((12, "№"), (21, "Штрихкод"), (64, "Пакет"), (98, "Қызмет"), (155, "Дана")):
                pdf.text(x, y - 3, head)
        pdf.set_font("Roboto", size=8)
        pdf.text(12, y + 5, str(place))
        _peer_bars(pdf, number, 26, y + 3, module=0.30, height=8, png=png)
        pdf.text(64, y + 5, grouped(number))
        pdf.text(64, y + 9, "Ә. Ұ. Ш.")
        pdf.set_xy(98, y + 1)
        pdf.multi_cell(56, 3.4, SERVICE, new_x="RIGHT", new_y="TOP")
        pdf.text(155, y + 5, "4")
        pdf.text(168, y + 5, "9")
        pdf.line(12, y + 14.4, 198, y + 14.4)
        y += 14.4
    return bytes(pdf.output())


def peer_letters(*, png: bool) -> bytes:
    done = b""
    for number in numbers(LETTERS):
        pdf = _peer_page()
        pdf.add_page()
        pdf.set_font("Roboto", style="B", size=15)
        pdf.text(20, 30, "Хабарлама / Уведомление")
        _peer_bars(pdf, number, 140, 22, module=0.339, height=10.7, png=png)
        pdf.set_font("Roboto", size=11)
        for x, text in (
            (20, f"«Алакөл ауданының бөлімі» ММ-сі Сізге {SERVICE[3:]} тағайындалғандығы туралы хабарлайды."),
            (112, "ГУ «Отдел Алакольского района» извещает о назначении Вам государственных пособий."),
        ):
            pdf.set_xy(x, 80)
            pdf.multi_cell(85, 5.5, text)
        pdf.text(20, 140, "Бастық / Руководитель ______________ Мұратбеков Дәурен")
        done = bytes(pdf.output())
    return done


JOBS: dict[str, Callable[[], bytes]] = {
    "labels ours": our_labels,
    "labels png": lambda: peer_labels(png=True),
    "labels rectangles": lambda: peer_labels(png=False),
    "manifest ours": our_manifest,
    "manifest png": lambda: peer_manifest(png=True),
    "manifest rectangles": lambda: peer_manifest(png=False),
    "letters ours": our_letters,
    "letters png": lambda: peer_letters(png=True),
    "letters rectangles": lambda: peer_letters(png=False),
}
COUNTED = {"labels": LABELS, "manifest": LINES, "letters": LETTERS}
CALLED = {
    "labels": f"{LABELS} labels, sheets of 40",
    "manifest": f"manifest of {LINES} lines",
    "letters": f"{LETTERS} letters, a file each",
}


def warm(job: Callable[[], bytes], *, rounds: int) -> float:
    """Return the median seconds of a job in a process that has done it before."""
    job()
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        job()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def fresh(name: str, *, rounds: int) -> float:
    """Return the median seconds from the start of Python to the end of a job."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "bench.papers", "--job", name], check=True, cwd=ROOT)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def speed(table: Table, *, rounds: int) -> bool:
    """Note how long each way takes; return whether ours is ahead in every row."""
    ways = ("ours", "png", "rectangles") if HAS_PEER else ("ours",)
    ahead = True
    for kind, count in COUNTED.items():
        for way in ways:
            name = f"{kind} {way}"
            seconds = warm(JOBS[name], rounds=rounds)
            table.add(
                f"{CALLED[kind]}, {way}",
                {
                    "warm ms": 1000 * seconds,
                    "per s": count / seconds,
                    "fresh ms": 1000 * fresh(name, rounds=rounds),
                },
            )
        ours = f"{CALLED[kind]}, ours"
        for way in ways[1:]:
            peer = f"{CALLED[kind]}, {way}"
            ratio = table.compare(f"{way} : ours, {CALLED[kind]}", ours, peer, "warm ms", less_is_better=True)
            ahead = ahead and ratio >= 1 and table.median(ours, "fresh ms") <= table.median(peer, "fresh ms")
    if not HAS_PEER:
        table.notes.append(
            "python-barcode + fpdf2 left out: fpdf2 is not installed (dependency group `bench`)."
        )
    return ahead


def rates(*, quick: bool) -> bool:
    """Print how many symbols of each paper are read, as printed and worn; return whether all were."""
    from barcodes.papers.labels import labels
    from tests.unit.barcodes.papers import examples as a
    from tests.unit.barcodes.papers.reading import boxes, degraded, pixels, symbols
    from tests.unit.barcodes.papers.test_papers import PLAIN, WORST

    papers = PLAIN | WORST
    papers["labels 24"] = lambda: labels(a.some_labels(24), per_sheet=24)
    papers["labels 40"] = lambda: labels(a.some_labels(40), per_sheet=40)
    print(f"\n{'paper':24}{'symbols':>8}" + "".join(f"{dpi:>8} dpi{'worn':>8}" for dpi in (203, 300, 600)))
    complete = True
    for name, draw in papers.items():
        pdf = draw()
        pages = min(len(boxes(pdf)), 2 if quick else 1000)
        reference = [symbols(pixels(pdf, dpi=400, page=page)) for page in range(1, pages + 1)]
        wanted = sum(map(len, reference))
        row = f"{name:24}{wanted:8}"
        for dpi in (203, 300, 600):
            counts = [0, 0]
            for page, expected in enumerate(reference, start=1):
                picture = pixels(pdf, dpi=dpi, page=page)
                for at, seen in enumerate((symbols(picture), symbols(degraded(picture, dpi=dpi)))):
                    assert seen <= expected, "a symbol was read as what it is not"
                    counts[at] += len(seen & expected)
            complete = complete and counts[0] == wanted
            for count, width in zip(counts, (10, 6), strict=True):
                row += f"{100 * count / max(1, wanted):{width}.1f} %"
        print(row, flush=True)
    return complete


def main(given: Sequence[str] | None = None) -> int:
    """Print both tables; exit with 1 when a peer was quicker or a symbol as printed was not read."""
    parser = options(__doc__, rounds=7)
    parser.add_argument("--job", choices=JOBS, help="do one job once, and nothing else")
    parser.add_argument("--quick", action="store_true", help="fewer pages in the table of rates")
    parser.add_argument("--speed-only", action="store_true", help="no table of rates")
    chosen = parser.parse_args(given)
    if chosen.job:
        JOBS[chosen.job]()
        return 0
    table = Table("papers", "Labels and papers", ("warm ms", "per s", "fresh ms"))
    good = speed(table, rounds=chosen.rounds)
    worse = table.end(chosen, rounds=chosen.rounds)
    if not chosen.speed_only:
        good = rates(quick=chosen.quick) and good
    return worse if good else 1


if __name__ == "__main__":
    sys.exit(main())
