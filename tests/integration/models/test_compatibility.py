"""Old and new programs side by side: what a later version may do to the tables while this one works."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select, text

from models import Alert
from models.database import Database
from models.migrate import OutdatedError, _alembic, migrate, newest, require_migrated
from tests.functional.installation import PATIENCE, eventually
from tests.integration.conftest import DATABASES
from tests.integration.servers import PostgresqlDatabase, SqliteFiles, postgresql_database
from tests.integration.workflow.crew import START, Crew
from workers.verification import verify

SCRIPTS = ScriptDirectory.from_config(_alembic())


@pytest.fixture
def postgresql() -> Iterator[PostgresqlDatabase]:
    """Make a database for one test alone: what is done to its tables must not meet any other test."""
    with postgresql_database() as made:
        yield made


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, sqlite_files: SqliteFiles, tmp_path: Path) -> str:
    """Return the address of a migrated database of this test alone, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return sqlite_files.fresh(tmp_path)
    made: PostgresqlDatabase = request.getfixturevalue("postgresql")
    return made.url


def later(database: Database, *, oldest: str | None = None) -> None:
    """Do to a database what a later version does: a step of its own, which may shut older programs out."""
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9998'"))
        if oldest is not None:
            session.execute(text("UPDATE compatibility SET oldest = :oldest"), {"oldest": oldest})


def test_tables_that_only_grew_are_worked_with_and_left_alone(database: Database) -> None:
    later(database)
    require_migrated(database)
    # An older `migrate`, on a machine that is not renewed yet, does nothing.
    assert migrate(database) == "9998"


def test_tables_that_something_was_taken_from_are_not(database: Database) -> None:
    later(database, oldest="9998")
    for refused in (lambda: require_migrated(database), lambda: migrate(database)):
        with pytest.raises(OutdatedError, match="newer version"):
            refused()


def test_without_a_promise_nothing_is_taken_for_granted(database: Database) -> None:
    later(database)
    with database.transaction() as session:
        session.execute(text("DROP TABLE compatibility"))
    with pytest.raises(OutdatedError):
        require_migrated(database)


def test_the_step_before_is_brought_up_with_its_data(database: Database) -> None:
    crew = Crew.of(database)
    number = crew.accept()
    crew.collect(number)
    with database.transaction() as session:
        message_id = session.scalars(text("SELECT MIN(id) FROM messages")).one()
        session.add(
            Alert(
                office="1001",
                reason="test",
                day=START.date(),
                message_id=message_id,
                deaths=2,
                raised_at=START,
            )
        )
    before = crew.weight()
    with database.transaction() as session:
        _back(session.connection())
    assert migrate(database) == newest()
    assert crew.weight() == before
    with database.reading() as session:
        assert verify(session).ok
        assert [(alert.deaths, alert.message_id) for alert in session.scalars(select(Alert))] == [
            (2, message_id)
        ]


def _back(connection: Connection) -> None:
    """Undo the last six steps by hand, as the step before them left the tables."""
    assert newest() == "0015", "Undo the step that is the newest now."
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP FUNCTION all_found"))
    for index in ("manifests_under_way", "manifests_courier_id_opened_at", "runs_departs_at"):
        connection.execute(text(f"DROP INDEX ix_{index}"))
    on_postgresql = connection.dialect.name == "postgresql"
    of = " ON {}" if on_postgresql else ""
    for table in SCRIPTS.get_revision("0013").module.CLOSED:
        connection.execute(text(f"DROP TRIGGER {table}_archived_is_closed{of.format(table)}"))
    if on_postgresql:
        connection.execute(text("DROP FUNCTION archived_is_closed"))
    connection.execute(text("DROP INDEX ix_messages_unfinished_by_queue"))
    connection.execute(
        text(
            "CREATE INDEX ix_messages_unfinished ON messages (due_at) WHERE state IN ('pending', 'published')"
        )
    )
    connection.execute(text("DROP TABLE office_facts"))
    step = SCRIPTS.get_revision("0010")
    (before,) = step._all_down_revisions
    undone = [
        *(f"DROP TRIGGER {table}_stay_unless_archived{of.format(table)}" for table in step.module.GUARDED),
        *(
            f"DROP TRIGGER {table}_archived_stay_{verb.lower()}{of.format(table)}"
            for table, verb, _ in step.module.STAYING
        ),
        f"DROP TRIGGER packets_archived_marks{of.format('packets')}",
        f"DROP TRIGGER packets_archived_enters{of.format('packets')}",
        "DROP INDEX ix_packets_ended",
        "DROP INDEX ix_packets_archive",
        "ALTER TABLE packets DROP COLUMN archived_at",
        "ALTER TABLE packets DROP COLUMN archive_id",
        "DROP TABLE leaving_scans",
        "DROP TABLE archives",
    ]
    if on_postgresql:
        undone += [f"DROP FUNCTION archived_{kind}_goes" for kind in step.module.GOES]
        undone += [f"DROP FUNCTION archived_{name}" for name in ("stays", "marks", "enters")]
    for table in step.module.HISTORY:
        if on_postgresql:
            undone.append(f"DROP TRIGGER {table}_stay ON {table}")
            made = (
                f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION history_stays()"
            )
        else:
            made = (
                f"CREATE TRIGGER {table}_stay_delete BEFORE DELETE ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted'); END"
            )
        undone.append(made)
    for statement in undone:
        connection.execute(text(statement))
    with Operations(MigrationContext.configure(connection)).batch_alter_table("alerts") as alerts:
        alerts.alter_column("message_id", nullable=False)
        alerts.drop_constraint("fk_alerts_message_id_messages", type_="foreignkey")
        alerts.create_foreign_key("fk_alerts_message_id_messages", "messages", ["message_id"], ["id"])
    connection.execute(text("UPDATE alembic_version SET version_num = :before"), {"before": before})


@pytest.mark.postgresql
def test_a_step_waits_for_a_table_a_moment_only_and_comes_again(postgresql: PostgresqlDatabase) -> None:
    """Who reads a table for long does not make all others wait behind the step."""
    database = Database(postgresql.url)
    migrate(database)
    with database.transaction() as session:
        _back(session.connection())
    with (
        psycopg.connect(postgresql.url) as holder,
        psycopg.connect(postgresql.url, autocommit=True) as watcher,
    ):

        def waits() -> bool:
            found = watcher.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchone()
            return found is not None and found[0] > 0

        holder.execute("LOCK TABLE offices IN ACCESS EXCLUSIVE MODE")
        step: list[str] = []
        migrating = threading.Thread(target=lambda: step.append(migrate(database)))
        migrating.start()
        eventually(waits)
        eventually(lambda: not waits())
        assert migrating.is_alive()
        holder.rollback()
        migrating.join(PATIENCE)
    database.close()
    assert step == [newest()]
