"""One of each paper, plain and at its worst: long names, forty enclosures, empty fields, Kazakh letters everywhere."""

from __future__ import annotations

from datetime import date, datetime

from barcodes.label import Label
from barcodes.numbers import manifest_number, packet_number
from barcodes.papers.act import Act, Difference
from barcodes.papers.certificate import Certificate
from barcodes.papers.control import Control, Step
from barcodes.papers.facts import Asked, Both, Copy, Enclosed, Place
from barcodes.papers.manifest import Line, Manifest, initials
from barcodes.papers.notice import Notice
from barcodes.papers.receipt import Receipt
from barcodes.papers.referral import Referral
from barcodes.papers.slip import Slip
from config.offices import centre_of, department_of, office
from config.services import services

NUMBER = packet_number("1001", 2026, 1234)
BAG = manifest_number("1001", 2026, 42)
NAME = "Әбдіғаппарұлы Ұлжалғас Шәкәрімқызы"
LONG = "Әбілқайырханұлы-Құдайбергенова-Өскенбаева Гүлжәмилә-Фәрида Мұхаммедғалиқызы-Үмбетжан"
UNBROKEN = "Ұ" * 80
STATUS = "kT3xQ9_vB2mZr8LpYw4HsA"
SECOND = Copy(number=2)
assert len(LONG) >= 80


def place(code: str) -> Place:
    held = office(code)
    return Place(
        name=Both(held.name_kk, held.name_ru),
        address=held.address,
        phones=tuple(phone.printed for phone in held.phones),
        hours=held.hours.printed,
        institution=held.kind == "department",
    )


CENTRE = place(centre_of("aksu").code)
DEPARTMENT = place(department_of("alakol").code)
SILENT = Place(name=DEPARTMENT.name, institution=True)
"""An office without address and telephone."""
ASKED = {held.number: Asked(number=held.number, name=Both(held.name_kk, held.name_ru)) for held in services()}
MOMENT = datetime(2026, 11, 23, 14, 40)  # noqa: DTZ001 - papers take the time of the office
DAY = date(2026, 12, 1)


def enclosures(count: int) -> tuple[Enclosed, ...]:
    names = (
        "Жеке куәліктің көшірмесі",
        "Отбасының кірісі туралы анықтама, оның ішінде жеке қосалқы шаруашылықтан түсетін кірістер туралы",
        "Справка о составе семьи",
    )
    return tuple(
        Enclosed(name=f"{names[place % 3]} ({place})", count=1 + place % 4) for place in range(count)
    )


def a_receipt(**changed: object) -> Receipt:
    given: dict[str, object] = {
        "number": NUMBER,
        "accepted_at": MOMENT,
        "centre": CENTRE,
        "service": ASKED[7],
        "applicant": NAME,
        "enclosures": enclosures(3),
        "inspector": "Сейтқали Айгүл",
        "status_code": STATUS,
        "fetch_from": datetime(2026, 12, 7, 9),  # noqa: DTZ001 - as above
    }
    return Receipt(**(given | changed))  # type: ignore[arg-type]


def a_slip(service: int = 1, **changed: object) -> Slip:
    given: dict[str, object] = {
        "number": NUMBER,
        "accepted_on": MOMENT.date(),
        "place": DEPARTMENT,
        "service": ASKED[service],
        "annex": 2,
        "applicant": NAME,
        "accepted_by": "Төлеуова Мәншүк",
        "status_code": STATUS,
    }
    return Slip(**(given | changed))  # type: ignore[arg-type]


def a_notice(service: int = 7, **changed: object) -> Notice:
    given: dict[str, object] = {
        "number": NUMBER,
        "registered_as": "318/26",
        "signed_on": DAY,
        "department": DEPARTMENT,
        "service": ASKED[service],
        "annex": 4,
        "applicant": NAME,
        "address": "Үшарал қаласы, Жеңіс көшесі, 12-үй",
        "head": "Мұратбеков Дәурен",
        "executor": "Өтегенова Сәуле",
        "executor_phone": "8-72833 2-15-36",
    }
    return Notice(**(given | changed))  # type: ignore[arg-type]


