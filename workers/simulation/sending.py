"""Before and at a run: papers go onto manifests and into bags, bags are sealed, couriers take them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Sequence

from config.offices import centre_of, office
from models.office import OfficeKind
from models.packet import Leg
from models.scan import Station, Verdict
from models.staff import Role
from workers.simulation.papers import Bag, Paper, Room
from workers.simulation.plan import Back, Out
from workers.simulation.stage import Stage, is_counter
from workflow import collecting, undoing
from workflow.people import Actor

LEFT_BEHIND = frozenset({Out.FOUND, Out.FOUND_ELSEWHERE, Out.NEVER_SENT, Out.LOST})
RESULT_LEFT_BEHIND = frozenset({Back.FOUND, Back.NEVER_SENT, Back.LOST, Back.MISDELIVERED})


def collect(stage: Stage) -> None:
    """Put what is to be sent onto the manifests of the next run, in every office."""
    for here, room in stage.busy():
        papers, room.to_send = room.to_send, []
        if is_counter(here):
            _collect_applications(stage, here, room, papers)
        else:
            results = [paper for paper in papers if paper.department == here]
            forgotten = [paper for paper in results if paper.back is Back.UNEXPECTED]
            _put(stage, here, room, [paper for paper in results if paper not in forgotten], Station.RESULT)
            _put(stage, here, room, [paper for paper in papers if paper.department != here], Station.COLLECT)
            _put_without_scan(stage, room, forgotten, leg=Leg.BACK)


def send(stage: Stage, here: str, paper: Paper) -> None:
    """Put one signed result onto its manifest as soon as the office sends it."""
    room = stage.rooms[here]
    if paper.back is Back.UNEXPECTED:
        # It is thrown into a bag when the others are collected.
        room.to_send.append(paper)
    else:
        _put(stage, here, room, [paper], Station.RESULT)


def depart(
    stage: Stage,
    *,
    later: Container[str] = (),
    left: Callable[[str, Bag], bool] = lambda _centre, _bag: False,
) -> None:
    """Seal all bags and hand them to the couriers, but for manifests that go `later`, on another run.

    `left` tells by the code of the centre and the bag whether its courier does not take it.
    """
    by_courier: defaultdict[str, list[Bag]] = defaultdict(list)
    for here, room in stage.busy():
        waiting = {}
        for number, bag in room.bags.items():
            if number in later:
                waiting[number] = bag
                continue
            centre = centre_of(office(bag.destination if bag.leg is Leg.BACK else here).district).code
            if not bag.sealed:
                _seal(stage, bag, by=stage.receiver(here), courier=stage.hands.who(Role.COURIER, centre))
            if left(centre, bag):
                waiting[number] = bag
            else:
                by_courier[centre].append(bag)
        room.bags = waiting
    for centre, bags in by_courier.items():
        courier = stage.hands.who(Role.COURIER, centre)
        stage.hands.scan(courier, Station.DEPART, [bag.number for bag in bags])
        if stage.chance(0.05):
            stage.hands.scan(courier, Station.DEPART, [bags[0].number], verdict=Verdict.ALREADY)
        for bag in bags:
            stage.ledger.tell("manifest.departed", bag.number, bag.destination)
            _carry(stage, bag)


def _collect_applications(stage: Stage, here: str, room: Room, papers: Sequence[Paper]) -> None:
    forgotten = [paper for paper in papers if paper.out is Out.UNEXPECTED]
    again = [paper for paper in papers if paper.out in {Out.COLLECT_UNDONE, Out.TAKEN_OUT}]
    others = [
        paper for paper in papers if paper.out not in {Out.UNEXPECTED, Out.COLLECT_UNDONE, Out.TAKEN_OUT}
    ]
    # Some are scanned together with those that come into the same bag a second time.
    late = others[-2:] if again else []
    _put(stage, here, room, others[: len(others) - len(late)] + again, Station.COLLECT)
    by = stage.receiver(here)
    for paper in again:
        assert paper.bag is not None
        paper.bag.listed.remove(paper)
        paper.bag = None
        if paper.out is Out.TAKEN_OUT:
            stage.hands.act(by, collecting.take_out, paper.number, reason="a page was missing")
        else:
            stage.hands.act(by, undoing.undo, paper.number)
        paper.out = Out.PLAIN
    _put(stage, here, room, again + late, Station.COLLECT)
    _put_without_scan(stage, room, forgotten, leg=Leg.OUT)


def _put(stage: Stage, here: str, room: Room, papers: Sequence[Paper], station: Station) -> None:
    """Scan papers onto their manifests."""
    leg = Leg.BACK if station is Station.RESULT else Leg.OUT
    answers = stage.hands.scan(stage.receiver(here), station, [paper.number for paper in papers])
    for paper, answer in zip(papers, answers, strict=True):
        destination = paper.origin if leg is Leg.BACK else paper.department
        number = str(answer.facts["manifest"])
        bag = room.bags.setdefault(number, Bag(number=number, origin=here, destination=destination, leg=leg))
        stage.hands.expect(bag.destination == destination, f"{paper.number} in the bag for {bag.destination}")
        bag.listed.append(paper)
        paper.bag = bag


def _put_without_scan(stage: Stage, room: Room, papers: Sequence[Paper], *, leg: Leg) -> None:
    """Put papers into the right bag, and forget the scan."""
    for paper in papers:
        destination = paper.origin if leg is Leg.BACK else paper.department
        for bag in room.bags.values():
            if (bag.destination, bag.leg, bag.sealed) == (destination, leg, False):
                bag.inside.append(paper)
                break
        else:
            stage.rooms[destination].strays.append(paper)


def _seal(stage: Stage, bag: Bag, *, by: Actor, courier: Actor) -> None:
    if stage.chance(0.05):
        stage.hands.scan(courier, Station.DEPART, [bag.number], verdict=Verdict.WRONG_STATE)
    seal_number = f"S-{stage.dice.randrange(10**6):06d}"
    stage.hands.act(by, collecting.seal, bag.number, seal_number=seal_number)
    bag.sealed = True
    if stage.chance(0.05):
        stage.hands.is_refused(by, collecting.seal, bag.number, seal_number="again", code="closed")


def _carry(stage: Stage, bag: Bag) -> None:
    """Bring the bag where it goes, with what is really in it."""
    for paper in bag.listed:
        if bag.leg is Leg.OUT and paper.out is Out.MISROUTED:
            elsewhere = stage.another(OfficeKind.DEPARTMENT, paper.department, bag.origin)
            stage.rooms[elsewhere].strays.append(paper)
        elif bag.leg is Leg.BACK and paper.back is Back.MISDELIVERED:
            elsewhere = stage.another(OfficeKind(office(paper.origin).kind), paper.origin)
            stage.rooms[elsewhere].strays.append(paper)
        elif paper.out not in LEFT_BEHIND if bag.leg is Leg.OUT else paper.back not in RESULT_LEFT_BEHIND:
            bag.inside.append(paper)
    stage.rooms[bag.destination].arrived.append(bag)
