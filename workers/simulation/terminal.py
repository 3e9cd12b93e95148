"""`shabarman simulate`: days of couriers, for operators who want to see their installation at work."""

from __future__ import annotations

import json
import random
import secrets
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from config.clock import local, utc_now
from config.language import language_of_environment
from config.settings import Settings
from models.database import Database
from models.migrate import current, migrate, require_migrated
from routing.poke import Poker
from workers.home import home_at
from workers.installation import current_settings
from workers.simulation import crew, days
from workers.simulation.carriers import carriers
from workers.simulation.hands import Hands
from workers.simulation.ledger import MeantLedger
from workers.simulation.order import BesideServicesError, Order
from workers.simulation.outcome import Outcome, count, last_message, wait_until_done
from workers.simulation.plan import Applicant
from workers.simulation.report import step_times
from workers.simulation.showing import show
from workers.simulation.stage import Stage
from workers.simulation.weeks import Weeks
from workers.verification import verify
from workflow import calendar
from workflow.clocks import timing

MOST_EXAMPLES = 20


def command(
    *,
    packets: Annotated[int, typer.Option(min=1, help="How many applications.")] = 200,
    day_count: Annotated[
        int,
        typer.Option(
            "--days",
            min=1,
            max=60,
            help="Over how many days they come in: working days, with --from of the calendar.",
        ),
    ] = 2,
    first: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=["%Y-%m-%d"],
            help="Play the calendar from this past date on: every step takes its time, and is compared with its limit.",
        ),
    ] = None,
    services: Annotated[
        list[str] | None,
        typer.Option("--service", help="Only this service; several times. All, unless given."),
    ] = None,
    channels: Annotated[
        list[str] | None,
        typer.Option(
            "--channel", help="Only centre, department or akimat; several times. All, unless given."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed plans the same days.")] = 1,
    running: Annotated[
        bool, typer.Option("--running", help="Relay and workers run as services: start none of our own.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for programs.")] = False,
) -> None:
    """Play whole courier days through the real broker and workers, from acceptance to hand-over.

    Without --from everything is done as fast as it can be. With it, people take the time of the regulation, and every
    step of each service and channel is compared with its limit; `--days 28 --from 2026-03-09` are four weeks around
    Nauryz. The made-up packets stay in the database. Exit code 1 when anything was lost, doubled or misrouted.
    """
    order = Order(
        packets=packets,
        days=day_count,
        seed=seed,
        first=first.date() if first else None,
        services=tuple(services or ()),
        channels=tuple(channels or ()),
    )
    if running and first:
        raise BesideServicesError
    settings = current_settings()
    with _ending_by_sigterm(), _progress() as progress:
        outcome = simulate(settings, order, running=running, progress=progress)
    if as_json:
        typer.echo(json.dumps(outcome.as_json(), ensure_ascii=False, indent=2))
    else:
        show(outcome, language=language_of_environment())
    for example in outcome.examples:
        typer.echo(example, err=True)
    raise typer.Exit(0 if outcome.ok else 1)


def simulate(settings: Settings, order: Order, *, progress: Progress, running: bool = False) -> Outcome:
    """Play what is ordered, wait until all is told, and return what came of it.

    The relay and the workers are started for it, unless they are `running` as services. Raises TooRecentError,
    `workers.simulation.plan.NothingToPlayError`, or `workers.home.HomeTakenError` for weeks beside a running house.
    """
    applicants = order.applicants(today=local(utc_now()).date())
    home_at(settings.home).make()
    database = Database(settings.effective_database_url)
    outcome = Outcome(packets=order.packets, days=order.days, seed=order.seed)
    ledger = MeantLedger()
    dice = random.Random(order.seed)  # noqa: S311 - the same seed plays the same days
    mark = f"sim-{secrets.token_hex(6)}"
    try:
        _prepare(database)
        # The sweeps of a running house go by the real clock, and would call everything of these weeks late.
        with carriers(settings, alone=order.first is not None, running=running) as broker:
            database.after_commit.append(Poker(broker).poke)
            start = order.start(utc_now())
            database.transact(lambda session: crew.hire(session, now=start))
            with database.reading() as session:
                people, deputies = crew.gather(session), crew.gather_deputies(session)
                after = last_message(session)
            hands = Hands(database, people, deputies=deputies, dice=dice, mark=mark)
            stage = Stage(hands=hands, ledger=ledger, dice=dice, mark=mark)
            began = time.monotonic()
            _play(stage, order, applicants, outcome, start=start, after=after, progress=progress)
            _wait(database, after=after, progress=progress)
            outcome.seconds = round(time.monotonic() - began, 2)
        outcome.packets_per_second = round(order.packets / outcome.seconds, 1)
        outcome.surprises, outcome.refusals = len(hands.surprises), hands.refusals
        outcome.examples = hands.surprises[:MOST_EXAMPLES]
        _tell_ways(outcome, applicants)
        outcome.did = {name: times for name, times in sorted(stage.did.items()) if times}
        with database.reading() as session:
            numbers = [paper.number for paper in stage.papers]
            count(session, outcome, ledger, after=after, numbers=numbers, mark=mark)
            if order.first is not None:
                rows = step_times(session, timing(session), numbers)
                outcome.steps = [row.as_json() for row in rows]
            report = verify(session)
        outcome.verified = report.ok
        outcome.examples += [
            f"{finding.invariant} {finding.subject}: {finding.detail}" for finding in report.broken
        ]
        outcome.examples = outcome.examples[:MOST_EXAMPLES]
    finally:
        database.close()
    return outcome


def _tell_ways(outcome: Outcome, applicants: Sequence[Applicant]) -> None:
    ways = Counter(f"{applicant.service}, {applicant.office.kind}" for applicant in applicants)
    outcome.ways = dict(sorted(ways.items()))
    used = {applicant.office.code: applicant.office.kind for applicant in applicants}
    outcome.offices = dict(sorted(Counter(used.values()).items()))


def _prepare(database: Database) -> None:
    with database.reading() as session:
        empty = current(session.connection()) is None
    if empty:
        migrate(database)
    require_migrated(database)


def _play(
    stage: Stage,
    order: Order,
    applicants: Sequence[Applicant],
    outcome: Outcome,
    *,
    start: datetime,
    after: int,
    progress: Progress,
) -> None:
    bar = progress.add_task("packets on their way", total=len(applicants))
    database = stage.hands.database

    def pause() -> None:
        # The hours between two parts of a day are long enough for all news of the one before.
        wait_until_done(database, after=after)

    def show_finished(finished: int) -> None:
        progress.update(bar, completed=finished)

    if order.first is None:
        outcome.runs = days.play(stage, applicants, start=start, on_run=show_finished, pause=pause)
        return
    database.transact(lambda session: calendar.seed(session, now=start))
    with database.reading() as session:
        rules = timing(session)
    outcome.first = order.first.isoformat()
    outcome.days_off = [day.isoformat() for day in order.days_off(rules)]
    weeks = Weeks(stage, rules, first=order.first, days=order.days, pause=pause)
    outcome.runs = weeks.play(applicants, on_day=show_finished)


def _wait(database: Database, *, after: int, progress: Progress) -> None:
    bar = progress.add_task("messages still to be told", total=None)

    def show(left: int) -> None:
        most = max(left, int(progress.tasks[bar].total or 0))
        progress.update(bar, total=most, completed=most - left)

    wait_until_done(database, after=after, on_look=show)


@contextmanager
def _ending_by_sigterm() -> Iterator[None]:
    """Turn SIGTERM into an orderly end, in which the processes that were started are stopped."""

    def end(_signal: int, _frame: object) -> None:
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
