"""Courier days, one run after the other, until the way of every packet is complete."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from config.errors import ShabarmanError
from config.language import Text
from workers.simulation import accepting, deciding, handing, receiving, searching, sending
from workers.simulation.plan import Applicant
from workers.simulation.stage import Stage
from workflow.planning import departures

MOST_RUNS_AFTER = 60
"""Runs after the last applicant came; papers that are under way even then go in circles."""


class UnfinishedError(ShabarmanError):
    """Some packets never came to an end; `numbers` are the first of them."""

    code = "unfinished"
    text = Text("Packets that do not come to an end: {numbers}. Look them up with `shabarman verify`.")


def play(
    stage: Stage,
    applicants: Sequence[Applicant],
    *,
    start: datetime,
    on_run: Callable[[int], None],
    pause: Callable[[], None],
) -> int:
    """Play every run after `start` until all is done, and return how many there were.

    `on_run` is called after each run with the number of packets whose way is complete, `pause` between two parts of
    a day, where hours pass. Raises UnfinishedError.
    """
    by_run: defaultdict[int, list[Applicant]] = defaultdict(list)
    for applicant in applicants:
        by_run[applicant.run].append(applicant)
    last = max(by_run, default=-1)
    for run, departure in enumerate(departures(start)):
        finished = sum(paper.finished for paper in stage.papers)
        on_run(finished)
        if run > last and finished == len(stage.papers):
            return run
        if run > last + MOST_RUNS_AFTER:
            break
        stage.run = run
        _play_run(stage, by_run[run], departure, pause=pause)
    left = [paper.number for paper in stage.papers if not paper.finished]
    raise UnfinishedError(numbers=", ".join(left[:5]))


def _play_run(
    stage: Stage, applicants: Sequence[Applicant], departure: datetime, *, pause: Callable[[], None]
) -> None:
    def begin(moment: datetime) -> None:
        pause()
        stage.hands.begin(moment)

    begin(departure - timedelta(minutes=90))
    accepting.accept(stage, applicants)
    searching.search(stage)
    searching.take_back(stage)
    searching.note(stage)
    begin(departure - timedelta(minutes=30))
    sending.collect(stage)
    begin(departure - timedelta(minutes=5))
    sending.depart(stage)
    begin(departure + timedelta(minutes=60))
    receiving.receive(stage)
    begin(departure + timedelta(minutes=90))
    deciding.work(stage)
    begin(departure + timedelta(minutes=120))
    handing.hand_over(stage)
