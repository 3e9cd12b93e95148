"""What each credential may do, and what it may not: asked of real servers."""

import json
from collections.abc import Callable
from typing import Any

import amqp
import psycopg
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from models.rights import DatabaseRole
from routing.poke import BELL, CHANNEL
from routing.queues import DEAD
from tests.functional.deploy.site import Site

pytestmark = pytest.mark.postgresql

Deed = Callable[[Redis], Any]

OWN, OTHERS = "department.aksu", "department.alakol"

REDIS_MAY: list[tuple[str, str, Deed]] = [
    ("web", "poke", lambda redis: redis.publish(CHANNEL, b"")),
    ("web", "hear the bell", lambda redis: _hear(redis, BELL)),
    ("relay", "publish", lambda redis: redis.lpush(OWN, "x")),
    ("relay", "length", lambda redis: redis.llen(OTHERS)),
    ("relay", "epoch", lambda redis: redis.set("shabarman.epoch", "1", nx=True)),
    ("worker_aksu", "take", lambda redis: redis.brpop([OWN], 0.01)),
    ("worker_aksu", "give back", lambda redis: redis.rpush(OTHERS, "x")),
    ("worker", "take", lambda redis: redis.brpop([OTHERS], 0.01)),
    ("worker", "poke", lambda redis: redis.publish(CHANNEL, b"")),
    ("worker", "ring the bell", lambda redis: redis.publish(BELL, b"")),
    ("worker_aksu", "ring the bell", lambda redis: redis.publish(BELL, b"")),
    ("beat", "tick", lambda redis: redis.lpush("upkeep", "x")),
    ("flower", "length", lambda redis: redis.llen(OWN)),
    ("flower", "events", lambda redis: _subscribe(redis, "/0.celeryev/worker.*")),
]

REDIS_MAY_NOT: list[tuple[str, str, Deed]] = [
    *(
        (user, name, deed)
        for user in ("web", "relay", "worker_aksu", "worker", "beat", "flower")
        for name, deed in (
            ("flush", lambda redis: redis.flushall()),
            ("configure", lambda redis: redis.config_set("maxmemory-policy", "allkeys-lru")),
            ("list keys", lambda redis: redis.keys()),
            ("give itself rights", lambda redis: redis.acl_setuser("x", enabled=True)),
            ("stop the server", lambda redis: redis.shutdown()),
            ("watch all", lambda redis: redis.execute_command("MONITOR")),
            ("keep something of its own", lambda redis: redis.set("mine", "1")),
        )
    ),
    *(
        (user, "order workers about", lambda redis: redis.publish("/0.celery.pidbox", "shutdown"))
        for user in ("web", "relay", "worker_aksu", "worker", "beat")
    ),
    ("web", "publish", lambda redis: redis.lpush(OWN, "x")),
    ("web", "length", lambda redis: redis.llen(OWN)),
    ("web", "events", lambda redis: _subscribe(redis, "/0.celeryev/worker.*")),
    ("relay", "take", lambda redis: redis.brpop([OWN], 0.01)),
    ("relay", "delete", lambda redis: redis.delete(OWN)),
    ("worker_aksu", "take from others", lambda redis: redis.brpop([OTHERS], 0.01)),
    ("worker_aksu", "take from the schedule", lambda redis: redis.brpop(["upkeep"], 0.01)),
    ("worker", "take from those with workers of their own", lambda redis: redis.brpop([OWN], 0.01)),
    ("beat", "publish elsewhere", lambda redis: redis.lpush(OWN, "x")),
    ("beat", "take", lambda redis: redis.brpop(["upkeep"], 0.01)),
    ("beat", "ring the bell", lambda redis: redis.publish(BELL, b"")),
    ("flower", "publish", lambda redis: redis.lpush(OWN, "x")),
    ("flower", "take", lambda redis: redis.brpop([OWN], 0.01)),
]


def _subscribe(redis: Redis, pattern: str) -> None:
    with redis.pubsub() as listening:  # type: ignore[no-untyped-call]
        listening.psubscribe(pattern)
        listening.get_message(timeout=5)


