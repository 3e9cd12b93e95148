"""The folder of credentials: an environment file for each process, and a file for the administrator of each server."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit, urlunsplit

from config.errors import BadInputError
from config.language import Text
from config.offices import offices
from routing.broker import BrokerKind, kind_of, normalised
from workers.credentials import postgresql, rabbitmq, redis
from workers.credentials.roles import (
    DATABASE_ROLE,
    EVERYTHING,
    KNOWS_SECRET,
    ON_BROKER,
    Passwords,
    Process,
    Team,
    teams_of,
    user_of,
)

PASSWORDS_FILE = "passwords.json"
"""What was made before, so that a repeat changes nothing. Whoever reads it may do everything."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_SECRET = "envelopes"  # noqa: S105 - under which name the key is kept


class InstallationNameError(BadInputError):
    """An installation cannot have this name. Fact: `name`."""

    code = "installation_name"
    text = Text(
        "{name} cannot name an installation: use 1 to 31 small Latin letters, digits and _, a letter first. It names "
        "the database, the virtual host and all users."
    )


class ServerAddressError(BadInputError):
    """The address of a server cannot be used here. Facts: `option`, `example`."""

    code = "server_address"
    text = Text(
        "{option} must be an address without user and password, such as {example}: those are made here."
    )


class UnknownTeamError(BadInputError):
    """There is no such district to have workers of its own. Fact: `district`."""

    code = "unknown_team"
    text = Text("There is no district {district}. `shabarman offices` lists them.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What credentials are made for."""

    name: str
    database: str
    """Address of PostgreSQL without user and database: `postgresql://host:port`, options may follow."""
    broker: str
    """Address of Redis or RabbitMQ without user."""
    districts: Sequence[str] = ()
    """Districts with workers of their own."""


def write(folder: Path, installation: Installation) -> list[Path]:
    """Write the files of `installation` into `folder`, readable by its owner alone, and return their paths.

    Passwords that were made before are kept. Raises InstallationNameError, ServerAddressError, UnknownTeamError,
    BrokerAddressError, and OSError where a file cannot be written.
    """
    broker, database = _checked(installation)
    kept = folder / PASSWORDS_FILE
    passwords = Passwords(known=json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {})
    teams = teams_of(installation.districts)
    files = {
        f"environment/{name}.env": text
        for name, text in _environments(installation, broker, database, teams, passwords).items()
    }
    name = installation.name
    files["postgresql/roles.sql"] = postgresql.roles_script(database=name, passwords=passwords)
    if kind_of(broker) is BrokerKind.REDIS:
        files["redis/users.acl"] = redis.acl_file(
            installation=name, teams=teams, passwords=passwords, database=_number(broker)
        )
    else:
        files["rabbitmq/definitions.json"] = rabbitmq.definitions(
            installation=name, vhost=name, teams=teams, passwords=passwords
        )
    files[PASSWORDS_FILE] = json.dumps(passwords.known, indent=1) + "\n"
    return [_write(folder / path, text) for path, text in sorted(files.items())]


def _checked(installation: Installation) -> tuple[str, SplitResult]:
    if not _NAME.fullmatch(installation.name):
        raise InstallationNameError(name=installation.name)
    for district in installation.districts:
        if district not in {office.district for office in offices()}:
            raise UnknownTeamError(district=district)
    broker, database = normalised(installation.broker), urlsplit(installation.database)
    if "+socket" in broker or not urlsplit(broker).hostname or "@" in broker:
        raise ServerAddressError(option="--broker", example="redis://broker:6379/0")
    if database.scheme != "postgresql" or not database.hostname or "@" in database.netloc:
        raise ServerAddressError(option="--database", example="postgresql://database:5432")
    return broker, database


def _environments(
    installation: Installation,
    broker: str,
    database: SplitResult,
    teams: Sequence[Team],
    passwords: Passwords,
) -> dict[str, str]:
    name = installation.name
    made = {}
    for process in Process:
        for team in teams if process is Process.WORKER else (EVERYTHING,):
            lines = [f"# Made by `shabarman credentials`: what {process} of {name} signs in with."]
            if role := DATABASE_ROLE.get(process):
                user = f"{name}_{role}"
                place = database._replace(path=f"/{name}", netloc=_with_user(database, user, passwords))
                lines.append(f"SHABARMAN_DATABASE_URL={urlunsplit(place)}")
            if process in ON_BROKER:
                user = user_of(process, installation=name, team=team)
                lines.append(f"SHABARMAN_BROKER_URL={_broker_address(broker, user, name, passwords)}")
            if process in KNOWS_SECRET:
                lines.append(f"SHABARMAN_SECRET={passwords.of(_SECRET)}")
            if process is Process.FLOWER:
                lines.append(f"SHABARMAN_FLOWER_AUTH=operator:{passwords.of('flower')}")
            if process is Process.WORKER:
                lines.append(f"WORKER_OPTIONS={team.options}")
            file = f"worker-{team.name}" if process is Process.WORKER else process.value
            made[file.removesuffix(f"-{EVERYTHING.name}")] = "\n".join(lines) + "\n"
    return made


def _broker_address(broker: str, user: str, vhost: str, passwords: Passwords) -> str:
    parts = urlsplit(broker)
    path = f"/{vhost}" if kind_of(broker) is BrokerKind.RABBITMQ else f"/{_number(broker)}"
    return urlunsplit(parts._replace(netloc=_with_user(parts, user, passwords), path=path))


def _with_user(address: SplitResult, user: str, passwords: Passwords) -> str:
    return f"{user}:{passwords.of(user)}@{address.netloc}"


def _number(broker: str) -> int:
    """Return the number of the database of a Redis address."""
    number = urlsplit(broker).path.strip("/")
    return int(number) if number.isdigit() else 0


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    fresh.replace(path)
    return path
