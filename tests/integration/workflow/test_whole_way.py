"""The whole way of packets, and every way in which it goes wrong."""

from typing import Any

import pytest
from sqlalchemy import select

from config.errors import NotAllowedError, NotFoundError, ShabarmanError
from models import Discrepancy
from models.database import Database
from models.packet import Outcome, State
from models.scan import Station, Verdict
from tests.integration.workflow.crew import Crew
from workflow import accepting, closing, collecting, deciding, settling, undoing
from workflow.protocol import Scanned
from workflow.scanning import ReusedIdError, apply_scans


@pytest.fixture
def crew(database: Database) -> Crew:
    return Crew.of(database)


def test_a_packet_travels_from_the_inspector_to_the_applicant(crew: Crew) -> None:
    number = crew.accept()
    out = crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, out, number)
    crew.close(out)
    crew.decide(number)
    back = crew.send(number, who="registrar.alakol")
    (ready,) = crew.scan("accumulator.aksu", Station.RECEIVE, number)
    crew.close(back, who="accumulator.aksu")
    (handed,) = crew.scan("inspector.aksu", Station.HAND_OVER, number)

    assert (ready.verdict, ready.state) == (Verdict.TAKEN, State.READY)
    assert (handed.verdict, handed.state) == (Verdict.TAKEN, State.HANDED_OVER)
    assert crew.moves(number) == [
        "accept", "collect", "depart", "receive", "register", "pass_on", "resolve", "draft", "sign",
        "collect", "depart", "receive", "hand_over",
    ]  # fmt: skip
    packet = crew.packet(number)
    assert (packet.holder_office, packet.holder_role, packet.manifest_id) == (None, None, None)
    assert packet.register_number == "1/26"
    assert crew.told(number) == [
        ("packet.accepted", "department.alakol"),
        ("packet.registered", "centre.aksu"),
        ("packet.decided", "centre.aksu"),
        ("result.ready", "centre.aksu"),
        ("packet.handed_over", "department.alakol"),
    ]
    assert crew.told(out) == [("manifest.departed", "department.alakol"), ("manifest.closed", "centre.aksu")]
    assert crew.told(back) == [("manifest.departed", "centre.aksu"), ("manifest.closed", "department.alakol")]


def test_the_department_follows_from_the_residence_and_not_from_the_centre(crew: Crew) -> None:
    assert crew.packet(crew.accept(residence="2001")).department == "2001"
    assert crew.packet(crew.accept(residence="2002")).department == "2002"


def test_a_list_of_scans_is_answered_like_single_ones(crew: Crew) -> None:
    numbers = [crew.accept() for _ in range(5)]
    answers = crew.scan(
        "accumulator.aksu", Station.COLLECT, *numbers, numbers[0], "nonsense", "10012600000160"
    )
    assert [answer.verdict for answer in answers] == [
        *[Verdict.TAKEN] * 5, Verdict.ALREADY, Verdict.UNKNOWN, Verdict.BAD_CHECK,
    ]  # fmt: skip
    assert [answer.facts["line"] for answer in answers[:5]] == [1, 2, 3, 4, 5]
    assert len({answer.facts["manifest"] for answer in answers[:5]}) == 1


def test_the_seal_closes_the_list_and_the_next_packet_waits_for_the_next_run(crew: Crew) -> None:
    first, second = crew.accept(), crew.accept()
    sealed = crew.collect(first)
    crew.seal(sealed)
    following = crew.collect(second)
    assert following != sealed
    with pytest.raises(collecting.NotOpenError):
        crew.do(
            lambda s: collecting.take_out(
                s, first, reason="torn", by=crew.people["accumulator.aksu"], now=crew.now
            )
        )
    with pytest.raises(collecting.NotOpenError):
        crew.seal(sealed)


def test_an_empty_bag_is_not_sealed(crew: Crew) -> None:
    number = crew.accept()
    manifest = crew.collect(number)
    crew.do(
        lambda s: collecting.take_out(
            s, number, reason="wrong form", by=crew.people["accumulator.aksu"], now=crew.now
        )
    )
    assert crew.packet(number).state is State.ACCEPTED
    with pytest.raises(collecting.EmptyBagError):
        crew.seal(manifest)
    # It may be put into the same bag again.
    assert crew.collect(number) == manifest
    crew.seal(manifest)
    assert crew.lines(manifest) == {number: "listed"}


