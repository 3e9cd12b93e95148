"""Which step of the regulation a packet is in, and until when: the clocks of the steps, without a database.

A clock opens when a packet enters a step and closes when it goes on. Some steps follow each other at one desk without
anything that a scan could show (the executor examines, then prepares): they share one clock, whose limits follow
each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from config.calendar import Calendar
from config.services import Route, Step, service
from config.settings import Settings
from config.working_time import WorkingTime
from models.deadline import Ending
from models.packet import State
from models.staff import Role
from routing import timetable
from workflow.moves import Move, leg_of

Result = TypeVar("Result")

STEPS: dict[State, tuple[tuple[str, ...], ...]] = {
    # Where papers travel, acceptance is over when the receipt is given; else it ends when the head has them.
    State.ACCEPTED: (("collect",), ("accept",)),
    State.COLLECTED: (("carry",),),
    State.IN_TRANSIT: (("carry",),),
    State.RECEIVED: (("register",),),
    State.REGISTERED: (("pass_to_head",), ("register",)),
    State.WITH_HEAD: (("resolve",),),
    State.WITH_EXECUTOR: (("prepare", "examine"),),
    State.FOR_SIGNATURE: (("sign",),),
    # A result that travels is passed to the office and sent; one that is fetched here is handed over.
    State.SIGNED: (("send", "complete"), ("hand_over",)),
    State.RESULT_COLLECTED: (("carry_result",),),
    State.RESULT_IN_TRANSIT: (("carry_result",),),
    State.READY: (("hand_over", "take_over"),),
}
"""State → alternatives; the first one counts whose first step the route has. Other states have no clock."""

AWAY = (("collect",),)
"""The step of a packet that lies at an office that is not its department: it goes on with the next run."""

SENT_BACK = (("complete",), ("prepare",))
"""The steps of an executor who completes what the head sent back."""

REWINDS = frozenset({Move.UNDO, Move.TAKE_OUT, Move.NEVER_SENT})
"""Moves after which a step goes on that was thought to be done: its clock runs on as if it had never stopped."""

RESTARTS = frozenset({Move.TURN_UP})
"""Moves after which even the same step begins anew, because another office has the papers now."""

LEAVES = frozenset({Move.MISS, Move.WITHDRAW, Move.TURN_UP, Move.REROUTE, Move.TAKE_BACK})
"""Moves that end a step without its being done."""


UNCLAIMED = "unclaimed"
"""Remark of a result that nobody fetched, on its way back to the department and there: no step limits that."""

_GOING_BACK = frozenset({State.SIGNED, State.RESULT_COLLECTED, State.RESULT_IN_TRANSIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A packet as it stands after one move."""

    packet_id: int
    seq: int
    """Number of the event."""
    move: Move
    state: State
    at: datetime
    service: str
    channel: str
    origin: str
    department: str
    office: str | None
    """Who holds it; None when its way is over."""
    role: Role | None
    holder_id: int | None
    round: int
    unclaimed: bool = False
    departs_at: datetime | None = None
    """Planned departure of the manifest that the move put it on, where it did."""


@dataclass(slots=True, kw_only=True, eq=False)
class Clock:
    """One row of `deadlines`; `id` is None before it is written."""

    id: int | None = None
    packet_id: int
    seq: int
    step: str
    round: int
    office: str
    holder_role: Role
    holder_id: int | None
    limits: list[dict[str, Any]]
    opened_at: datetime
    due_at: datetime
    told: int = 0
    next_at: datetime | None = None
    closed_at: datetime | None = None
    ending: Ending | None = None
    late_minutes: int | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)


def route_of(service_code: str, channel: str) -> Route | None:
    """Return the route of a packet; None where its service no longer has the channel."""
    return service(service_code).routes.get(channel)


def steps_of(entered: Entered) -> tuple[Step, ...]:
    """Return the steps that a packet is in, one after the other; none where no step of its route fits its state."""
    route = route_of(entered.service, entered.channel)
    if route is None or entered.office is None or (entered.unclaimed and entered.state in _GOING_BACK):
        return ()
    alternatives = STEPS.get(entered.state, ())
    if entered.state is State.RECEIVED and entered.office != entered.department:
        alternatives = AWAY
    elif entered.state is State.WITH_EXECUTOR and entered.round > 1:
        alternatives = SENT_BACK
    for codes in alternatives:
        if route.step(codes[0]) is not None:
            # In the order of the route, whatever the order here.
            return tuple(step for step in route.steps if step.code in codes)
    return ()


