"""Users of RabbitMQ: a definitions file with the virtual host, its queues, policies and permissions."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from kombu import Queue

from routing.broker import BrokerKind
from routing.queues import DEAD, UPKEEP, declarations, names
from workers.credentials.roles import EVERYTHING, ON_BROKER, Passwords, Process, Team, user_of

MOST_BYTES = 256 * 1024 * 1024
"""Of one queue. The relay keeps queues short; what is longer was put there by somebody else, and is refused."""

_DEFAULT_EXCHANGE = r"amq\.default"
_EVENTS = "celeryev"
_NOTHING = "^$"


def definitions(*, installation: str, vhost: str, teams: Sequence[Team], passwords: Passwords) -> str:
    """Return the definitions of one installation as JSON; passwords are in it as salted SHA-256 only."""
    users = [_user(f"{installation}_admin", passwords, tags=["administrator"])]
    permissions = [_permission(f"{installation}_admin", vhost, configure=".*", write=".*", read=".*")]
    for process in ON_BROKER:
        for team in teams if process is Process.WORKER else (EVERYTHING,):
            user = user_of(process, installation=installation, team=team)
            users.append(_user(user, passwords, tags=["monitoring"] if process is Process.FLOWER else []))
            permissions.append(_permission(user, vhost, **_rules(process, team)))
    made = {
        "vhosts": [{"name": vhost}],
        "users": users,
        "permissions": permissions,
        "policies": [
            {
                "vhost": vhost,
                "name": "bounded",
                "pattern": f"^({_one_of((*names(), DEAD))})$",
                "apply-to": "queues",
                "priority": 0,
                "definition": {"max-length-bytes": MOST_BYTES, "overflow": "reject-publish"},
            },
            {
                # What a watcher that went away left behind goes by itself.
                "vhost": vhost,
                "name": "watchers",
                "pattern": rf"^{_EVENTS}\.",
                "apply-to": "queues",
                "priority": 0,
                "definition": {"expires": 60_000, "max-length": 100_000},
            },
        ],
        "queues": [
            _queue(DEAD, vhost, {"x-queue-type": "quorum"}),
            *(_queue(queue.name, vhost, _arguments(queue)) for queue in declarations(BrokerKind.RABBITMQ)),
        ],
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _rules(process: Process, team: Team) -> dict[str, str]:
    """Return the three patterns of a process: what it may declare, write to, and read from."""
    match process:
        case Process.RELAY:
            # It makes queues anew that somebody deleted; making one with a dead-letter exchange asks for reading it.
            queues = f"^({_one_of((*names(), DEAD))})$"
            return {"configure": queues, "write": f"^{_DEFAULT_EXCHANGE}$", "read": queues}
        case Process.WORKER:
            served = _one_of(team.served)
            return {
                "configure": f"^({served}|{_EVENTS})$",
                "write": f"^({_DEFAULT_EXCHANGE}|{_EVENTS})$",
                "read": f"^({served})$",
            }
        case Process.BEAT:
            return {"configure": f"^{UPKEEP}$", "write": f"^{_DEFAULT_EXCHANGE}$", "read": _NOTHING}
        case Process.FLOWER:
            # It wakes the workers when it begins to listen, and asks them; they take no orders, so nobody answers.
            own = rf"^({_EVENTS}(\..*)?|celery\.pidbox|(.*\.)?reply\.celery\.pidbox)$"
            return {"configure": own, "write": own, "read": own}
    # The pages only ask whether it answers.
    return {"configure": _NOTHING, "write": _NOTHING, "read": _NOTHING}


def _one_of(queues: Iterable[str]) -> str:
    """Return a pattern for exactly these queues, by families, because there are hundreds."""
    families: dict[str, list[str]] = {}
    for queue in queues:
        kind, _, district = queue.partition(".")
        families.setdefault(kind, []).append(re.escape(district))
    return "|".join(
        rf"{kind}\.({'|'.join(districts)})" if districts != [""] else kind
        for kind, districts in families.items()
    )


def _user(name: str, passwords: Passwords, *, tags: list[str]) -> dict[str, Any]:
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + passwords.of(name).encode()).digest()
    return {
        "name": name,
        "password_hash": base64.b64encode(salt + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": tags,
    }


def _permission(user: str, vhost: str, *, configure: str, write: str, read: str) -> dict[str, str]:
    return {"user": user, "vhost": vhost, "configure": configure, "write": write, "read": read}


def _queue(name: str, vhost: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "vhost": vhost, "durable": True, "auto_delete": False, "arguments": arguments}


def _arguments(queue: Queue) -> dict[str, Any]:
    return dict(queue.queue_arguments or {})
