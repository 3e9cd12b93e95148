"""Several people at the same packets at the same moment, each with a connection of their own."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier

import pytest

from config.errors import ShabarmanError
from models.database import Database
from models.packet import State
from models.scan import Station, Verdict
from tests.integration.workflow.crew import Crew
from workflow import accepting, closing, collecting
from workflow.protocol import Answer, Scanned
from workflow.scanning import apply_scans

PEOPLE_AT_ONCE = 4


@pytest.fixture
def crew(database: Database) -> Crew:
    return Crew.of(database)


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run all works at the same moment, each in a thread, and return what each gave or raised."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return work()
        except ShabarmanError as refused:
            return refused

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_two_registrars_on_one_manifest_receive_each_packet_once(crew: Crew) -> None:
    numbers = [crew.accept() for _ in range(12)]
    manifest = crew.send(*numbers)
    registrar = crew.people["registrar.alakol"]

    def scan(identity: str, number: str) -> list[Answer]:
        scanned = Scanned(id=identity, raw=number, station=Station.RECEIVE, at=crew.now)
        return crew.database.transact(lambda s: apply_scans(s, [scanned], by=registrar, now=crew.now))

    def work(person: int) -> list[Answer]:
        order = list(numbers)
        Random(person).shuffle(order)
        return [answer for number in order for answer in scan(f"{person}-{number}", number)]

    done = at_once(*(lambda person=person: work(person) for person in range(PEOPLE_AT_ONCE)))
    verdicts = Counter(answer.verdict for answers in done for answer in answers)  # type: ignore[attr-defined]
    assert verdicts == {Verdict.TAKEN: 12, Verdict.ALREADY: 12 * (PEOPLE_AT_ONCE - 1)}
    assert all(crew.moves(number).count("receive") == 1 for number in numbers)
    crew.close(manifest)


def test_lists_in_opposite_order_do_not_lock_each_other_out(crew: Crew) -> None:
    numbers = [crew.accept() for _ in range(30)]
    crew.send(*numbers)
    registrar = crew.people["registrar.alakol"]

    def work(person: int) -> list[Answer]:
        order = numbers if person % 2 else numbers[::-1]
        scans = [
            Scanned(id=f"{person}-{number}", raw=number, station=Station.RECEIVE, at=crew.now)
            for number in order
        ]
        return crew.database.transact(lambda s: apply_scans(s, scans, by=registrar, now=crew.now))

    done = at_once(*(lambda person=person: work(person) for person in range(PEOPLE_AT_ONCE)))
    verdicts = Counter(answer.verdict for answers in done for answer in answers)  # type: ignore[attr-defined]
    assert verdicts == {Verdict.TAKEN: 30, Verdict.ALREADY: 30 * (PEOPLE_AT_ONCE - 1)}


def test_the_same_scan_sent_twice_at_once_takes_effect_once(crew: Crew) -> None:
    number = crew.accept()
    by = crew.people["accumulator.aksu"]
    scanned = Scanned(id="twice", raw=number, station=Station.COLLECT, at=crew.now)

    def send() -> list[Answer]:
        return crew.database.transact(lambda s: apply_scans(s, [scanned], by=by, now=crew.now))

    answers = at_once(*[send] * PEOPLE_AT_ONCE)
    assert all(answer == answers[0] for answer in answers)
    assert crew.moves(number) == ["accept", "collect"]


def test_the_same_form_sent_twice_at_once_accepts_once(crew: Crew) -> None:
    application = accepting.Application(
        service="child_allowance", applicant_name="Applicant 4", residence="2002", request_id="double-click"
    )
    by = crew.people["inspector.aksu"]

    def send() -> object:
        return crew.database.transact(lambda s: accepting.accept(s, [application], by=by, now=crew.now))

    given = at_once(*[send] * PEOPLE_AT_ONCE)
    assert all(one == given[0] for one in given)


def test_a_packet_that_is_collected_while_the_bag_is_sealed_is_in_one_bag(crew: Crew) -> None:
    first = crew.accept()
    manifest = crew.collect(first)
    late = [crew.accept() for _ in range(6)]
    by = crew.people["accumulator.aksu"]

    def seal() -> object:
        return crew.database.transact(
            lambda s: collecting.seal(s, manifest, seal_number="1", by=by, now=crew.now)
        )

    def collect(number: str) -> list[Answer]:
        scanned = Scanned(id=f"late-{number}", raw=number, station=Station.COLLECT, at=crew.now)
        return crew.database.transact(lambda s: apply_scans(s, [scanned], by=by, now=crew.now))

    done = at_once(seal, *(lambda number=number: collect(number) for number in late))
    bags = {number: answers[0].facts["manifest"] for number, answers in zip(late, done[1:], strict=True)}  # type: ignore[index]
    listed = crew.lines(manifest)
    assert {number for number, bag in bags.items() if bag == manifest} == set(listed) - {first}
    # Those who came too late are together in the next bag.
    assert len(set(bags.values()) - {manifest}) <= 1
    (departed,) = crew.scan("courier.aksu", Station.DEPART, manifest)
    assert departed.facts["count"] == len(listed)


def test_closing_and_the_last_scan_at_once_never_lose_the_packet(crew: Crew) -> None:
    number, other = crew.accept(), crew.accept()
    manifest = crew.send(number, other)
    crew.scan("registrar.alakol", Station.RECEIVE, other)
    registrar = crew.people["registrar.alakol"]

    def scan() -> list[Answer]:
        scanned = Scanned(id="last", raw=number, station=Station.RECEIVE, at=crew.now)
        return crew.database.transact(lambda s: apply_scans(s, [scanned], by=registrar, now=crew.now))

    def close() -> object:
        return crew.database.transact(
            lambda s: closing.close(s, manifest, reasons={number: "not there"}, by=registrar, now=crew.now)
        )

    at_once(scan, close)
    # Either it was scanned in time, or it was missing and is found by the scan.
    assert crew.packet(number).state is State.RECEIVED
    assert crew.moves(number)[3:] in (["receive"], ["miss", "find"])


def test_numbers_are_given_once(crew: Crew) -> None:
    by = crew.people["inspector.aksu"]
    application = accepting.Application(
        service="child_allowance", applicant_name="Applicant 5", residence="2002"
    )

    def accept() -> list[str]:
        given = crew.database.transact(lambda s: accepting.accept(s, [application] * 5, by=by, now=crew.now))
        return [one.number for one in given]

    numbers = [number for given in at_once(*[accept] * PEOPLE_AT_ONCE) for number in given]  # type: ignore[attr-defined]
    assert len(set(numbers)) == 5 * PEOPLE_AT_ONCE
