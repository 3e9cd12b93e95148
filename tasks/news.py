"""The tasks that carry news, one per kind so that Flower shows them by name. The database says what each id means."""

from __future__ import annotations

from typing import Any

from config.settings import settings
from routing.envelope import checked_ids
from tasks.app import app
from tasks.database import database
from tasks.handling import handle


def carry_out(ids: Any) -> None:  # noqa: ANN401 - what the broker brought
    """Handle the messages `ids`; raise routing.envelope.Junk when it is no list of message ids."""
    handle(database(), checked_ids(ids), settings=settings())


@app.task(name="packet.announce")
def announce_packets(ids: list[int]) -> None:
    """Tell offices what became of packets."""
    carry_out(ids)


@app.task(name="manifest.announce")
def announce_manifests(ids: list[int]) -> None:
    """Tell offices that a bag is on its way, or was taken over."""
    carry_out(ids)


@app.task(name="result.announce")
def announce_results(ids: list[int]) -> None:
    """Tell the inspectors of centres that results are ready."""
    carry_out(ids)


@app.task(name="discrepancy.announce")
def announce_discrepancies(ids: list[int]) -> None:
    """Tell both sides of differences between a manifest and its bag."""
    carry_out(ids)


@app.task(name="deadline.announce")
def announce_deadlines(ids: list[int]) -> None:
    """Tell offices what is late, or soon will be."""
    carry_out(ids)


@app.task(name="run.announce")
def announce_runs(ids: list[int]) -> None:
    """Tell operators of runs that did not depart on time."""
    carry_out(ids)


@app.task(name="calendar.announce")
def announce_calendars(ids: list[int]) -> None:
    """Tell operators that the dates of the next year are not confirmed."""
    carry_out(ids)


@app.task(name="message.announce")
def announce_deaths(ids: list[int]) -> None:
    """Tell operators of messages that nobody could handle."""
    carry_out(ids)


@app.task(name="notice.email")
def send_notices(ids: list[int]) -> None:
    """Send e-mail notices."""
    carry_out(ids)
