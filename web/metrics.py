"""Figures for Prometheus: what the processes of this machine counted, and what the database says when it is asked."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.clock import utc_now
from config.errors import UnavailableError
from config.figures import DURATIONS, together
from models import Discrepancy, Job, Packet
from models.base import database_now
from models.database import Database
from models.heartbeat import ProcessRole
from models.packet import FINAL, State
from models.scan import Verdict
from web.views import board
from workflow import heartbeats, outbox


class Metrics:
    """The figures that one web process tells."""

    def __init__(self, database: Database, *, brokerless: bool) -> None:
        """Count from nothing; ask `database` whenever the figures are read.

        `brokerless` says that this installation has no broker, on purpose.
        """
        own = CollectorRegistry()
        self.requests = Histogram(
            "shabarman_request_seconds",
            "Duration of HTTP requests by route.",
            ("method", "route", "status"),
            buckets=DURATIONS,
            registry=own,
        )
        self.scans = Counter(
            "shabarman_scans",
            "Scans answered, by verdict; one sent twice is answered twice.",
            ("verdict",),
            registry=own,
        )
        for verdict in Verdict:
            self.scans.labels(verdict.value)
        self.failed_sign_ins = Counter("shabarman_failed_sign_ins", "Sign-ins refused.", registry=own)
        self.registry = together(own)
        self.registry.register(_DatabaseFigures(database, brokerless=brokerless))


class _DatabaseFigures(Collector):
    """Gauges of the whole installation: the same whichever process tells them."""

    def __init__(self, database: Database, *, brokerless: bool) -> None:
        self._database = database
        self._brokerless = brokerless

    def describe(self) -> list[Metric]:
        # Without this the registry would ask the database once when it is made.
        return []

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "shabarman_broker_configured",
            "1 where there is a broker, and workers are needed; 0 where the relay handles the messages.",
            value=0 if self._brokerless else 1,
        )
        up = GaugeMetricFamily("shabarman_database_up", "1 when the database answers.")
        try:
            with self._database.reading() as session:
                found = [*_messages(session), *_packets(session), *_processes(session), *_runs(session)]
        except UnavailableError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from found


def _messages(session: Session) -> Iterator[Metric]:
    by_state = GaugeMetricFamily(
        "shabarman_messages", "Messages that are not finished, by state.", labels=["state"]
    )
    for word, count in outbox.unfinished(session).items():
        by_state.add_metric([word], count)
    yield by_state
    yield GaugeMetricFamily(
        "shabarman_oldest_message_seconds",
        "Age of the oldest unfinished message; grows when anything stands still.",
        value=outbox.oldest_seconds(session),
    )
    by_queue = GaugeMetricFamily(
        "shabarman_queue_messages", "Unfinished messages by the queue that they go to.", labels=["queue"]
    )
    for queue, count in outbox.by_queue(session).items():
        by_queue.add_metric([queue], count)
    yield by_queue


def _packets(session: Session) -> Iterator[Metric]:
    held = GaugeMetricFamily(
        "shabarman_packets",
        "Packets on their way, by state; those at its end are not counted.",
        labels=["state"],
    )
    counts = dict(
        session.execute(
            select(Packet.state, func.count()).where(Packet.holder_office.is_not(None)).group_by(Packet.state)
        ).all()
    )
    for state in State:
        if state not in FINAL:
            held.add_metric([state.value], counts.get(state, 0))
    yield held
    late = GaugeMetricFamily(
        "shabarman_late_packets", "Packets whose step is over its time, by office.", labels=["office"]
    )
    for code, count in session.execute(board.late_by_office(utc_now())):
        late.add_metric([code], count)
    yield late
    yield GaugeMetricFamily(
        "shabarman_unsettled_differences",
        "Differences between a manifest and its bag that are not settled.",
        value=session.scalar(select(func.count(Discrepancy.id)).where(Discrepancy.settled_at.is_(None))) or 0,
    )


def _processes(session: Session) -> Iterator[Metric]:
    silent = GaugeMetricFamily(
        "shabarman_process_silent_seconds",
        "Time since the last sign of life of a relay or worker; a day after it they are forgotten.",
        labels=["role", "name", "host"],
    )
    alive = GaugeMetricFamily(
        "shabarman_processes_alive", "Relays and workers that were heard of lately.", labels=["role"]
    )
    counts = dict.fromkeys(ProcessRole, 0)
    for pulse in heartbeats.pulses(session):
        silent.add_metric([pulse.role.value, pulse.name, pulse.host], pulse.age.total_seconds())
        counts[pulse.role] += pulse.alive
    for role, count in counts.items():
        alive.add_metric([role.value], count)
    yield silent
    yield alive
    ticked, now = session.execute(select(func.max(Job.due), database_now())).one()
    yield GaugeMetricFamily(
        "shabarman_schedule_silent_seconds",
        "Time since the last moment of the schedule that somebody took; nothing when none ever was.",
        value=(now - ticked).total_seconds() if ticked else float("nan"),
    )


def _runs(session: Session) -> Iterator[Metric]:
    today = GaugeMetricFamily("shabarman_runs_today", "Courier runs of today, by state.", labels=["state"])
    states = [run.state for run in board.runs_of_day(session, now=utc_now())]
    for state in board.RUN_STATES:
        today.add_metric([state], states.count(state))
    yield today
