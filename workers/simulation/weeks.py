"""Weeks by the regulation's own time: each step at its own moment, runs by the timetable, sweeps, days off.

Unlike courier days, nothing is done as fast as possible: people take a share of the limit of each step, some are late
and explain it, executors are absent, couriers do not come, and results wait until nobody claims them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial

from sqlalchemy import select

from config.clock import ALMATY, local
from config.offices import offices
from config.services import service
from config.working_time import ONE_DAY
from models import Manifest, Run
from models.manifest import ManifestState
from models.staff import Role
from routing import timetable
from workers.simulation import accepting, deciding, handing, receiving, searching, sending
from workers.simulation.agenda import Agenda
from workers.simulation.days import UnfinishedError
from workers.simulation.explaining import explain_delays
from workers.simulation.pace import Pace
from workers.simulation.papers import Bag, Paper
from workers.simulation.plan import Applicant, Back
from workers.simulation.stage import Stage
from workers.simulation.sweeps import Sweeps
from workflow import referring
from workflow.deciding import absent
from workflow.handing import claim_days
from workflow.timing import Timing

MOST_DAYS_AFTER = 75
"""Days after the last applicant came; what is under way even then goes in circles."""

ONE_HOUR = timedelta(hours=1)
EARLY, LATE = time(9, 5), time(17, 30)
"""When people look at what waits too long, and when they explain why they were late."""

COURIER_IS_MISSING = 0.01
"""Share of the runs to which the courier does not come."""
BAG_IS_LEFT = 0.01
"""Share of the bags that the courier does not take."""
TOGETHER = 0.3
"""Share of the resolutions with which a head takes everything that lies there."""
ABSENCES = 0.4
"""Share of the departments whose executor is absent for some days."""
SLIPS = 0.8
"""Share of the referrals whose slip the employer sends back."""


class Weeks:
    """The director: what is done follows what was done before, each at the moment that the pace gives it."""

    def __init__(
        self, stage: Stage, timing: Timing, *, first: date, days: int, pause: Callable[[], None]
    ) -> None:
        """Play on `stage` from the date `first` on; `pause` waits until the news so far is told."""
        self.stage, self.timing, self.pause = stage, timing, pause
        self.first, self.days = first, days
        self.agenda, self.pace = Agenda(), Pace(timing, stage.dice)
        self.centres = [place.code for place in offices("centre")]
        self.sweeps = Sweeps(stage, start=_at(first, time(9)))
        self.expected = 0
        self.with_head: defaultdict[str, list[Paper]] = defaultdict(list)
        self.unclaimed: list[tuple[datetime, Paper]] = []
        self.runs_go_on = True

    def play(self, applicants: Sequence[Applicant], *, on_day: Callable[[int], None]) -> int:
        """Play until every packet is at its end; return how many runs there were. Raises UnfinishedError."""
        self.expected = len(applicants)
        for applicant in applicants:
            visit = self.pace.visit(applicant, first=self.first, days=self.days)
            self.agenda.enter(visit, partial(self._visit, applicant))
        self._plan_absences()
        self._plan_run(_at(self.first, time(0)))
        self._plan_day(self.first, on_day)
        last = _at(self.first, time(0)) + (self.days + MOST_DAYS_AFTER) * ONE_DAY
        while (ahead := self.agenda.take()) is not None:
            moment, happening = ahead
            if moment > last:
                left = [paper.number for paper in self.stage.papers if not paper.finished]
                raise UnfinishedError(numbers=", ".join(left[:5]))
            self.sweeps.until(moment)
            self.stage.hands.begin(moment)
            happening()
        explain_delays(self.stage)
        return self.stage.run

    def _nothing_moves(self) -> bool:
        """Tell whether every packet is at its end, or waits for an applicant who does not come."""
        papers = self.stage.papers
        left = sum(not paper.finished for paper in papers)
        return len(papers) == self.expected and left == len(self.unclaimed)

    def _then(self, step: str, paper: Paper, here: str, happening: Callable[[Paper], None]) -> None:
        moment = self.pace.moment(paper, step, here=here, now=self.stage.hands.now)
        self.agenda.enter(moment, partial(happening, paper))

    # At the counter, and where papers are decided

    def _visit(self, applicant: Applicant) -> None:
        accepting.accept(self.stage, [applicant])
        self._pick_up(applicant.office.code)

    def _pick_up(self, here: str) -> None:
        """Take what was laid to be passed on, registered or handed over, each in its own time."""
        room = self.stage.rooms[here]
        for paper in room.to_pass:
            self._then("accept", paper, here, self._pass_on)
        for paper in room.to_register:
            self._then("register", paper, here, self._register)
        for _, paper in room.to_hand_over:
            if paper.back is Back.UNCLAIMED and not paper.unclaimed:
                self.unclaimed.append((self.stage.hands.now, paper))
            else:
                self._then("hand_over", paper, here, partial(self._give, here))
        room.to_pass, room.to_register, room.to_hand_over = [], [], []

    def _register(self, paper: Paper) -> None:
        deciding.register(self.stage, paper.department, [paper])
        self._then("pass_to_head", paper, paper.department, self._pass_on)

    def _pass_on(self, paper: Paper) -> None:
        here = paper.department
        deciding.pass_on(self.stage, here, [paper])
        self.with_head[here].append(paper)
        self._then("resolve", paper, here, self._resolve)

    def _resolve(self, paper: Paper) -> None:
        here = paper.department
        waiting = self.with_head[here]
        if paper not in waiting:
            return  # It was among those that the head took together.
        taken = list(waiting) if self.stage.chance(TOGETHER) else [paper]
        self.with_head[here] = [other for other in waiting if other not in taken]
        self.stage.did["resolved together"] += len(taken) if len(taken) > 1 else 0
        deciding.resolve(self.stage, here, taken)
        for resolved in taken:
            self._then("prepare", resolved, here, self._draft)

    def _draft(self, paper: Paper) -> None:
        here = paper.department
        assert paper.executor is not None
        self.stage.did["drafted by a deputy"] += self.stage.present(paper.executor, here) != paper.executor
        deciding.draft(self.stage, here, [paper])
        self._then("sign", paper, here, self._sign)

    def _sign(self, paper: Paper) -> None:
        here = paper.department
        signed, _ = deciding.sign(self.stage, here, [paper])
        if not signed:
            self._then("complete", paper, here, self._draft)
        elif paper.direct:
            self._then("hand_over", paper, here, partial(self._give, here))
        else:
            self._then("send", paper, here, self._send)

    def _send(self, paper: Paper) -> None:
        sending.send(self.stage, paper.department, paper)

    def _give(self, here: str, paper: Paper) -> None:
        handing.give(self.stage, here, [paper])
        referral = service(paper.applicant.service).result == "referral" and not paper.applicant.refused
        if referral and self.stage.chance(SLIPS):
            back = self.pace.after(self.stage.dice.randint(2, 8), here=here, now=self.stage.hands.now)
            self.agenda.enter(back, partial(self._slip_returned, paper))

    def _slip_returned(self, paper: Paper) -> None:
        hired = self.stage.chance(0.8)
        self.stage.hands.act(
            self.stage.receiver(paper.department),
            referring.slip_returned,
            paper.number,
            entered_on=local(self.stage.hands.now).date() - ONE_DAY if hired else None,
            order_number=f"{paper.applicant.serial}-k" if hired else None,
        )
        self.stage.did["return slips"] += 1

    # On the way

    def _plan_run(self, after: datetime) -> None:
        """Plan the next departure of any centre; bags of centres that leave at other times wait for theirs."""
        ahead = {
            centre: next(timetable.departures(after, centre=centre, dates=self.timing.calendar))
            for centre in self.centres
        }
        departs = min(ahead.values())
        leaving = {centre for centre, moment in ahead.items() if moment == departs}
        for before, part in (
            (ONE_HOUR, self._before_the_run),
            (timetable.cut_off() + timedelta(minutes=1), partial(sending.collect, self.stage)),
            (timedelta(0), partial(self._depart, departs, leaving)),
            (-ONE_HOUR, self._receive),
        ):
            self.agenda.enter(departs - before, part)

    def _before_the_run(self) -> None:
        self.pause()
        self.sweeps.of_runs()
        searching.search(self.stage)
        searching.take_back(self.stage)
        searching.note(self.stage)
        self._pick_up_everywhere()

    def _depart(self, departs: datetime, leaving: Collection[str]) -> None:
        self.sweeps.of_runs()
        coming = {centre for centre in sorted(leaving) if not self.stage.chance(COURIER_IS_MISSING)}

        def left(centre: str, _bag: Bag) -> bool:
            return centre not in coming or self.stage.chance(BAG_IS_LEFT)

        with self.stage.hands.database.reading() as session:
            later = set(
                session.scalars(
                    select(Manifest.number)
                    .join(Run, Run.id == Manifest.run_id)
                    .where(
                        Manifest.state.in_((ManifestState.OPEN, ManifestState.SEALED)),
                        Run.departs_at > departs,
                    )
                )
            )
        sending.depart(self.stage, later=later, left=left)
        self.stage.run += 1
        self.runs_go_on = not self._nothing_moves()
        if self.runs_go_on:
            self._plan_run(departs)

    def _receive(self) -> None:
        self.sweeps.of_runs()
        receiving.receive(self.stage)
        self._pick_up_everywhere()

    def _pick_up_everywhere(self) -> None:
        for here, _ in self.stage.busy():
            self._pick_up(here)

    # Once a day

    def _plan_day(self, day: date, on_day: Callable[[int], None]) -> None:
        self.agenda.enter(_at(day, EARLY), self._send_back_unclaimed)
        self.agenda.enter(_at(day, LATE), partial(self._end_day, day, on_day))

    def _end_day(self, day: date, on_day: Callable[[int], None]) -> None:
        explain_delays(self.stage)
        on_day(sum(paper.finished for paper in self.stage.papers))
        if self.unclaimed or not self._nothing_moves():
            self._plan_day(day + ONE_DAY, on_day)

    def _send_back_unclaimed(self) -> None:
        """Lay results that nobody fetched for a month to what goes with the next run, once one has been reminded."""
        now = self.stage.hands.now
        # A day more: whoever is reminded of it looks for the applicant first.
        waited = now - timedelta(days=claim_days() + 1)
        for since, paper in self.unclaimed:
            if since <= waited and self.timing.hours(paper.origin).is_open(now):
                self.stage.ledger.tell("result.unclaimed", paper.number, paper.origin)
                self.stage.rooms[paper.origin].to_send.append(paper)
                self.stage.did["unclaimed results sent back"] += 1
                paper.unclaimed = True
        self.unclaimed = [(since, paper) for since, paper in self.unclaimed if not paper.unclaimed]
        if not self.runs_go_on and not self._nothing_moves():
            self.runs_go_on = True
            self._plan_run(now)

    def _plan_absences(self) -> None:
        for place in offices("department"):
            if self.stage.chance(ABSENCES):
                day = self.first + self.stage.dice.randrange(self.days) * ONE_DAY
                now = _at(day, time(9, 10))
                self.agenda.enter(now, partial(self._leave, place.code, day + 4 * ONE_DAY, now=now))

    def _leave(self, here: str, until: date, *, now: datetime) -> None:
        head, executor = self.stage.decider(here), self.stage.hands.who(Role.EXECUTOR, here)
        deputy = self.stage.hands.deputies[here].login
        self.stage.hands.database.transact(
            lambda session: absent(session, executor.login, until=until, deputy=deputy, by=head, now=now)
        )
        self.stage.absent[executor.login] = until
        self.stage.did["absences"] += 1


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=ALMATY)
