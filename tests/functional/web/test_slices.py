"""Lists that are longer than a page: nothing of them is out of reach, nothing is shown twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import insert, select

from config.offices import offices
from models import Discrepancy, Manifest, Packet, Run
from models.discrepancy import DiscrepancyKind
from models.manifest import ManifestState
from models.packet import Leg
from tests.functional.web.visitors import Program, Visitor
from tests.integration.workflow.crew import Crew
from web.views.slices import MOST
from workflow.accepting import Application, accept

EXTRA = 3


@pytest.fixture
def long(crew: Crew) -> Crew:
    """Give one office a little more than one page of differences and of manifests."""
    number = crew.accept()
    sender, by = crew.people["inspector.aksu"].office, crew.people["registrar.alakol"]
    with crew.database.transaction() as session:
        packet = session.scalars(select(Packet.id).where(Packet.number == number)).one()
        session.execute(
            insert(Discrepancy),
            [
                {
                    "kind": DiscrepancyKind.UNEXPECTED,
                    "packet_id": packet,
                    "office": by.office,
                    "sender": sender,
                    "reason": f"reason {place:03}",
                    "opened_at": crew.now,
                    "opened_by": by.id,
                }
                for place in range(MOST + EXTRA)
            ],
        )
        # Several of one departure stand on both sides of the end of the page.
        runs = [Run(centre=sender, departs_at=crew.now + timedelta(days=100 + day)) for day in range(2)]
        session.add_all(runs)
        session.flush()
        rows = [(run, leg, office.code) for run in runs for leg in Leg for office in offices("akimat")]
        assert len(rows) >= MOST + EXTRA
        session.execute(
            insert(Manifest),
            [
                {
                    "number": f"80{place:014}",
                    "run_id": run.id,
                    "leg": leg,
                    "origin": sender,
                    "destination": destination,
                    "state": ManifestState.SEALED,
                    "seal_number": "S",
                    "created_at": crew.now,
                    "created_by": by.id,
                }
                for place, (run, leg, destination) in enumerate(rows[: MOST + EXTRA])
            ],
        )
    return crew


def _walk(who: Visitor, address: str, pattern: str) -> list[list[str]]:
    """Return what each page of a list shows, from the first to the last."""
    pages: list[list[str]] = []
    following: str | None = address
    while following:
        page = who.see(following).text
        pages.append(re.findall(pattern, page))
        found = re.search(r'href="([^"#]+)[^"]*">Next page', page)
        following = found and found[1].replace("&amp;", "&")
        assert len(pages) < 5
    return pages


def test_all_differences_are_within_reach(long: Crew, visitor: Callable[[str], Visitor]) -> None:
    assert long
    who = visitor("registrar.alakol")
    first = who.text("/differences")
    assert f"Open differences {MOST + EXTRA}" in first
    assert f"Shown: {MOST} of {MOST + EXTRA}" in first
    pages = _walk(who, "/differences", r"reason \d{3}")
    assert [len(page) for page in pages] == [MOST, EXTRA]
    assert [one for page in pages for one in page] == [f"reason {place:03}" for place in range(MOST + EXTRA)]
    assert f"{MOST + EXTRA} open differences" in who.text("/")


def test_all_manifests_under_way_are_within_reach(long: Crew, visitor: Callable[[str], Visitor]) -> None:
    assert long
    who = visitor("accumulator.aksu")
    pages = _walk(who, "/", r'class="code" href="/manifests/(\d{16})"')
    assert [len(page) for page in pages] == [MOST, EXTRA]
    shown = [one for page in pages for one in page]
    assert len(set(shown)) == MOST + EXTRA


def _follow(program: Program, address: str) -> list[list[dict[str, Any]]]:
    """Return each slice of a list of the API, from the first to the last, as their `Link` headers lead."""
    slices = []
    while address:
        answer = program.get(address)
        assert answer.status_code == 200
        slices.append(answer.json())
        address = answer.links["next"]["url"].removeprefix("/api/v1") if "next" in answer.links else ""
        assert len(slices) < 5
    return slices


def test_programs_reach_all_of_a_long_list(long: Crew, program: Callable[[str], Program]) -> None:
    assert long
    registrar, accumulator = program("registrar.alakol"), program("accumulator.aksu")
    differences = _follow(registrar, "/discrepancies")
    assert [len(one) for one in differences] == [MOST, EXTRA]
    assert [one["reason"] for part in differences for one in part] == [
        f"reason {place:03}" for place in range(MOST + EXTRA)
    ]
    manifests = _follow(accumulator, "/manifests")
    assert [len(one) for one in manifests] == [MOST, EXTRA]
    assert len({one["number"] for part in manifests for one in part}) == MOST + EXTRA


def test_programs_reach_all_packets_in_the_states_that_they_ask_for(
    crew: Crew, program: Callable[[str], Program]
) -> None:
    numbers = [crew.accept() for _ in range(2)]
    crew.now += timedelta(minutes=1)
    # All of one moment: only their ids tell on which side of the end of a slice they stand.
    more = Application(service="child_allowance", applicant_name="Аман", residence="2002")
    by = crew.people["inspector.aksu"]
    made = crew.do(lambda session: accept(session, [more] * (MOST + EXTRA - 2), by=by, now=crew.now))
    numbers += [one.number for one in made]
    accumulator = program("accumulator.aksu")
    slices = _follow(accumulator, "/packets?state=accepted&state=collected")
    assert [len(one) for one in slices] == [MOST, EXTRA]
    assert [one["number"] for part in slices for one in part] == numbers
    assert _follow(accumulator, "/packets?state=collected") == [[]]


def test_the_description_of_the_api_names_the_way_to_the_next_slice(app: FastAPI) -> None:
    described = Visitor(app).see("/api/openapi.json").json()["paths"]
    for address in ("packets", "manifests", "discrepancies"):
        listed = described[f"/api/v1/{address}"]["get"]
        assert "Link" in listed["responses"]["200"]["headers"]
        assert "after" in [one["name"] for one in listed["parameters"]]


@pytest.mark.parametrize("after", ["", "x", "~", "2026-11-23~1", "2026-11-23T00:00:00+00:00~-1"])
def test_a_place_that_cannot_be_read_begins_anew(visitor: Callable[[str], Visitor], after: str) -> None:
    assert visitor("accumulator.aksu").see(f"/?bags={after.replace('+', '%2B')}").status_code == 200