def _hear(redis: Redis, channel: str) -> None:
    with redis.pubsub() as listening:  # type: ignore[no-untyped-call]
        listening.subscribe(channel)
        listening.get_message(timeout=5)


def _cases(table: list[tuple[str, str, Deed]]) -> list[Any]:
    return [pytest.param(user, deed, id=f"{user}: {name}") for user, name, deed in table]


@pytest.mark.redis
@pytest.mark.parametrize(("user", "deed"), _cases(REDIS_MAY))
def test_redis_lets(user: str, deed: Deed, redis_site: Site) -> None:
    with Redis.from_url(redis_site.address_of(user), socket_timeout=5) as redis:
        deed(redis)
    _clean(redis_site)


@pytest.mark.redis
@pytest.mark.parametrize(("user", "deed"), _cases(REDIS_MAY_NOT))
def test_redis_refuses(user: str, deed: Deed, redis_site: Site) -> None:
    with (
        Redis.from_url(redis_site.address_of(user), socket_timeout=5) as redis,
        pytest.raises(NoPermissionError),
    ):
        deed(redis)
    _clean(redis_site)


@pytest.mark.redis
def test_redis_lets_nobody_in_without_a_name(redis_site: Site) -> None:
    with Redis.from_url(redis_site.broker) as nameless, pytest.raises(AuthenticationError):
        nameless.ping()
    guessed = redis_site.address_of("web").replace("@", "0@")
    with Redis.from_url(guessed) as guessing, pytest.raises(AuthenticationError):
        guessing.ping()
    _clean(redis_site)


def _clean(site: Site) -> None:
    """Leave nothing in Redis that another test would meet."""
    with Redis.from_url(site.address_of("admin")) as admin:
        admin.flushall()
        admin.acl_log_reset()


AmqpDeed = Callable[[amqp.Channel], Any]
_QUORUM = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 5,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": DEAD,
}


def _declare(queue: str) -> AmqpDeed:
    return lambda channel: channel.queue_declare(queue, durable=True, auto_delete=False, arguments=_QUORUM)


def _publish(queue: str) -> AmqpDeed:
    return lambda channel: channel.basic_publish_confirm(amqp.Message("x"), exchange="", routing_key=queue)


def _take(queue: str) -> AmqpDeed:
    return lambda channel: channel.basic_get(queue, no_ack=True)


RABBITMQ_MAY: list[tuple[str, str, AmqpDeed]] = [
    ("relay", "declare", _declare(OWN)),
    ("relay", "publish", _publish(OWN)),
    ("worker_aksu", "declare", _declare(OWN)),
    ("worker_aksu", "take", _take(OWN)),
    ("worker", "take", _take(OTHERS)),
    ("beat", "declare", _declare("upkeep")),
    ("beat", "tick", _publish("upkeep")),
    ("flower", "listen", lambda channel: channel.queue_declare("celeryev.test", auto_delete=True)),
]

RABBITMQ_MAY_NOT: list[tuple[str, str, AmqpDeed]] = [
    ("web", "declare", _declare(OWN)),
    ("web", "publish", _publish(OWN)),
    ("web", "take", _take(OWN)),
    ("relay", "make a queue of its own", _declare("mine")),
    ("relay", "delete what is no queue of ours", lambda channel: channel.queue_delete("celeryev.test")),
    ("worker_aksu", "take from others", _take(OTHERS)),
    ("worker_aksu", "take from the schedule", _take("upkeep")),
    ("worker_aksu", "declare another's", _declare(OTHERS)),
    ("worker", "take from those with workers of their own", _take(OWN)),
    ("beat", "take", _take("upkeep")),
    ("beat", "declare another", _declare(OWN)),
    ("flower", "take", _take(OWN)),
    ("flower", "publish", _publish(OWN)),
    ("flower", "empty", lambda channel: channel.queue_purge(OWN)),
]


