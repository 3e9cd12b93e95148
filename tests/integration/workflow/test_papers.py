"""Printing real packets of all seven services: what the papers say, who may print them, and the log of copies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from barcodes.numbers import grouped
from barcodes.papers.facts import PaperError
from config.errors import NotFoundError
from config.services import Service, services
from models import Packet, Print, Staff
from models.database import Database
from models.packet import Outcome
from models.printed import OF_MANIFEST, Paper
from models.scan import Station
from tests.integration.workflow.crew import START, Crew
from tests.unit.barcodes.papers.reading import both, pixels, symbols, words
from workflow import accepting, closing, deciding
from workflow.details import FIELDS
from workflow.people import actor
from workflow.printing import (
    NotThisPaperError,
    Printed,
    offered,
    print_labels,
    print_manifest,
    print_packet,
)

NAME = "Әбдіғаппарұлы Ұлжалғас Шәкәрімқызы"
DETAILS = {
    "assignment": "Ай сайын 5 210 ₸.",
    "employer": "«Жетісу» ЖШС",
    "measure": "әлеуметтік жұмыс орны",
    "term": "6 ай",
    "quarter": "4",
    "year": "2026",
    "members": "Сейтқали Нұрлан\nСейтқали Әсел",
}


@pytest.fixture
def crew(database: Database) -> Crew:
    return Crew.of(database)


def application(service: str) -> accepting.Application:
    return accepting.Application(
        service=service,
        applicant_name=NAME,
        residence="2002",
        enclosures=(accepting.Enclosure(name="Жеке куәліктің көшірмесі", count=2),),
    )


def printed(crew: Crew, number: str, paper: Paper, *, who: str) -> Printed:
    return crew.do(lambda s: print_packet(s, number, paper, by=crew.people[who], now=crew.now))


def offers(crew: Crew, number: str) -> list[Paper]:
    return list(offered(crew.packet(number)))


def decided_here(crew: Crew, service: str, *, outcome: Outcome, reason: str | None = None) -> str:
    """Accept at the department itself, and take the packet to its signature."""
    registrar, head, executor = (crew.people[f"{role}.alakol"] for role in ("registrar", "head", "executor"))
    number = crew.do(lambda s: accepting.accept(s, [application(service)], by=registrar, now=crew.now))[
        0
    ].number
    crew.scan("registrar.alakol", Station.PASS, number)
    crew.do(lambda s: deciding.resolve(s, [number], executor=executor.login, by=head, now=crew.now))
    kind = next(held.result for held in services() if held.code == service)
    details = {name: DETAILS[name] for name in FIELDS[kind]} if outcome is Outcome.ASSIGNED else {}
    crew.do(
        lambda s: deciding.draft(
            s, number, outcome=outcome, reason=reason, details=details, by=executor, now=crew.now
        )
    )
    crew.do(lambda s: deciding.sign(s, [number], by=head, now=crew.now))
    return number


@pytest.mark.parametrize("held", services(), ids=lambda held: held.code)
def test_every_service_has_its_papers(crew: Crew, held: Service) -> None:
    code, given, result = held.code, held.routes["department"].given_at_acceptance, held.result
    number = decided_here(crew, code, outcome=Outcome.ASSIGNED)
    assert offers(crew, number) == [
        Paper.LABEL,
        *([Paper(given)] if given else []),
        Paper(result),
        Paper.CONTROL,
    ]
    for paper in offers(crew, number):
        made = printed(crew, number, paper, who="registrar.alakol")
        assert (made.copy, made.number, made.paper) == (1, number, paper)
        said = words(made.data)
        assert grouped(number) in said
        if paper is not Paper.LABEL:
            assert NAME in said
        if paper is Paper(result):
            assert symbols(pixels(made.data, dpi=203, down_to=100)) == both(number)
    said = words(printed(crew, number, Paper(result), who="registrar.alakol").data)
    for part in {
        "notice": ["Ай сайын 5 210 ₸.", "Head of alakol"],
        "referral": ["6 ай", "«Жетісу» ЖШС", "әлеуметтік жұмыс орны", "Head of alakol", "23.11.2026"],
        "certificate": ["IV", "2026", "1. Сейтқали Нұрлан", "2. Сейтқали Әсел", "Head of alakol"],
    }[result]:
        assert part in said, part
    assert "2-көшірме · копия 2" in said
    assert held.name_kk in words(printed(crew, number, Paper.CONTROL, who="registrar.alakol").data)


def test_a_refusal_carries_the_reason_of_the_executor(crew: Crew) -> None:
    for code in ("sanatorium", "employment"):
        number = decided_here(crew, code, outcome=Outcome.REFUSED, reason="Құжаттардың мерзімі өткен.")
        assert Paper.REFUSAL in offers(crew, number)
        said = words(printed(crew, number, Paper.REFUSAL, who="executor.alakol").data)
        assert "Бас тартудың себебі / Причина отказа: Құжаттардың мерзімі өткен." in said
        with pytest.raises(NotThisPaperError):
            printed(crew, number, Paper.NOTICE, who="executor.alakol")


def test_the_receipt_is_the_centres_and_says_when_the_answer_is_promised(crew: Crew) -> None:
    inspector = crew.people["inspector.aksu"]
    number = crew.do(
        lambda s: accepting.accept(s, [application("child_allowance")], by=inspector, now=crew.now)
    )[0].number
    assert offers(crew, number) == [Paper.LABEL, Paper.RECEIPT, Paper.CONTROL]
    said = words(printed(crew, number, Paper.RECEIPT, who="inspector.aksu").data)
    packet = crew.packet(number)
    for part in (
        NAME,
        packet.status_code,
        "Inspector of aksu",
        "1. Жеке куәліктің көшірмесі — 2",
        "23.11.2026 09:01",
    ):
        assert part in said, part
    assert packet.promised_at is not None
    assert "____.____.20____" not in said
    for paper in (Paper.SLIP, Paper.MANIFEST):
        with pytest.raises(NotThisPaperError):
            printed(crew, number, paper, who="inspector.aksu")
    with pytest.raises(NotThisPaperError, match="decided"):
        printed(crew, number, Paper.NOTICE, who="inspector.aksu")


def test_only_offices_that_have_to_do_with_it_print_a_packet(crew: Crew) -> None:
    number = crew.accept()
    bag = crew.send(number)
    for paper in (Paper.RECEIPT, Paper.CONTROL, Paper.LABEL):
        with pytest.raises(NotFoundError):
            printed(crew, number, paper, who="registrar.aksu")
    with pytest.raises(NotFoundError):
        crew.do(lambda s: print_manifest(s, bag, Paper.MANIFEST, by=crew.people["head.aksu"], now=crew.now))
    assert printed(crew, number, Paper.LABEL, who="courier.aksu").copy == 1
    with crew.database.transaction() as session:
        session.add(Staff(login="op", name="Operator", office="2001", roles=["operator"], created_at=START))
    with crew.database.reading() as session:
        crew.people["op"] = actor(session, login="op")
    assert printed(crew, number, Paper.CONTROL, who="op").copy == 1
    with pytest.raises(NotFoundError):
        printed(crew, "10012699999928", Paper.LABEL, who="op")


def test_each_print_is_logged_and_its_copy_counted_per_paper(crew: Crew) -> None:
    number = crew.accept()
    made = [printed(crew, number, Paper.LABEL, who="inspector.aksu") for _ in range(3)]
    assert [one.copy for one in made] == [1, 2, 3]
    assert "көшірме" not in words(made[0].data)
    assert "3-көшірме · копия 3" in words(made[2].data)
    assert printed(crew, number, Paper.RECEIPT, who="accumulator.aksu").copy == 1
    with crew.database.reading() as session:
        rows = session.scalars(select(Print).order_by(Print.id)).all()
        assert [
            (row.paper, row.copy, row.printed_by == crew.people["inspector.aksu"].id) for row in rows
        ] == [
            (Paper.LABEL, 1, True),
            (Paper.LABEL, 2, True),
            (Paper.LABEL, 3, True),
            (Paper.RECEIPT, 1, False),
        ]
        assert rows[-1].printed_at == crew.now
        assert rows[-1].office == crew.people["accumulator.aksu"].office


def test_the_log_of_prints_never_changes(crew: Crew) -> None:
    printed(crew, crew.accept(), Paper.LABEL, who="inspector.aksu")
    for statement in ("UPDATE prints SET copy = 7", "DELETE FROM prints"):
        with (
            pytest.raises(DBAPIError, match=r"never (changed|deleted)"),
            crew.database.transaction() as session,
        ):
            session.execute(text(statement))


def test_what_cannot_be_printed_leaves_no_trace(crew: Crew) -> None:
    number = crew.accept()
    bag = crew.send(number)
    with pytest.raises(NotThisPaperError):
        printed(crew, number, Paper.REFUSAL, who="inspector.aksu")
    with pytest.raises(PaperError, match="reason"):
        crew.do(
            lambda s: print_manifest(
                s, bag, Paper.BATCH_REFUSAL, reason=" ", by=crew.people["registrar.alakol"], now=crew.now
            )
        )
    with crew.database.reading() as session:
        assert session.scalars(select(Print)).all() == []


def test_labels_come_in_sheets_and_all_are_logged(crew: Crew) -> None:
    numbers = [crew.accept() for _ in range(3)]
    printed(crew, numbers[1], Paper.LABEL, who="inspector.aksu")
    inspector = crew.people["inspector.aksu"]
    data = crew.do(lambda s: print_labels(s, numbers, per_sheet=40, by=inspector, now=crew.now))
    said = words(data)
    assert all(grouped(number) in said for number in numbers)
    assert said.count("2-көшірме · копия 2") == 1
    assert symbols(pixels(data, dpi=300)) == both(*numbers)
    stranger = crew.people["registrar.aksu"]
    with pytest.raises(NotFoundError):
        crew.do(lambda s: print_labels(s, numbers, per_sheet=24, by=stranger, now=crew.now))
    with crew.database.reading() as session:
        assert len(session.scalars(select(Print)).all()) == 4


def test_labels_that_two_people_print_at_once_are_different_copies(crew: Crew) -> None:
    """Who prints holds the packet: nobody else prints it, or archives it, before that is logged."""
    number, inspector = crew.accept(), crew.people["inspector.aksu"]

    def sheet() -> bytes:
        with crew.database.transaction() as session:
            return print_labels(session, [number], per_sheet=40, by=inspector, now=crew.now)

    with ThreadPoolExecutor() as pool:
        with crew.database.transaction() as session:
            print_labels(session, [number], per_sheet=40, by=inspector, now=crew.now)
            other = pool.submit(sheet)
            with pytest.raises(TimeoutError):
                other.result(0.5)
        assert "2-көшірме" in words(other.result())
    with crew.database.reading() as session:
        assert sorted(session.scalars(select(Print.copy))) == [1, 2]


def test_the_manifest_and_its_act(crew: Crew) -> None:
    first, lost, torn = (crew.accept() for _ in range(3))
    bag = crew.send(first, lost, torn)
    by_sender, by_receiver = crew.people["accumulator.aksu"], crew.people["registrar.alakol"]
    made = crew.do(lambda s: print_manifest(s, bag, Paper.MANIFEST, by=by_sender, now=crew.now))
    said = words(made.data)
    for part in (
        *map(grouped, (first, lost, torn, bag)),
        "S-1",
        "A. 1.",
        "Accumulator of aksu",
        "Courier of aksu",
        "2-дана",
    ):
        assert part.replace(" 1.", "\u00a01.") in said or part in said, part
    assert "Applicant" not in said
    crew.scan("registrar.alakol", Station.RECEIVE, bag, first)
    crew.do(lambda s: closing.damage(s, torn, reason="конверт жыртылған", by=by_receiver, now=crew.now))
    crew.close(bag, **{f"_{lost}": "сөмкеде болған жоқ"})
    made = crew.do(lambda s: print_manifest(s, bag, Paper.DISCREPANCY, by=by_receiver, now=crew.now))
    said = words(made.data)
    for part in (
        grouped(lost),
        "сөмкеде болған жоқ",
        grouped(torn),
        "конверт жыртылған",
        "Registrar of alakol",
    ):
        assert part in said, part
    assert grouped(first) not in said
    label = crew.do(lambda s: print_manifest(s, bag, Paper.BAG_LABEL, fmt="zpl", by=by_sender, now=crew.now))
    assert label.data.startswith(b"^XA")
    assert (label.extension, label.copy) == ("zpl", 1)
    refused = crew.do(
        lambda s: print_manifest(
            s, bag, Paper.BATCH_REFUSAL, reason="пломба бұзылған", by=by_receiver, now=crew.now
        )
    )
    assert "пломба бұзылған" in words(refused.data)


def test_the_control_sheet_shows_each_step_with_its_limit_and_what_was_late(crew: Crew) -> None:
    number = crew.accept()
    bag = crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, bag, number)
    crew.now += timedelta(hours=4)
    crew.decide(number)
    said = words(printed(crew, number, Paper.CONTROL, who="head.alakol").data)
    for part in (
        "Құжаттарды қабылдау; құжаттарды тіркейді және қолхат береді",
        "Inspector of aksu",
        "Registrar of alakol",
        "Head of alakol",
        "Executor of alakol",
        "30 минут",
        "1 жұмыс күні",
        "Выдаёт уведомление заявителю по расписке",
    ):
        assert part in said, part
    assert "сағ/ч" in said, "registering took four hours more than its half hour"


def test_all_papers_of_the_table_are_known() -> None:
    assert {paper for paper in Paper if paper not in OF_MANIFEST} >= {
        Paper(held.result) for held in services()
    }


def test_two_people_who_print_at_once_get_different_copies(crew: Crew) -> None:
    number = crew.accept()
    by, now = crew.people["inspector.aksu"], crew.now

    def once(_: int) -> int:
        return crew.database.transact(lambda s: print_packet(s, number, Paper.LABEL, by=by, now=now)).copy

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(once, range(6))) == [1, 2, 3, 4, 5, 6]
    with crew.database.reading() as session:
        assert session.scalars(select(Packet.number)).all() == [number]
