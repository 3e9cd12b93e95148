"""The scan protocol: what a client sends, and what it is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from barcodes.numbers import grouped
from config.dates import moment_in
from config.language import Text
from config.offices import office
from models.packet import State
from models.scan import Station, Verdict

STATES: dict[State, Text] = {
    State.ACCEPTED: Text("accepted"),
    State.COLLECTED: Text("on a manifest, not yet sent"),
    State.IN_TRANSIT: Text("with the courier, on the way to the department"),
    State.RECEIVED: Text("at the department, not yet registered"),
    State.REGISTERED: Text("registered at the department"),
    State.WITH_HEAD: Text("with the head for the resolution"),
    State.WITH_EXECUTOR: Text("with the executor"),
    State.FOR_SIGNATURE: Text("with the head for signature"),
    State.SIGNED: Text("signed, the result is not yet sent"),
    State.RESULT_COLLECTED: Text("the result is on a manifest, not yet sent"),
    State.RESULT_IN_TRANSIT: Text("the result is with the courier"),
    State.READY: Text("the result is ready to be handed out"),
    State.MISSING: Text("missing"),
    State.HANDED_OVER: Text("handed over to the applicant"),
    State.WITHDRAWN: Text("withdrawn by the applicant"),
    State.LOST: Text("lost"),
}
"""How people call the states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """One reading of one code, as a page, a handheld or an offline queue sends it."""

    id: str
    """Made by the client, 1 to 64 characters; the same id gets the same answer for ever."""
    raw: str
    """The code as read, before any repair."""
    station: Station
    """What the person is doing."""
    at: datetime
    """The client's time of the scan, aware."""
    device: str = "keyboard"
    """Scanner, camera, keyboard or the name of a handheld."""
    manifest: str | None = None
    """Number of the manifest that the person works on, where the page has one open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one scan; stored with it, so that the same scan gets the same answer for ever."""

    verdict: Verdict
    say: Text
    """What happened and what to do next; its places are filled from `facts`."""
    code: str | None = None
    """The number that was read, in digits alone."""
    state: State | None = None
    """State of the packet after the scan."""
    facts: dict[str, Any] = field(default_factory=dict)
    """JSON values: office codes, moments in ISO 8601, names of states; `sentence` makes words of them."""

    def stored(self) -> dict[str, Any]:
        """Return the JSON that the scan keeps."""
        kept = {"say": self.say.message, "state": self.state and self.state.value, "facts": self.facts}
        return kept | {"many": [self.say.plural, self.say.number]} if self.say.plural else kept

    @classmethod
    def restored(cls, *, verdict: Verdict, code: str | None, answer: dict[str, Any]) -> Answer:
        """Return the answer that a stored scan got."""
        state, forms = answer["state"], answer.get("many", ())
        return cls(
            verdict=verdict,
            say=Text(answer["say"], *forms),
            code=code,
            state=None if state is None else State(state),
            facts=answer["facts"],
        )

    def sentence(self, language: str) -> str:
        """Return what to say to a person, in `language`."""
        return self.say.render(
            language, **{name: _shown(name, value, language) for name, value in self.facts.items()}
        )


def _shown(name: str, value: Any, language: str) -> object:  # noqa: ANN401 - a JSON value
    match name:
        case "number" | "manifest":
            return grouped(value)
        case "office" | "sender":
            place = office(value)
            return place.name_kk if language == "kk" else place.name_ru
        case "at":
            return moment_in(language, datetime.fromisoformat(value))
        case "state_name":
            return STATES[State(value)].render(language)
        case _:
            return value


def already(state: State, *, code: str, at: datetime, who: str) -> Answer:
    """Answer that this was done before: who did it, and when; nothing changes."""
    return answer(
        Verdict.ALREADY,
        Text("Packet {number}: already done by {who} on {at}. It is {state_name}. Nothing more to do."),
        code=code,
        state=state,
        number=code,
        who=who,
        at=at.isoformat(),
        state_name=state.value,
    )


def wrong_state(card_state: State, say: Text, *, code: str, **facts: Any) -> Answer:  # noqa: ANN401 - JSON values
    """Answer that the packet is not where this station expects it, with what to do instead."""
    return answer(
        Verdict.WRONG_STATE,
        say,
        code=code,
        state=card_state,
        number=code,
        **{"state_name": card_state.value, **facts},
    )


def answer(
    verdict: Verdict,
    say: Text,
    *,
    code: str | None = None,
    state: State | None = None,
    **facts: Any,  # noqa: ANN401 - JSON values
) -> Answer:
    """Return an answer with its facts."""
    return Answer(verdict=verdict, say=say, code=code, state=state, facts=facts)
