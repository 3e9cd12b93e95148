"""All seven services by every channel that accepts them, to the end of their way."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config.offices import akimats, centre_of, department_of
from config.services import services
from models import Deadline, Message, Staff
from models.change import ChangeOf
from models.database import Database
from models.packet import Outcome, State
from models.scan import Station, Verdict
from tasks.jobs import check_deadlines
from tests.integration.workflow.crew import START, Crew
from workflow import changes, deciding, handing, referring, unclaimed
from workflow.deciding import NoDeputyError, NotYoursError
from workflow.details import DetailsError

AKIMAT = akimats("alakol")[0].code
EVERY_WAY = [(held.code, channel) for held in services() for channel in held.routes]
DETAILS: dict[str, dict[str, str]] = {
    "notice": {"assignment": "8 000 tenge a month"},
    "referral": {"employer": "School N 3", "measure": "public works", "term": "3 months"},
    "certificate": {"quarter": "4", "year": "2026", "members": "Member 1\nMember 2"},
}


@pytest.fixture
def crew(database: Database) -> Crew:
    Crew.of(database)
    with database.transaction() as session:
        for login, roles in (
            ("clerk.village", ["clerk"]),
            ("akim.village", ["akim"]),
            ("executor.village", ["executor"]),
        ):
            session.add(Staff(login=login, name=login, office=AKIMAT, roles=roles, created_at=START))
        session.add(
            Staff(
                login="second.alakol",
                name="Second executor",
                office=department_of("alakol").code,
                roles=["executor"],
                created_at=START,
            )
        )
    return Crew.of(database)


def decide(crew: Crew, number: str, *, head: str, executor: str, service: str) -> None:
    result = next(held.result for held in services() if held.code == service)
    crew.do(lambda s: deciding.resolve(s, [number], executor=executor, by=crew.people[head], now=crew.now))
    crew.do(
        lambda s: deciding.draft(
            s,
            number,
            outcome=Outcome.ASSIGNED,
            details=DETAILS[result],
            by=crew.people[executor],
            now=crew.now,
        )
    )
    crew.do(lambda s: deciding.sign(s, [number], by=crew.people[head], now=crew.now))


@pytest.mark.parametrize(("service", "channel"), EVERY_WAY)
def test_every_service_goes_its_whole_way_by_every_channel(crew: Crew, service: str, channel: str) -> None:
    accepts = {"centre": "inspector.aksu", "department": "registrar.alakol", "akimat": "clerk.village"}[
        channel
    ]
    number = crew.accept(by=accepts, service=service, residence="2002" if channel != "akimat" else AKIMAT)
    packet = crew.packet(number)
    head, executor = "head.alakol", "executor.alakol"
    if packet.origin == packet.department:
        crew.scan(accepts, Station.PASS, number)
        if channel == "akimat":
            head, executor = "akim.village", "executor.village"
        decide(crew, number, head=head, executor=executor, service=service)
    else:
        sender = "accumulator.aksu" if channel == "centre" else accepts
        courier = "courier.aksu" if channel == "centre" else "courier.alakol"
        out = crew.send(number, who=sender, courier=courier)
        crew.scan("registrar.alakol", Station.RECEIVE, number)
        crew.close(out)
        crew.scan("registrar.alakol", Station.REGISTER, number)
        crew.scan("registrar.alakol", Station.PASS, number)
        decide(crew, number, head=head, executor=executor, service=service)
        back = crew.send(number, who="registrar.alakol", courier=courier)
        (ready,) = crew.scan(sender, Station.RECEIVE, number)
        assert (ready.verdict, ready.state) == (Verdict.TAKEN, State.READY)
        crew.close(back, who=sender)
    (handed,) = crew.scan(accepts, Station.HAND_OVER, number)
    assert (handed.verdict, handed.state) == (Verdict.TAKEN, State.HANDED_OVER)
    assert crew.packet(number).details


def test_the_akim_decides_on_the_certificate_and_the_department_on_the_allowance(crew: Crew) -> None:
    certificate = crew.packet(crew.accept(by="clerk.village", service="aid_certificate", residence=AKIMAT))
    allowance = crew.packet(crew.accept(by="clerk.village", service="child_allowance", residence=AKIMAT))
    assert (certificate.department, allowance.department) == (AKIMAT, department_of("alakol").code)


def test_papers_accepted_at_the_department_are_not_received_from_itself(crew: Crew) -> None:
    number = crew.accept(by="registrar.alakol", service="sanatorium")
    before = crew.weight()
    (answer,) = crew.scan("registrar.alakol", Station.RECEIVE, number)
    assert (answer.verdict, answer.state) == (Verdict.ALREADY, State.ACCEPTED)
    assert [new - old for old, new in zip(before, crew.weight(), strict=True)] == [0, 1, 0, 0, 0, 0, 0, 0]


def signed_directly(crew: Crew, service: str) -> str:
    number = crew.accept(by="registrar.alakol", service=service)
    crew.scan("registrar.alakol", Station.PASS, number)
    decide(crew, number, head="head.alakol", executor="executor.alakol", service=service)
    return number


def test_a_notice_is_posted_with_its_number_and_a_referral_is_not(crew: Crew) -> None:
    by = crew.people["executor.alakol"]
    notice, referral = signed_directly(crew, "local_aid"), signed_directly(crew, "employment")

    def post(number: str, postal: str) -> Any:
        return crew.do(lambda s: handing.post(s, number, postal_number=postal, by=by, now=crew.now))

    with pytest.raises(handing.PostalNumberError):
        post(notice, "RR123456789KZ")
    with pytest.raises(handing.NotPostedError):
        post(referral, "RR473124829KZ")
    post(notice, " rr473124829kz ")
    packet = crew.packet(notice)
    assert (packet.state, packet.postal_number) == (State.HANDED_OVER, "RR473124829KZ")


def test_a_referral_says_who_employs_and_its_slip_comes_back(crew: Crew) -> None:
    number = crew.accept(by="registrar.alakol", service="employment")
    crew.scan("registrar.alakol", Station.PASS, number)
    executor = crew.people["executor.alakol"]
    head = crew.people["head.alakol"]
    crew.do(lambda s: deciding.resolve(s, [number], executor=executor.login, by=head, now=crew.now))
    for wrong in ({}, {"employer": "School"}, {"employer": "x" * 301, "measure": "y"}, {"colour": "red"}):
        with pytest.raises(DetailsError):
            crew.do(
                lambda s, wrong=wrong: deciding.draft(  # type: ignore[misc]
                    s, number, outcome=Outcome.ASSIGNED, details=wrong, by=executor, now=crew.now
                )
            )
    crew.do(
        lambda s: deciding.draft(
            s, number, outcome=Outcome.ASSIGNED, details=DETAILS["referral"], by=executor, now=crew.now
        )
    )
    crew.do(lambda s: deciding.sign(s, [number], by=head, now=crew.now))

    def slip(**said: Any) -> Any:
        return crew.do(lambda s: referring.slip_returned(s, number, by=executor, now=crew.now, **said))

    with pytest.raises(referring.NoReferralError):
        slip(entered_on=None, order_number=None)
    crew.scan("executor.alakol", Station.HAND_OVER, number)
    with pytest.raises(referring.SlipError):
        slip(entered_on=date(2026, 12, 1), order_number=" ")
    assert not slip(entered_on=None, order_number=None).hired
    assert slip(entered_on=date(2026, 12, 1), order_number="77-k").hired


def test_the_head_resolves_many_at_once_and_names_another_executor_later(crew: Crew) -> None:
    numbers = [crew.accept(by="registrar.alakol", service="sanatorium") for _ in range(3)]
    crew.scan("registrar.alakol", Station.PASS, *numbers)
    head, first, second = (
        crew.people[login] for login in ("head.alakol", "executor.alakol", "second.alakol")
    )

    def resolve(some: list[str], executor: str) -> None:
        crew.do(lambda s: deciding.resolve(s, some, executor=executor, by=head, now=crew.now))

    resolve(numbers, first.login)
    assert {crew.packet(number).executor_id for number in numbers} == {first.id}
    with crew.database.reading() as session:
        clock = session.scalars(select(Deadline).where(Deadline.step == "prepare")).first()
    assert clock is not None
    resolve(numbers[:1], second.login)
    assert [crew.packet(number).holder_id for number in numbers] == [second.id, first.id, first.id]
    assert crew.moves(numbers[0])[-2:] == ["resolve", "reassign"]
    with crew.database.reading() as session:
        after = session.get(Deadline, clock.id)
    # The time goes on for whoever has it.
    assert after is not None
    assert (after.due_at, after.closed_at) == (clock.due_at, None)
    with pytest.raises(NotYoursError):
        crew.do(lambda s: deciding.draft(s, numbers[0], outcome=Outcome.ASSIGNED, by=first, now=crew.now))
    crew.do(lambda s: deciding.draft(s, numbers[0], outcome=Outcome.ASSIGNED, by=second, now=crew.now))


def test_a_deputy_works_for_an_absent_executor(crew: Crew) -> None:
    head, second = crew.people["head.alakol"], crew.people["second.alakol"]

    def with_head() -> str:
        number = crew.accept(by="registrar.alakol", service="sanatorium")
        crew.scan("registrar.alakol", Station.PASS, number)
        return number

    def resolve(number: str) -> None:
        crew.do(lambda s: deciding.resolve(s, [number], executor="executor.alakol", by=head, now=crew.now))

    before, meanwhile = with_head(), with_head()
    resolve(before)
    with pytest.raises(NotYoursError):
        crew.do(lambda s: deciding.draft(s, before, outcome=Outcome.ASSIGNED, by=second, now=crew.now))
    until = crew.now.date()
    crew.do(lambda s: deciding.absent(s, "executor.alakol", until=until, deputy=None, by=head, now=crew.now))
    with pytest.raises(NoDeputyError):
        resolve(meanwhile)
    crew.do(
        lambda s: deciding.absent(
            s, "executor.alakol", until=until, deputy="second.alakol", by=head, now=crew.now
        )
    )
    resolve(meanwhile)
    assert crew.packet(meanwhile).executor_id == second.id
    with crew.database.reading() as session:
        kept = changes.changes_of(session, ChangeOf.PERSON, "executor.alakol")
    assert [(row.field, row.before, row.after, row.by) for row in kept] == [
        ("deputy_id", None, second.id, head.login),
        ("absent_until", None, until.isoformat(), head.login),
    ]
    # What was on the desk already may be drafted by the deputy, and by nobody again when the absence is over.
    crew.do(lambda s: deciding.draft(s, before, outcome=Outcome.ASSIGNED, by=second, now=crew.now))
    crew.wait(days=2)
    last = with_head()
    resolve(last)
    assert crew.packet(last).executor_id == crew.people["executor.alakol"].id


def test_a_result_that_nobody_fetches_is_reminded_of_once_and_goes_back_after_a_month(crew: Crew) -> None:
    number = crew.accept()
    crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, number)
    crew.decide(number)
    crew.send(number, who="registrar.alakol")
    crew.scan("accumulator.aksu", Station.RECEIVE, number)

    (early,) = crew.scan("accumulator.aksu", Station.COLLECT, number)
    assert early.verdict is Verdict.WRONG_STATE
    assert crew.do(lambda s: unclaimed.remind(s, now=crew.now)) == 0
    crew.wait(days=31)
    assert crew.do(lambda s: unclaimed.remind(s, now=crew.now)) == 1
    assert crew.do(lambda s: unclaimed.remind(s, now=crew.now)) == 0
    with crew.database.reading() as session:
        reminder = session.scalars(select(Message).where(Message.type == "result.unclaimed")).one()
        waiting = unclaimed.listed(session, by=crew.people["inspector.aksu"], now=crew.now)
    assert (reminder.queue, reminder.body["data"]["staff_id"]) == (
        "centre.aksu",
        crew.people["inspector.aksu"].id,
    )
    assert [packet.number for packet in waiting] == [number]

    crew.send(number)
    (back,) = crew.scan("registrar.alakol", Station.RECEIVE, number)
    assert (back.verdict, back.state) == (Verdict.TAKEN, State.SIGNED)
    assert crew.packet(number).holder_office == department_of("alakol").code
    assert ("result.returned", "centre.aksu") in crew.told(number)
    (there,) = crew.scan("inspector.aksu", Station.HAND_OVER, number)
    assert there.verdict is Verdict.WRONG_STATE
    (handed,) = crew.scan("executor.alakol", Station.HAND_OVER, number)
    assert (handed.verdict, handed.state) == (Verdict.TAKEN, State.HANDED_OVER)
    (again,) = crew.scan("executor.alakol", Station.HAND_OVER, number)
    assert again.verdict is Verdict.ALREADY
    assert centre_of("aksu").code == crew.packet(number).origin


def test_the_schedule_reminds_of_results_that_nobody_fetches(crew: Crew) -> None:
    crew.now = START - timedelta(days=60)
    number = crew.accept()
    crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, number)
    crew.decide(number)
    crew.send(number, who="registrar.alakol")
    crew.scan("accumulator.aksu", Station.RECEIVE, number)
    check_deadlines(crew.database)
    check_deadlines(crew.database)
    assert crew.told(number).count(("result.unclaimed", "centre.aksu")) == 1
