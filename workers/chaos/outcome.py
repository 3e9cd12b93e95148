"""What came of a trial, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

LONGEST_RECOVERY = 60.0
"""Seconds within which the house must work again after any fault that needs no human."""

MOST_EXAMPLES = 20


@dataclass(slots=True, kw_only=True)
class Outcome:
    """One trial, as `shabarman chaos --json` prints it."""

    seconds: int
    seed: int
    database: str
    broker: str
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    """Kind of fault → seconds until the house worked again, one for each time."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Kinds that this machine cannot do, and why."""
    packets: int = 0
    """Packets whose way was completed."""
    scans: int = 0
    again: int = 0
    """Requests that were sent again, because nobody answered."""
    meant: int = 0
    effects: int = 0
    lost: int = 0
    doubled: int = 0
    late: int = 0
    """Told more than a minute late, the time during which something was being broken not counted."""
    misrouted: int = 0
    dead: int = 0
    """Messages that wait for an operator."""
    put_aside: int = 0
    """Envelopes that were no use to anybody, kept as dead letters."""
    unanswered: int = 0
    surprises: int = 0
    verified: bool = False
    unrecovered: int = 0
    """Faults after which no probe came through."""
    waits_s: dict[str, float] = field(default_factory=dict)
    """From the commit of a message to its notice, by the database's clock."""
    restarts: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    @property
    def faults_total(self) -> int:
        """Return how many faults there were."""
        return sum(map(len, self.recoveries.values()))

    @property
    def longest_recovery_s(self) -> float:
        """Return the longest time until the house worked again."""
        return round(max((max(times) for times in self.recoveries.values() if times), default=0.0), 2)

    @property
    def ok(self) -> bool:
        """Tell whether every promise held."""
        broken = (
            self.lost
            or self.doubled
            or self.late
            or self.misrouted
            or self.dead
            or self.unanswered
            or self.unrecovered
            or self.surprises
        )
        return self.verified and not broken and self.longest_recovery_s < LONGEST_RECOVERY

    def faults(self) -> dict[str, dict[str, float]]:
        """Return times, median and longest recovery of each kind."""
        return {
            kind: {
                "times": len(times),
                "median_s": round(median(times), 2),
                "longest_s": round(max(times), 2),
            }
            for kind, times in sorted(self.recoveries.items())
            if times
        }

    def as_json(self) -> dict[str, Any]:
        """Return one JSON object."""
        faults = self.faults()
        return {
            "seconds": self.seconds,
            "seed": self.seed,
            "database": self.database,
            "broker": self.broker,
            "ok": self.ok,
            "faults": faults,
            "faults_total": self.faults_total,
            "kinds": len(faults),
            "left_out": self.left_out,
            "packets": self.packets,
            "scans": self.scans,
            "asked_again": self.again,
            "meant": self.meant,
            "effects": self.effects,
            "lost": self.lost,
            "doubled": self.doubled,
            "late": self.late,
            "misrouted": self.misrouted,
            "dead": self.dead,
            "put_aside": self.put_aside,
            "unanswered": self.unanswered,
            "surprises": self.surprises,
            "verified": self.verified,
            "unrecovered": self.unrecovered,
            "longest_recovery_s": self.longest_recovery_s,
            "waits_s": self.waits_s,
            "restarts": self.restarts,
            "examples": self.examples[:MOST_EXAMPLES],
        }
