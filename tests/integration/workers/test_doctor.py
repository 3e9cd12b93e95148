"""The doctor: each fault is provoked, found, and named with what to do."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from kombu import Connection, Queue
from sqlalchemy import text, update

from config.clock import utc_now
from config.offices import centre_of
from config.settings import Settings
from models import Heartbeat, Message
from models.archive import Archive
from models.database import Database
from models.heartbeat import ProcessRole
from models.message import MessageState
from models.staff import Role
from routing.queues import DEAD
from tests.integration.servers import Broker, SqliteFiles, free_port
from tests.integration.workflow.crew import Crew, hire
from workers.doctor import CHECKS, Finding, examine, exit_code
from workflow import heartbeats
from workflow.staffing import Particulars, add_person

SECRET = "a secret that is long enough for anybody"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def sound(home: Path, sqlite_files: SqliteFiles, embedded_server: Broker) -> Iterator[Sound]:
    """Give a test an installation without a fault: database, broker, people, a relay and a worker."""
    sqlite_files.fresh(home)
    embedded_server.empty()
    made = Sound(home, embedded_server.url)
    with made.database.transaction() as session:
        add_person(
            session,
            login="administrator",
            person=Particulars(
                name="Administrator", office=centre_of("aksu").code, roles=[Role.ADMINISTRATOR]
            ),
            password="a long enough password",
            by="root",
            now=utc_now(),
        )
        for role in ProcessRole:
            heartbeats.beat(session, role, host="one", process=1, name=f"{role}@one")
    yield made
    made.database.close()


class Sound:
    """An installation, and what the doctor says of it."""

    def __init__(self, home: Path, broker_url: str) -> None:
        self.home = home
        self.values: dict[str, Any] = {"home": home, "broker_url": broker_url, "secret": SECRET}
        self.database = Database(f"sqlite:///{home / 'shabarman.db'}")
        self.environment: dict[str, str] = {}

    def examined(self, **change: Any) -> list[Finding]:
        return examine(Settings(**self.values | change), environment=self.environment)

    def fault(self, check: str, **change: Any) -> Finding:
        """Return what was found by one check; nothing else may be at fault but what needs it."""
        found = self.examined(**change)
        bad = [one for one in found if one.status in {"warning", "fault"}]
        assert [one.check for one in bad] == [check], bad
        assert bad[0].error is not None
        assert (exit_code(found) == 0) == (bad[0].status == "warning")
        return bad[0]


def test_a_sound_installation_has_no_fault(sound: Sound) -> None:
    found = sound.examined()
    assert {one.check: one.status for one in found} == {name: "ok" for name, _, _ in CHECKS}
    assert exit_code(found) == 0


def misspelt_setting(sound: Sound) -> None:
    sound.environment["SHABARMAN_SMPT_URL"] = "smtp://mail"


def open_home(sound: Sound) -> None:
    sound.home.chmod(0o755)


def first_passwords(sound: Sound) -> None:
    (sound.home / "first-sign-ins.txt").write_text("# left here")


def orphan(sound: Sound) -> None:
    (sound.home / "broker.unreadable-1").mkdir()


def old_tables(sound: Sound) -> None:
    with sound.database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))


def nobody(sound: Sound) -> None:
    with sound.database.transaction() as session:
        session.execute(text("UPDATE staff SET active = 0"))


def silent(role: ProcessRole) -> Callable[[Sound], None]:
    def fall_silent(sound: Sound) -> None:
        with sound.database.transaction() as session:
            session.execute(
                update(Heartbeat)
                .where(Heartbeat.role == role)
                .values(seen_at=utc_now() - timedelta(minutes=5))
            )

    return fall_silent


def narrow_worker(sound: Sound) -> None:
    with sound.database.transaction() as session:
        session.execute(
            update(Heartbeat).where(Heartbeat.role == ProcessRole.WORKER).values(queues=["centre.aksu"])
        )


def lost_archive(sound: Sound) -> None:
    with sound.database.transaction() as session:
        session.add(
            Archive(
                month="2024-03",
                part=1,
                file="2024-03.jsonl.gz",
                packets=1,
                rows=20,
                size=400,
                sha256="0" * 64,
                version="0",
                made_by="operator",
                started_at=utc_now(),
                sealed_at=utc_now(),
                finished_at=utc_now(),
            )
        )


def message(state: MessageState, *, minutes: int) -> Callable[[Sound], None]:
    def leave(sound: Sound) -> None:
        with sound.database.transaction() as session:
            hire(session)
        Crew.of(sound.database).accept()
        with sound.database.transaction() as session:
            session.execute(
                update(Message).values(state=state, created_at=utc_now() - timedelta(minutes=minutes))
            )

    return leave


@pytest.mark.parametrize(
    ("provoke", "check", "code", "status"),
    [
        (misspelt_setting, "settings", "unknown_variable", "warning"),
        (open_home, "home folder", "open_home", "fault"),
        (first_passwords, "orphaned files", "first_passwords", "warning"),
        (orphan, "orphaned files", "orphans", "warning"),
        (old_tables, "migrations", "unmigrated", "fault"),
        (nobody, "people", "nobody", "warning"),
        (lost_archive, "archives", "missing_archive", "warning"),
        (silent(ProcessRole.RELAY), "relay", "no_relay", "fault"),
        (silent(ProcessRole.WORKER), "workers", "unserved", "fault"),
        (narrow_worker, "workers", "unserved", "fault"),
        (message(MessageState.PENDING, minutes=10), "messages", "standstill", "fault"),
        (message(MessageState.DEAD, minutes=10), "messages", "dead_letters", "warning"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_fault_is_found_and_named(
    sound: Sound, provoke: Callable[[Sound], None], check: str, code: str, status: str
) -> None:
    provoke(sound)
    found = sound.fault(check)
    assert found.error is not None
    assert (found.error.code, found.status) == (code, status)
    assert len(found.error.sentence("kk")) > 20


def test_bad_settings_are_found(sound: Sound) -> None:
    assert sound.fault("secret", secret="short").error is not None
    assert sound.fault("broker", broker_url="http://broker").error is not None
    nothing = sound.fault("broker", broker_url=f"redis://127.0.0.1:{free_port()}/0")
    assert nothing.error is not None
    assert nothing.error.code == "broker_down"
    assert [one.status for one in sound.examined(broker_url="http://broker") if one.check == "queues"] == [
        "unknown"
    ]


def test_a_database_that_is_not_there_is_found(sound: Sound, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir(mode=0o700)
    found = {one.check: one for one in sound.examined(home=empty)}
    assert found["database"].status == "fault"
    assert {found[name].status for name in ("migrations", "clock", "people", "relay")} == {"unknown"}
    assert not list(empty.iterdir())
    away = {one.check: one for one in sound.examined(database_url="postgresql://127.0.0.1:1/nothing")}
    assert away["database"].error is not None
    assert exit_code(list(away.values())) == 3


def test_a_clock_that_is_off_and_an_old_time_zone_are_found(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.doctor.utc_now", lambda: utc_now() - timedelta(hours=1))
    found = sound.fault("clock")
    assert found.error is not None
    assert "3600" in found.error.sentence("en")
    monkeypatch.setattr("workers.doctor.utc_now", lambda: utc_now() - timedelta(days=1500))
    assert "time zone" in {one.check for one in sound.examined() if one.status == "fault"}


def test_a_full_disk_is_found(sound: Sound, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.doctor.LEAST_FREE", 2**60)
    assert sound.fault("home folder").status == "warning"


def test_a_forgetful_broker_and_a_queue_that_is_none_are_found(sound: Sound, embedded_server: Broker) -> None:
    with embedded_server.client() as client:
        client.set("centre.aksu", "no list")
        assert "centre.aksu" in str(sound.fault("queues").error)
        client.delete("centre.aksu")
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            found = sound.fault("broker")
        finally:
            client.config_set("maxmemory", "0")
            client.config_set("maxmemory-policy", "noeviction")
    assert found.error is not None
    assert found.error.code == "forgetful_broker"


@pytest.mark.rabbitmq
def test_queues_that_are_missing_or_otherwise_are_found_on_rabbitmq(
    sound: Sound, rabbitmq_server: Broker
) -> None:
    rabbitmq_server.empty()
    assert all(one.status == "ok" for one in sound.examined(broker_url=rabbitmq_server.url))
    with Connection(rabbitmq_server.url) as connection:
        with connection.channel() as channel:
            Queue("centre.aksu", channel=channel).delete()
        assert "centre.aksu" in str(sound.fault("queues", broker_url=rabbitmq_server.url).error)
        with connection.channel() as channel:
            assert not _is_there(connection, "centre.aksu"), "the doctor made it"
            Queue("centre.aksu", channel=channel, durable=True).declare()
        assert "centre.aksu" in str(sound.fault("queues", broker_url=rabbitmq_server.url).error)
        with connection.channel() as channel:
            Queue("centre.aksu", channel=channel).delete()
    rabbitmq_server.empty()
    rabbitmq_server.push(DEAD, b"it ended its worker")
    found = sound.fault("queues", broker_url=rabbitmq_server.url)
    assert (found.status, "1 tasks" in str(found.error)) == ("warning", True)


def _is_there(connection: Connection, queue: str) -> bool:
    channel: Any = connection.channel()
    try:
        channel.queue_declare(queue, passive=True)
    except connection.channel_errors:
        return False
    channel.close()
    return True


def test_the_mail_server_is_asked_and_gets_no_letter(sound: Sound) -> None:
    assert sound.fault("mail server", smtp_url="http://mail").error is not None
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        down = sound.fault("mail server", smtp_url=f"smtp://127.0.0.1:{closed.getsockname()[1]}")
    assert down.error is not None
    assert down.error.code == "mail_server"

    class Refusing:
        letters = 0

        async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - aiosmtpd's own name
            Refusing.letters += 1
            return "250 OK"

    controller = Controller(Refusing(), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        found = sound.examined(smtp_url=f"smtp://127.0.0.1:{controller.port}")
    finally:
        controller.stop()
    assert all(one.status == "ok" for one in found)
    assert Refusing.letters == 0


def test_what_is_found_is_json_for_programs(sound: Sound) -> None:
    open_home(sound)
    written = json.dumps([one.as_json("en") for one in sound.examined()])
    assert '"code": "open_home"' in written
    assert "chmod 700" in written
