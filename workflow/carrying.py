"""Carrying: the courier takes a sealed bag by one scan."""

from typing import Any

from config.language import Text
from models.manifest import ManifestState
from models.packet import State
from models.scan import Verdict
from models.staff import Role
from workflow.desk import Bag, Desk, Holder
from workflow.moves import Move
from workflow.protocol import Answer, Scanned, answer

DEPARTED = Text(
    "Manifest {manifest}: {count} packet is yours until {office} receives it.",
    "Manifest {manifest}: {count} packets are yours until {office} receives them.",
)
NOT_SEALED = Text(
    "Manifest {manifest} is not sealed yet. Ask the accumulation section to seal it, then scan again."
)
ON_THE_WAY = Text("Manifest {manifest} already left on {at} with {who}. Nothing more to do.")
ARRIVED = Text("Manifest {manifest} has been taken over by {office}. Nothing more to do.")
OTHER_COURIER = Text("Manifest {manifest} is carried by the courier of {office}. Leave it there.")


def scan(desk: Desk, scanned: Scanned, bag: Bag) -> Answer:
    """Hand a sealed manifest and all its packets to the courier."""
    facts: dict[str, Any] = {"manifest": bag.number, "office": bag.destination}
    if bag.centre != desk.by.office:
        return answer(
            Verdict.ELSEWHERE, OTHER_COURIER, code=bag.number, manifest=bag.number, office=bag.centre
        )
    match bag.state:
        case ManifestState.OPEN:
            return answer(Verdict.WRONG_STATE, NOT_SEALED, code=bag.number, manifest=bag.number)
        case ManifestState.SEALED:
            cards = desk.cards_in(bag)
            # The whole bag must be on the desk: a packet left behind would be carried without a holder.
            assert len(cards) == bag.listed
            for card in cards:
                to = State.IN_TRANSIT if card.state is State.COLLECTED else State.RESULT_IN_TRANSIT
                desk.move(
                    card,
                    Move.DEPART,
                    to,
                    holder=Holder(desk.by.office, Role.COURIER, desk.by.id),
                    bag=bag,
                    scanned=scanned,
                )
            desk.advance(bag, ManifestState.IN_TRANSIT)
            return answer(Verdict.TAKEN, DEPARTED, code=bag.number, count=len(cards), **facts)
        case ManifestState.IN_TRANSIT:
            assert bag.departed_at is not None
            assert bag.courier_id is not None
            return answer(
                Verdict.ALREADY,
                ON_THE_WAY,
                code=bag.number,
                manifest=bag.number,
                at=bag.departed_at.isoformat(),
                who=desk.names(bag.courier_id),
            )
        case _:
            return answer(Verdict.CLOSED, ARRIVED, code=bag.number, **facts)
