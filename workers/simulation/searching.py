"""Between two runs: missing packets are looked for, refused ones are taken back, settled differences are noted."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Discrepancy
from models.discrepancy import DiscrepancyKind
from models.office import OfficeKind
from models.packet import Leg
from models.scan import Station, Verdict
from models.staff import Role
from workers.simulation.papers import Bag, Paper
from workers.simulation.plan import Back, Out
from workers.simulation.receiving import settle_in, told_of_found
from workers.simulation.stage import Stage, is_counter
from workflow import settling

NOTED_SHARE = 0.6
"""Share of the open differences that somebody notes between two runs."""


def search(stage: Stage) -> None:
    """Look for everything that was missing when its bag was closed."""
    missing, stage.missing = stage.missing, []
    for paper, bag in missing:
        if paper.missing_from is None:
            continue  # It turned up in another office meanwhile.
        fate = paper.back if bag.leg is Leg.BACK else paper.out
        paper.out = Out.PLAIN
        if bag.leg is Leg.BACK:
            paper.back = Back.PLAIN
        if fate in {Out.LOST, Back.LOST}:
            _lose(stage, paper)
        elif fate in {Out.NEVER_SENT, Back.NEVER_SENT}:
            _never_sent(stage, paper, bag)
        elif fate is Out.FOUND_ELSEWHERE:
            elsewhere = stage.another(OfficeKind.DEPARTMENT, bag.destination, bag.origin)
            _find(stage, paper, elsewhere, verdict=Verdict.ELSEWHERE)
        else:
            _find(stage, paper, bag.destination, verdict=Verdict.TAKEN)


def take_back(stage: Stage) -> None:
    """Take back what was refused at the door, and put it right."""
    refused, stage.refused = stage.refused, []
    for paper in refused:
        stage.hands.scan(stage.receiver(paper.origin), Station.RECEIVE, [paper.number])
        stage.ledger.tell("discrepancy.settled", paper.number, paper.department)
        paper.out = Out.PLAIN
        stage.rooms[paper.origin].to_send.append(paper)


def note(stage: Stage) -> None:
    """Note some of the differences that need no further step, on either side."""
    own = stage.hands.by_id

    def ask(session: Session) -> list[tuple[int, str, str]]:
        kinds = (DiscrepancyKind.UNEXPECTED, DiscrepancyKind.DAMAGED, DiscrepancyKind.MISROUTED)
        rows = session.execute(
            select(Discrepancy.id, Discrepancy.office, Discrepancy.sender)
            .where(
                Discrepancy.settled_at.is_(None), Discrepancy.kind.in_(kinds), Discrepancy.opened_by.in_(own)
            )
            .order_by(Discrepancy.id)
        )
        return [(row.id, row.office, row.sender) for row in rows]

    with stage.hands.database.reading() as session:
        waiting = ask(session)
    for discrepancy, found_by, sender in waiting:
        if stage.chance(NOTED_SHARE):
            by = stage.receiver(stage.dice.choice((found_by, sender)))
            stage.hands.act(by, settling.note, discrepancy)


def _find(stage: Stage, paper: Paper, here: str, *, verdict: Verdict) -> None:
    stage.hands.scan(stage.receiver(here), Station.RECEIVE, [paper.number], verdict=verdict)
    told_of_found(stage, here, paper)
    if is_counter(here):
        stage.ledger.tell("result.ready", paper.number, paper.origin)
    settle_in(stage, here, [paper])


def _never_sent(stage: Stage, paper: Paper, bag: Bag) -> None:
    by = stage.receiver(bag.origin)
    if bag.leg is Leg.OUT and stage.chance(0.5):
        stage.hands.scan(by, Station.RECEIVE, [paper.number])
    else:
        stage.hands.act(by, settling.never_sent, paper.number, reason="it lay under the scales")
    told_of_found(stage, bag.origin, paper)
    stage.rooms[bag.origin].to_send.append(paper)


def _lose(stage: Stage, paper: Paper) -> None:
    by = stage.hands.who(Role.HEAD, paper.department)
    stage.hands.act(by, settling.lose, paper.number, reason="looked for everywhere")
    stage.ledger.tell("packet.lost", paper.number, paper.origin)
    told_of_found(stage, paper.department, paper)
    stage.finish([paper])
