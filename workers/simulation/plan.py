"""What will happen to each made-up application; the same seed plans the same days."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from config.errors import BadInputError
from config.language import Text
from config.offices import Office, akimats, districts, offices
from config.services import accepted_at, service

CHANNELS = {"centre": 0.62, "department": 0.30, "akimat": 0.08}
"""Share of the applications that each channel gets; the services that it accepts share them evenly."""

AT_HOME = 0.9
"""Share of applicants who go to the centre of the district in which they live."""
NEIGHBOURS = 2
"""Other districts from which people come to one centre."""

RUNS_A_DAY = 2


class Out(StrEnum):
    """What happens on the way to the department."""

    PLAIN = "plain"
    WITHDRAWN = "withdrawn"
    FOUND = "found"
    """Missing when the bag is closed; found at the department later."""
    FOUND_ELSEWHERE = "found_elsewhere"
    """The same, found at the department of another district."""
    NEVER_SENT = "never_sent"
    LOST = "lost"
    DAMAGED = "damaged"
    REFUSED = "refused"
    MISROUTED = "misrouted"
    """Put into the bag of another department."""
    UNEXPECTED = "unexpected"
    """Put into the bag without a scan."""
    REROUTED = "rerouted"
    """The applicant lives in another district than the papers say."""
    COLLECT_UNDONE = "collect_undone"
    TAKEN_OUT = "taken_out"
    RECEIVE_UNDONE = "receive_undone"
    REGISTER_UNDONE = "register_undone"


class Back(StrEnum):
    """What happens on the way back with the result."""

    PLAIN = "plain"
    FOUND = "found"
    NEVER_SENT = "never_sent"
    LOST = "lost"
    DAMAGED = "damaged"
    UNEXPECTED = "unexpected"
    MISDELIVERED = "misdelivered"
    """Brought to another centre, which gives it back to the courier."""
    RECEIVE_UNDONE = "receive_undone"
    HAND_OVER_UNDONE = "hand_over_undone"
    UNCLAIMED = "unclaimed"
    """Nobody fetches it for a month; only where there is a month."""


OUT_SHARES = {
    Out.WITHDRAWN: 0.010,
    Out.FOUND: 0.010,
    Out.FOUND_ELSEWHERE: 0.004,
    Out.NEVER_SENT: 0.008,
    Out.LOST: 0.003,
    Out.DAMAGED: 0.010,
    Out.REFUSED: 0.010,
    Out.MISROUTED: 0.010,
    Out.UNEXPECTED: 0.012,
    Out.REROUTED: 0.006,
    Out.COLLECT_UNDONE: 0.010,
    Out.TAKEN_OUT: 0.008,
    Out.RECEIVE_UNDONE: 0.010,
    Out.REGISTER_UNDONE: 0.008,
}
BACK_SHARES = {
    Back.FOUND: 0.008,
    Back.NEVER_SENT: 0.006,
    Back.LOST: 0.002,
    Back.DAMAGED: 0.006,
    Back.UNEXPECTED: 0.010,
    Back.MISDELIVERED: 0.006,
    Back.RECEIVE_UNDONE: 0.008,
    Back.HAND_OVER_UNDONE: 0.008,
}
"""Share of the packets that travel to which each of these happens; once at least, where there are packets enough."""
UNCLAIMED_SHARE = 0.012
"""Share of the results that nobody fetches, where weeks are played."""

SENT_BACK = 0.07
"""Share of drafts that the head sends back for completion."""
REFUSED = 0.12
"""Share of applications that are refused."""
POSTED = 0.3
"""Share of the results that are posted, where the department itself hands out what may be posted."""

Fate = TypeVar("Fate", bound=StrEnum)


class NothingToPlayError(BadInputError):
    """No office accepts what was asked for. Facts: `services`, `channels`."""

    code = "nothing_to_play"
    text = Text(
        "No office of {channels} accepts {services}. `shabarman services` shows what is accepted where."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """One made-up application."""

    serial: int
    run: int
    """Before which run it is brought: 0, 1, 2 …, two for each day."""
    service: str
    """Code of the service."""
    office: Office
    """Where it is brought."""
    home: str
    """District of the residence."""
    residence: str
    asked: str | None
    """District that the inspector asked for, where the name of the place alone does not tell."""
    out: Out
    back: Back
    rounds: int
    """How often the head sends the draft back."""
    refused: bool
    posted: bool
    """Whether the result is to be posted."""
    waits: int
    """Runs after which the applicant comes for the result."""

    @property
    def name(self) -> str:
        """Name of nobody."""
        return f"Applicant {self.serial:06d}"

    @property
    def travels(self) -> bool:
        """Whether the papers go to another office for the decision."""
        return travels(self.service, self.office.kind)


def travels(code: str, channel: str) -> bool:
    """Tell whether the papers of a service that is accepted at a kind of office are carried to another one."""
    return service(code).routes[channel].step("collect") is not None


def plan(
    *,
    packets: int,
    days: int,
    seed: int,
    wanted: Collection[str] = (),
    channels: Collection[str] = (),
    weeks: bool = False,
) -> list[Applicant]:
    """Plan `packets` applications over `days` days: all services and channels that the data has, or the wanted ones.

    Every district has some where there are enough; with `weeks` every office, and some results wait until nobody
    claims them.
    """
    dice = random.Random(seed)  # noqa: S311 - the same seed plans the same days
    ways = _ways(dice, packets, wanted, channels, weeks=weeks)
    carried = [place for place, (code, office) in enumerate(ways) if travels(code, office.kind)]
    backs_of = BACK_SHARES | ({Back.UNCLAIMED: UNCLAIMED_SHARE} if weeks else {})
    outs = dict(zip(carried, _dealt(dice, OUT_SHARES, Out.PLAIN, len(carried)), strict=True))
    backs = dict(zip(carried, _dealt(dice, backs_of, Back.PLAIN, len(carried)), strict=True))
    codes = [district.code for district in districts()]
    planned = []
    for place, (code, office) in enumerate(ways):
        away = dice.randint(1, NEIGHBOURS) if office.kind == "centre" and dice.random() > AT_HOME else 0
        home = codes[(codes.index(office.district) + away) % len(codes)]
        residence, asked = _residence(dice, home, office)
        planned.append(
            Applicant(
                serial=place + 1,
                run=dice.randrange(days * RUNS_A_DAY),
                service=code,
                office=office,
                home=home,
                residence=residence,
                asked=asked,
                out=outs.get(place, Out.PLAIN),
                back=backs.get(place, Back.PLAIN),
                rounds=sum(dice.random() < SENT_BACK for _ in range(2)),
                refused=dice.random() < REFUSED,
                posted=place not in backs and service(code).result_by_post and dice.random() < POSTED,
                waits=dice.choice((0, 0, 0, 1, 2)),
            )
        )
    return planned


def _ways(
    dice: random.Random, packets: int, wanted: Collection[str], channels: Collection[str], *, weeks: bool
) -> list[tuple[str, Office]]:
    """Return service and office of each application, in random order."""
    open_to = {
        channel: codes
        for channel in CHANNELS
        if (not channels or channel in channels)
        and (codes := [held.code for held in accepted_at(channel) if not wanted or held.code in wanted])
    }
    if not open_to:
        raise NothingToPlayError(services=", ".join(wanted), channels=", ".join(channels))
    shares = _shares(packets, list(open_to), every_office=weeks)
    found: list[tuple[str, Office]] = []
    for channel, codes in open_to.items():
        places = list(offices(channel))
        dice.shuffle(places)
        found += [
            # One step further in each round, so that every office sees every service.
            (codes[(turn + turn // len(places)) % len(codes)], places[turn % len(places)])
            for turn in range(shares[channel])
        ]
    dice.shuffle(found)
    return found


def _shares(packets: int, channels: Sequence[str], *, every_office: bool) -> dict[str, int]:
    """Return how many applications each channel gets; with `every_office` enough for all, where there are enough."""
    whole = sum(CHANNELS[channel] for channel in channels)
    shares = {channel: round(packets * CHANNELS[channel] / whole) for channel in channels}
    if every_office and packets >= 2 * sum(len(offices(channel)) for channel in channels):
        shares = {channel: max(share, len(offices(channel))) for channel, share in shares.items()}
    largest = max(shares, key=lambda channel: shares[channel])
    shares[largest] += packets - sum(shares.values())
    return shares


def _residence(dice: random.Random, home: str, office: Office) -> tuple[str, str | None]:
    """Return a place of the district `home` as applicants say it, and the district if it has to be asked.

    Applicants of an akimat live in one of its own places.
    """
    villages = [office] if office.kind == "akimat" else akimats(home)
    whole = next(district for district in districts() if district.code == home)
    if not villages or (office.kind != "akimat" and dice.random() < 0.2):
        return dice.choice((whole.name_kk, whole.name_ru)), home
    village = dice.choice(villages)
    place = dice.choice(village.places)
    return dice.choice(
        (
            (village.code, None),
            (place.kk, home),
            (place.ru, home),
            (f"{whole.name_kk}, {place.kk}", None),
        )
    )


def _dealt(dice: random.Random, shares: dict[Fate, float], plain: Fate, packets: int) -> Sequence[Fate]:
    """Return one fate for each packet, in random order."""
    dealt = [
        fate
        for fate, share in shares.items()
        for _ in range(max(round(share * packets), int(2 * packets >= 3 * len(shares))))
    ]
    dealt += [plain] * (packets - len(dealt))
    dice.shuffle(dealt)
    return dealt
