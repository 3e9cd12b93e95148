"""`shabarman doctor`: asks everything that this installation needs, says what to do for each fault, changes nothing."""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from amqp.exceptions import AccessRefused
from kombu import Connection
from psycopg.errors import InsufficientPrivilege
from redis import Redis
from redis.exceptions import NoPermissionError, ResponseError
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError

from config.calendar import require_time_zone
from config.clock import utc_now
from config.errors import SettingsError, ShabarmanError
from config.language import Text
from config.settings import Settings
from models.clock import require_clock
from models.database import Database
from models.heartbeat import ProcessRole
from models.migrate import UnmigratedError, newest, require_migrated
from models.staff import Role, Staff
from routing.broker import BrokerKind, broker_url, is_brokerless, kind_of, redis_client, require_keeping
from routing.link import BrokerDownError
from routing.queues import DEAD, declarations, names
from routing.seal import keys_of
from workers.archive.checking import require_there
from workers.archive.errors import MissingArchiveError
from workers.faults import expected, first_line
from workers.home import Home, home_at
from workflow import mail, outbox
from workflow.heartbeats import Pulse, pulses

OTHER_VARIABLES = frozenset({"SHABARMAN_FLOWER_AUTH", "SHABARMAN_LANGUAGE", "SHABARMAN_REGULATION"})
"""Variables that are read elsewhere than in the settings."""

LEAST_FREE = 500 * 1024 * 1024
"""Bytes free on the disk of the home folder below which the doctor warns."""

OLD_SECONDS = 300.0
"""Age of the oldest unfinished message from which on something stands still."""


class UnknownVariableError(SettingsError):
    """A variable looks like a setting and is none. Facts: `variable`, `near`."""

    code = "unknown_variable"
    text = Text(
        "{variable} is no setting of Shabarman and has no effect. Near to it: {near}. Correct or remove it."
    )


class OpenHomeError(SettingsError):
    """Others than the owner can look into the home folder. Fact: `home`."""

    code = "open_home"
    text = Text("Others can look into {home}, which holds people's data: run `chmod 700 {home}`.")


class DiskError(SettingsError):
    """The disk is nearly full. Facts: `home`, `free` in megabytes."""

    code = "disk"
    text = Text("Only {free} MB are free where {home} is: make room, before the database can write no more.")


class OrphanError(SettingsError):
    """A file is left that nothing uses. Fact: `files`."""

    code = "orphans"
    text = Text("Nothing uses these files any more: {files}. Look at them, then delete them.")


class FirstPasswordsError(SettingsError):
    """The first passwords still lie in a file. Fact: `file`."""

    code = "first_passwords"
    text = Text("{file} still holds the first passwords: give new ones to these people, then delete it.")


class NobodyError(SettingsError):
    """Nobody can give rights to anybody."""

    code = "nobody"
    text = Text("There is no administrator. Enter one with `shabarman staff add … --role administrator`.")


class QueueError(SettingsError):
    """Queues are missing or are not as we declare them. Fact: `queues`."""

    code = "queues"
    text = Text(
        "These queues of the broker are missing or not as they should be: {queues}. Missing ones are made when the "
        "relay starts; one with other settings must be emptied and deleted first. Nothing is lost by it."
    )


class HiddenError(SettingsError):
    """The credential of a process may not look at what a check asks for."""

    code = "hidden"
    text = Text(
        "The credential of this process may not look there. That of the relay sees the queues, that of the pages the "
        "tables: run `shabarman doctor` with their environment files too."
    )


class DeadQueueError(SettingsError):
    """RabbitMQ put tasks aside that were delivered too often. Facts: `queue`, `count`."""

    code = "dead_queue"
    text = Text(
        "In the queue {queue} lie {count} tasks that ended their workers again and again. Look at the workers' logs, "
        "then empty it; the messages come again by themselves."
    )


class UnservedError(SettingsError):
    """No worker serves some queues. Fact: `queues`."""

    code = "unserved"
    text = Text("No living worker serves these queues: {queues}. Start `shabarman worker` for them.")


class NoRelayError(SettingsError):
    """No relay is alive."""

    code = "no_relay"
    text = Text("No relay was heard of lately: nothing is given to the broker. Start `shabarman relay`.")


class StandstillError(SettingsError):
    """Messages stand still. Fact: `seconds`."""

    code = "standstill"
    text = Text(
        "The oldest message has waited for {seconds} s. The findings above say why; the board shows more."
    )


