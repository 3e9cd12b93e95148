"""Courier days over HTTP: one crew carries packets from acceptance to hand-over, again and again."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from config.offices import centre_of, department_of, districts
from models.staff import Role
from workers.chaos.asking import Person, UnansweredError
from workers.chaos.hands import Hands, StoppedError
from workers.chaos.ledger import Ledger
from workers.chaos.world import World

SERVICE = "child_allowance"
MOST_PACKETS = 8
"""In one round of one crew."""


@dataclass(slots=True, kw_only=True)
class Bag:
    """One bag under way."""

    number: str
    origin: str
    destination: str
    packets: list[str]


class Crew:
    """The people of one centre, its courier, and those of the departments that it carries to."""

    def __init__(
        self,
        world: World,
        ledger: Ledger,
        *,
        place: int,
        seed: int,
        stop: threading.Event,
        deadline: list[float],
    ) -> None:
        """Work for the district number `place` until `stop` is set; the same seed means the same packets."""
        self._ledger, self._stop = ledger, stop
        self._dice = random.Random(seed * 1000 + place)  # noqa: S311 - the same seed means the same packets
        self._hands = Hands(world, ledger, dice=self._dice, stop=stop, deadline=deadline)
        codes = [district.code for district in districts()]
        self._homes = [codes[place], codes[place], codes[(place + 1) % len(codes)]]
        self._centre = centre_of(codes[place]).code
        self._serial = 0
        self.done = 0
        """Packets whose way is complete."""

    @property
    def again(self) -> int:
        """Requests that were sent again."""
        return self._hands.again

    @property
    def scans(self) -> int:
        """Scans that were answered."""
        return self._hands.scans

    def work(self) -> None:
        """Carry packets until told to stop; what was begun is asked for until it is answered."""
        try:
            while not self._stop.is_set():
                with suppress(StoppedError):
                    self._round()
        except UnansweredError as error:
            self._ledger.unanswered.append(str(error))
        except Exception as error:  # noqa: BLE001 - a thread's end must not be silent
            self._ledger.surprise(f"a crew gave up: {type(error).__name__} {error}")
        finally:
            self._hands.leave()

    def _round(self) -> None:
        packets = self._accept()
        for bag in self._send(packets, Role.ACCUMULATOR, "collect", self._centre):
            self._receive_out(bag)
            waiting = bag.packets
            if not waiting:
                continue
            self._decide(bag.destination, waiting)
            for back in self._send(waiting, Role.REGISTRAR, "result", bag.destination):
                self._receive_back(back)

    def _accept(self) -> list[str]:
        by = self._hands.who(Role.INSPECTOR, self._centre)
        homes = [self._dice.choice(self._homes) for _ in range(self._dice.randint(1, MOST_PACKETS))]
        given = []
        for home in homes:
            self._serial += 1
            given.append(
                {
                    "service": SERVICE,
                    "applicant_name": f"Applicant {self._serial:06d}",
                    "residence": next(d.name_ru for d in districts() if d.code == home),
                    "district": home,
                    "enclosures": [{"name": "Copy of the identity card"}],
                    "request_id": self._hands.id(),
                }
            )
        answer = self._hands.ask(by, "/api/v1/packets", given)
        numbers = []
        for home, accepted in zip(homes, answer, strict=True):
            number, department = accepted["number"], department_of(home).code
            if accepted["department"] != department:
                self._ledger.astray(number)
            self._ledger.tell("packet.accepted", [number], department)
            self._ledger.moved("accept", [number])
            numbers.append(number)
        if self._dice.random() < 0.1:
            self._withdraw(by, numbers.pop(), answer[-1]["department"])
        return numbers

    def _withdraw(self, by: Person, number: str, department: str) -> None:
        because = {"reason": "changed my mind"}
        self._hands.order(by, f"/api/v1/packets/{number}/withdraw", because, number, "withdrawn")
        self._ledger.tell("packet.withdrawn", [number], department)
        self._ledger.moved("withdraw", [number])

    def _send(self, packets: Sequence[str], role: Role, station: str, here: str) -> list[Bag]:
        """Collect `packets` onto manifests, seal the bags and let the courier leave with them."""
        if not packets:
            return []
        by = self._hands.who(role, here)
        by_manifest: defaultdict[str, list[str]] = defaultdict(list)
        for number, answer in zip(packets, self._hands.scan(by, station, packets), strict=True):
            if "manifest" in answer["facts"]:
                by_manifest[answer["facts"]["manifest"]].append(number)
        self._ledger.moved("collect", packets)
        bags = []
        for manifest, numbers in by_manifest.items():
            seal = {"seal_number": f"S-{self._dice.randrange(10**6):06d}"}
            self._hands.order_bag(by, f"/api/v1/manifests/{manifest}/seal", seal, manifest, {"sealed"})
            _, seen = by.get(f"/api/v1/manifests/{manifest}")
            bags.append(Bag(number=manifest, origin=here, destination=seen["destination"], packets=numbers))
        courier = self._hands.who(Role.COURIER, self._centre)
        self._hands.scan(courier, "depart", [bag.number for bag in bags])
        for bag in bags:
            self._ledger.tell("manifest.departed", [bag.number], bag.destination)
            self._ledger.moved("depart", bag.packets)
        return bags

    def _receive_out(self, bag: Bag) -> None:
        """Take a bag over at the department, with what may be wrong with it."""
        here, by = bag.destination, self._hands.who(Role.REGISTRAR, bag.destination)
        self._hands.scan(by, "receive", [bag.number])
        missing = [number for number in bag.packets if self._dice.random() < 0.03]
        torn = [number for number in bag.packets if self._dice.random() < 0.03 and number not in missing]
        whole = [number for number in bag.packets if number not in missing and number not in torn]
        if whole:
            self._hands.scan(by, "receive", whole, manifest=bag.number)
            self._ledger.moved("receive", whole)
        for number in torn:
            self._hands.order(by, f"/api/v1/packets/{number}/damage", {"reason": "torn"}, number, "received")
            self._ledger.tell("discrepancy.opened", [number], bag.origin)
            self._ledger.moved("receive", [number])
        self._close(by, bag, missing)
        if missing:
            self._ledger.tell("discrepancy.opened", missing, bag.origin)
            self._ledger.moved("miss", missing)
            self._hands.scan(by, "receive", missing)
            self._ledger.tell("discrepancy.settled", missing, *({self._centre, bag.origin} - {here}))
            self._ledger.moved("find", missing)

    def _decide(self, here: str, packets: Sequence[str]) -> None:
        registrar = self._hands.who(Role.REGISTRAR, here)
        self._hands.scan(registrar, "register", packets)
        self._ledger.tell("packet.registered", packets, self._centre)
        self._ledger.moved("register", packets)
        self._hands.scan(registrar, "pass", packets)
        self._ledger.moved("pass_on", packets)
        head, executor = self._hands.who(Role.HEAD, here), self._hands.who(Role.EXECUTOR, here)
        login = f"sim.{Role.EXECUTOR.value}.{_district(here)}"
        given: dict[str, object] = {"numbers": list(packets), "executor": login}
        self._hands.order(head, "/api/v1/packets/resolve", given, packets[-1], "with_executor")
        self._ledger.moved("resolve", packets)
        for number in packets:
            draft = {"outcome": "assigned"}
            self._hands.order(executor, f"/api/v1/packets/{number}/draft", draft, number, "for_signature")
            self._ledger.moved("draft", [number])
        self._hands.order(head, "/api/v1/packets/sign", {"numbers": list(packets)}, packets[-1], "signed")
        self._ledger.tell("packet.decided", packets, self._centre)
        self._ledger.moved("sign", packets)

    def _receive_back(self, bag: Bag) -> None:
        """Take results over at the centre and hand them to the applicants."""
        by = self._hands.who(Role.ACCUMULATOR, self._centre)
        self._hands.scan(by, "receive", [bag.number])
        self._hands.scan(by, "receive", bag.packets, manifest=bag.number)
        self._ledger.tell("result.ready", bag.packets, self._centre)
        self._ledger.moved("receive", bag.packets)
        self._close(by, bag, [])
        self._hands.scan(self._hands.who(Role.INSPECTOR, self._centre), "hand_over", bag.packets)
        self._ledger.tell("packet.handed_over", bag.packets, bag.origin)
        self._ledger.moved("hand_over", bag.packets)
        self.done += len(bag.packets)

    def _close(self, by: Person, bag: Bag, missing: Sequence[str]) -> None:
        reasons = {"reasons": dict.fromkeys(missing, "not in the bag")}
        self._hands.order_bag(by, f"/api/v1/manifests/{bag.number}/close", reasons, bag.number, {"closed"})
        self._ledger.tell("manifest.closed", [bag.number], bag.origin)


def _district(code: str) -> str:
    return next(d.code for d in districts() if department_of(d.code).code == code)
