"""The timetable: when couriers leave, and whose courier carries what. Pure: the calendar comes as an argument."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from config.calendar import Calendar
from config.clock import ALMATY, local
from config.errors import SettingsError
from config.language import Text
from config.offices import centre_of, department_of, office
from config.settings import settings
from models.packet import Leg

LONGEST_PAUSE = 366
"""Days without a run after which the settings must be wrong."""


class NoRunError(SettingsError):
    """A centre has no run in a whole year. Fact: `centre`."""

    code = "no_run"
    text = Text(
        "No courier of the centre {centre} leaves within a year: give it run times at which it is open, "
        "and look at its dates with `shabarman calendar list`."
    )


def departures(after: datetime, *, centre: str, dates: Calendar) -> Iterator[datetime]:
    """Yield the departures of a centre's courier that come after the moment `after`, without end.

    A run leaves at a time of its centre when the centre is open, on days on which the department of its district
    works too: on Saturdays and days off there is nobody to take papers over. Raises NoRunError.
    """
    own, department = dates.of(centre), dates.of(department_of(office(centre).district).code)
    day, idle = local(after).date(), 0
    while idle <= LONGEST_PAUSE:
        idle += 1
        if department.works_on(day):
            for at in dates.run_times_of(centre):
                departs = datetime.combine(day, at, tzinfo=ALMATY)
                if departs > after and own.is_open(departs):
                    idle = 0
                    yield departs
        day += timedelta(days=1)
    raise NoRunError(centre=centre)


def next_departure(after: datetime, *, centre: str, dates: Calendar) -> datetime:
    """Return the first departure after a moment at which a packet is ready to go, the cut-off counted in."""
    return next(departures(after + cut_off(), centre=centre, dates=dates))


def cut_off() -> timedelta:
    """Return how long before its departure a run takes no new packets."""
    return timedelta(minutes=settings().cut_off_minutes)


def carrier(*, leg: Leg, origin: str, destination: str) -> str:
    """Return the code of the centre whose courier carries papers from `origin` to `destination`.

    A centre's courier brings its packets to the departments and the results back. Between two departments
    the courier of the sender's district goes.
    """
    place = office(destination if leg is Leg.BACK else origin)
    return place.code if place.kind == "centre" else centre_of(place.district).code
