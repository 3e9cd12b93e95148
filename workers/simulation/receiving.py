"""After a run: bags are opened, taken over packet by packet, and closed with a reason for whatever is missing."""

from __future__ import annotations

from collections.abc import Sequence

from config.offices import office
from models.office import OfficeKind
from models.packet import Leg
from models.scan import Station, Verdict
from workers.simulation.papers import Bag, Paper
from workers.simulation.plan import Back, Out
from workers.simulation.stage import Stage, is_counter
from workflow import closing, settling, undoing

REASON = "not in the bag"
STILL_TO_COME = frozenset({Back.HAND_OVER_UNDONE, Back.UNCLAIMED})
"""What happens at the counter only."""


def receive(stage: Stage) -> None:
    """Take over what has arrived, in every office."""
    for here, room in stage.busy():
        bags, room.arrived = room.arrived, []
        strays, room.strays = room.strays, []
        for bag in bags:
            unlisted = [paper for paper in bag.inside if paper.bag is not bag]
            _take_over(stage, bag)
            # What lies beside the first bag is held to have been in it.
            _find_unlisted(stage, here, [*unlisted, *strays], manifest=bag.number)
            strays = []
            _close(stage, bag)
        _find_unlisted(stage, here, strays, manifest=None)


def settle_in(stage: Stage, here: str, papers: Sequence[Paper]) -> None:
    """Lay papers that were taken over to what comes next for them here."""
    room = stage.rooms[here]
    for paper in papers:
        if is_counter(here):
            paper.back = paper.back if paper.back in STILL_TO_COME else Back.PLAIN
            room.to_hand_over.append((stage.run + paper.applicant.waits, paper))
            continue
        if paper.unclaimed:
            stage.ledger.tell("result.returned", paper.number, paper.origin)
            room.to_hand_over.append((stage.run, paper))
            continue
        if paper.out is Out.REROUTED and paper.department == here:
            _reroute(stage, here, paper)
        paper.out = paper.out if paper.out is Out.REGISTER_UNDONE else Out.PLAIN
        (room.to_register if paper.department == here else room.to_send).append(paper)


def told_of_found(stage: Stage, here: str, paper: Paper) -> None:
    """Write down who learns that a missing packet was found here, and at a wrong department, that it is there."""
    assert paper.missing_from is not None
    sides = {paper.department, paper.origin, paper.missing_from} - {here}
    stage.ledger.tell("discrepancy.settled", paper.number, *sides)
    paper.missing_from = None
    if not is_counter(here) and paper.department != here:
        told_of_misrouted(stage, paper)


def told_of_misrouted(stage: Stage, paper: Paper) -> None:
    """Write down who learns that a packet lies at a wrong department."""
    stage.ledger.tell("discrepancy.opened", paper.number, paper.origin)
    stage.ledger.tell("packet.misrouted", paper.number, paper.department)


def _take_over(stage: Stage, bag: Bag) -> None:
    """Scan what is in the bag and on its list; tell the sender of what is torn or refused."""
    here, back = bag.destination, bag.leg is Leg.BACK
    inside = [paper for paper in bag.inside if paper.bag is bag]
    torn = [paper for paper in inside if (paper.back is Back.DAMAGED if back else paper.out is Out.DAMAGED)]
    refused = [paper for paper in inside if not back and paper.out is Out.REFUSED]
    undone = [
        paper
        for paper in inside
        if (paper.back is Back.RECEIVE_UNDONE if back else paper.out is Out.RECEIVE_UNDONE)
    ]
    whole = [paper for paper in inside if paper not in torn and paper not in refused]
    by = stage.receiver(here)
    stage.hands.scan(by, Station.RECEIVE, [bag.number, *_numbers(whole)], manifest=bag.number)
    if stage.chance(0.1):
        stage.hands.scan(by, Station.RECEIVE, [bag.number], verdict=Verdict.ALREADY)
    _told_if_ready(stage, bag, whole)
    for paper in undone:
        stage.hands.act(by, undoing.undo, paper.number)
        if back:
            stage.ledger.tell("packet.undone", paper.number, paper.origin)
    stage.hands.scan(by, Station.RECEIVE, _numbers(undone), manifest=bag.number)
    _told_if_ready(stage, bag, undone)
    for command, papers in ((closing.damage, torn), (closing.refuse, refused)):
        for paper in papers:
            stage.hands.act(by, command, paper.number, reason="the envelope is torn")
            stage.ledger.tell("discrepancy.opened", paper.number, bag.origin)
            if back:
                stage.ledger.tell("result.ready", paper.number, paper.origin)
    for paper in inside:
        paper.bag = None
    stage.refused += refused
    settle_in(stage, here, [*whole, *torn])


def _numbers(papers: Sequence[Paper]) -> list[str]:
    return [paper.number for paper in papers]


def _told_if_ready(stage: Stage, bag: Bag, papers: Sequence[Paper]) -> None:
    if bag.leg is Leg.BACK:
        for paper in papers:
            stage.ledger.tell("result.ready", paper.number, paper.origin)


def _find_unlisted(stage: Stage, here: str, papers: Sequence[Paper], *, manifest: str | None) -> None:
    """Scan what nobody expected here: papers without a scan, of another department, of another centre."""
    by = stage.receiver(here)
    for paper in papers:
        wanted = paper.origin if is_counter(here) else paper.department
        verdict = Verdict.UNEXPECTED if wanted == here else Verdict.ELSEWHERE
        stage.hands.scan(by, Station.RECEIVE, [paper.number], verdict=verdict, manifest=manifest)
        if wanted == here:
            sender = paper.department if is_counter(here) else paper.origin
            stage.ledger.tell("discrepancy.opened", paper.number, sender)
            if is_counter(here):
                stage.ledger.tell("result.ready", paper.number, paper.origin)
        elif is_counter(here):
            continue  # A result for another centre stays with the courier.
        elif paper.missing_from is not None:
            told_of_found(stage, here, paper)
        else:
            told_of_misrouted(stage, paper)
        paper.bag = None
        settle_in(stage, here, [paper])


def _close(stage: Stage, bag: Bag) -> None:
    by = stage.receiver(bag.destination)
    left = [paper for paper in bag.listed if paper.bag is bag]
    if left and stage.chance(0.3):
        stage.hands.is_refused(by, closing.close, bag.number, reasons={}, code="unexplained")
    reasons = {paper.number: REASON for paper in left}
    stage.hands.act(by, closing.close, bag.number, reasons=reasons)
    stage.ledger.tell("manifest.closed", bag.number, bag.origin)
    for paper in left:
        paper.bag = None
        paper.missing_from = bag.origin
        stage.ledger.tell("discrepancy.opened", paper.number, bag.origin)
        stage.missing.append((paper, bag))


def _reroute(stage: Stage, here: str, paper: Paper) -> None:
    by = stage.receiver(here)
    target = stage.another(OfficeKind.DEPARTMENT, here)
    stage.hands.act(
        by,
        settling.reroute,
        paper.number,
        district=office(target).district,
        reason="the applicant lives there",
    )
    paper.department = target
    stage.ledger.tell("packet.rerouted", paper.number, target, paper.origin)
