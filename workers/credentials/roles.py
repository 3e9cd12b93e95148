"""The processes as they sign in to servers, and the passwords they do it with."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from models.rights import DatabaseRole
from routing.queues import names


class Process(StrEnum):
    """The processes; each has an environment file of its own."""

    WEB = "web"
    RELAY = "relay"
    WORKER = "worker"
    BEAT = "beat"
    FLOWER = "flower"
    MIGRATE = "migrate"
    BACKUP = "backup"
    ARCHIVE = "archive"


DATABASE_ROLE: Mapping[Process, DatabaseRole] = {
    Process.WEB: DatabaseRole.WEB,
    Process.RELAY: DatabaseRole.RELAY,
    Process.WORKER: DatabaseRole.WORKER,
    Process.MIGRATE: DatabaseRole.MIGRATE,
    Process.BACKUP: DatabaseRole.BACKUP,
    Process.ARCHIVE: DatabaseRole.ARCHIVE,
}
"""Process → its role on PostgreSQL. Beat and Flower know no database."""

ON_BROKER = (Process.WEB, Process.RELAY, Process.WORKER, Process.BEAT, Process.FLOWER)
"""The processes that sign in to the broker."""

KNOWS_SECRET = frozenset({Process.RELAY, Process.WORKER, Process.BEAT})
"""The processes that seal envelopes or check seals; the pages never publish, and Flower only looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Workers with a credential of their own, for the queues of some offices."""

    name: str
    queues: tuple[str, ...]
    others: bool = False
    """Whether it serves all queues but these."""

    @property
    def served(self) -> tuple[str, ...]:
        """The queues that these workers take from."""
        return tuple(queue for queue in names() if (queue in self.queues) is not self.others)

    @property
    def options(self) -> str:
        """The options of `shabarman worker` for them."""
        option = "--except" if self.others else "--office"
        return " ".join(f"{option} {queue}" for queue in self.queues)


EVERYTHING = Team(name="worker", queues=(), others=True)
"""The workers that have no district of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passwords:
    """Passwords by user, and the key of the envelopes; what is asked for and not there yet is made."""

    known: dict[str, str] = field(default_factory=dict, repr=False)

    def of(self, user: str) -> str:
        """Return the password of `user`: letters and digits only, so that it needs no quoting anywhere."""
        return self.known.setdefault(user, secrets.token_hex(20))


def teams_of(districts: Sequence[str]) -> tuple[Team, ...]:
    """Return a team for each of `districts`, named after it, and last the one for all other queues."""
    made = [
        Team(name=district, queues=tuple(queue for queue in names() if queue.endswith(f".{district}")))
        for district in districts
    ]
    taken = tuple(queue for team in made for queue in team.queues)
    return (*made, Team(name=EVERYTHING.name, queues=taken, others=True))


def user_of(process: Process, *, installation: str, team: Team = EVERYTHING) -> str:
    """Return the name that a process signs in with at the broker."""
    suffix = f"_{team.name}" if process is Process.WORKER and team.name != EVERYTHING.name else ""
    return f"{installation}_{process}{suffix}"
