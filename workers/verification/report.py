"""What a verification found."""

from dataclasses import asdict, dataclass, field
from typing import Any

MOST_SHOWN = 100
"""Most findings that are told one by one; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row that does not keep one promise."""

    invariant: str
    """Word of the promise."""
    subject: str
    """Number of the packet or manifest, or what else the row is known by."""
    detail: str
    """What is wrong, in words and facts; never a person's data."""


@dataclass(slots=True, kw_only=True)
class Report:
    """The outcome of one verification."""

    checked: dict[str, int] = field(default_factory=dict)
    """Table → rows, and how many invariants were checked."""
    counts: dict[str, int] = field(default_factory=dict)
    """Broken invariant → rows that break it."""
    broken: list[Finding] = field(default_factory=list)
    """The first of them, from each broken invariant some."""
    warnings: list[Finding] = field(default_factory=list)
    """What breaks no promise, but waits for a person: dead messages, messages that nobody carries."""

    @property
    def ok(self) -> bool:
        """Tell whether every invariant holds."""
        return not self.counts

    def as_json(self) -> dict[str, Any]:
        """Return what `shabarman verify --json` prints."""
        return {
            "ok": self.ok,
            "checked": self.checked,
            "broken_count": sum(self.counts.values()),
            "counts": self.counts,
            "broken": [asdict(finding) for finding in self.broken],
            "warnings": [asdict(finding) for finding in self.warnings],
        }