def test_a_courier_of_another_centre_cannot_take_the_bag(crew: Crew) -> None:
    manifest = crew.collect(crew.accept())
    (early,) = crew.scan("courier.aksu", Station.DEPART, manifest)
    crew.seal(manifest)
    (foreign,) = crew.scan("courier.alakol", Station.DEPART, manifest)
    (taken,) = crew.scan("courier.aksu", Station.DEPART, manifest)
    (again,) = crew.scan("courier.aksu", Station.DEPART, manifest)
    assert [early.verdict, foreign.verdict, taken.verdict, again.verdict] == [
        Verdict.WRONG_STATE, Verdict.ELSEWHERE, Verdict.TAKEN, Verdict.ALREADY,
    ]  # fmt: skip


def test_a_missing_packet_needs_a_reason_and_both_sides_see_it_until_it_is_found(crew: Crew) -> None:
    here, gone = crew.accept(), crew.accept()
    manifest = crew.send(here, gone)
    crew.scan("registrar.alakol", Station.RECEIVE, here)
    before = crew.weight()
    with pytest.raises(closing.UnexplainedError) as refused:
        crew.close(manifest)
    assert gone in str(refused.value)
    assert crew.weight() == before
    crew.close(manifest, **{f"_{gone}": "not in the bag"})
    assert crew.packet(gone).state is State.MISSING
    assert crew.lines(manifest) == {here: "received", gone: "missing"}
    assert ("discrepancy.opened", "centre.aksu") in crew.told(gone)

    (found,) = crew.scan("registrar.alakol", Station.RECEIVE, gone)
    assert (found.verdict, found.state) == (Verdict.TAKEN, State.RECEIVED)
    assert ("discrepancy.settled", "centre.aksu") in crew.told(gone)


def test_a_missing_packet_may_never_have_been_sent(crew: Crew) -> None:
    number = crew.accept()
    other = crew.accept()
    manifest = crew.send(number, other)
    crew.scan("registrar.alakol", Station.RECEIVE, other)
    crew.close(manifest, **{f"_{number}": "not in the bag"})
    (answer,) = crew.scan("accumulator.aksu", Station.RECEIVE, number)
    assert (answer.verdict, answer.state) == (Verdict.TAKEN, State.ACCEPTED)
    assert crew.moves(number)[-1] == "never_sent"
    assert crew.collect(number)


def test_a_missing_packet_is_lost_only_by_a_head_with_a_reason(crew: Crew) -> None:
    number = crew.accept()
    manifest = crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, manifest)
    crew.close(manifest, **{f"_{number}": "burnt"})
    with pytest.raises(NotAllowedError):
        crew.do(
            lambda s: settling.lose(s, number, reason="x", by=crew.people["registrar.alakol"], now=crew.now)
        )
    crew.do(lambda s: settling.lose(s, number, reason="fire", by=crew.people["head.alakol"], now=crew.now))
    assert crew.packet(number).state is State.LOST
    assert ("packet.lost", "centre.aksu") in crew.told(number)


def test_a_misrouted_packet_says_whose_it_is_and_goes_on_from_where_it_lies(crew: Crew) -> None:
    number = crew.accept(residence="2002")
    manifest = crew.send(number)
    (answer,) = crew.scan("registrar.aksu", Station.RECEIVE, number)
    assert (answer.verdict, answer.facts["office"], answer.state) == (
        Verdict.ELSEWHERE,
        "2002",
        State.RECEIVED,
    )
    assert crew.packet(number).holder_office == "2001"
    assert crew.lines(manifest) == {number: "elsewhere"}
    assert ("packet.misrouted", "department.alakol") in crew.told(number)
    # The wrong department cannot register it, and sends it on.
    (kept,) = crew.scan("registrar.aksu", Station.REGISTER, number)
    assert kept.verdict is Verdict.ELSEWHERE
    crew.send(number, who="registrar.aksu")
    (arrived,) = crew.scan("registrar.alakol", Station.RECEIVE, number)
    assert (arrived.verdict, crew.packet(number).holder_office) == (Verdict.TAKEN, "2002")
    # The first bag, whose only packet was elsewhere, closes without a difference.
    crew.scan("registrar.alakol", Station.RECEIVE, manifest)
    crew.close(manifest)


def test_an_unexpected_packet_is_recorded_and_taken_over(crew: Crew) -> None:
    listed, stowaway = crew.accept(), crew.accept()
    manifest = crew.send(listed)
    crew.scan("registrar.alakol", Station.RECEIVE, manifest)
    (answer,) = crew.scan("registrar.alakol", Station.RECEIVE, stowaway, manifest=manifest)
    assert (answer.verdict, answer.state) == (Verdict.UNEXPECTED, State.RECEIVED)
    assert crew.lines(manifest)[stowaway] == "unexpected"
    assert ("discrepancy.opened", "centre.aksu") in crew.told(stowaway)


