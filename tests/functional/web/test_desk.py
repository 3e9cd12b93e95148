"""The desk of an office, as people without scripts use it: lists with deadlines, search, handing out."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select, update

from barcodes.numbers import grouped
from models import Deadline, Message, Notice, Packet, Staff
from tests.functional.web.visitors import Visitor, words_of
from tests.integration.workflow.crew import Crew
from web.pages.home import NEWEST
from web.views import lists, search
from workflow import settling
from workflow.accepting import Application, accept

Visitors = Callable[[str], Visitor]


def accept_for(crew: Crew, *names: str, iin: str | None = None, residence: str = "2002") -> list[str]:
    """Accept one packet for each name."""
    applications = [
        Application(service="child_allowance", applicant_name=name, applicant_iin=iin, residence=residence)
        for name in names
    ]
    by = crew.people["inspector.aksu"]
    return [made.number for made in crew.do(lambda s: accept(s, applications, by=by, now=crew.now))]


def with_head(crew: Crew, count: int) -> list[str]:
    """Bring packets to the head of Alakol."""
    numbers = [crew.accept() for _ in range(count)]
    manifest = crew.send(*numbers)
    for station in ("receive", "register", "pass"):
        crew.scan("registrar.alakol", station, *([manifest] if station == "receive" else []), *numbers)  # type: ignore[arg-type]
    return numbers


def numbers_on(page: str) -> list[str]:
    """Return the numbers of the packets of a list, in their order."""
    return re.findall(r'<td class="first"><a class="code" href="/packets/(\d{14})">', page)


@contextmanager
def counted_statements(crew: Crew) -> Iterator[list[str]]:
    """Collect the statements that the database is asked."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(crew.database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(crew.database.engine, "before_cursor_execute", note)


def test_lists_tell_the_time_that_is_left_and_begin_with_what_is_due_first(
    visitor: Visitors, crew: Crew
) -> None:
    first, second, third = with_head(crew, 3)
    with crew.database.transaction() as session:
        hurry = session.get_one(Packet, crew.packet(third).id).id
        session.execute(
            update(Deadline).where(Deadline.packet_id == hurry).values(due_at=crew.now, opened_at=crew.now)
        )
    crew.wait(minutes=20)
    head = visitor("head.alakol")
    page = head.see("/desk/resolve")
    assert numbers_on(page.text) == [third, first, second]
    assert "20 working minutes late" in words_of(page)
    assert "working minutes left" in words_of(page)
    assert numbers_on(head.see("/desk/resolve?order=since").text) == [first, second, third]
    assert "Resolutions late: 1" in head.text("/")
    assert numbers_on(head.see("/packets?order=nonsense&after=nonsense").text) == [third, first, second]


