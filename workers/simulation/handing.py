"""Applicants come for their results, or have them posted."""

from __future__ import annotations

from itertools import groupby

from barcodes.foreign import s10_check
from config.offices import office
from models.office import OfficeKind
from models.scan import Station, Verdict
from models.staff import Role
from workers.simulation.papers import Paper
from workers.simulation.plan import Back
from workers.simulation.stage import Stage
from workflow import handing, undoing


def hand_over(stage: Stage) -> None:
    """Hand results over to the applicants who come by now."""
    for here, room in stage.busy():
        if room.to_send and office(here).kind == OfficeKind.CENTRE and stage.chance(0.1):
            early = room.to_send[0].number
            stage.hands.scan(
                stage.hands.who(Role.INSPECTOR, here), Station.HAND_OVER, [early], verdict=Verdict.WRONG_STATE
            )
        come = [paper for run, paper in room.to_hand_over if run <= stage.run]
        room.to_hand_over = [(run, paper) for run, paper in room.to_hand_over if run > stage.run]
        for _, some in groupby(sorted(come, key=lambda paper: paper.direct), key=lambda paper: paper.direct):
            give(stage, here, list(some))


def give(stage: Stage, here: str, papers: list[Paper]) -> None:
    """Give results out in an office: over the counter or by post. Their ways are alike: all travelled, or none."""
    posted = [paper for paper in papers if paper.applicant.posted]
    come = [paper for paper in papers if not paper.applicant.posted]
    for paper in posted:
        number = postal_number(paper.applicant.serial)
        stage.hands.act(stage.giver(paper, here), handing.post, paper.number, postal_number=number)
        stage.did["posted"] += 1
    if come:
        if stage.chance(0.1):
            elsewhere = stage.another(OfficeKind(office(here).kind), here, come[0].department)
            wrong_counter = stage.giver(come[0], elsewhere)
            stage.hands.scan(wrong_counter, Station.HAND_OVER, [come[0].number], verdict=Verdict.ELSEWHERE)
        _hand_over_each(stage, here, come)
        undone = [paper for paper in come if paper.back is Back.HAND_OVER_UNDONE]
        for paper in undone:
            stage.hands.act(stage.giver(paper, here), undoing.undo, paper.number)
            stage.ledger.tell("packet.undone", paper.number, paper.department)
        if undone:
            _hand_over_each(stage, here, undone)
    stage.finish(papers)


def _hand_over_each(stage: Stage, here: str, papers: list[Paper]) -> None:
    by = stage.giver(papers[0], here)
    stage.hands.scan(by, Station.HAND_OVER, [paper.number for paper in papers])
    for paper in papers:
        if paper.department != here:
            stage.ledger.tell("packet.handed_over", paper.number, paper.department)


def postal_number(serial: int) -> str:
    """Return a number of registered post, with the check digit that UPU standard S10 asks for."""
    return next(number for digit in range(10) if s10_check(number := f"RR{serial % 10**8:08d}{digit}KZ"))
