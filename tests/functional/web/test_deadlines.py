"""Deadlines in the pages and through the API: what is left, what is late, and who explains it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update

from models import Deadline
from tests.functional.web.visitors import Visitor, words_of
from tests.integration.workflow.crew import Crew

Visitors = Callable[[str], Visitor]


def accepted(visitor: Visitors) -> str:
    made = visitor("registrar.alakol").send(
        "/accept", service="sanatorium", applicant_name="Applicant 1", residence="2002", request_id="form-7"
    )
    return str(made.headers["location"]).split("/")[2].split("?")[0]


def make_late(crew: Crew) -> None:
    with crew.database.transaction() as session:
        long_ago = datetime(2026, 1, 5, 6, tzinfo=UTC)
        session.execute(update(Deadline).values(opened_at=long_ago, due_at=long_ago))


def test_the_page_says_what_is_left_and_who_was_late_explains(visitor: Visitors, crew: Crew) -> None:
    number = accepted(visitor)
    registrar, head = visitor("registrar.alakol"), visitor("head.alakol")
    page = registrar.see(f"/packets/{number}")
    assert "Promised for" in words_of(page)
    assert "acceptance" in words_of(page)
    assert 'class="clock good"' in page.text
    assert "Explain why it is late" not in words_of(page)
    make_late(crew)
    late = registrar.see(f"/packets/{number}")
    assert 'class="clock bad"' in late.text
    assert "working days late" in words_of(late)
    assert "Explain why it is late" not in words_of(head.see(f"/packets/{number}"))
    registrar.send(f"/packets/{number}/explain", reason="The power was cut.")
    explained = words_of(registrar.see(f"/packets/{number}"))
    assert "The power was cut." in explained
    assert "Explain why it is late" not in explained


def test_programs_explain_too(visitor: Visitors, program: Any, crew: Crew) -> None:
    number = accepted(visitor)
    registrar = program("registrar.alakol")
    (clock,) = registrar.get(f"/packets/{number}").json()["deadlines"]
    assert (clock["step"], clock["late"], clock["reason"]) == ("acceptance", False, None)
    early = registrar.post(f"/packets/{number}/explain", {"reason": "why not"})
    assert (early.status_code, early.json()["code"]) == (409, "not_late")
    make_late(crew)
    others = program("head.alakol").post(f"/packets/{number}/explain", {"reason": "not mine"})
    assert (others.status_code, others.json()["code"]) == (403, "not_your_delay")
    done = registrar.post(f"/packets/{number}/explain", {"reason": "A long queue."})
    assert done.json() == {"number": number, "step": "accept"}
