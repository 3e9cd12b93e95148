"""The page of a packet whose history lies in an archive: it says so, offers nothing, and is found as before."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from config.settings import Settings
from models import Message
from tasks.handling import handle
from tests.functional.web.test_pages import APPLICATION
from tests.functional.web.visitors import Visitor, words_of
from tests.integration.workflow.crew import Crew
from workers.archive.making import archive
from workflow import accepting

Visitors = Callable[[str], Visitor]


def test_the_page_says_where_the_history_lies(visitor: Visitors, crew: Crew, tmp_path: Path) -> None:
    inspector = visitor("inspector.aksu")
    number = inspector.send("/accept", **APPLICATION).headers["location"].split("/")[2].split("?")[0]
    by = crew.people["inspector.aksu"]
    crew.do(lambda s: accepting.withdraw(s, number, reason="moved", by=by, now=crew.now))
    with crew.database.reading() as session:
        waiting = list(session.scalars(select(Message.id)))
    handle(crew.database, waiting, settings=Settings(smtp_url=None))
    (made,) = archive(
        crew.database, tmp_path, now=crew.now + timedelta(days=800), months=24, by="operator"
    ).made

    page = inspector.see(f"/packets/{number}")
    said = words_of(page)
    assert f"The history lies in the archive of {made.month}." in said
    assert "Take the last step back" not in said
    assert "99012" not in said
    assert "Certificate" not in said
    found = inspector.send("/find", code="990101300013")
    assert "history archived" in words_of(found)
    # Who had to do with it by a bag alone may still look, others not.
    assert visitor("registrar.alakol").see(f"/packets/{number}").status_code == 200
    assert visitor("inspector.alakol").see(f"/packets/{number}").status_code == 404
    answer = inspector.see(f"/api/v1/packets/{number}")
    assert answer.json()["archived"] == made.month
    assert answer.json()["events"] == []
    refused = inspector.send(f"/packets/{number}/undo", reason="by mistake")
    assert refused.status_code == 409
    assert made.month in words_of(refused)
    for language, word in (("kk", "мұрағатында"), ("ru", "архиве")):
        inspector.send("/language", language=language)
        assert word in words_of(inspector.see(f"/packets/{number}"))
