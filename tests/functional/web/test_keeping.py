"""The pages of operators and administrators: what they watch, repair and set."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from barcodes.numbers import grouped
from config.offices import centre_of, department_of
from models import Change, Message, MessageDecision, Run, Staff
from models.database import Database
from models.heartbeat import ProcessRole
from models.message import MessageState
from models.scan import Station
from models.staff import Role
from tests.functional.web.visitors import Visitor, words_of
from tests.integration.workflow.crew import START, Crew
from workflow import heartbeats
from workflow.planning import plan_runs

CENTRE = centre_of("aksu").code
DEPARTMENT = department_of("alakol").code

Visitors = Callable[[str], Visitor]


@pytest.fixture
def crew(crew: Crew, password_hash: str) -> Crew:
    """Add an operator and an administrator to the people of two districts."""
    with crew.database.transaction() as session:
        for role in (Role.OPERATOR, Role.ADMINISTRATOR):
            session.add(
                Staff(
                    login=role.value,
                    name=role.value.title(),
                    office=CENTRE,
                    roles=[role.value],
                    language="en",
                    password_hash=password_hash,
                    created_at=START,
                )
            )
    return crew


@pytest.fixture
def operator(crew: Crew, visitor: Visitors) -> Visitor:
    assert crew
    return visitor("operator")


@pytest.fixture
def administrator(crew: Crew, visitor: Visitors) -> Visitor:
    assert crew
    return visitor("administrator")


def figures(page: str) -> dict[str, int]:
    """Return address → number of what can be clicked on the board."""
    return {
        address.replace("&amp;", "&"): int(number)
        for address, number in re.findall(r'class="figure[^"]*" href="([^"]+)">(\d+)<', page)
    }


def kill(database: Database, *subjects: str, reason: str = "mail_server") -> None:
    with database.transaction() as session:
        session.execute(
            update(Message)
            .where(Message.subject.in_(subjects))
            .values(state=MessageState.DEAD, reason=reason, last_error="No answer.", attempts=8)
        )


def state_of(database: Database, subject: str) -> MessageState:
    with database.reading() as session:
        return session.scalars(select(Message.state).where(Message.subject == subject)).one()


def test_only_operators_and_administrators_see_these_pages(crew: Crew, visitor: Visitors) -> None:
    assert crew
    inspector, operator = visitor("inspector.aksu"), visitor("operator")
    for address in (
        "/board",
        "/board/late",
        "/board/unread",
        "/board/messages",
        "/board/run?id=1",
        "/dead-letters",
        "/scan-log",
        "/people",
        "/people/new",
        "/people/inspector.aksu",
        "/offices",
        f"/offices/{CENTRE}",
        "/calendar",
    ):
        assert inspector.see(address).status_code == 403, address
        assert operator.see(address).status_code in {200, 404}, address
    assert "Board" not in inspector.text("/")
    assert "Board" in operator.text("/")
    assert inspector.send("/people/inspector.aksu/password").status_code == 403
    assert (
        inspector.send(
            "/calendar/day", first="2026-12-01", kind="closed", scope="all", source="x"
        ).status_code
        == 403
    )


def test_the_board_counts_and_each_number_leads_to_its_packets(crew: Crew, operator: Visitor) -> None:
    kept, sent, missing = crew.accept(), crew.accept(), crew.accept()
    crew.do(lambda s: plan_runs(s, now=crew.now))
    manifest = crew.send(sent, missing)
    crew.scan("registrar.alakol", Station.RECEIVE, manifest, sent, manifest=manifest)
    crew.close(manifest, **{f"_{missing}": "not in the bag"})
    crew.wait(hours=9)
    page = operator.see("/board")
    shown = figures(page.text)
    assert shown[f"/board/waiting?office={CENTRE}"] == 1
    assert shown[f"/board/waiting?office={DEPARTMENT}"] == 1
    assert shown["/board/waiting"] == 2
    assert shown["/board/late"] >= 2
    assert shown["/board/differences"] == 1
    assert (
        shown[f"/board/differences?office={CENTRE}"] == shown[f"/board/differences?office={DEPARTMENT}"] == 1
    )
    assert (
        shown["/board/messages?state=pending"]
        == len(operator.text("/board/messages").split("attempts: 0")) - 1
    )
    for address, number in (
        (f"/board/waiting?office={CENTRE}", kept),
        (f"/board/waiting?office={DEPARTMENT}", sent),
        (f"/board/late?office={CENTRE}", kept),
        (f"/board/differences?office={CENTRE}", missing),
    ):
        assert grouped(number) in operator.text(address), address
        assert operator.see(f"/packets/{number}").status_code == 200
    assert grouped(kept) not in operator.text(f"/board/waiting?office={DEPARTMENT}")


def test_the_board_shows_the_runs_of_today_and_their_bags(crew: Crew, operator: Visitor) -> None:
    crew.do(lambda s: plan_runs(s, now=crew.now))
    crew.collect(crew.accept())
    assert "planned" in operator.text("/board")
    crew.wait(hours=2)
    page = operator.see("/board")
    assert "late" in words_of(page)
    assert "nothing to carry" in words_of(page)
    with crew.database.reading() as session:
        run = session.scalars(select(Run.id).where(Run.centre == CENTRE).order_by(Run.departs_at)).first()
    assert figures(page.text)[f"/board/run?id={run}"] == 1
    assert "Manifest" in operator.text(f"/board/run?id={run}")
    assert operator.see("/board/run?id=999999").status_code == 404
    assert operator.see("/board/nothing").status_code == 404


def test_the_board_tells_who_is_alive_and_who_fell_silent(crew: Crew, operator: Visitor) -> None:
    assert "No relay and no worker was heard of" in operator.text("/board")
    with crew.database.transaction() as session:
        for role, name in ((ProcessRole.RELAY, "relay@one"), (ProcessRole.WORKER, "department.aksu@one")):
            heartbeats.beat(session, role, host="one", process=1, name=name, queues=["department.aksu"])
    said = operator.text("/board")
    assert "relay@one" in said
    assert "department.aksu@one" in said
    assert said.count("alive") == 2
    with crew.database.transaction() as session:
        (worker,) = (pulse for pulse in heartbeats.pulses(session) if pulse.role is ProcessRole.WORKER)
        from models import Heartbeat  # noqa: PLC0415

        session.execute(
            update(Heartbeat)
            .where(Heartbeat.role == ProcessRole.WORKER)
            .values(seen_at=worker.seen_at - heartbeats.SILENT_AFTER)
        )
    assert operator.text("/board").count("alive") == 1


def test_lists_behind_a_number_go_on_by_key(
    crew: Crew, operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.views.board.PAGE", 2)
    numbers = [crew.accept() for _ in range(5)]
    address, seen = f"/board/waiting?office={CENTRE}", []
    while address:
        page = operator.see(address).text
        seen += re.findall(r'href="/packets/(\d{14})"', page)
        found = re.search(r'class="button" href="(\?[^"]+)"', page)
        address = "/board/waiting" + found[1].replace("&amp;", "&") if found else ""
    assert seen == numbers


def test_dead_letters_one_many_and_all_of_a_reason(crew: Crew, operator: Visitor) -> None:
    first, second, third, fourth = (crew.accept() for _ in range(4))
    kill(crew.database, first, second, third)
    kill(crew.database, fourth, reason="unknown_office")
    page = operator.see("/dead-letters")
    assert "No answer." in words_of(page)
    assert '"specversion": "1.0"' in page.text.replace("&#34;", '"')
    only = operator.text("/dead-letters?reason=unknown_office")
    assert grouped(fourth) in only
    assert grouped(first) not in only
    with crew.database.reading() as session:
        ids = dict(session.execute(select(Message.subject, Message.id)).all())
    none = operator.send("/dead-letters", work="replay", note="why not")
    assert (none.status_code, "Mark at least one" in none.text) == (422, True)
    silent = operator.send("/dead-letters", work="replay", note=" ", id=[ids[first]])
    assert silent.status_code == 422
    assert state_of(crew.database, first) is MessageState.DEAD
    operator.send_and_follow("/dead-letters", work="replay", note="mail is back", id=[ids[first]])
    assert state_of(crew.database, first) is MessageState.PENDING
    operator.send_and_follow("/dead-letters", work="discard", note="test", reason="mail_server", every="true")
    assert {state_of(crew.database, number) for number in (second, third)} == {MessageState.DISCARDED}
    assert state_of(crew.database, fourth) is MessageState.DEAD
    with crew.database.reading() as session:
        decided = {(one.message_id, one.by, one.reason) for one in session.scalars(select(MessageDecision))}
    assert (ids[first], "operator", "mail is back") in decided
    assert (ids[second], "operator", "test") in decided
    again = operator.send("/dead-letters", work="discard", note="test", id=[ids[second]])
    assert again.status_code == 404


def test_the_scan_log_keeps_what_came_and_masks_identity_numbers(
    crew: Crew, operator: Visitor, administrator: Visitor
) -> None:
    number = crew.accept()
    crew.collect(number)
    crew.scan("accumulator.aksu", Station.COLLECT, "990101300014", "no-number", number)
    for visitor, sees in ((operator, False), (administrator, True)):
        said = visitor.text("/scan-log")
        assert ("990101300014" in said) is sees
        assert "0014" in said
        assert "no-number" in said
        assert number in visitor.see("/scan-log").text
    for query, wanted, others in (
        (f"code={grouped(number).replace(' ', '+')}", number, "no-number"),
        ("code=no-number", "no-number", number),
        ("verdict=already", number, "no-number"),
        ("login=accumulator.aksu&verdict=unknown", "no-number", number),
        (f"office={CENTRE}&verdict=unknown", "no-number", number),
    ):
        page = operator.see(f"/scan-log?{query}").text.split("<tbody>")[1]
        assert wanted in page, query
        assert others not in page, query
    for query in ("login=nobody", f"office={DEPARTMENT}", "first=2020-01-01&last=2020-01-02"):
        assert "There is nothing" in operator.text(f"/scan-log?{query}"), query
    assert operator.see("/scan-log?first=2026-01-01&last=2026-12-31").status_code == 422
    assert operator.see("/scan-log?first=now").status_code == 422


def test_the_scan_log_goes_on_by_key(crew: Crew, operator: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.views.scan_log.PAGE", 3)
    crew.scan("accumulator.aksu", Station.COLLECT, *(f"code-{place}" for place in range(7)))
    address, seen = "/scan-log", []
    while address:
        page = operator.see(address).text
        seen += re.findall(r"code-\d", page.split("<tbody>")[1])
        found = re.search(r'class="button" href="(\?[^"]+)"', page)
        address = "/scan-log" + found[1].replace("&amp;", "&") if found else ""
    assert sorted(seen) == [f"code-{place}" for place in range(7)]


def test_a_person_is_entered_changed_and_switched_off(
    crew: Crew, administrator: Visitor, visitor: Visitors, app: object
) -> None:
    assert crew
    entered = administrator.send(
        "/people/new", login="New.One", name="New 1", office=CENTRE, role=["courier"], language="en"
    )
    assert entered.status_code == 200
    found = re.search(r'class="code">([a-z0-9]{4}(?:-[a-z0-9]{4}){3})<', entered.text)
    assert found is not None
    fresh = Visitor(app)  # type: ignore[arg-type]
    assert fresh.sign_in("new.one", password=found[1]).status_code == 303
    said = administrator.send_and_follow(
        "/people/new.one",
        name="New 2",
        office=CENTRE,
        role=["courier", "accumulator"],
        email="new@example.org",
        language="ru",
        absent_until="2026-12-01",
        deputy="courier.aksu",
    )
    assert "Kept, with your name" in said
    assert "New 1 → New 2" in said
    wrong = administrator.send("/people/new.one", name="", office=CENTRE, role=["courier"], language="ru")
    assert wrong.status_code == 422
    given = administrator.send("/people/new.one/password")
    assert found[1] not in given.text
    assert fresh.see("/").status_code == 303
    assert "New 2" in administrator.text("/people?q=new.o")
    administrator.send_and_follow("/people/new.one/switch", active="false")
    assert "switched off" in administrator.text("/people?q=new.o")
    assert visitor("inspector.aksu").see("/people/new.one").status_code == 403
    assert administrator.see("/people/nobody").status_code == 404
    last = administrator.send("/people/administrator/switch", active="false")
    assert last.status_code == 409
    with crew.database.reading() as session:
        assert {change.by for change in session.scalars(select(Change))} == {"administrator"}


def test_an_operator_makes_no_administrator(crew: Crew, operator: Visitor) -> None:
    assert crew
    refused = operator.send(
        "/people/new", login="two", name="Two", office=CENTRE, role=["administrator"], language="kk"
    )
    assert refused.status_code == 403
    assert operator.send("/people/administrator/password").status_code == 403


def test_offices_show_the_regulation_and_keep_their_settings(crew: Crew, operator: Visitor) -> None:
    assert crew
    assert CENTRE in operator.text("/offices")
    assert DEPARTMENT in operator.text("/offices?kind=department")
    assert DEPARTMENT in operator.text("/offices?q=алакөл")
    shown = operator.text(f"/offices/{DEPARTMENT}")
    assert "09:00–13:00, 14:00–18:00" in shown
    said = operator.send_and_follow(f"/offices/{DEPARTMENT}", own_register="true")
    assert "register of its own: no → yes" in said
    said = operator.send_and_follow(f"/offices/{CENTRE}", run_times="9:30, 14:00")
    assert "as the installation has it → 09:30, 14:00" in said
    refused = operator.send(f"/offices/{CENTRE}", run_times="at night")
    assert refused.status_code == 422
    assert "at night" in refused.text
    assert operator.see("/offices/9999").status_code == 404


WEEK = ["08:00-12:00, 13:00-17:00"] * 5 + ["", ""]


def test_an_office_may_be_known_better_than_it_was_printed(crew: Crew, operator: Visitor) -> None:
    assert crew
    address = f"/offices/{DEPARTMENT}"
    facts = {"phones": "+7 (72833) 2-00-01\n", "emails": "alakol@example.kz", "hours": WEEK}
    unsaid = operator.send(f"{address}/facts", **facts)
    assert unsaid.status_code == 422
    # What was typed stays.
    assert "2-00-01" in unsaid.text
    assert "08:00-12:00" in unsaid.text
    said = operator.send_and_follow(f"{address}/facts", **facts, source="letter 17")
    assert "+7 (72833) 2-00-01" in said
    assert "alakol@example.kz" in said
    assert "08:00–12:00, 13:00–17:00" in said
    assert "letter 17; operator" in said
    assert "hours of the week: 09:00-13:00, 14:00-18:00" in said
    assert "+7 (72833) 2-00-01" in operator.text("/offices?kind=department")
    for wrong in (
        {"phones": "ask Aigul"},
        {"emails": "at home"},
        {"hours": ["17-8"] * 7},
        {"hours": [""] * 7},
    ):
        assert operator.send(f"{address}/facts", **facts | wrong, source="x").status_code == 422
    assert operator.send("/offices/9999/facts", **facts, source="x").status_code == 404


def test_dates_are_set_with_a_source_and_the_year_is_confirmed(crew: Crew, operator: Visitor) -> None:
    day = (crew.now + timedelta(days=1)).date().isoformat()
    nothing = operator.send("/calendar/day", first=day, kind="closed", scope=CENTRE, source=" ")
    assert nothing.status_code == 422
    assert operator.send("/calendar/day", first=day, kind="closed", scope="", source="x").status_code == 422
    assert (
        operator.send("/calendar/day", first="soon", kind="closed", scope=CENTRE, source="x").status_code
        == 422
    )
    said = operator.send_and_follow(
        "/calendar/day", first=day, kind="hours", hours="09:00-12:00", scope=CENTRE, source="order 5"
    )
    assert "order 5" in said
    assert "09:00-12:00" in said
    assert operator.send("/calendar/confirm", year="2026", source="decree").status_code == 422
    from workflow.calendar import seed  # noqa: PLC0415

    crew.do(lambda s: seed(s, now=crew.now))
    assert "decree" in operator.send_and_follow("/calendar/confirm", year="2026", source="decree")
