"""What was meant: an account of its own, in plain Python, of who must be told what; compared with what was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

Told = tuple[str, str, str]
"""Type of the news, its subject (number of a packet or manifest), code of the office that is told."""


@dataclass(slots=True)
class Difference:
    """How what was told differs from what was meant."""

    lost: int = 0
    """Meant, and not told."""
    doubled: int = 0
    """Told more often than meant."""
    misrouted: int = 0
    """Told to an office that was not meant at all, or sent to a department where the applicant does not live."""
    examples: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Tell whether everybody was told everything once, and nobody else."""
        return not (self.lost or self.doubled or self.misrouted)


@dataclass(slots=True)
class MeantLedger:
    """Who must be told what, as the people who did it would say."""

    meant: Counter[Told] = field(default_factory=Counter)
    astray: list[str] = field(default_factory=list)
    """Packets that were accepted for another department than that of the residence."""

    def tell(self, news: str, subject: str, *offices: str) -> None:
        """Write down that each of `offices` must be told `news` about `subject` once more."""
        for office in offices:
            self.meant[news, subject, office] += 1

    def compare(self, told: Iterable[Told]) -> Difference:
        """Compare with what was told, one item per notice."""
        found = Difference(
            misrouted=len(self.astray), examples=[f"another department: {number}" for number in self.astray]
        )
        counted = Counter(told)
        for key in self.meant.keys() | counted.keys():
            meant, times = self.meant[key], counted[key]
            if meant == times:
                continue
            if times < meant:
                found.lost += meant - times
            elif meant:
                found.doubled += times - meant
            else:
                found.misrouted += times
            found.examples.append(f"{' '.join(key)}: meant {meant}, told {times}")
        found.examples.sort()
        return found
