"""The papers themselves: where each one really is, whatever the database says."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.packet import Leg
from workers.simulation.plan import Applicant, Back, Out
from workflow.people import Actor


@dataclass(slots=True, eq=False)
class Paper:
    """One packet of real papers."""

    applicant: Applicant
    origin: str
    """Code of the office that accepted it."""
    department: str
    """Code of the department that decides."""
    out: Out
    """What is still to happen on the way out; plain afterwards."""
    back: Back
    """What is still to happen on the way back; plain afterwards."""
    rounds: int
    """How often the draft is still to be sent back."""
    number: str = ""
    bag: Bag | None = None
    """The manifest on which it is listed and not settled."""
    missing_from: str | None = None
    """Office that sent it, while it is missing."""
    executor: Actor | None = None
    """Whom the head named last."""
    unclaimed: bool = False
    """Whether nobody fetched it for a month, so that it goes back."""
    finished: bool = False

    @property
    def direct(self) -> bool:
        """Whether it is decided where it was accepted."""
        return self.origin == self.department


@dataclass(slots=True, eq=False)
class Bag:
    """One bag with its manifest."""

    number: str
    origin: str
    destination: str
    leg: Leg
    sealed: bool = False
    listed: list[Paper] = field(default_factory=list)
    inside: list[Paper] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Room:
    """What lies where in one office."""

    to_send: list[Paper] = field(default_factory=list)
    """To be put on a manifest: applications, papers that belong elsewhere, and results."""
    to_pass: list[Paper] = field(default_factory=list)
    """Accepted where they are decided; to be passed to the head."""
    to_register: list[Paper] = field(default_factory=list)
    to_draft: list[Paper] = field(default_factory=list)
    to_hand_over: list[tuple[int, Paper]] = field(default_factory=list)
    """Results, and the run after which the applicant comes."""
    bags: dict[str, Bag] = field(default_factory=dict)
    """Bags that are being filled, by the number of their manifest."""
    arrived: list[Bag] = field(default_factory=list)
    strays: list[Paper] = field(default_factory=list)
    """Papers that arrived without a bag of theirs."""