def _amqp(site: Site, user: str) -> amqp.Connection:
    password = json.loads(site.made("passwords.json").read_text(encoding="utf-8"))[f"{site.name}_{user}"]
    return amqp.Connection(
        site.broker.removeprefix("amqp://"),
        userid=f"{site.name}_{user}",
        password=password,
        virtual_host=site.name,
        confirm_publish=True,
        read_timeout=10,
        write_timeout=10,
    )


def _amqp_cases(table: list[tuple[str, str, AmqpDeed]]) -> list[Any]:
    return [pytest.param(user, deed, id=f"{user}: {name}") for user, name, deed in table]


@pytest.mark.rabbitmq
@pytest.mark.parametrize(("user", "deed"), _amqp_cases(RABBITMQ_MAY))
def test_rabbitmq_lets(user: str, deed: AmqpDeed, rabbitmq_site: Site) -> None:
    with _amqp(rabbitmq_site, user) as connection:
        deed(connection.channel())
    with _amqp(rabbitmq_site, "admin") as connection:
        for queue in (OWN, OTHERS, "upkeep"):
            connection.channel().queue_purge(queue)


@pytest.mark.rabbitmq
@pytest.mark.parametrize(("user", "deed"), _amqp_cases(RABBITMQ_MAY_NOT))
def test_rabbitmq_refuses(user: str, deed: AmqpDeed, rabbitmq_site: Site) -> None:
    with _amqp(rabbitmq_site, user) as connection, pytest.raises(amqp.exceptions.AccessRefused):
        deed(connection.channel())


STATEMENTS: dict[str, tuple[set[DatabaseRole], str]] = {
    "look at packets": (
        {DatabaseRole.WEB, DatabaseRole.WORKER, DatabaseRole.BACKUP, DatabaseRole.ARCHIVE},
        "SELECT * FROM packets",
    ),
    "move packets": (
        {DatabaseRole.WEB, DatabaseRole.WORKER},
        "UPDATE packets SET state = state WHERE false",
    ),
    "mark packets": (
        {DatabaseRole.WEB, DatabaseRole.WORKER, DatabaseRole.ARCHIVE},
        "UPDATE packets SET archive_id = NULL, remark = NULL WHERE false",
    ),
    "look at people": (
        {DatabaseRole.WEB, DatabaseRole.WORKER, DatabaseRole.RELAY, DatabaseRole.BACKUP},
        "SELECT * FROM staff",
    ),
    "delete packets": (set(), "DELETE FROM packets"),
    "look at passwords": ({DatabaseRole.WEB, DatabaseRole.BACKUP}, "SELECT * FROM sign_ins"),
    "find tokens": ({DatabaseRole.WEB, DatabaseRole.BACKUP}, "SELECT * FROM tokens"),
    "end sign-ins": ({DatabaseRole.WEB}, "DELETE FROM sign_ins"),
    "enter people": ({DatabaseRole.WEB}, "UPDATE staff SET active = active"),
    "lease messages": (
        {DatabaseRole.WEB, DatabaseRole.RELAY, DatabaseRole.WORKER, DatabaseRole.ARCHIVE},
        "SELECT * FROM messages FOR UPDATE SKIP LOCKED",
    ),
    "change messages": (
        {DatabaseRole.WEB, DatabaseRole.RELAY, DatabaseRole.WORKER},
        "UPDATE messages SET body = body WHERE false",
    ),
    "change what became of a message": (
        {DatabaseRole.WEB, DatabaseRole.WORKER},
        "UPDATE message_decisions SET reason = reason WHERE false",
    ),
    "change clocks": (
        {DatabaseRole.WEB, DatabaseRole.WORKER},
        "UPDATE deadlines SET due_at = due_at WHERE false",
    ),
    "hold clocks": (
        {DatabaseRole.WEB, DatabaseRole.WORKER, DatabaseRole.ARCHIVE},
        "SELECT * FROM deadlines FOR UPDATE",
    ),
    "hold return slips": (
        {DatabaseRole.WEB, DatabaseRole.WORKER, DatabaseRole.ARCHIVE},
        "SELECT * FROM return_slips FOR UPDATE",
    ),
    # What is not archived a trigger keeps (integration/workers/archive).
    "delete messages": ({DatabaseRole.ARCHIVE}, "DELETE FROM messages WHERE false"),
    "make archives": ({DatabaseRole.ARCHIVE}, "UPDATE archives SET stayed = stayed"),
    "know archives": (
        {DatabaseRole.ARCHIVE, DatabaseRole.WEB, DatabaseRole.BACKUP},
        "SELECT * FROM archives",
    ),
    "take turns": ({DatabaseRole.WORKER}, "DELETE FROM jobs"),
    "change history": (set(), "UPDATE events SET seq = seq"),
    "delete history": ({DatabaseRole.ARCHIVE}, "DELETE FROM scans WHERE false"),
    "change attempts": (
        {DatabaseRole.WEB, DatabaseRole.WORKER},
        "UPDATE attempts SET error = error WHERE false",
    ),
    "empty history": (set(), "TRUNCATE events"),
    "lift the ban": (set(), "ALTER TABLE events DISABLE TRIGGER ALL"),
    "act as a copy, for which no trigger fires": (set(), "SET session_replication_role = replica"),
    "say who has a register of its own": (
        {DatabaseRole.WEB},
        "UPDATE offices SET own_register = own_register",
    ),
    "remove offices": (set(), "DELETE FROM offices"),
    "make tables": (set(), "CREATE TABLE mine (id int)"),
    "say another step": (set(), "UPDATE alembic_version SET version_num = '0000'"),
    "become somebody else": (set(), "SET ROLE postgres"),
    "read files of the server": (set(), "SELECT pg_read_file('/etc/passwd')"),
}
"""What it is → who may, and the statement."""