class DeadLettersError(SettingsError):
    """Messages could not be told. Fact: `count`."""

    code = "dead_letters"
    text = Text(
        "{count} messages are dead. See `shabarman messages --dead`, mend the cause, then `messages replay`."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found."""

    check: str
    status: str
    """`ok`, `warning` (works, but should be looked at), `fault`, or `unknown` (what it needs has a fault itself)."""
    error: ShabarmanError | None = None

    def as_json(self, language: str) -> dict[str, Any]:
        """Return the finding for programs."""
        code = self.error.code if self.error else None
        return {
            "check": self.check,
            "status": self.status,
            "code": code,
            "say": self.error.sentence(language) if self.error else None,
        }


@dataclass(slots=True, kw_only=True)
class Patient:
    """The installation that is looked at."""

    settings: Settings
    environment: Mapping[str, str]
    home: Home
    database: Database
    living: list[Pulse] = field(default_factory=list)
    """Relays and workers that were heard of lately."""


def examine(settings: Settings, *, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Return what every check found, in the order in which faults are to be mended."""
    database = Database(settings.effective_database_url, pool_size=1)
    patient = Patient(
        settings=settings, environment=environment, home=home_at(settings.home), database=database
    )
    found: list[Finding] = []
    try:
        for name, needs, check in CHECKS:
            if any(one.status in {"fault", "unknown"} for one in found if one.check in needs):
                found.append(Finding(check=name, status="unknown"))
            else:
                found.append(_checked(name, check, patient))
    finally:
        database.close()
    return found


def exit_code(found: list[Finding]) -> int:
    """Return 0 where there is no fault, else the code of the first one."""
    return next((one.error.exit_code for one in found if one.status == "fault" and one.error), 0)


def _checked(name: str, check: Callable[[Patient], object], patient: Patient) -> Finding:
    try:
        check(patient)
    except HiddenError as error:
        return Finding(check=name, status="unknown", error=error)
    except ShabarmanError as error:
        return Finding(check=name, status="warning" if isinstance(error, WARNINGS) else "fault", error=error)
    except Exception as error:
        if isinstance(error, ProgrammingError) and isinstance(error.orig, InsufficientPrivilege):
            return Finding(check=name, status="unknown", error=HiddenError())
        told = expected(error)
        if told is None:
            raise
        return Finding(check=name, status="fault", error=told)
    return Finding(check=name, status="ok")


def _variables(patient: Patient) -> None:
    known = {f"SHABARMAN_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    for variable in sorted(patient.environment):
        if variable.startswith("SHABARMAN_") and variable not in known:
            near = difflib.get_close_matches(variable, sorted(known), n=2, cutoff=0.4)
            raise UnknownVariableError(variable=variable, near=", ".join(near) or "–")


def _folder(patient: Patient) -> None:
    folder = patient.home.folder
    if not folder.exists():
        return
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        raise OpenHomeError(home=folder)
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        raise DiskError(home=folder, free=free // 1024**2)


def _orphans(patient: Patient) -> None:
    home = patient.home
    if home.first_sign_ins.exists():
        raise FirstPasswordsError(file=home.first_sign_ins)
    left = [*home.folder.glob("broker.unreadable-*"), *home.run.glob("*.new")]
    if patient.settings.database_url is not None:
        left += home.folder.glob("shabarman.db*")
    if patient.settings.broker_url and home.broker_data.exists():
        left.append(home.broker_data)
    if left:
        raise OrphanError(files=", ".join(str(file) for file in sorted(left)))


def _database(patient: Patient) -> None:
    settings = patient.settings
    if settings.database_url is None and not (settings.home / "shabarman.db").exists():
        # Asking SQLite would make an empty file, or fail for want of the folder.
        raise UnmigratedError(found="0", needed=newest())
    with patient.database.reading() as session:
        session.execute(select(1))


def _people(patient: Patient) -> None:
    with patient.database.reading() as session:
        if not any(
            Role.ADMINISTRATOR in roles for roles in session.scalars(select(Staff.roles).where(Staff.active))
        ):
            raise NobodyError


def _broker(patient: Patient) -> None:
    if is_brokerless(patient.settings):
        return
    url = broker_url(patient.settings)
    with _connected(url):
        pass
    require_keeping(url)


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Connection]:
    with Connection(url, connect_timeout=3, transport_options={"socket_timeout": 3}) as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=3)
        except Exception as error:
            # Each client has errors of its own; whatever it is, the broker did not answer.
            raise BrokerDownError(cause=f"{connection.as_uri()}: {first_line(error)}") from error
        yield connection


def _queues(patient: Patient) -> None:
    if is_brokerless(patient.settings):
        return
    url = broker_url(patient.settings)
    if kind_of(url) is BrokerKind.REDIS:
        with contextlib.closing(redis_client(url, seconds=3)) as client:
            # On Redis a queue is a list that comes and goes with its tasks, and there are no bindings.
            wrong = [name for name in names() if not _is_list(client, name)]
    else:
        with _connected(url) as connection:
            wrong = [
                queue.name for queue in declarations(BrokerKind.RABBITMQ) if not _is_right(connection, queue)
            ]
    if wrong:
        raise QueueError(queues=_few(wrong))
    if kind_of(url) is BrokerKind.RABBITMQ:
        _require_empty_dead_queue(url)


def _is_list(client: Redis, name: str) -> bool:
    try:
        client.llen(name)
    except NoPermissionError:
        raise HiddenError from None
    except ResponseError:
        return False
    return True


def _is_right(connection: Connection, queue: Any) -> bool:  # noqa: ANN401 - a kombu queue
    # Asked for by its name first: declaring it would make it, and a doctor changes nothing. RabbitMQ closes a channel
    # on which something is asked for that is not there, so that each question has its own.
    for passive in (True, False):
        channel: Any = connection.channel()
        try:
            queue(channel).queue_declare(passive=passive)
        except AccessRefused:
            raise HiddenError from None
        except connection.channel_errors:
            return False
        channel.close()
    return True


def _require_empty_dead_queue(url: str) -> None:
    with _connected(url) as connection:
        channel: Any = connection.channel()
        try:
            count = channel.queue_declare(DEAD, passive=True).message_count
        except connection.channel_errors:
            raise QueueError(queues=DEAD) from None
        channel.close()
    if count:
        raise DeadQueueError(queue=DEAD, count=count)


def _archives(patient: Patient) -> None:
    try:
        require_there(patient.database, patient.settings.effective_archive_folder)
    except PermissionError:
        raise HiddenError from None


def _relay(patient: Patient) -> None:
    with patient.database.reading() as session:
        patient.living = [pulse for pulse in pulses(session) if pulse.alive]
    if not any(pulse.role is ProcessRole.RELAY for pulse in patient.living):
        raise NoRelayError


def _workers(patient: Patient) -> None:
    if is_brokerless(patient.settings):
        return
    served: set[str] = set()
    for pulse in patient.living:
        if pulse.role is ProcessRole.WORKER:
            served |= set(pulse.queues or names())
    unserved = [name for name in names() if name not in served]
    if unserved:
        raise UnservedError(queues=_few(unserved))


def _messages(patient: Patient) -> None:
    with patient.database.reading() as session:
        dead = outbox.unfinished(session)["dead"]
        oldest = outbox.oldest_seconds(session)
    if oldest > OLD_SECONDS:
        raise StandstillError(seconds=round(oldest))
    if dead:
        raise DeadLettersError(count=dead)


def _smtp(patient: Patient) -> None:
    if patient.settings.smtp_url is not None:
        mail.knock(smtp_url=patient.settings.smtp_url)


def _few(found: list[str]) -> str:
    return ", ".join(found[:5]) + (f" … ({len(found)})" if len(found) > 5 else "")


WARNINGS = (
    UnknownVariableError,
    DiskError,
    OrphanError,
    FirstPasswordsError,
    DeadLettersError,
    DeadQueueError,
    NobodyError,
    MissingArchiveError,
)
"""What should be looked at, and keeps nothing from working now."""

Check = tuple[str, frozenset[str], Callable[[Patient], object]]

CHECKS: tuple[Check, ...] = (
    ("settings", frozenset(), _variables),
    ("secret", frozenset(), lambda patient: keys_of(patient.settings)),
    ("time zone", frozenset(), lambda _patient: require_time_zone(utc_now())),
    ("home folder", frozenset(), _folder),
    ("orphaned files", frozenset(), _orphans),
    ("database", frozenset(), _database),
    ("migrations", frozenset({"database"}), lambda patient: require_migrated(patient.database)),
    (
        "clock",
        frozenset({"database"}),
        lambda patient: require_clock(
            patient.database, clock=utc_now, seconds=patient.settings.clock_seconds
        ),
    ),
    ("people", frozenset({"migrations"}), _people),
    ("archives", frozenset({"migrations"}), _archives),
    ("broker", frozenset(), _broker),
    ("queues", frozenset({"broker"}), _queues),
    ("relay", frozenset({"migrations"}), _relay),
    ("workers", frozenset({"migrations"}), _workers),
    ("messages", frozenset({"migrations"}), _messages),
    ("mail server", frozenset(), _smtp),
)
"""Name → what must be sound for it → the check."""
