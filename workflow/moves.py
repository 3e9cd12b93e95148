"""Which move leads from which state to which: the whole trip as one table (`docs/packets-life.md` draws it)."""

from enum import StrEnum

from models.packet import FINAL, Leg, State
from models.staff import Role


class Move(StrEnum):
    """What is done to a packet."""

    ACCEPT = "accept"
    WITHDRAW = "withdraw"
    COLLECT = "collect"
    TAKE_OUT = "take_out"
    DEPART = "depart"
    RECEIVE = "receive"
    TURN_UP = "turn_up"
    """Arrived without, or against, its manifest: custody follows the paper, and the difference is recorded."""
    REFUSE = "refuse"
    """Not taken over at the door; the courier keeps it and carries it back."""
    TAKE_BACK = "take_back"
    MISS = "miss"
    FIND = "find"
    NEVER_SENT = "never_sent"
    LOSE = "lose"
    REROUTE = "reroute"
    """The papers belong to another department; they go there on the next manifest."""
    REGISTER = "register"
    PASS_ON = "pass_on"  # noqa: S105 - papers to the head, no secret
    RESOLVE = "resolve"
    REASSIGN = "reassign"
    DRAFT = "draft"
    SIGN = "sign"
    SEND_BACK = "send_back"
    HAND_OVER = "hand_over"
    UNDO = "undo"


S = State

MOVES: dict[Move, frozenset[tuple[State | None, State]]] = {
    Move.ACCEPT: frozenset({(None, S.ACCEPTED)}),
    Move.WITHDRAW: frozenset({(S.ACCEPTED, S.WITHDRAWN)}),
    Move.COLLECT: frozenset(
        {
            (S.ACCEPTED, S.COLLECTED),
            (S.RECEIVED, S.COLLECTED),
            (S.SIGNED, S.RESULT_COLLECTED),
            (S.READY, S.RESULT_COLLECTED),
        }
    ),
    Move.TAKE_OUT: frozenset(
        {
            (S.COLLECTED, S.ACCEPTED),
            (S.COLLECTED, S.RECEIVED),
            (S.RESULT_COLLECTED, S.SIGNED),
            (S.RESULT_COLLECTED, S.READY),
        }
    ),
    Move.DEPART: frozenset({(S.COLLECTED, S.IN_TRANSIT), (S.RESULT_COLLECTED, S.RESULT_IN_TRANSIT)}),
    Move.RECEIVE: frozenset(
        {(S.IN_TRANSIT, S.RECEIVED), (S.RESULT_IN_TRANSIT, S.READY), (S.RESULT_IN_TRANSIT, S.SIGNED)}
    ),
    Move.TURN_UP: frozenset(
        {
            (S.ACCEPTED, S.RECEIVED),
            (S.COLLECTED, S.RECEIVED),
            (S.IN_TRANSIT, S.RECEIVED),
            (S.RECEIVED, S.RECEIVED),
            (S.SIGNED, S.READY),
            (S.RESULT_COLLECTED, S.READY),
        }
    ),
    Move.REFUSE: frozenset({(S.IN_TRANSIT, S.IN_TRANSIT)}),
    Move.TAKE_BACK: frozenset({(S.IN_TRANSIT, S.ACCEPTED)}),
    Move.MISS: frozenset({(S.IN_TRANSIT, S.MISSING), (S.RESULT_IN_TRANSIT, S.MISSING)}),
    Move.FIND: frozenset({(S.MISSING, S.RECEIVED), (S.MISSING, S.READY), (S.MISSING, S.SIGNED)}),
    Move.NEVER_SENT: frozenset(
        {(S.MISSING, S.ACCEPTED), (S.MISSING, S.RECEIVED), (S.MISSING, S.SIGNED), (S.MISSING, S.READY)}
    ),
    Move.LOSE: frozenset({(S.MISSING, S.LOST)}),
    Move.REROUTE: frozenset({(S.RECEIVED, S.RECEIVED)}),
    Move.REGISTER: frozenset({(S.RECEIVED, S.REGISTERED)}),
    Move.PASS_ON: frozenset({(S.REGISTERED, S.WITH_HEAD), (S.ACCEPTED, S.WITH_HEAD)}),
    Move.RESOLVE: frozenset({(S.WITH_HEAD, S.WITH_EXECUTOR)}),
    Move.REASSIGN: frozenset({(S.WITH_EXECUTOR, S.WITH_EXECUTOR)}),
    Move.DRAFT: frozenset({(S.WITH_EXECUTOR, S.FOR_SIGNATURE)}),
    Move.SIGN: frozenset({(S.FOR_SIGNATURE, S.SIGNED)}),
    Move.SEND_BACK: frozenset({(S.FOR_SIGNATURE, S.WITH_EXECUTOR)}),
    Move.HAND_OVER: frozenset({(S.READY, S.HANDED_OVER), (S.SIGNED, S.HANDED_OVER)}),
    Move.UNDO: frozenset(
        {
            (S.COLLECTED, S.ACCEPTED),
            (S.COLLECTED, S.RECEIVED),
            (S.RECEIVED, S.IN_TRANSIT),
            (S.REGISTERED, S.RECEIVED),
            (S.WITH_HEAD, S.REGISTERED),
            (S.WITH_HEAD, S.ACCEPTED),
            (S.RESULT_COLLECTED, S.SIGNED),
            (S.RESULT_COLLECTED, S.READY),
            (S.READY, S.RESULT_IN_TRANSIT),
            (S.SIGNED, S.RESULT_IN_TRANSIT),
            (S.HANDED_OVER, S.READY),
            (S.HANDED_OVER, S.SIGNED),
        }
    ),
}

