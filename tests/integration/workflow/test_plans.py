"""What scans, commands and deliveries ask finds its rows by an index, however much history there is."""

import pytest

from config.settings import Settings
from models.database import Database
from models.packet import State
from models.scan import Station
from tasks.handling import handle
from tests.integration.plans import asked
from tests.integration.workflow.crew import Crew
from workflow import leases


def deliver(database: Database) -> None:
    taken = database.transact(lambda session: leases.take_due(session, limit=200, seconds=60), single=True)
    handle(database, [due.id for due in taken], settings=Settings(broker_url=None, smtp_url=None))


def test_no_step_of_the_way_reads_a_growing_table_whole(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = Crew.of(database)
    with asked(database, monkeypatch) as questions:
        there, missing = crew.accept(), crew.accept()
        out = crew.send(there, missing)
        crew.scan("registrar.alakol", Station.RECEIVE, out, there)
        crew.close(out, **{f"_{missing}": "not in the bag"})
        crew.decide(there)
        back = crew.send(there, who="registrar.alakol")
        crew.scan("accumulator.aksu", Station.RECEIVE, there)
        crew.close(back, who="accumulator.aksu")
        crew.scan("inspector.aksu", Station.HAND_OVER, there)
        deliver(database)
    assert crew.packet(there).state is State.HANDED_OVER
    assert questions.whole_reads() == []
