"""Backup, restore and archives with least credentials: each does its own, and no more."""

import subprocess
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from config.clock import utc_now
from config.offices import centre_of, department_of
from config.settings import Settings
from models import Message, Packet, Staff
from models.database import Database
from models.rights import DatabaseRole
from models.staff import Role
from tasks.handling import handle
from tests.functional.deploy.site import PATIENCE, Site
from tests.functional.deploy.test_credentials import address
from workers.archive.checking import check
from workers.archive.making import archive
from workers.verification import verify
from workflow import accepting
from workflow.people import actor

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


def test_everything_comes_back_with_its_rights(redis_site: Site, tmp_path: Path) -> None:
    made = redis_site.shabarman("backup", "--into", str(tmp_path), as_="backup").strip()
    command = [str(redis_site.place.programs / "shabarman"), "restore", made, "--replace"]
    environment = redis_site.environment("shabarman-migrate.service") | {"SHABARMAN_LANGUAGE": "en"}
    with redis_site.administrator() as other:
        other.execute("SELECT 1")
        refused = subprocess.run(
            command, env=environment, cwd="/", capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert refused.returncode == 1
        assert "Stop all processes" in refused.stderr
    assert "Brought back" in redis_site.shabarman("restore", made, "--replace")
    with psycopg.connect(address(redis_site, DatabaseRole.WEB)) as web:
        assert web.execute("SELECT count(*) FROM offices").fetchone() != (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute("DELETE FROM packets")


def withdrawn(owner: Database) -> str:
    """Accept a packet and let the applicant withdraw it, tell everybody, and return its number."""
    now, login = utc_now(), "inspector.archive"
    with owner.transaction() as session:
        session.add(
            Staff(
                login=login,
                name="Inspector",
                office=centre_of("ile").code,
                roles=[Role.INSPECTOR],
                created_at=now,
            )
        )
    with owner.transaction() as session:
        by = actor(session, login=login)
        application = accepting.Application(
            service="child_allowance", applicant_name="Applicant", residence=department_of("ile").code
        )
        (made,) = accepting.accept(session, [application], by=by, now=now)
        accepting.withdraw(session, made.number, reason="moved", by=by, now=now)
    with owner.reading() as session:
        ids = list(session.scalars(select(Message.id).where(Message.subject == made.number)))
    assert handle(owner, ids, settings=Settings(smtp_url=None)).failed == 0
    return made.number


def test_archives_are_made_with_no_more_than_their_role(redis_site: Site) -> None:
    folder = Path(redis_site.environment("shabarman-archive.service")["SHABARMAN_ARCHIVE_FOLDER"])
    assert redis_site.shabarman("archive", "--json", as_="archive").strip() == "[]"
    owner = Database(address(redis_site, DatabaseRole.MIGRATE))
    keeper = Database(address(redis_site, DatabaseRole.ARCHIVE))
    try:
        number = withdrawn(owner)
        with pytest.raises(DatabaseError, match="never deleted before"), keeper.transaction() as session:
            session.execute(text("DELETE FROM events"))
        made = archive(keeper, folder, now=utc_now() + timedelta(days=800), months=24, by="archive").made
        assert sum(one.packets for one in made) >= 1
        with owner.reading() as session:
            assert session.scalar(select(Packet.archived_at).where(Packet.number == number)) is not None
            report = verify(session)
        assert report.ok, report.broken
        assert all(one.ok for one in check(keeper, folder))
        # Every process knows where the files lie, and misses one that is gone.
        (file, *_) = (folder / one.file for one in made)
        assert redis_site.doctor("web")["archives"]["status"] == "ok"
        hidden = file.rename(folder / "elsewhere")
        assert redis_site.doctor("web")["archives"]["code"] == "missing_archive"
        hidden.rename(file)
    finally:
        owner.close()
        keeper.close()
