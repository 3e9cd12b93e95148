"""Applicants come to the offices that accept their papers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from config.offices import department_of
from models.staff import Role
from workers.simulation.papers import Paper
from workers.simulation.plan import Applicant, Out
from workers.simulation.stage import Stage
from workflow import accepting
from workflow.accepting import Application, Enclosure
from workflow.people import Actor

MOST_AT_ONCE = 50
ENCLOSURES = (Enclosure(name="Copy of the identity card"), Enclosure(name="Certificate of birth", count=2))
AT_THE_COUNTER = {"centre": Role.INSPECTOR, "department": Role.REGISTRAR, "akimat": Role.CLERK}
"""Kind of office → who accepts there."""


def accept(stage: Stage, applicants: Iterable[Applicant]) -> None:
    """Accept applications, at each office in lists or one by one."""
    by_office = sorted(applicants, key=lambda applicant: (applicant.office.code, applicant.serial))
    for place, here in groupby(by_office, key=lambda applicant: applicant.office):
        by = stage.hands.who(AT_THE_COUNTER[place.kind], place.code)
        waiting = list(here)
        if stage.chance(0.1):
            nowhere = Application(
                service=waiting[0].service, applicant_name="Applicant 0", residence="Nowhere at all"
            )
            stage.hands.is_refused(by, accepting.accept, [nowhere], code="unknown_place")
        while waiting:
            size = 1 if stage.chance(0.3) else MOST_AT_ONCE
            some, waiting = waiting[:size], waiting[size:]
            _accept_some(stage, some, by=by)


def _accept_some(stage: Stage, some: Sequence[Applicant], *, by: Actor) -> None:
    applications = [
        Application(
            service=applicant.service,
            applicant_name=applicant.name,
            residence=applicant.residence,
            district=applicant.asked,
            enclosures=ENCLOSURES,
            request_id=f"{stage.mark}-{applicant.serial}",
        )
        for applicant in some
    ]

    given = stage.hands.act(by, accepting.accept, applications)
    if stage.chance(0.1):
        again = stage.hands.act(by, accepting.accept, applications)
        stage.hands.expect(again == given, f"other numbers for the same requests of {by.login}")
    for applicant, accepted in zip(some, given, strict=True):
        paper = Paper(
            applicant=applicant,
            origin=by.office,
            department=department_of(applicant.home).code if applicant.travels else by.office,
            out=applicant.out,
            back=applicant.back,
            rounds=applicant.rounds,
            number=accepted.number,
        )
        stage.papers.append(paper)
        if accepted.department != paper.department:
            stage.ledger.astray.append(paper.number)
        if paper.direct:
            # Nobody else has to learn of it.
            stage.rooms[by.office].to_pass.append(paper)
            continue
        stage.ledger.tell("packet.accepted", paper.number, paper.department)
        if paper.out is Out.WITHDRAWN:
            _withdraw(stage, paper, by=by)
        else:
            stage.rooms[by.office].to_send.append(paper)


def _withdraw(stage: Stage, paper: Paper, *, by: Actor) -> None:
    stage.hands.act(by, accepting.withdraw, paper.number, reason="changed my mind")
    stage.ledger.tell("packet.withdrawn", paper.number, paper.department)
    stage.finish([paper])
