"""The table of moves: every pair of states, walked once with every move."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from models.office import OfficeKind
from models.packet import FINAL, Channel, Leg, Outcome, State
from models.scan import Station
from models.staff import Role
from workflow.desk import Bag, Card, Desk, Holder, IllegalMoveError
from workflow.moves import HOLDERS, MOVES, Move, leg_of
from workflow.people import Actor
from workflow.protocol import Scanned

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)

# What the design says, written down a second time: state → states that the papers may be in next.
NEXT: dict[State, set[State]] = {
    State.ACCEPTED: {State.COLLECTED, State.WITHDRAWN, State.WITH_HEAD, State.RECEIVED},
    State.COLLECTED: {State.IN_TRANSIT, State.ACCEPTED, State.RECEIVED},
    State.IN_TRANSIT: {State.RECEIVED, State.MISSING, State.IN_TRANSIT, State.ACCEPTED},
    State.RECEIVED: {State.REGISTERED, State.RECEIVED, State.COLLECTED, State.IN_TRANSIT},
    State.REGISTERED: {State.WITH_HEAD, State.RECEIVED},
    State.WITH_HEAD: {State.WITH_EXECUTOR, State.REGISTERED, State.ACCEPTED},
    State.WITH_EXECUTOR: {State.FOR_SIGNATURE, State.WITH_EXECUTOR},
    State.FOR_SIGNATURE: {State.SIGNED, State.WITH_EXECUTOR},
    State.SIGNED: {State.RESULT_COLLECTED, State.HANDED_OVER, State.READY, State.RESULT_IN_TRANSIT},
    State.RESULT_COLLECTED: {State.RESULT_IN_TRANSIT, State.SIGNED, State.READY},
    State.RESULT_IN_TRANSIT: {State.READY, State.SIGNED, State.MISSING},
    State.READY: {State.HANDED_OVER, State.RESULT_IN_TRANSIT, State.RESULT_COLLECTED},
    State.MISSING: {State.RECEIVED, State.READY, State.LOST, State.ACCEPTED, State.SIGNED},
    # Only an undo within minutes leads out of a hand-over.
    State.HANDED_OVER: {State.READY, State.SIGNED},
    State.WITHDRAWN: set(),
    State.LOST: set(),
}


class NoLedger:
    """A desk without a database: the rules must not ask for one here."""

    def open_bag(self, desk: Desk, *, leg: Leg, destination: str) -> Bag:
        raise AssertionError(desk, leg, destination)

    def serial(self, office: str, kind: str, now: datetime) -> tuple[int, int]:
        raise AssertionError(office, kind, now)


def a_desk() -> Desk:
    registrar = Actor(
        id=7,
        login="registrar.alakol",
        name="Registrar",
        office="2002",
        kind=OfficeKind.DEPARTMENT,
        district="alakol",
        roles=frozenset({Role.REGISTRAR}),
    )
    return Desk(by=registrar, now=NOW, ledger=NoLedger())


def a_card(state: State) -> Card:
    final = state in FINAL
    return Card(
        id=1,
        number="10012600000159",
        service="child_allowance",
        channel=Channel.CENTRE,
        origin="1001",
        department="2002",
        state=state,
        state_since=NOW - timedelta(hours=1),
        moved_by=3,
        holder_office=None if final else "1001",
        holder_role=None if final else Role.INSPECTOR,
        holder_id=None,
        version=4,
        manifest_id=None,
        register_number=None,
        executor_id=None,
        outcome=None,
        reason=None,
        round=1,
        remark=None,
        details={},
        postal_number=None,
        accepted_by=3,
    )


def holder_in(state: State) -> Holder | None:
    return None if state in FINAL else Holder("2002", min(HOLDERS[state]), 7)


@pytest.mark.parametrize(("before", "after"), list(product(State, State)), ids=str)
def test_every_pair_of_states_is_reached_by_a_move_or_by_none(before: State, after: State) -> None:
    moves_that_do = set()
    for move in Move:
        desk, card = a_desk(), a_card(before)
        data: dict[str, Any] = {"undone": Move.HAND_OVER.value} if move is Move.UNDO else {}
        if (before, after) not in MOVES[move]:
            with pytest.raises(IllegalMoveError) as refused:
                desk.move(card, move, after, holder=holder_in(after), **data)
            assert (card.state, card.version, desk.events, desk.messages) == (before, 4, [], [])
            assert {before.value, move.value} <= set(refused.value.facts.values())
            continue
        desk.move(card, move, after, holder=holder_in(after), **data)
        moves_that_do.add(move)
        (event,) = desk.events
        assert (event["seq"], event["previous"]) == (5, 4)
        assert (event["from_state"], event["to_state"], event["move"]) == (before, after, move.value)
        assert (card.state, card.version, card.moved_by) == (after, 5, 7)
    assert bool(moves_that_do) == (after in NEXT[before])


def test_every_move_is_in_the_table_and_leads_somewhere() -> None:
    assert set(MOVES) == set(Move)
    assert all(MOVES.values())


def test_nothing_but_an_undo_leads_out_of_a_final_state() -> None:
    leaving = {move for move, pairs in MOVES.items() for before, _ in pairs if before in FINAL}
    assert leaving == {Move.UNDO}


def test_every_state_can_still_come_to_an_end() -> None:
    for start in State:
        seen, todo = {start}, [start]
        while todo:
            for after in NEXT[todo.pop()] - seen:
                seen.add(after)
                todo.append(after)
        assert seen & FINAL


def test_who_holds_a_packet_is_said_for_every_state_that_is_not_final() -> None:
    assert set(HOLDERS) == set(State) - FINAL
    assert all(HOLDERS.values())


def test_a_missing_packet_travelled_back_only_when_something_was_decided() -> None:
    undecided, decided = a_card(State.MISSING), a_card(State.MISSING)
    decided.outcome = Outcome.ASSIGNED
    assert (undecided.leg, decided.leg) == (Leg.OUT, Leg.BACK)
    assert leg_of(State.RESULT_IN_TRANSIT) is Leg.BACK
    assert leg_of(State.IN_TRANSIT) is Leg.OUT


def test_a_move_is_never_dated_before_the_move_before_it_nor_in_the_future() -> None:
    for claimed in (NOW - timedelta(days=3), NOW + timedelta(days=3)):
        desk, card = a_desk(), a_card(State.RECEIVED)
        scanned = Scanned(id="a", raw=card.number, station=Station.REGISTER, at=claimed)
        desk.move(card, Move.REGISTER, State.REGISTERED, holder=holder_in(State.REGISTERED), scanned=scanned)
        assert NOW - timedelta(hours=1) <= desk.events[0]["at"] <= NOW