def test_a_damaged_packet_is_received_with_a_remark_and_a_refused_one_goes_back(crew: Crew) -> None:
    torn, refused = crew.accept(), crew.accept()
    manifest = crew.send(torn, refused)
    registrar = crew.people["registrar.alakol"]
    crew.do(lambda s: closing.damage(s, torn, reason="torn", by=registrar, now=crew.now))
    crew.do(lambda s: closing.refuse(s, refused, reason="no signature", by=registrar, now=crew.now))
    crew.close(manifest)
    assert (crew.packet(torn).state, crew.packet(torn).remark) == (State.RECEIVED, "torn")
    assert crew.packet(refused).state is State.IN_TRANSIT
    (back,) = crew.scan("accumulator.aksu", Station.RECEIVE, refused)
    assert (back.verdict, back.state) == (Verdict.TAKEN, State.ACCEPTED)


def test_a_damage_that_was_a_mistake_is_taken_back_with_its_difference(crew: Crew) -> None:
    number = crew.accept()
    manifest = crew.send(number)
    registrar = crew.people["registrar.alakol"]
    crew.do(lambda s: closing.damage(s, number, reason="torn", by=registrar, now=crew.now))
    crew.do(lambda s: undoing.undo(s, number, by=registrar, now=crew.now))
    packet = crew.packet(number)
    assert (packet.state, packet.remark, crew.lines(manifest)) == (State.IN_TRANSIT, None, {number: "listed"})
    with crew.database.reading() as session:
        assert session.scalars(select(Discrepancy.settlement)).all() == ["taken_back"]


def test_a_draft_is_sent_back_and_drafted_again(crew: Crew) -> None:
    number = crew.accept()
    crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, number)
    crew.scan("registrar.alakol", Station.REGISTER, number)
    crew.scan("registrar.alakol", Station.PASS, number)
    head, executor = crew.people["head.alakol"], crew.people["executor.alakol"]
    with pytest.raises(NotFoundError):
        crew.do(lambda s: deciding.resolve(s, [number], executor="executor.aksu", by=head, now=crew.now))
    crew.do(lambda s: deciding.resolve(s, [number], executor=executor.login, by=head, now=crew.now))
    with pytest.raises(deciding.ReasonMissingError):
        crew.do(lambda s: deciding.draft(s, number, outcome=Outcome.REFUSED, by=executor, now=crew.now))
    crew.do(lambda s: deciding.draft(s, number, outcome=Outcome.ASSIGNED, by=executor, now=crew.now))
    crew.do(lambda s: deciding.send_back(s, number, reason="no income statement", by=head, now=crew.now))
    assert (crew.packet(number).round, crew.packet(number).outcome) == (2, None)
    crew.do(
        lambda s: deciding.draft(
            s, number, outcome=Outcome.REFUSED, reason="income too high", by=executor, now=crew.now
        )
    )
    crew.do(lambda s: deciding.sign(s, [number], by=head, now=crew.now))
    packet = crew.packet(number)
    assert (packet.state, packet.outcome, packet.reason) == (State.SIGNED, Outcome.REFUSED, "income too high")


def test_the_own_last_scan_is_taken_back_within_minutes_and_later_only_by_a_head(crew: Crew) -> None:
    number = crew.accept()
    manifest = crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, number)
    registrar, head = crew.people["registrar.alakol"], crew.people["head.alakol"]
    with pytest.raises(undoing.NotYourScanError):
        crew.do(lambda s: undoing.undo(s, number, by=crew.people["accumulator.aksu"], now=crew.now))
    crew.do(lambda s: undoing.undo(s, number, by=registrar, now=crew.now))
    packet = crew.packet(number)
    assert (packet.state, packet.holder_office, packet.manifest_id is None) == (
        State.IN_TRANSIT,
        "1001",
        False,
    )
    assert crew.lines(manifest) == {number: "listed"}

    crew.scan("registrar.alakol", Station.RECEIVE, number)
    crew.scan("registrar.alakol", Station.REGISTER, number)
    crew.wait(minutes=30)
    with pytest.raises(undoing.NotYourScanError):
        crew.do(lambda s: undoing.undo(s, number, by=registrar, now=crew.now))
    with pytest.raises(deciding.ReasonMissingError):
        crew.do(lambda s: undoing.undo(s, number, by=head, now=crew.now))
    crew.do(lambda s: undoing.undo(s, number, by=head, now=crew.now, reason="wrong file"))
    assert (crew.packet(number).state, crew.packet(number).register_number) == (State.RECEIVED, None)
    assert ("packet.undone", "centre.aksu") in crew.told(number)
    assert crew.moves(number)[-3:] == ["receive", "register", "undo"]


