"""A production day: the wheel, the units' own commands, least credentials, and all of it restarted under load."""

import http.client
import json
import secrets
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from redis import Redis

from tests.functional.deploy.site import PATIENCE, STEP_AFTER, Service, Site, run
from tests.functional.installation import eventually

pytestmark = pytest.mark.postgresql

PACKETS = 15

PAGES = (("shabarman-web@.service", "1"), ("shabarman-web@.service", "2"))
CARRIERS = (
    ("shabarman-relay@.service", "1"),
    ("shabarman-worker@.service", "aksu"),
    ("shabarman-worker@.service", "1"),
    ("shabarman-beat.service", ""),
)


@dataclass
class Handhelds:
    """Scan without a pause, each scan on a connection of its own, as it comes through nginx; nothing is tried twice."""

    port: int
    token: str
    stop: threading.Event = field(default_factory=threading.Event)
    taken: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def scan(self) -> None:
        while not self.stop.is_set():
            mark = f"load-{secrets.token_hex(8)}"
            scan = {"id": mark, "raw": "10019900000199", "station": "collect", "at": "2026-01-05T10:00:00Z"}
            body = json.dumps([scan])
            headers = {
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "Connection": "close",
            }
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
                connection.request("POST", "/api/v1/scans", body, headers)
                answer = connection.getresponse()
                said = answer.read().decode()
                connection.close()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                continue
            if answer.status == 200:
                self.taken.append(mark)
            else:
                self.failures.append(said)

    @contextmanager
    def scanning(self, hands: int) -> Iterator[None]:
        threads = [threading.Thread(target=self.scan) for _ in range(hands)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()


def test_what_runs_is_the_wheel(site: Site) -> None:
    code = "import config, workers; print(config.__file__, workers.__file__)"
    found = run(str(site.place.programs / "python"), "-c", code, cwd="/").split()
    assert all(place.startswith(str(site.place.programs.parent)) for place in found), found


@pytest.mark.rabbitmq
def test_a_day_through_the_units(rabbitmq_site: Site) -> None:
    site = rabbitmq_site
    running = [
        site.begin(unit, instance=instance)
        for unit, instance in (*CARRIERS, ("shabarman-flower.service", ""))
    ]
    for service in running:
        service.wait_until_ready()
    with played_day(site) as day:
        pass
    require_good_day(site, day)
    assert "REFUSED" not in "".join(service.said() for service in running)
    for service in running:
        assert service.stop(), service.said()
    site.services.close()


@pytest.mark.parametrize("process", ["web", "relay", "worker"])
def test_the_doctor_is_asked_with_the_credential_of_a_process(site: Site, process: str) -> None:
    found = site.doctor(process)
    assert found["queues"]["status"] == ("ok" if process == "relay" else "unknown"), found["queues"]
    assert found["archives"]["status"] == ("ok" if process == "web" else "unknown"), found["archives"]
    faults = {name for name, one in found.items() if one["status"] == "fault"}
    # Nothing of this site runs now, and nobody was entered who could give rights.
    assert faults <= {"people", "relay", "workers"}, found


def test_beat_may_tick(site: Site) -> None:
    """Its first tick comes after a minute; here one is sent at once, by the same application and credential."""
    code = "from tasks.app import app; app.send_task('upkeep.outbox', queue='upkeep', expires=60)"
    python = str(site.place.programs / "python")
    run(python, "-c", code, env=site.environment("shabarman-beat.service"), cwd="/")
    with Connection(site.address_of("admin")) as connection, connection.channel() as opened:
        channel: Any = opened
        assert channel.queue_declare("upkeep", passive=True).message_count == 1
        channel.queue_purge("upkeep")


@pytest.mark.redis
def test_flower_hears_the_workers(redis_site: Site) -> None:
    with Redis.from_url(redis_site.address_of("admin")) as admin:
        admin.acl_log_reset()
        redis_site.start("shabarman-flower.service")
        eventually(admin.pubsub_numpat, patience=PATIENCE)
        redis_site.services.close()
        # Whatever workers would put back is theirs to put back.
        assert {entry["object"] for entry in admin.acl_log()} <= {"set"}


@pytest.mark.redis
def test_a_day_in_which_the_site_is_renewed(redis_site: Site, next_programs: Path) -> None:
    """Nothing is lost while the tables are brought to a later version and every process is replaced by it."""
    site, first = redis_site, redis_site.place
    token = token_of(site)
    with Redis.from_url(site.address_of("admin")) as admin:
        admin.acl_log_reset()  # Tests before this one asked for what is refused.
    with socket.create_server(("127.0.0.1", 0), backlog=128) as port:
        running = {
            (unit, instance): site.begin(unit, instance=instance, pass_on=port if "web" in unit else None)
            for unit, instance in (*PAGES, *CARRIERS)
        }
        for service in running.values():
            service.wait_until_ready()
        handhelds = Handhelds(port=port.getsockname()[1], token=token)
        with played_day(site) as day, handhelds.scanning(hands=2):
            eventually(lambda: handhelds.taken, patience=PATIENCE)
            site.renew(next_programs)
            # From here on old programs work with new tables; one of them that dies comes back.
            renewed, site.place = site.place, first
            restart(site, running, *PAGES[0], port)
            site.place = renewed
            for unit, instance in (*PAGES, *CARRIERS):
                restart(site, running, unit, instance, port)
            before = len(handhelds.taken)
            eventually(lambda: len(handhelds.taken) > before, patience=PATIENCE)
        for service in running.values():
            assert service.stop(), service.said()
    site.services.close()

    assert handhelds.failures == []
    with site.administrator() as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (STEP_AFTER,)
        kept = connection.execute("SELECT id FROM scans WHERE id LIKE 'load-%'").fetchall()
    assert sorted(row[0] for row in kept) == sorted(handhelds.taken)
    require_good_day(site, day)
    with Redis.from_url(site.address_of("admin")) as admin:
        assert admin.acl_log() == [], "somebody was refused what it needs"


@contextmanager
def played_day(site: Site) -> Iterator[dict[str, Any]]:
    """Let people work for a day while a block goes on; what came of it is in the result after the block.

    They do what they would do in the pages, so they have the rights of the pages, and no more.
    """
    outcome: dict[str, Any] = {}
    command = ("simulate", "--running", "--packets", str(PACKETS), "--days", "1", "--json")
    day = subprocess.Popen(
        [str(site.place.programs / "shabarman"), *command],
        env=site.environment("shabarman-web@.service", instance="1"),
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield outcome
        said, _ = day.communicate(timeout=PATIENCE)
        outcome |= json.loads(said)
    finally:
        day.kill()
        day.communicate()


def require_good_day(site: Site, outcome: dict[str, Any]) -> None:
    assert (outcome["lost"], outcome["doubled"], outcome["misrouted"]) == (0, 0, 0), outcome
    assert set(outcome["messages"]) == {"done"}
    assert json.loads(site.shabarman("verify", "--json", as_="backup"))["ok"] is True


def restart(
    site: Site, running: dict[tuple[str, str], Service], unit: str, instance: str, port: socket.socket
) -> None:
    """Restart one process as `systemctl restart` does: the next begins when the one before is ready."""
    assert running[unit, instance].stop(), running[unit, instance].said()
    running[unit, instance] = site.start(unit, instance=instance, pass_on=port if "web" in unit else None)


def token_of(site: Site) -> str:
    """Enter somebody who scans, and return a token."""
    login = f"accumulator.{secrets.token_hex(4)}"
    site.shabarman(
        "staff",
        *(
            "add",
            login,
            "--name",
            "Accumulator",
            "--office",
            "1001",
            "--role",
            "accumulator",
            "--password-stdin",
        ),
        input="correct horse battery\n",
    )
    return site.shabarman("token", login).strip()
