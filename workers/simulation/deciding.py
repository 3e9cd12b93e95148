"""Where papers are decided: registered, passed to the head, resolved, drafted, signed or sent back for completion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from config.offices import office
from config.services import service
from models.packet import Outcome
from models.scan import Station, Verdict
from models.staff import Role
from workers.simulation.papers import Paper
from workers.simulation.plan import Out
from workers.simulation.stage import Stage
from workflow import deciding, registering, undoing
from workflow.people import Actor

OWN_REGISTER = frozenset({"aksu", "talgar", "zharkent", "panfilov"})
"""Districts whose department has a register of its own, as far as they exist."""
DRAFTS_AT_ONCE = 20


DETAILS: dict[str, dict[str, str]] = {
    "notice": {},
    "referral": {"employer": "School N 3", "measure": "public works", "term": "3 months"},
    "certificate": {"quarter": "1", "year": "2026", "members": "Member 1\nMember 2"},
}
"""Kind of result → what its paper needs."""


def work(stage: Stage) -> None:
    """Do the work of an office that decides on what lies there."""
    for here, room in stage.busy():
        arrived, room.to_register = room.to_register, []
        brought, room.to_pass = room.to_pass, []
        fresh = [*arrived, *brought]
        if arrived:
            register(stage, here, arrived)
        if fresh:
            pass_on(stage, here, fresh)
            resolve(stage, here, fresh)
        drafting, room.to_draft = room.to_draft + fresh, []
        if not drafting:
            continue
        draft(stage, here, drafting)
        signed, room.to_draft = sign(stage, here, drafting)
        room.to_send += [paper for paper in signed if not paper.direct]
        room.to_hand_over += [(stage.run + paper.applicant.waits, paper) for paper in signed if paper.direct]


def register(stage: Stage, here: str, papers: Sequence[Paper]) -> None:
    """Register papers that were taken over."""
    by = stage.receiver(here)
    if stage.chance(0.1):
        stage.hands.scan(by, Station.PASS, [papers[0].number], verdict=Verdict.WRONG_STATE)
    _register_each(stage, here, papers)
    undone = [paper for paper in papers if paper.out is Out.REGISTER_UNDONE]
    for paper in undone:
        stage.hands.act(by, undoing.undo, paper.number)
        stage.ledger.tell("packet.undone", paper.number, paper.origin)
        paper.out = Out.PLAIN
    _register_each(stage, here, undone)


def _register_each(stage: Stage, here: str, papers: Sequence[Paper]) -> None:
    by = stage.receiver(here)
    if office(here).district in OWN_REGISTER:

        def enter(session: Session, *, by: Actor, now: datetime) -> None:
            for paper in papers:
                registering.register(
                    session,
                    paper.number,
                    register_number=f"{stage.mark[-8:]}/{paper.applicant.serial}",
                    by=by,
                    now=now,
                )

        stage.hands.act(by, enter)
    else:
        stage.hands.scan(by, Station.REGISTER, [paper.number for paper in papers])
    for paper in papers:
        stage.ledger.tell("packet.registered", paper.number, paper.origin)


def pass_on(stage: Stage, here: str, papers: Sequence[Paper]) -> None:
    """Pass papers to the head."""
    by = stage.receiver(here)
    numbers = [paper.number for paper in papers]
    if stage.chance(0.3):
        stage.hands.act(by, registering.pass_on, numbers)
    else:
        stage.hands.scan(by, Station.PASS, numbers)


def resolve(stage: Stage, here: str, papers: Sequence[Paper]) -> None:
    """Let the head name the executor, of many papers at once as of one; while that one is absent it is the deputy."""
    numbers = [paper.number for paper in papers]
    _name(stage, here, papers, numbers, executor=stage.hands.who(Role.EXECUTOR, here))
    if stage.chance(0.1):
        # Named once more; another one, where there is another one.
        other = stage.hands.deputies.get(here, stage.hands.who(Role.EXECUTOR, here))
        _name(stage, here, papers[:1], numbers[:1], executor=other)


def _name(stage: Stage, here: str, papers: Sequence[Paper], numbers: list[str], *, executor: Actor) -> None:
    cards = stage.hands.act(stage.decider(here), deciding.resolve, numbers, executor=executor.login)
    for paper, card in zip(papers, cards, strict=True):
        named = stage.hands.by_id[card.executor_id or 0]
        paper.executor = named


def draft(stage: Stage, here: str, papers: Sequence[Paper]) -> None:
    """Let each executor, or who deputises, draft the outcome of the papers on the desk."""

    def each(session: Session, some: Sequence[Paper], *, by: Actor, now: datetime) -> None:
        for paper in some:
            refused = paper.applicant.refused
            deciding.draft(
                session,
                paper.number,
                outcome=Outcome.REFUSED if refused else Outcome.ASSIGNED,
                reason="the income is above the limit" if refused else None,
                details={} if refused else DETAILS[service(paper.applicant.service).result],
                by=by,
                now=now,
            )

    by_drafter: defaultdict[str, list[Paper]] = defaultdict(list)
    for paper in papers:
        assert paper.executor is not None
        by_drafter[paper.executor.login].append(paper)
    for own in by_drafter.values():
        by = stage.present(own[0].executor, here)
        for start in range(0, len(own), DRAFTS_AT_ONCE):
            stage.hands.act(by, each, own[start : start + DRAFTS_AT_ONCE])


def sign(stage: Stage, here: str, papers: Sequence[Paper]) -> tuple[list[Paper], list[Paper]]:
    """Let the head sign, or send back for completion; return what is signed and what comes back."""
    head = stage.decider(here)
    signed, back = [], []
    for paper in papers:
        if not paper.rounds:
            signed.append(paper)
            continue
        paper.rounds -= 1
        stage.hands.act(head, deciding.send_back, paper.number, reason="name the law")
        back.append(paper)
    if signed:
        stage.hands.act(head, deciding.sign, [paper.number for paper in signed])
    for paper in signed:
        if not paper.direct:
            stage.ledger.tell("packet.decided", paper.number, paper.origin)
    return signed, back
