"""What pages and the API ask finds its rows by an index, however much history there is."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from models.database import Database
from tests.functional.web.addresses import address_of
from tests.functional.web.world import world
from tests.integration.plans import asked
from web.access import RULES
from web.app import create_app
from web.sessions import COOKIE

PEOPLE = ("operator.centre", "inspector.aksu", "accumulator.aksu", "courier.aksu", "registrar.alakol")
SEARCHES = (
    "GET /find?q={received}",
    "GET /find?q=Applicant",
    "GET /find?q=850101300019",
    "GET /scan-log?code={received}",
    "GET /scan-log?office=1001",
)


def test_no_page_reads_a_growing_table_whole(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(database)
    app = create_app(Settings(home=tmp_path, broker_url=None), clock=lambda: made.crew.now, database=database)
    addresses = [address_of(key, made) for key in RULES if key.startswith("GET ") and "events" not in key]
    addresses += [search.partition(" ")[2].format(**made.packets) for search in SEARCHES]
    seen = set()
    with asked(database, monkeypatch) as questions:
        for login in PEOPLE:
            visitor = TestClient(app, follow_redirects=False, cookies={COOKIE: made.sign_in(login)})
            seen |= {address for address in addresses if visitor.get(address).status_code == 200}
    assert len(seen) > 50
    assert questions.whole_reads() == []
