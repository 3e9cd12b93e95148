"""The migration that enters the packets of earlier days under their applicants' names."""

from importlib import import_module

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select

from config.letters import name_key
from models import ApplicantName
from models.database import Database
from tests.integration.workflow.crew import Crew

MIGRATION = import_module("models.migrations.versions.0006_names_of_applicants")


def test_packets_that_were_there_before_are_found_by_name(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = Crew.of(database)
    numbers = [*(crew.accept() for _ in range(5)), crew.accept(residence="2001")]

    def entered() -> list[tuple[str, str, int]]:
        with database.reading() as session:
            table = ApplicantName.__table__.c
            return sorted(
                tuple(row) for row in session.execute(select(table.office, table.key, table.packet_id))
            )

    before = entered()
    assert len(before) == 2 * len(numbers)
    monkeypatch.setattr(MIGRATION, "AT_ONCE", 4)
    with database.engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        MIGRATION.downgrade()
        MIGRATION.upgrade()
    assert entered() == before
    assert {key for _office, key, _packet in before} == {name_key("Applicant 1")}