UNDOABLE = frozenset({Move.COLLECT, Move.RECEIVE, Move.REGISTER, Move.PASS_ON, Move.HAND_OVER})
"""What a person may take back: the own scans that change one packet."""

HOLDERS: dict[State, frozenset[Role]] = {
    S.ACCEPTED: frozenset({Role.INSPECTOR, Role.REGISTRAR, Role.CLERK}),
    S.COLLECTED: frozenset({Role.ACCUMULATOR, Role.REGISTRAR, Role.CLERK}),
    S.IN_TRANSIT: frozenset({Role.COURIER}),
    S.RECEIVED: frozenset({Role.REGISTRAR}),
    S.REGISTERED: frozenset({Role.REGISTRAR}),
    S.WITH_HEAD: frozenset({Role.HEAD, Role.AKIM}),
    S.WITH_EXECUTOR: frozenset({Role.EXECUTOR}),
    S.FOR_SIGNATURE: frozenset({Role.HEAD, Role.AKIM}),
    S.SIGNED: frozenset({Role.EXECUTOR}),
    S.RESULT_COLLECTED: frozenset({Role.REGISTRAR, Role.ACCUMULATOR, Role.CLERK}),
    S.RESULT_IN_TRANSIT: frozenset({Role.COURIER}),
    S.READY: frozenset({Role.ACCUMULATOR, Role.CLERK}),
    S.MISSING: frozenset({Role.COURIER}),
}
"""Who may hold a packet in each state; the final states have no holder."""

assert set(HOLDERS) == set(State) - FINAL

RESULT_STATES = frozenset({S.SIGNED, S.RESULT_COLLECTED, S.RESULT_IN_TRANSIT, S.READY})


def leg_of(state: State) -> Leg:
    """Return which way a packet in `state` travels: out to the department, or back with the result."""
    return Leg.BACK if state in RESULT_STATES else Leg.OUT


def allowed(move: Move, from_state: State | None, to_state: State) -> bool:
    """Tell whether `move` may lead from `from_state` to `to_state`."""
    return (from_state, to_state) in MOVES[move]