def test_a_long_list_comes_in_pages_and_asks_the_database_no_more_than_a_short_one(
    visitor: Visitors, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = with_head(crew, 7)
    head = visitor("head.alakol")
    with counted_statements(crew) as long:
        assert len(numbers_on(head.see("/desk/resolve").text)) == 7
    monkeypatch.setattr(lists, "PAGE", 3)
    seen: list[str] = []
    address = "/desk/resolve?order=since"
    pages = 0
    while address:
        page = head.see(address)
        assert "of 7 packets" in words_of(page)
        seen += numbers_on(page.text)
        pages += 1
        after = re.search(r'rel="next" href="\?([^"]+)"', page.text)
        address = f"/desk/resolve?{after[1].replace('&amp;', '&')}" if after else ""
    assert (seen, pages) == (numbers, 3)
    monkeypatch.undo()
    crew.do(lambda s: settle_all_but(s, crew, numbers[:1]))
    with counted_statements(crew) as short:
        assert numbers_on(head.see("/desk/resolve").text) == numbers[:1]
    assert len(long) == len(short)


def settle_all_but(session: object, crew: Crew, kept: list[str]) -> None:
    """Take packets out of sight: another state of theirs is not the matter of this test."""
    session.execute(  # type: ignore[attr-defined]
        update(Packet)
        .where(Packet.number.not_in(kept))
        .values(holder_office=crew.people["inspector.aksu"].office)
    )


def test_the_registrar_passes_many_to_the_head_at_once(visitor: Visitors, crew: Crew) -> None:
    numbers = [crew.accept() for _ in range(3)]
    manifest = crew.send(*numbers)
    crew.scan("registrar.alakol", "receive", manifest, *numbers)  # type: ignore[arg-type]
    crew.scan("registrar.alakol", "register", *numbers[:2])  # type: ignore[arg-type]
    registrar = visitor("registrar.alakol")
    home = registrar.text("/")
    assert "1 To register" in home
    assert "2 To pass to the head" in home
    assert numbers_on(registrar.see("/desk/pass").text) == numbers[:2]
    refused = registrar.send("/desk/pass", number=numbers)
    assert refused.status_code == 409
    assert [crew.packet(number).state for number in numbers[:2]] == ["registered"] * 2
    assert "Passed to the head" in registrar.send_and_follow("/desk/pass", number=numbers[:2])
    assert [crew.packet(number).state for number in numbers] == ["with_head", "with_head", "received"]
    assert visitor("executor.alakol").see("/desk/pass").status_code == 403


def test_sending_back_stays_in_the_list_and_tells_the_executor_why(visitor: Visitors, crew: Crew) -> None:
    one, other = with_head(crew, 2)
    head, executor = visitor("head.alakol"), visitor("executor.alakol")
    head.send_and_follow("/desk/resolve", number=[one, other], executor="executor.alakol")
    for number in (one, other):
        executor.send_and_follow(f"/packets/{number}/draft", outcome="assigned")
    blank = head.send(f"/desk/sign/{one}/send-back", reason="  ")
    assert blank.status_code == 422
    assert "Write the reason" in words_of(blank)
    assert "Sent back" in head.send_and_follow(f"/desk/sign/{one}/send-back", reason="The income is missing.")
    assert numbers_on(head.see("/desk/sign").text) == [other]
    assert "Sent back: The income is missing." in executor.text("/desk/draft").replace(
        "Sent back :", "Sent back:"
    )
    assert "The income is missing." in executor.text(f"/packets/{one}")
    assert "1 To draft" in executor.text("/")


def test_what_goes_where_is_told_with_the_next_departure(visitor: Visitors, crew: Crew) -> None:
    waiting = [crew.accept() for _ in range(2)]
    onto = crew.accept(residence="2001")
    manifest = crew.collect(onto)
    accumulator = visitor("accumulator.aksu")
    page = accumulator.text("/desk/send")
    assert "2 packets wait" in page
    assert "1 packet on the list" in page
    assert grouped(manifest) in page
    assert "working" in page
    crew.collect(*waiting)
    assert "0 packets wait" in accumulator.text("/desk/send")
    assert visitor("inspector.aksu").see("/desk/send").status_code == 403
    numbers = with_head(crew, 1)
    head, executor = crew.people["head.alakol"], visitor("executor.alakol")
    visitor("head.alakol").send_and_follow("/desk/resolve", number=numbers, executor="executor.alakol")
    executor.send_and_follow(f"/packets/{numbers[0]}/draft", outcome="assigned")
    visitor("head.alakol").send_and_follow("/desk/sign", number=numbers)
    assert head.office == crew.packet(numbers[0]).holder_office
    assert "1 packet waits" in visitor("registrar.alakol").text("/desk/send")


def test_a_result_is_handed_over_against_the_receipt(visitor: Visitors, crew: Crew) -> None:
    number, other = crew.accept(), crew.accept()
    manifest = crew.send(number, other)
    crew.scan("registrar.alakol", "receive", manifest, number, other)  # type: ignore[arg-type]
    crew.decide(number, other)
    back = crew.send(number, other, who="registrar.alakol")
    crew.scan("accumulator.aksu", "receive", back, number, other)  # type: ignore[arg-type]
    inspector = visitor("inspector.aksu")
    assert "2 To hand out" in inspector.text("/")
    assert set(numbers_on(inspector.see("/desk/hand-out").text)) == {number, other}
    half = inspector.send("/desk/hand-out", result=number, receipt="", scan_id="hand-1")
    assert half.status_code == 200
    assert f'value="{number}"' in half.text
    assert 'value="hand-1"' in half.text
    wrong = inspector.send("/desk/hand-out", result=number, receipt=other, scan_id="hand-1")
    assert wrong.status_code == 422
    assert grouped(other) in words_of(wrong)
    assert crew.packet(number).state == "ready"
    form = {"result": number, "receipt": grouped(number), "scan_id": "hand-1"}
    assert "Handed over." in inspector.send_and_follow("/desk/hand-out", **form)
    assert crew.packet(number).state == "handed_over"
    assert "Handed over." in inspector.send_and_follow("/desk/hand-out", **form)
    assert crew.moves(number).count("hand_over") == 1
    again = inspector.send("/desk/hand-out", **form | {"scan_id": "hand-2"})
    assert "already done" in words_of(again)
    assert visitor("head.alakol").see("/desk/hand-out").status_code == 403


def test_an_applicant_is_found_by_name_and_iin_in_the_own_office_only(
    visitor: Visitors, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = accept_for(crew, "Ахметова Гүлнәр", "АХМЕТОВ Ерлан", iin="990101300013")
    (elsewhere,) = accept_for(crew, "Ахметова Дана", residence="2001")
    inspector, registrar = visitor("inspector.aksu"), visitor("registrar.alakol")

    def found(person: Visitor, typed: str) -> list[str]:
        answer = person.send("/find", code=typed)
        assert answer.status_code == 200, words_of(answer)
        return numbers_on(answer.text)

    assert set(found(inspector, "ахметов")) == {first, second, elsewhere}
    assert found(inspector, "Ахметова Гулнар") == [first]
    assert found(inspector, " axmetoва  гүл") == [first]
    assert found(inspector, "990101 300013") == [second, first]
    assert set(found(registrar, "Ахметов")) == {first, second}
    assert found(visitor("registrar.aksu"), "Ахметов") == [elsewhere]
    assert found(inspector, "Гүлнәр") == []
    assert "No packet of this office has such an applicant" in words_of(inspector.send("/find", code="Жоқ"))
    for typed in ("Ах", "%%%", "990101300014"):
        assert inspector.send("/find", code=typed).status_code in {404, 422}
    assert inspector.send("/find", code="990101300013").headers.get("location") is None
    monkeypatch.setattr(search, "PAGE", 2)
    page = inspector.send("/find", code="Ахметов")
    after = re.search(r'name="after" value="([^"]+)"', page.text)
    assert after is not None
    rest = inspector.send("/find", code="Ахметов", after=after[1])
    assert [*numbers_on(page.text), *numbers_on(rest.text)] == [second, first, elsewhere]
    assert found(visitor("registrar.aksu"), "990101300013") == []


def test_a_packet_that_goes_to_another_department_is_found_there(visitor: Visitors, crew: Crew) -> None:
    (number,) = accept_for(crew, "Оспанова Әсел")
    manifest = crew.send(number)
    crew.scan("registrar.alakol", "receive", manifest, number)  # type: ignore[arg-type]
    by = crew.people["registrar.alakol"]
    for district in ("aksu", "alakol", "aksu"):
        crew.do(
            lambda s, district=district: settling.reroute(  # type: ignore[misc]
                s, number, district=district, reason="moved", by=by, now=crew.now
            )
        )
    assert numbers_on(visitor("registrar.aksu").send("/find", code="оспанова").text) == [number]
    assert numbers_on(visitor("registrar.alakol").send("/find", code="оспанова").text) == []


def test_any_packet_of_a_bag_that_arrives_opens_its_manifest(visitor: Visitors, crew: Crew) -> None:
    number = crew.accept()
    manifest = crew.send(number)
    find = visitor("registrar.alakol").send("/find", code=number)
    assert find.headers["location"] == f"/manifests/{manifest}"
    assert visitor("head.alakol").send("/find", code=number).headers["location"] == f"/packets/{number}"


def test_a_manifest_grows_for_everybody_who_looks_at_it(visitor: Visitors, crew: Crew) -> None:
    numbers = [crew.accept() for _ in range(3)]
    manifest = crew.send(*numbers)
    crew.scan("registrar.alakol", "receive", manifest, numbers[2])  # type: ignore[arg-type]
    registrar = visitor("registrar.alakol")
    first = registrar.see(f"/manifests/{manifest}/lines")
    assert "1 of 3" in words_of(first)
    assert numbers_on(first.text) == [*numbers[:2], numbers[2]]
    assert "Registrar of alakol" in words_of(first)
    version = {"If-None-Match": first.headers["etag"]}
    unchanged = registrar.client.get(f"/manifests/{manifest}/lines", headers=version)
    assert (unchanged.status_code, unchanged.text) == (304, "")
    crew.scan("registrar.alakol", "receive", numbers[0], manifest=manifest)  # type: ignore[arg-type]
    grown = registrar.client.get(f"/manifests/{manifest}/lines", headers=version)
    assert "2 of 3" in words_of(grown)
    assert visitor("registrar.aksu").see(f"/manifests/{manifest}/lines").status_code == 404


def test_after_closing_with_a_difference_the_act_is_one_press_away(visitor: Visitors, crew: Crew) -> None:
    there, gone = crew.accept(), crew.accept()
    manifest = crew.send(there, gone)
    crew.scan("registrar.alakol", "receive", manifest, there)  # type: ignore[arg-type]
    registrar = visitor("registrar.alakol")
    assert "Print the act of discrepancy" not in registrar.text(f"/manifests/{manifest}")
    closed = registrar.send_and_follow(
        f"/manifests/{manifest}/close", packet=[gone], reason=["Not in the bag"], confirmed="yes"
    )
    assert "Print the act of discrepancy" in closed
    act = registrar.send(f"/manifests/{manifest}/papers/discrepancy")
    assert act.content.startswith(b"%PDF")


def test_alike_news_are_told_in_one_sentence(visitor: Visitors, crew: Crew) -> None:
    from tests.functional.web.test_events import _tell_all  # noqa: PLC0415 - one function of another test

    numbers = [crew.accept() for _ in range(4)]
    crew.database.transact(_tell_all)
    registrar = visitor("registrar.alakol")
    assert "4 packets were accepted at Аксуский район, centre; they will come to you." in registrar.text("/")
    ids = re.findall(r'name="id" value="(\d+)"', registrar.see("/").text)
    assert len(ids) == len(numbers)
    assert "No news." in registrar.send_and_follow("/notices/read", id=ids)


def test_the_first_page_shows_a_few_news_and_keeps_the_rest_at_hand(visitor: Visitors, crew: Crew) -> None:
    registrar = visitor("registrar.alakol")
    numbers = [grouped(crew.accept()) for _ in range(NEWEST + 2)]

    def tell(subjects: list[str]) -> None:
        with crew.database.transaction() as session:
            messages = session.scalars(select(Message.id).where(Message.id.not_in(select(Notice.message_id))))
            session.add_all(
                Notice(
                    message_id=message,
                    office=crew.people["registrar.alakol"].office,
                    type="deadline.missed",
                    subject=subject.replace(" ", ""),
                    data={},
                )
                for subject, message in zip(subjects, messages.all(), strict=False)
            )

    tell(numbers[:NEWEST])
    assert "More news" not in registrar.text("/")
    tell(numbers[NEWEST:])
    shown, _, rest = registrar.text("/").partition("More news: 2")
    assert [one for one in numbers if one in shown] == numbers[2:]
    assert [one for one in numbers if one in rest] == numbers[:2]
    # Who has read what is shown has not read the rest.
    page = registrar.see("/").text.partition("<details")[0]
    registrar.send_and_follow("/notices/read", id=re.findall(r'name="id" value="(\d+)"', page))
    left = registrar.text("/")
    assert [one for one in numbers if one in left] == numbers[:2]


def test_where_papers_go_is_told_while_the_place_is_typed(visitor: Visitors) -> None:
    inspector = visitor("inspector.aksu")
    told = inspector.send("/accept/department", residence="Жансүгіров")
    assert "Аксуского района" in words_of(told)
    several = inspector.send("/accept/department", residence="Ақсу")
    assert several.status_code == 200
    assert 'name="district" value="uygur"' in several.text
    chosen = inspector.send("/accept/department", residence="Ақсу", district="uygur")
    assert "Decided by" in words_of(chosen)
    assert "checked" in chosen.text
    near = inspector.send("/accept/department", residence="Жансүгіровка")
    assert "Did you mean" in words_of(near)
    assert words_of(inspector.send("/accept/department", residence=" ")) == ""
    assert visitor("head.alakol").send("/accept/department", residence="2002").status_code == 403


def test_errors_keep_the_ways_of_who_is_signed_in(visitor: Visitors, crew: Crew) -> None:
    inspector = visitor("inspector.aksu")
    page = inspector.see("/nowhere")
    assert page.status_code == 404
    assert 'href="/accept"' in page.text
    with crew.database.transaction() as session:
        session.execute(update(Staff).values(language="ru"))
    assert "Такой страницы нет" in words_of(inspector.see("/nowhere"))
    inspector.client.cookies.clear()
    assert 'href="/accept"' not in inspector.see("/nowhere").text
