"""Backup and restore: everything is destroyed, comes back, is told again, and every invariant holds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text

from config.settings import Settings
from models import Base, Message, Serial
from models.database import Database
from models.message import MessageState
from models.migrate import newest
from tests.integration.workflow.crew import Crew
from workers.archive.making import archive
from workers.backup import copying, file
from workers.backup.errors import (
    BrokenBackupError,
    InUseError,
    NewerBackupError,
    NotEmptyError,
    OtherKindError,
)
from workers.backup.making import make
from workers.backup.restoring import GAP, restore
from workflow import accepting, leases

NOW = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
RENEWED = {"messages", "serials", "alembic_version"}
"""Tables that a restore changes on purpose."""


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """Return the settings of an installation on an empty database; where it is SQLite, it is the home's own."""
    url = database.engine.url.render_as_string(hide_password=False)
    return Settings(home=tmp_path, database_url=url.replace("+psycopg", ""))


@pytest.fixture
def crew(database: Database) -> Crew:
    """Return people who have done something: packets on their way, one of the messages with the broker."""
    crew = Crew.of(database)
    numbers = [crew.accept() for _ in range(3)]
    crew.send(*numbers[:2])
    with database.transaction() as session:
        leases.take_due(session, limit=1, seconds=60)
    return crew


def contents(database: Database) -> dict[str, list[Any]]:
    """Return all rows of all tables."""
    with database.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table))))
            for table in Base.metadata.sorted_tables
            if table.name not in RENEWED
        }


def destroy(database: Database) -> None:
    """Leave nothing of a database."""
    database.close()
    if database.dialect == "sqlite":
        for part in Path(database.engine.url.database or "").parent.glob("shabarman.db*"):
            part.unlink()
        return
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def test_everything_comes_back(crew: Crew, settings: Settings, tmp_path: Path) -> None:
    database = crew.database
    others = tmp_path / "etc"
    others.mkdir()
    (others / "web.env").write_text("SHABARMAN_SECRET=kept\n", encoding="utf-8")
    with database.reading() as session:
        published = session.scalars(select(Message.id).where(Message.state == MessageState.PUBLISHED)).all()
        serials = dict(
            session.execute(select(Serial.kind, func.max(Serial.last)).group_by(Serial.kind)).all()
        )
    assert published
    before = contents(database)

    made = make(settings, into=tmp_path / "backups", now=NOW, others=others)
    assert made.name == "shabarman-20261125T023000Z.tar"
    assert made.stat().st_mode & 0o077 == 0
    destroy(database)
    done = restore(settings, made, now=NOW + timedelta(days=1), others=tmp_path / "new")

    assert done.report.ok, done.report.broken
    assert contents(database) == before
    # What the broker had is told again.
    assert done.again == len(published)
    with database.reading() as session:
        assert session.scalar(select(func.count()).where(Message.state == MessageState.PUBLISHED)) == 0
        moved = dict(session.execute(select(Serial.kind, func.max(Serial.last)).group_by(Serial.kind)).all())
    # A number that was printed after the backup is not given again.
    assert moved == {kind: last + GAP for kind, last in serials.items()}
    assert (tmp_path / "new" / "web.env").read_text(encoding="utf-8") == "SHABARMAN_SECRET=kept\n"
    # Life goes on.
    crew.accept()


def test_what_is_there_is_not_overwritten_without_a_word(
    crew: Crew, settings: Settings, tmp_path: Path
) -> None:
    made = make(settings, into=tmp_path / "backups", now=NOW)
    crew.database.close()
    with pytest.raises(NotEmptyError):
        restore(settings, made, now=NOW)
    crew.accept()
    with crew.database.reading() as session:
        newer = session.scalar(select(func.count()).select_from(Message))
    crew.database.close()
    done = restore(settings, made, now=NOW, replace=True, gap=0)
    assert done.report.ok
    with crew.database.reading() as session:
        assert (session.scalar(select(func.count()).select_from(Message)) or 0) < (newer or 0)