@pytest.mark.redis
@pytest.mark.parametrize("role", [role for role in DatabaseRole if role is not DatabaseRole.MIGRATE])
@pytest.mark.parametrize("deed", STATEMENTS)
def test_postgresql_lets_each_do_its_own(role: DatabaseRole, deed: str, redis_site: Site) -> None:
    allowed, statement = STATEMENTS[deed]
    with psycopg.connect(address(redis_site, role)) as connection:
        if role in allowed:
            connection.execute(statement)
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        connection.rollback()


@pytest.mark.redis
def test_postgresql_asks_for_the_password(redis_site: Site) -> None:
    right = address(redis_site, DatabaseRole.WEB)
    with psycopg.connect(right) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(right, password="guessed")


@pytest.mark.redis
def test_every_table_has_its_rights(redis_site: Site) -> None:
    """Nothing that is kept for ever may be changed by a process, and no table is forgotten."""
    with redis_site.administrator() as connection:
        found = connection.execute(
            "SELECT t.relname, EXISTS (SELECT FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid "
            "WHERE g.tgrelid = t.oid AND p.proname = 'history_stays'), "
            "has_table_privilege(%(backup)s, t.oid, 'SELECT'), "
            "has_table_privilege(%(web)s, t.oid, 'UPDATE') OR has_table_privilege(%(worker)s, t.oid, 'UPDATE'), "
            "has_table_privilege(%(web)s, t.oid, 'SELECT') "
            "FROM pg_class t WHERE t.relkind IN ('r', 'p') AND t.relnamespace = 'public'::regnamespace",
            {role.value: f"{redis_site.name}_{role}" for role in DatabaseRole},
        ).fetchall()
    assert {row[0] for row in found} > {"packets", "events", "scans", "messages"}
    for table, history, copied, changed, seen in found:
        assert copied, f"{table} would be missing in a backup"
        assert seen, table
        assert not (history and changed), f"{table} is history and may be changed"


def address(site: Site, role: DatabaseRole) -> str:
    """Return the address of the database as one of its roles has it."""
    password = json.loads(site.made("passwords.json").read_text(encoding="utf-8"))[f"{site.name}_{role}"]
    return f"postgresql://{site.name}_{role}:{password}@127.0.0.1:{site.database_port}/{site.name}"
