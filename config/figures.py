"""Figures that processes count for Prometheus, and where they meet: one folder for all processes of a machine.

prometheus_client decides on its first import whether a process counts for itself or into the folder. So this module is
imported after `keep_in` was called, by whoever starts a process; where nobody calls it, each process counts for itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own name for the folder."""

OURS = "shabarman_"

DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds, in seconds, of the classes of durations."""

REGISTRY = CollectorRegistry()
"""What relays and workers count."""

PUBLISHED = Counter("shabarman_messages_published", "Messages given to the broker.", registry=REGISTRY)
NOT_PUBLISHED = Counter(
    "shabarman_messages_not_published", "Messages that the broker did not take.", registry=REGISTRY
)
CALLED_BACK = Counter(
    "shabarman_messages_called_back",
    "Messages called back because the broker lost its memory.",
    registry=REGISTRY,
)
HANDLED = Counter(
    "shabarman_messages_handled",
    "Messages by what became of them: done, failed (tried again), dead, unknown (no such message).",
    ("outcome",),
    registry=REGISTRY,
)
for _outcome in ("done", "failed", "dead", "unknown"):
    HANDLED.labels(_outcome)
HANDLING_SECONDS = Histogram(
    "shabarman_handling_seconds", "Duration of one group of messages.", buckets=DURATIONS, registry=REGISTRY
)
PUT_ASIDE = Counter("shabarman_envelopes_put_aside", "Envelopes that no worker could use.", registry=REGISTRY)


class _OfThisMachine(Collector):
    """What all processes of this machine counted together; Flower's own figures are not ours to tell."""

    def __init__(self) -> None:
        self._collector = MultiProcessCollector(CollectorRegistry())  # type: ignore[no-untyped-call]

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        for metric in self._collector.collect():  # type: ignore[no-untyped-call]
            if metric.name.startswith(OURS):
                yield metric


def together(*own: CollectorRegistry) -> CollectorRegistry:
    """Return what is to be told: of all processes of this machine where they count into a folder, else only `own`."""
    if FOLDER_VARIABLE in os.environ:
        registry = CollectorRegistry()
        registry.register(_OfThisMachine())
        return registry
    registry = CollectorRegistry()
    for one in (REGISTRY, *own):
        registry.register(one)
    return registry
