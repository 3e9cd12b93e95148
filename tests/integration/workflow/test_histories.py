"""Random histories, legal and illegal: whatever people do in whatever order, the invariants hold after each step."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from barcodes.numbers import packet_number
from config.errors import ShabarmanError
from models.database import Database
from models.manifest import Manifest
from models.migrate import migrate
from models.packet import Outcome, Packet, State
from models.scan import Station, Verdict
from tests.integration.workflow.crew import AT_CENTRE, AT_DEPARTMENT, DISTRICTS, Crew
from workers.verification import verify
from workflow import closing, collecting, deciding, settling, undoing

PEOPLE = st.sampled_from(
    [f"{role}.{district}" for district in DISTRICTS for role in (*AT_CENTRE, *AT_DEPARTMENT)]
)
AT = {"1001": "aksu", "2001": "aksu", "1002": "alakol", "2002": "alakol"}
NOTHING_CHANGES = {
    Verdict.ALREADY,
    Verdict.WRONG_STATE,
    Verdict.CLOSED,
    Verdict.UNKNOWN,
    Verdict.BAD_CHECK,
    Verdict.NOT_ALLOWED,
    Verdict.COMMAND,
}


class Histories(RuleBasedStateMachine):
    """Two centres, two departments, a few packets, and everybody trying everything."""

    template: ClassVar[Path]

    packets = Bundle("packets")
    manifests = Bundle("manifests")

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / "histories.db"
        shutil.copy(self.template, path)
        self.crew = Crew.of(Database(f"sqlite:///{path}"))
        self.known: set[str] = set()

    def teardown(self) -> None:
        self.crew.database.close()
        self.folder.cleanup()

    def _try(self, command: object, *args: object, who: str, **options: object) -> None:
        """Run a command that may be refused; a refusal changes nothing."""
        before = self.crew.weight()
        try:
            self.crew.do(
                lambda s: command(s, *args, by=self.crew.people[who], now=self.crew.now, **options)  # type: ignore[operator]
            )
        except ShabarmanError as error:
            refused = error
        else:
            return
        assert self.crew.weight() == before
        assert refused.sentence("kk")

    @initialize(target=packets)
    def begin(self) -> str:
        return self.crew.accept()

    @rule(target=packets, residence=st.sampled_from(["2001", "2002"]), at=st.sampled_from(DISTRICTS))
    def accept(self, residence: str, at: str) -> str:
        return self.crew.accept(residence=residence, by=f"inspector.{at}")

    @rule(
        target=manifests,
        who=PEOPLE,
        station=st.sampled_from(Station),
        codes=st.lists(
            packets | manifests | st.just(packet_number("1001", 2026, 999_999)), min_size=1, max_size=4
        ),
        manifest=st.none() | manifests,
    )
    def scan(self, who: str, station: Station, codes: list[str], manifest: str | None) -> str:
        before = self.crew.weight()
        answers = self.crew.scan(who, station, *codes, manifest=manifest)
        assert len(answers) == len(codes)
        assert all(answer.sentence("ru") for answer in answers)
        if {answer.verdict for answer in answers} <= NOTHING_CHANGES:
            changed = [new - old for old, new in zip(before, self.crew.weight(), strict=True)]
            assert changed == [0, len(codes), 0, 0, 0, 0, 0, 0]
        return str(answers[0].facts.get("manifest", codes[0]))

    @rule(number=packets, steps=st.integers(1, 14))
    def go_on(self, number: str, steps: int) -> None:
        """Do what is right, so that histories get somewhere."""
        for _ in range(steps):
            self._right_step(number)

    def _right_step(self, number: str) -> None:
        packet = self.crew.packet(number)
        home, there = AT[packet.origin], AT[packet.department]
        match packet.state:
            case State.ACCEPTED:
                self.crew.scan(f"accumulator.{home}", Station.COLLECT, number)
            case State.COLLECTED | State.RESULT_COLLECTED:
                manifest = self._manifest_of(packet)
                sender = AT[packet.holder_office or ""]
                role = "registrar" if (packet.holder_office or "").startswith("2") else "accumulator"
                self._try(collecting.seal, manifest, seal_number="7", who=f"{role}.{sender}")
                for district in DISTRICTS:
                    self.crew.scan(f"courier.{district}", Station.DEPART, manifest)
            case State.IN_TRANSIT if packet.manifest_id is None:
                self.crew.scan(f"accumulator.{home}", Station.RECEIVE, number)
            case State.IN_TRANSIT:
                self.crew.scan(f"registrar.{there}", Station.RECEIVE, number)
            case State.RECEIVED:
                holder = AT[packet.holder_office or ""]
                self.crew.scan(f"registrar.{holder}", Station.REGISTER, number)
                self.crew.scan(f"registrar.{holder}", Station.COLLECT, number)
            case State.REGISTERED:
                self.crew.scan(f"registrar.{there}", Station.PASS, number)
            case State.WITH_HEAD:
                self._try(deciding.resolve, [number], executor=f"executor.{there}", who=f"head.{there}")
            case State.WITH_EXECUTOR:
                outcome = Outcome.REFUSED
                self._try(deciding.draft, number, outcome=outcome, reason="income", who=f"executor.{there}")
            case State.FOR_SIGNATURE:
                self._try(deciding.sign, [number], who=f"head.{there}")
            case State.SIGNED:
                self.crew.scan(f"registrar.{there}", Station.RESULT, number)
            case State.RESULT_IN_TRANSIT:
                self.crew.scan(f"accumulator.{home}", Station.RECEIVE, number)
            case State.READY:
                self.crew.scan(f"inspector.{home}", Station.HAND_OVER, number)
            case _:
                pass

    def _manifest_of(self, packet: Packet) -> str:
        with self.crew.database.reading() as session:
            return (
                session.scalar(select(Manifest.number).where(Manifest.id == packet.manifest_id))
                or packet.number
            )

    @rule(target=manifests, number=packets, lost=st.booleans())
    def empty_bag(self, number: str, lost: bool) -> str:  # noqa: FBT001 - drawn by hypothesis
        """Close the manifest that the packet travels by, whose bag was found empty."""
        packet = self.crew.packet(number)
        manifest = self._manifest_of(packet)
        with self.crew.database.reading() as session:
            left = session.scalars(
                select(Packet.number).where(Packet.manifest_id == packet.manifest_id)
            ).all()
        for who in (f"{role}.{district}" for role in ("registrar", "accumulator") for district in DISTRICTS):
            self.crew.scan(who, Station.RECEIVE, manifest)
            self._try(closing.close, manifest, reasons=dict.fromkeys(left, "empty bag"), who=who)
        if lost:
            self._try(settling.lose, number, reason="gone", who="head.alakol")
        return manifest

    @rule(number=packets, minutes=st.sampled_from([0, 60]))
    def take_back(self, number: str, minutes: int) -> None:
        """Let everybody try to take the last step back; who did it may, in time."""
        self.crew.wait(minutes=minutes)
        for who in self.crew.people:
            self._try(
                undoing.undo, number, reason="head decides" if who.startswith("head") else None, who=who
            )

    @rule(manifest=manifests, who=PEOPLE, seal=st.sampled_from(["1", "", "A-77"]))
    def seal(self, manifest: str, who: str, seal: str) -> None:
        self._try(collecting.seal, manifest, seal_number=seal, who=who)

    @rule(manifest=manifests, who=PEOPLE, numbers=st.lists(packets, max_size=4))
    def close(self, manifest: str, who: str, numbers: list[str]) -> None:
        self._try(closing.close, manifest, reasons=dict.fromkeys(numbers, "not in the bag"), who=who)

    @rule(
        number=packets,
        who=PEOPLE,
        command=st.sampled_from(
            [
                collecting.take_out,
                closing.damage,
                closing.refuse,
                settling.never_sent,
                settling.lose,
                deciding.send_back,
                undoing.undo,
            ]
        ),
        reason=st.sampled_from(["a reason", ""]),
    )
    def exceptional(self, number: str, who: str, command: object, reason: str) -> None:
        self._try(command, number, reason=reason, who=who)

    @rule(number=packets, who=PEOPLE, district=st.sampled_from([*DISTRICTS, "nowhere"]))
    def reroute(self, number: str, who: str, district: str) -> None:
        self._try(settling.reroute, number, district=district, reason="moved", who=who)

    @rule(minutes=st.sampled_from([1, 15, 60 * 24, 60 * 24 * 31]))
    def wait(self, minutes: int) -> None:
        self.crew.wait(minutes=minutes)

    @invariant()
    def everything_agrees(self) -> None:
        with self.crew.database.reading() as session:
            report = verify(session)
        assert report.ok, report.broken


@pytest.fixture(scope="module", autouse=True)
def template(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Migrate one database and hire everybody; each history begins with a copy of it."""
    path = tmp_path_factory.mktemp("histories") / "template.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    Crew.of(database)
    # Closing the last connection writes the log of changes into the file.
    database.close()
    Histories.template = path


def test_whatever_people_do_the_invariants_hold() -> None:
    thorough = int(os.environ.get("SHABARMAN_HISTORIES", "8"))
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=thorough,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        ),
    )
