"""The way of a packet in a few steps, for those who only want to know how far it is."""

from __future__ import annotations

from dataclasses import dataclass

from config.language import Text
from models.packet import State

ACCEPTED = Text("Accepted")
ON_THE_WAY = Text("On the way to the department")
EXAMINED = Text("Being examined")
DECIDED = Text("Decided")
COMING_BACK = Text("On the way back")
READY = Text("Ready to be handed out")
HANDED_OVER = Text("Handed over")

BY_COURIER: tuple[tuple[Text, frozenset[State]], ...] = (
    (ACCEPTED, frozenset({State.ACCEPTED, State.COLLECTED})),
    (ON_THE_WAY, frozenset({State.IN_TRANSIT})),
    (
        EXAMINED,
        frozenset(
            {State.RECEIVED, State.REGISTERED, State.WITH_HEAD, State.WITH_EXECUTOR, State.FOR_SIGNATURE}
        ),
    ),
    (DECIDED, frozenset({State.SIGNED, State.RESULT_COLLECTED})),
    (COMING_BACK, frozenset({State.RESULT_IN_TRANSIT})),
    (READY, frozenset({State.READY})),
    (HANDED_OVER, frozenset({State.HANDED_OVER})),
)
DIRECT: tuple[tuple[Text, frozenset[State]], ...] = (
    (ACCEPTED, frozenset({State.ACCEPTED})),
    (EXAMINED, frozenset({State.WITH_HEAD, State.WITH_EXECUTOR, State.FOR_SIGNATURE})),
    (READY, frozenset({State.SIGNED})),
    (HANDED_OVER, frozenset({State.HANDED_OVER})),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the way."""

    name: Text
    done: bool
    now: bool


def stages(state: State, *, direct: bool) -> tuple[Stage, ...]:
    """Return the steps of a packet's way; none where it left the way (missing, lost, withdrawn)."""
    way = DIRECT if direct else BY_COURIER
    place = next((place for place, (_name, states) in enumerate(way) if state in states), None)
    if place is None:
        return ()
    return tuple(
        Stage(name=name, done=at < place or state is State.HANDED_OVER, now=at == place)
        for at, (name, _states) in enumerate(way)
    )