@pytest.mark.postgresql
def test_nothing_is_brought_back_under_running_processes(
    crew: Crew, settings: Settings, tmp_path: Path
) -> None:
    made = make(settings, into=tmp_path / "backups", now=NOW)
    if crew.database.dialect == "sqlite":
        return  # There the lock of the home folder says so (test_up).
    with crew.database.reading() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(InUseError):
            restore(settings, made, now=NOW, replace=True)


def test_a_backup_that_is_not_whole_is_refused_before_anything_is_touched(
    crew: Crew, settings: Settings, tmp_path: Path
) -> None:
    made = make(settings, into=tmp_path / "backups", now=NOW)
    before = contents(crew.database)
    whole = made.read_bytes()
    place = len(whole) // 2
    for broken in (
        whole[:place],
        whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :],
        b"no backup",
    ):
        made.write_bytes(broken)
        with pytest.raises(BrokenBackupError):
            restore(settings, made, now=NOW, replace=True)
    assert contents(crew.database) == before


def test_only_what_fits_is_brought_back(database: Database, settings: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(b"")
    other = "sqlite" if database.dialect == "postgresql" else "postgresql"
    for kind, step, refusal in (
        (other, newest(), OtherKindError),
        (database.dialect, "9999", NewerBackupError),
    ):
        made = tmp_path / f"{kind}.tar"
        file.write(made, database=copy, settings=None, made_at=NOW, kind=kind, step=step)
        with pytest.raises(refusal):
            restore(settings, made, now=NOW, replace=True)


def withdrawn(crew: Crew) -> None:
    """Bring a packet to its end, and let everybody know it."""
    by = crew.people["inspector.aksu"]
    number = crew.accept()
    crew.do(lambda s: accepting.withdraw(s, number, reason="moved", by=by, now=crew.now))
    with crew.database.transaction() as session:
        session.execute(
            text("UPDATE messages SET state = 'done', done_at = created_at WHERE subject = :number"),
            {"number": number},
        )


def test_an_archive_that_is_sealed_just_before_the_copy_is_named(
    crew: Crew, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawn(crew)
    names: list[str] = []

    def after_archiving(copy: Callable[[Any, Path], None]) -> Callable[[Any, Path], None]:
        def late(source: Any, to: Path) -> None:
            outcome = archive(
                crew.database, tmp_path / "archive", now=NOW + timedelta(days=800), months=24, by="operator"
            )
            names.extend(one.file for one in outcome.made)
            copy(source, to)

        return late

    for name in ("dump_postgresql", "copy_sqlite"):
        monkeypatch.setattr(copying, name, after_archiving(getattr(copying, name)))
    made = make(settings, into=tmp_path / "backups", now=NOW)
    assert len(names) == 1
    assert list(file.check(made).archives) == names


def test_archives_are_named_and_those_that_are_missing_are_told(
    crew: Crew, settings: Settings, tmp_path: Path
) -> None:
    withdrawn(crew)
    folder = settings.effective_archive_folder
    (one,) = archive(crew.database, folder, now=NOW + timedelta(days=800), months=24, by="operator").made
    before = contents(crew.database)
    made = make(settings, into=tmp_path / "backups", now=NOW)
    assert file.check(made).archives == {one.file: one.sha256}
    for missing in ([], [one.file]):
        if missing:
            (folder / one.file).unlink()
        destroy(crew.database)
        done = restore(settings, made, now=NOW)
        assert done.archives == missing
        assert contents(crew.database) == before


def test_the_oldest_go(database: Database, settings: Settings, tmp_path: Path) -> None:
    del database
    into = tmp_path / "backups"
    made = [make(settings, into=into, now=NOW + timedelta(days=day), keep=2) for day in range(3)]
    (into / "note.txt").write_text("kept", encoding="utf-8")
    assert file.kept_in(into) == made[1:]
    assert {path.name for path in into.iterdir()} == {*(path.name for path in made[1:]), "note.txt"}
