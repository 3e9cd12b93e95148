"""The tray: what arrives together is recorded together, and what cannot be recorded fails alone."""

import asyncio
from collections.abc import Sequence

import pytest

from models.database import Database
from models.scan import Station, Verdict
from tests.integration.workflow.crew import Crew
from web import tray
from web.tray import Tray
from workflow.protocol import Answer, Scanned
from workflow.scanning import Handful, ReusedIdError, record


def handful(crew: Crew, id_: str, number: str, *, who: str = "accumulator.aksu") -> Handful:
    scanned = Scanned(id=id_, raw=number, station=Station.COLLECT, at=crew.now)
    return Handful(scans=[scanned], by=crew.people[who], now=crew.now)


def together(database: Database, handfuls: Sequence[Handful]) -> list[list[Answer] | BaseException]:
    async def lay() -> list[list[Answer] | BaseException]:
        laid = Tray(database)
        return await asyncio.gather(*(laid.apply(one) for one in handfuls), return_exceptions=True)

    return asyncio.run(lay())


def test_scans_of_several_people_share_transactions(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = Crew.of(database)
    numbers = [crew.accept() for _ in range(6)]
    sizes: list[int] = []

    def counted(database: Database, handfuls: Sequence[Handful]) -> list[list[Answer]]:
        sizes.append(len(handfuls))
        return record(database, handfuls)

    monkeypatch.setattr(tray, "record", counted)
    answers = together(database, [handful(crew, f"s{at}", number) for at, number in enumerate(numbers)])
    assert [one[0].verdict for one in answers if isinstance(one, list)] == [Verdict.TAKEN] * 6
    assert sum(sizes) == 6
    assert max(sizes) > 1


def test_one_that_cannot_be_recorded_fails_alone(database: Database) -> None:
    crew = Crew.of(database)
    first, second, third = (crew.accept() for _ in range(3))
    together(database, [handful(crew, "known", first)])
    good, bad, again = together(
        database,
        [handful(crew, "new", second), handful(crew, "known", third), handful(crew, "known", first)],
    )
    assert isinstance(good, list)
    assert good[0].verdict is Verdict.TAKEN
    assert isinstance(bad, ReusedIdError)
    assert isinstance(again, list)
    assert again[0].verdict is Verdict.TAKEN