def test_the_same_scan_gets_the_same_answer_for_ever(crew: Crew) -> None:
    number = crew.accept()
    by = crew.people["accumulator.aksu"]
    scanned = Scanned(id="once", raw=number, station=Station.COLLECT, at=crew.now)
    first = crew.do(lambda s: apply_scans(s, [scanned], by=by, now=crew.now))
    before = crew.weight()
    crew.wait(days=3)
    again = crew.do(lambda s: apply_scans(s, [scanned, scanned], by=by, now=crew.now))
    assert again == first * 2
    assert crew.weight() == before
    other = Scanned(id="once", raw=crew.accept(), station=Station.COLLECT, at=crew.now)
    with pytest.raises(ReusedIdError):
        crew.do(lambda s: apply_scans(s, [other], by=by, now=crew.now))


def test_the_same_request_accepts_once(crew: Crew) -> None:
    application = accepting.Application(
        service="child_allowance", applicant_name="Applicant 2", residence="2002", request_id="form-1"
    )
    by = crew.people["inspector.aksu"]
    first = crew.do(lambda s: accepting.accept(s, [application], by=by, now=crew.now))
    before = crew.weight()
    assert crew.do(lambda s: accepting.accept(s, [application], by=by, now=crew.now)) == first
    assert crew.weight() == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"service": "sanatorium"}, "not_accepted_here"),
        ({"service": "nothing"}, "unknown_service"),
        ({"applicant_name": "  "}, "application"),
        ({"applicant_iin": "123456789012"}, "application"),
        ({"residence": "Атлантида"}, "unknown_place"),
    ],
)
def test_an_application_that_cannot_be_accepted_says_why(
    crew: Crew, changes: dict[str, str], code: str
) -> None:
    wanted: dict[str, Any] = {
        "service": "child_allowance",
        "applicant_name": "Applicant 3",
        "residence": "2002",
        **changes,
    }
    before = crew.weight()
    with pytest.raises(ShabarmanError) as refused:
        crew.do(
            lambda s: accepting.accept(
                s, [accepting.Application(**wanted)], by=crew.people["inspector.aksu"], now=crew.now
            )
        )
    assert refused.value.code == code
    assert crew.weight() == before


def test_a_scan_of_somebody_who_may_not_is_kept_and_refused(crew: Crew) -> None:
    number = crew.accept()
    before = crew.weight()
    (answer,) = crew.scan("courier.aksu", Station.COLLECT, number)
    assert answer.verdict is Verdict.NOT_ALLOWED
    after = crew.weight()
    # One more scan is kept; nothing else changed.
    assert [new - old for old, new in zip(before, after, strict=True)] == [0, 1, 0, 0, 0, 0, 0, 0]


def test_commands_on_packets_of_another_office_change_nothing(crew: Crew) -> None:
    number = crew.accept()
    crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, number)
    crew.scan("registrar.alakol", Station.REGISTER, number)
    crew.scan("registrar.alakol", Station.PASS, number)
    with pytest.raises(NotFoundError):
        crew.do(
            lambda s: deciding.resolve(
                s, [number], executor="executor.aksu", by=crew.people["head.aksu"], now=crew.now
            )
        )
    assert crew.packet(number).state is State.WITH_HEAD


def test_a_department_accepts_and_hands_over_itself(crew: Crew) -> None:
    number = crew.accept(by="registrar.alakol", service="sanatorium")
    crew.scan("registrar.alakol", Station.PASS, number)
    head, executor = crew.people["head.alakol"], crew.people["executor.alakol"]
    crew.do(lambda s: deciding.resolve(s, [number], executor=executor.login, by=head, now=crew.now))
    crew.do(lambda s: deciding.draft(s, number, outcome=Outcome.ASSIGNED, by=executor, now=crew.now))
    crew.do(lambda s: deciding.sign(s, [number], by=head, now=crew.now))
    (handed,) = crew.scan("executor.alakol", Station.HAND_OVER, number)
    assert (handed.verdict, handed.state) == (Verdict.TAKEN, State.HANDED_OVER)
    # Nobody outside the department has to be told.
    assert crew.told(number) == []