def a_referral(**changed: object) -> Referral:
    given: dict[str, object] = {
        "number": NUMBER,
        "registered_as": "7/26",
        "department": DEPARTMENT,
        "applicant": NAME,
        "term": "6 ай",
        "employer": "«Жетісу» ЖШС",
        "measure": "әлеуметтік жұмыс орны",
        "head": "Мұратбеков Дәурен",
        "issued_on": DAY,
    }
    return Referral(**(given | changed))  # type: ignore[arg-type]


def a_certificate(**changed: object) -> Certificate:
    given: dict[str, object] = {
        "number": NUMBER,
        "registered_as": "9/26",
        "year": "2026",
        "quarter": "4",
        "place": DEPARTMENT,
        "applicant": NAME,
        "members": (NAME, LONG),
        "signer": "Мұратбеков Дәурен",
        "signed_on": DAY,
    }
    return Certificate(**(given | changed))  # type: ignore[arg-type]


def rows(count: int) -> tuple[Line, ...]:
    return tuple(
        Line(
            position=place,
            number=packet_number("1001", 2026, place),
            applicant=initials(LONG if place % 2 else NAME),
            service=ASKED[1 + place % 7],
            enclosures=place % 41,
            sheets=2 * place,
            registered_as=f"{place}/26-Ә",
        )
        for place in range(1, count + 1)
    )


def a_manifest(count: int = 30, **changed: object) -> Manifest:
    given: dict[str, object] = {
        "number": BAG,
        "origin": CENTRE,
        "destination": DEPARTMENT,
        "run": MOMENT,
        "seal_number": "00481516",
        "sent_by": "Қалиева Жанна",
        "courier": "Оспанов Ерлан",
        "lines": rows(count),
    }
    return Manifest(**(given | changed))  # type: ignore[arg-type]


def an_act(count: int = 6, **changed: object) -> Act:
    kinds = ("missing", "unexpected", "damaged", "refused", "misrouted", "missing")
    settled = ("", "noted", "taken_over", "taken_back", "noted", "found")
    given: dict[str, object] = {
        "manifest": BAG,
        "origin": CENTRE,
        "destination": DEPARTMENT,
        "run": MOMENT,
        "seal_number": "00481516",
        "opened_at": MOMENT,
        "closed_at": MOMENT,
        "differences": tuple(
            Difference(
                number=packet_number("1001", 2026, 500 + place),
                kind=kinds[place % 6],
                reason="конверт жыртылған, бұрышы жоқ",
                settlement=settled[place % 6],
            )
            for place in range(count)
        ),
        "received_by": "Төлеуова Мәншүк",
        "courier": "Оспанов Ерлан",
    }
    return Act(**(given | changed))  # type: ignore[arg-type]


def a_control(**changed: object) -> Control:
    route = next(held for held in services() if held.number == 7).routes["centre"]
    given: dict[str, object] = {
        "number": NUMBER,
        "applicant": LONG,
        "service": ASKED[7],
        "origin": CENTRE,
        "department": DEPARTMENT,
        "accepted_at": MOMENT,
        "promised_at": MOMENT,
        "steps": tuple(
            Step(
                what=Both(step.what_kk, step.what_ru),
                who=LONG if not place % 3 else NAME,
                office=DEPARTMENT.name.kk,
                limit=step.limit_printed,
                due_at=MOMENT,
                begun_at=MOMENT,
                done_at=MOMENT if place < 9 else None,
                late="2 сағ/ч 05 мин" if place == 2 else "",
                reason="жол жабылды, көктайғақ" if place == 2 else "",
            )
            for place, step in enumerate(route.steps)
        ),
    }
    return Control(**(given | changed))  # type: ignore[arg-type]


def some_labels(count: int) -> list[Label]:
    return [
        Label(
            number=packet_number("1001", 2026, place) if place % 5 else manifest_number("1019", 2026, place),
            district="Ұйғыр ауданы\nУйгурский район"
            if place % 2
            else "Талдықорған қаласы\nгород Талдыкорган",
            service=f"{1 + place % 7}. {ASKED[1 + place % 7].name.kk}",
            accepted_on="23.11.2026",
            copy=1 + (place % 4 == 0),
            copy_mark="{copy}-көшірме · копия {copy}",
        )
        for place in range(1, count + 1)
    ]
