"""The promised date: the steps that a packet still has before it, and the runs that carry it, one after the other."""

from __future__ import annotations

from datetime import datetime

from config.services import Route
from models.packet import Leg
from routing import timetable
from workflow.timing import Timing, route_of

CARRIED = {"carry": Leg.OUT, "carry_result": Leg.BACK}
"""Steps that wait for a run, whether or not the text limits them."""


def promised(
    timing: Timing, *, service: str, channel: str, origin: str, department: str, at: datetime
) -> datetime | None:
    """Return when the result of an application accepted at `at` is promised for; None where there is no such route.

    Every step takes its whole limit, and papers go with the first run that they can reach, so that the promise is
    late rather than broken. Where results are handed out within the working day, it is the end of that day.
    """
    key = ("promise", service, channel, origin, department, at)
    return timing.once(
        key,
        lambda: _promised(timing, route_of(service, channel), origin=origin, department=department, at=at),
    )


def _promised(
    timing: Timing, route: Route | None, *, origin: str, department: str, at: datetime
) -> datetime | None:
    if route is None:
        return None
    moment = at
    travels = route.step("collect") is not None
    for step in route.steps:
        place = department if step.at == "department" else origin
        if step.code in CARRIED:
            moment = _carried(timing, moment, leg=CARRIED[step.code], origin=origin, department=department)
        elif step.code == "collect" or (step.code == "accept" and travels) or step.limit is None:
            continue  # Waits for the run, is over when the receipt is printed, or has no limit.
        else:
            moment = timing.due([step.limit.as_json()], moment, office=place)
    return moment


def _carried(timing: Timing, ready: datetime, *, leg: Leg, origin: str, department: str) -> datetime:
    source, target = (origin, department) if leg is Leg.OUT else (department, origin)
    centre = timetable.carrier(leg=leg, origin=source, destination=target)
    departs = timing.departure(ready, centre=centre)
    return timing.hours(target).add_minutes(departs, timing.settings.run_minutes)