class Timing:
    """The rules of the clocks, with the calendar and the settings that they need."""

    def __init__(self, calendar: Calendar, settings: Settings) -> None:
        """Count by `calendar`."""
        self.calendar, self.settings = calendar, settings
        self._known: dict[tuple[object, ...], Any] = {}

    def once(self, key: tuple[object, ...], count: Callable[[], Result]) -> Result:
        """Return what `count` returned the first time for `key`: packets of one list often share their times."""
        if key not in self._known:
            self._known[key] = count()
        found: Result = self._known[key]
        return found

    def hours(self, office: str) -> WorkingTime:
        """Return the working time of an office."""
        return self.calendar.of(office)

    def due(self, limits: Iterable[Mapping[str, Any]], opened_at: datetime, *, office: str) -> datetime:
        """Return when the last of `limits` is over that begin at `opened_at`, each with the end of the one before."""
        limits = tuple(limits)
        key = ("due", *(tuple(limit.items()) for limit in limits), opened_at, office)
        return self.once(key, lambda: self._due(limits, opened_at, office=office))

    def _due(self, limits: Sequence[Mapping[str, Any]], opened_at: datetime, *, office: str) -> datetime:
        moment, hours = opened_at, self.hours(office)
        for limit in limits:
            match limit:
                case {"minutes": minutes}:
                    moment = hours.add_minutes(moment, minutes)
                case {"working_days": days}:
                    moment = hours.add_working_days(moment, days)
                case {"days": days}:
                    moment = hours.add_days(moment, days)
                case {"within": _}:
                    moment = hours.end_of_working_day(moment)
                case {"until": until}:
                    moment = datetime.fromisoformat(until)
                case {"departs_at": departs_at, "centre": centre}:
                    # The first run from then on: the calendar may have changed since.
                    before = datetime.fromisoformat(departs_at) - timedelta(microseconds=1)
                    moment = next(timetable.departures(before, centre=centre, dates=self.calendar))
                    if "to" in limit:
                        moment = self.hours(limit["to"]).add_minutes(moment, self.settings.run_minutes)
        return moment

    def departure(self, ready: datetime, *, centre: str) -> datetime:
        """Return the departure of the first run of a centre that papers reach which are ready at a moment."""
        return self.once(
            ("departure", ready, centre),
            lambda: timetable.next_departure(ready, centre=centre, dates=self.calendar),
        )

    def limits(self, entered: Entered, steps: Sequence[Step]) -> list[dict[str, Any]]:
        """Return the limits of `steps` as a clock keeps them; runs are named by their departure."""
        found: list[dict[str, Any]] = []
        for step in steps:
            if step.limit is None:
                continue
            if step.limit.unit == "runs_per_day":
                found.append({"step": step.code} | step.limit.as_json() | self._run(entered, step.code))
            else:
                found.append({"step": step.code} | step.limit.as_json())
        return found

    def _run(self, entered: Entered, step: str) -> dict[str, str]:
        assert entered.office is not None
        leg = leg_of(entered.state)
        to = entered.origin if step == "carry_result" else entered.department
        centre = timetable.carrier(leg=leg, origin=entered.office, destination=to)
        departs_at = entered.departs_at
        if departs_at is None or departs_at < entered.at:
            departs_at = self.departure(entered.at, centre=centre)
        run = {"departs_at": departs_at.isoformat(), "centre": centre}
        return run if step == "collect" else run | {"to": to}

    def follow(self, known: Sequence[Clock], entered: Entered) -> Clock | None:
        """Close, continue or reopen the clocks of one packet after a move, and return the new clock, if one opens.

        `known` are its clocks in the order in which they opened; those that are closed are needed after a move of
        REWINDS and after a sending back only.
        """
        running = next((clock for clock in known if clock.closed_at is None), None)
        steps = steps_of(entered)
        step = steps[-1].code if steps else None
        if running is not None and running.step == step and self._goes_on(running, entered):
            self._hand_on(running, entered)
            return None
        if running is not None:
            self.close(running, at=entered.at, ending=_ending(entered))
        if step is None:
            return None
        if entered.move in REWINDS:
            stopped = _last(known, step)
            if stopped is not None:
                self._reopen(stopped, entered)
                return None
        limits = self._after_sending_back(known, entered, steps) or self.limits(entered, steps)
        return self._open(entered, step, limits) if limits else None

    def accepted(self, entered: Entered) -> list[Clock]:
        """Return the clocks of a packet that is accepted now; acceptance itself, where it is over, comes first."""
        route = route_of(entered.service, entered.channel)
        clocks = []
        if route is not None and steps_of(entered) and steps_of(entered)[0].code != "accept":
            first = route.steps[0]
            limits = self.limits(entered, (first,))
            if limits:
                clocks.append(self._open(entered, first.code, limits))
                self.close(clocks[0], at=entered.at, ending=Ending.DONE)
        opened = self.follow((), entered)
        return [*clocks, opened] if opened is not None else clocks

    def _goes_on(self, running: Clock, entered: Entered) -> bool:
        return running.round == entered.round and entered.move not in RESTARTS

    def _open(self, entered: Entered, step: str, limits: list[dict[str, Any]]) -> Clock:
        assert entered.office is not None
        assert entered.role is not None
        clock = Clock(
            packet_id=entered.packet_id,
            seq=entered.seq,
            step=step,
            round=entered.round,
            office=entered.office,
            holder_role=entered.role,
            holder_id=entered.holder_id,
            limits=limits,
            opened_at=entered.at,
            due_at=self.due(limits, entered.at, office=entered.office),
        )
        clock.next_at = self.threshold(clock)
        return clock

    def _hand_on(self, clock: Clock, entered: Entered) -> None:
        assert entered.office is not None
        assert entered.role is not None
        clock.office, clock.holder_role, clock.holder_id = entered.office, entered.role, entered.holder_id

    def _reopen(self, clock: Clock, entered: Entered) -> None:
        clock.closed_at = clock.ending = clock.late_minutes = None
        self._hand_on(clock, entered)
        clock.next_at = self.threshold(clock)
        clock.changes = [*clock.changes, {"at": entered.at.isoformat(), "why": entered.move.value}]

    def _after_sending_back(
        self, known: Sequence[Clock], entered: Entered, steps: Sequence[Step]
    ) -> list[dict[str, Any]] | None:
        """Return the limits of what was sent back, by the rule of the route; None for the step's own ones."""
        route = route_of(entered.service, entered.channel)
        if entered.move is not Move.SEND_BACK or route is None or route.sent_back == "restarts":
            return None
        before = next(
            (clock for clock in reversed(known) if clock.holder_role is Role.EXECUTOR and clock.closed_at),
            None,
        )
        if before is None:
            return None
        code = steps[-1].code
        if route.sent_back == "runs_on":
            return [{"step": code, "until": before.due_at.isoformat()}]
        assert before.closed_at is not None
        left = self.hours(before.office).minutes_between(before.closed_at, before.due_at)
        return [{"step": code, "minutes": max(left, 0)}]

    def close(self, clock: Clock, *, at: datetime, ending: Ending) -> None:
        """Stop a clock, and measure by how many working minutes it is late, if it is."""
        clock.closed_at, clock.ending, clock.next_at = at, ending, None
        if at > clock.due_at:
            since = max(clock.due_at, clock.opened_at)
            clock.late_minutes = self.hours(clock.office).minutes_between(since, at)

    def threshold(self, clock: Clock) -> datetime | None:
        """Return when the next threshold of a running clock may be told, in working hours; None after the last."""
        key = ("threshold", clock.office, clock.opened_at, clock.due_at, clock.told)
        return self.once(key, lambda: self._threshold(clock))

    def _threshold(self, clock: Clock) -> datetime | None:
        hours = self.hours(clock.office)
        match clock.told:
            case 0:
                near = hours.between(clock.opened_at, clock.due_at) * self.settings.near_share
                moment = hours.add(clock.opened_at, max(near, timedelta(0)))
                moment = min(moment, max(clock.due_at, clock.opened_at))
            case 1:
                moment = clock.due_at
            case 2:
                moment = hours.add_minutes(clock.due_at, self.settings.head_after_minutes)
            case 3:
                moment = hours.add_minutes(clock.due_at, self.settings.operator_after_minutes)
            case _:
                return None
        return hours.next_open(moment)


def _ending(entered: Entered) -> Ending:
    if entered.move in REWINDS:
        return Ending.UNDONE
    unfinished = entered.move in LEAVES or (entered.unclaimed and entered.move is Move.COLLECT)
    return Ending.LEFT if unfinished else Ending.DONE


def _last(known: Sequence[Clock], step: str) -> Clock | None:
    return next((clock for clock in reversed(known) if clock.step == step and clock.ending is not None), None)
