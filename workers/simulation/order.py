"""What is to be played, as whoever calls `shabarman simulate` orders it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from config.clock import ALMATY
from config.errors import BadInputError
from config.language import Text
from config.offices import offices
from config.working_time import ONE_DAY
from workers.simulation.plan import Applicant, plan
from workers.simulation.weeks import MOST_DAYS_AFTER
from workflow.timing import Timing


class TooRecentError(BadInputError):
    """The weeks reach beyond today. Fact: `latest`."""

    code = "too_recent"
    text = Text(
        "These days and the time until the last result would reach beyond today. Begin on {latest} or before: --from."
    )


class BesideServicesError(BadInputError):
    """Weeks go by a clock of their own, and the sweeps of services by the real one."""

    code = "beside_services"
    text = Text(
        "Weeks (--from) go by a clock of their own and cannot be played beside running services: leave --running out, "
        "and name a database and a folder for them alone."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How many applications, over how many days, which ones, and whether by the calendar."""

    packets: int
    days: int
    seed: int
    first: date | None = None
    """The first date of weeks by the calendar; None for courier days as fast as they go."""
    services: tuple[str, ...] = ()
    """Codes of the services to play; all, when empty."""
    channels: tuple[str, ...] = ()

    def applicants(self, *, today: date) -> list[Applicant]:
        """Plan the applications; raise TooRecentError, or NothingToPlayError."""
        if self.first is not None:
            latest = today - (self.days + MOST_DAYS_AFTER) * ONE_DAY
            if self.first > latest:
                raise TooRecentError(latest=latest.isoformat())
        return plan(
            packets=self.packets,
            days=self.days,
            seed=self.seed,
            wanted=self.services,
            channels=self.channels,
            weeks=self.first is not None,
        )

    def start(self, now: datetime) -> datetime:
        """Return the first moment: behind us, so that no packet of tomorrow lies in the database today."""
        if self.first is None:
            return now - timedelta(days=2 * self.days + 20)
        return datetime.combine(self.first, time(0), tzinfo=ALMATY)

    def days_off(self, timing: Timing) -> list[date]:
        """Return the dates of the order, from Monday to Friday, on which departments do not work."""
        assert self.first is not None
        hours = timing.hours(offices("department")[0].code)
        dates = [self.first + number * ONE_DAY for number in range(self.days)]
        return [day for day in dates if day.weekday() < 5 and not hours.works_on(day)]
