"""Users of Redis and Valkey: each process with its own keys, channels and commands (an ACL file)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from routing.link import EPOCH
from routing.poke import BELL, CHANNEL
from routing.queues import UPKEEP, names
from workers.credentials.roles import EVERYTHING, ON_BROKER, Passwords, Process, Team, user_of

_CONNECT = "+ping +hello +select"
_ASK_MEMORY = "+info"

_EVENT_CHANNELS = ("celeryev", "celeryev/*", "celeryev/worker.*")
_ORDER_CHANNELS = ("celery.pidbox", "celery.pidbox/*")
_BINDINGS = "~_kombu.*"


def acl_file(*, installation: str, teams: Sequence[Team], passwords: Passwords, database: int = 0) -> str:
    """Return the ACL file for one installation on database number `database`; passwords are in it as SHA-256 only.

    The user `default` is switched off: nobody gets in without a name. An administrator is `INSTALLATION_admin`.
    """
    lines = ["user default off resetkeys resetchannels -@all"]
    admin = f"{installation}_admin"
    lines.append(f"user {admin} on #{_digest(passwords.of(admin))} allkeys allchannels +@all")
    for process in ON_BROKER:
        for team in teams if process is Process.WORKER else (EVERYTHING,):
            user = user_of(process, installation=installation, team=team)
            rules = _rules(process, team, database)
            lines.append(
                f"user {user} on #{_digest(passwords.of(user))} resetkeys resetchannels -@all {rules}"
            )
    return "\n".join(lines) + "\n"


def _rules(process: Process, team: Team, database: int) -> str:
    match process:
        case Process.WEB:
            # A commit of the pages wakes the relay; a notice that a worker writes rings their bells.
            return f"{_CONNECT} +publish +subscribe +unsubscribe &{CHANNEL} &{BELL}"
        case Process.RELAY:
            return (
                f"{_CONNECT} {_ASK_MEMORY} +lpush +llen +multi +exec +set +get +subscribe +unsubscribe "
                f"{_keys(names())} ~{EPOCH} &{CHANNEL}"
            )
        case Process.WORKER:
            # What a worker that died had fetched is put back by any other, into whatever queue it came from; taking
            # from a queue is for those who serve it.
            return (
                f"{_CONNECT} {_ASK_MEMORY} +brpop +rpop +lpush +rpush +llen +multi +exec +watch +unwatch "
                "+zadd +zrem +zrange +zrevrangebyscore +hset +hget +hdel +set +setnx +get +del +expire +pexpire "
                "+sadd +srem +smembers +exists +time +evalsha +script|load +script|exists +publish +subscribe "
                f"+unsubscribe +psubscribe +punsubscribe {_keys(team.served)} ~unacked* {_BINDINGS} "
                f"&{CHANNEL} &{BELL} {_channels(_EVENT_CHANNELS, database)} (+rpush +lpush {_keys(names())})"
            )
        case Process.BEAT:
            return f"{_CONNECT} {_ASK_MEMORY} +lpush +llen +multi +exec ~{UPKEEP}"
        case Process.FLOWER:
            # It wakes the workers when it begins to listen, and asks them; they take no orders, so nobody answers.
            return (
                f"{_CONNECT} {_ASK_MEMORY} +llen +sadd +smembers +srem +exists +del +brpop +multi +exec "
                "+evalsha +script|load +script|exists +time +zrange +zrangebyscore +zadd +zrem "
                f"+publish +subscribe +unsubscribe +psubscribe +punsubscribe {_BINDINGS} "
                "~celeryev.* ~*.reply.celery.pidbox "
                f"{_channels((*_EVENT_CHANNELS, *_ORDER_CHANNELS), database)} {_keys(names(), may='%R')}"
            )
    raise AssertionError(process)


def _keys(queues: Iterable[str], *, may: str = "") -> str:
    """Return rules for the keys of `queues`: a pattern for whole families, because there are hundreds."""
    wanted = set(queues)
    rules = []
    for kind in sorted({queue.partition(".")[0] for queue in wanted}):
        family = {queue for queue in names() if queue.partition(".")[0] == kind}
        whole = family <= wanted and len(family) > 1
        rules += [f"{kind}.*"] if whole else sorted(family & wanted)
    return " ".join(f"{may}~{rule}" for rule in rules)


def _channels(patterns: Iterable[str], database: int) -> str:
    return " ".join(f"&/{database}.{pattern}" for pattern in patterns)


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
