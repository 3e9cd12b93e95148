"""What may be set about an office, and what follows from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import local
from config.offices import centre_of, department_of, office
from config.working_time import written_spans
from models import Deadline, OfficeFact, Run
from models.change import ChangeOf
from models.database import Database
from models.office import OfficeKind
from models.scan import Station, Verdict
from models.staff import Role
from tests.integration.workflow.crew import Crew
from workers.verification import verify
from workflow import deciding, papers
from workflow.changes import changes_of
from workflow.hours import calendar
from workflow.office_facts import (
    EmailError,
    FactSourceError,
    PhoneError,
    RunOutsideError,
    WeekError,
    facts_of,
    set_facts,
)
from workflow.offices import (
    ClosedAtRunError,
    NoDepartmentError,
    RunTimesError,
    departures_of_day,
    own_run_times,
    set_own_register,
    set_run_times,
)
from workflow.people import Actor, RoleError
from workflow.planning import plan_runs

CENTRE = centre_of("aksu").code
DEPARTMENT = department_of("alakol").code


@pytest.fixture
def crew(database: Database) -> Crew:
    return Crew.of(database)


@pytest.fixture
def operator(crew: Crew) -> Actor:
    someone = crew.people["inspector.aksu"]
    return Actor(
        id=someone.id,
        login="operator",
        name="Operator",
        office=CENTRE,
        kind=OfficeKind.CENTRE,
        district="aksu",
        roles=frozenset({Role.OPERATOR}),
    )


def departures(crew: Crew) -> set[str]:
    with crew.database.reading() as session:
        runs = session.scalars(
            select(Run).where(
                Run.centre == CENTRE, Run.cancelled.is_(None), Run.departs_at > crew.now + timedelta(days=1)
            )
        )
        return {f"{local(run.departs_at):%H:%M}" for run in runs}


def test_run_times_count_at_once_and_go_back_to_the_settings(crew: Crew, operator: Actor) -> None:
    crew.do(lambda s: plan_runs(s, now=crew.now))
    assert departures(crew) == {"10:00", "15:00"}
    crew.do(lambda s: set_run_times(s, CENTRE, text="16:30, 9:15", by=operator, now=crew.now))
    assert departures(crew) == {"09:15", "16:30"}
    with crew.database.reading() as session:
        assert own_run_times(session, CENTRE) == departures_of_day(session, CENTRE) == ["09:15", "16:30"]
        assert departures_of_day(session, centre_of("alakol").code) == ["10:00", "15:00"]
    crew.do(lambda s: set_run_times(s, CENTRE, text="", by=operator, now=crew.now))
    assert departures(crew) == {"10:00", "15:00"}
    with crew.database.reading() as session:
        (back, there) = changes_of(session, ChangeOf.OFFICE, CENTRE)
    assert (there.before, there.after, there.by) == (None, ["09:15", "16:30"], "operator")
    assert (back.before, back.after) == (["09:15", "16:30"], None)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("noon", RunTimesError),
        ("25:00", RunTimesError),
        ("10:00:30", RunTimesError),
        ("22:00", ClosedAtRunError),
    ],
)
def test_run_times_that_cannot_be_used_are_refused(
    crew: Crew, operator: Actor, text: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        crew.do(lambda s: set_run_times(s, CENTRE, text=text, by=operator, now=crew.now))
    with crew.database.reading() as session:
        assert own_run_times(session, CENTRE) is None


def test_a_department_with_a_register_of_its_own_types_its_number(crew: Crew, operator: Actor) -> None:
    number = crew.accept()
    manifest = crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, manifest, number, manifest=manifest)
    crew.do(lambda s: set_own_register(s, DEPARTMENT, own=True, by=operator, now=crew.now))
    crew.people = Crew.of(crew.database).people
    (answer,) = crew.scan("registrar.alakol", Station.REGISTER, number)
    assert answer.verdict is Verdict.WRONG_STATE
    assert "register of its own" in answer.sentence("en")
    crew.do(lambda s: set_own_register(s, DEPARTMENT, own=False, by=operator, now=crew.now))
    crew.people = Crew.of(crew.database).people
    (answer,) = crew.scan("registrar.alakol", Station.REGISTER, number)
    assert answer.verdict is Verdict.TAKEN


def test_only_operators_set_and_only_what_an_office_has(crew: Crew, operator: Actor) -> None:
    head = crew.people["head.alakol"]
    with pytest.raises(RoleError):
        crew.do(lambda s: set_own_register(s, DEPARTMENT, own=True, by=head, now=crew.now))
    with pytest.raises(RoleError):
        crew.do(lambda s: set_run_times(s, CENTRE, text="11:00", by=head, now=crew.now))
    with pytest.raises(NoDepartmentError):
        crew.do(lambda s: set_own_register(s, CENTRE, own=True, by=operator, now=crew.now))


def known_better(crew: Crew, operator: Actor, code: str, **changed: Any) -> int:
    """Say something better about an office; all else stays as it is known."""
    with crew.database.reading() as session:
        known = facts_of(session, code)
    facts = {
        "phones": known.phones,
        "emails": known.emails,
        "hours": [", ".join(written_spans(spans)) for spans in known.weekly],
        "source": "letter 17",
    }
    return crew.do(lambda s: set_facts(s, code, **facts | changed, by=operator, now=crew.now))


EARLY = ["08:00-12:00, 13:00-15:00"] * 5 + ["", ""]


def test_hours_that_are_known_better_are_those_of_the_clocks(crew: Crew, operator: Actor) -> None:
    number = crew.accept()
    crew.send(number)
    crew.scan("registrar.alakol", Station.RECEIVE, number)
    crew.scan("registrar.alakol", Station.REGISTER, number)
    crew.scan("registrar.alakol", Station.PASS, number)
    head = crew.people["head.alakol"]
    crew.do(lambda s: deciding.resolve(s, [number], executor="executor.alakol", by=head, now=crew.now))

    def due() -> datetime:
        with crew.database.reading() as session:
            return session.scalars(select(Deadline.due_at).where(Deadline.closed_at.is_(None))).one()

    before = due()
    # Less time: the open deadline goes later; by what was printed again, it stays.
    moved = known_better(crew, operator, DEPARTMENT, hours=["09:00-10:00"] * 5 + ["", ""])
    with crew.database.reading() as session:
        week = calendar(session).of(DEPARTMENT).weekly
        assert [len(spans) for spans in week] == [1, 1, 1, 1, 1, 0, 0]
        assert calendar(session).of(CENTRE).weekly == office(CENTRE).hours.weekly
    assert (moved, due() > before) in {(1, True), (0, False)}
    later = due()
    printed = [", ".join(written_spans(spans)) for spans in office(DEPARTMENT).hours.weekly]
    assert known_better(crew, operator, DEPARTMENT, hours=printed) == 0
    assert due() == later
    with crew.database.reading() as session:
        assert facts_of(session, DEPARTMENT).sources == {}
        assert [row.value for row in session.scalars(select(OfficeFact).order_by(OfficeFact.id))][-1] is None
        assert [row.field for row in changes_of(session, ChangeOf.OFFICE, DEPARTMENT)] == ["hours", "hours"]
        assert verify(session).ok


def test_a_run_needs_an_open_centre_whichever_is_changed(crew: Crew, operator: Actor) -> None:
    with pytest.raises(RunOutsideError):
        known_better(crew, operator, CENTRE, hours=["12:00-20:00"] * 5 + ["", ""])
    known_better(crew, operator, CENTRE, hours=["08:00-20:00"] * 5 + ["", ""])
    crew.do(lambda s: set_run_times(s, CENTRE, text="08:30", by=operator, now=crew.now))
    with pytest.raises(RunOutsideError):
        known_better(crew, operator, CENTRE, hours=["09:00-20:00"] * 5 + ["", ""])


def test_what_is_known_better_has_a_source_and_stands_on_papers(crew: Crew, operator: Actor) -> None:
    for wrong, error in (
        ({"source": " ", "phones": ["+7 700 000 00 00"]}, FactSourceError),
        ({"phones": ["ask Aigul"]}, PhoneError),
        ({"emails": ["nobody"]}, EmailError),
        ({"hours": ["09:00"] * 7}, WeekError),
        ({"hours": [""] * 7}, WeekError),
        ({"hours": EARLY[:6]}, WeekError),
    ):
        with pytest.raises(error):
            known_better(crew, operator, DEPARTMENT, **wrong)
    with pytest.raises(RoleError):
        known_better(crew, crew.people["head.alakol"], DEPARTMENT, phones=["+7 700 000 00 00"])
    with crew.database.reading() as session:
        assert session.scalars(select(OfficeFact)).all() == []
        printed = papers.place(DEPARTMENT, session)
    assert printed == papers.place(DEPARTMENT)
    known_better(crew, operator, DEPARTMENT, phones=["+7 700 000 00 00"], hours=EARLY)
    with crew.database.reading() as session:
        now = papers.place(DEPARTMENT, session)
    assert now.phones == ("+7 700 000 00 00",)
    assert now.hours == "дүйсенбі-жұма 08:00-12:00, 13:00-15:00; сенбі-жексенбі демалыс"
    assert now.address == printed.address


def test_what_was_rolled_back_is_not_remembered(crew: Crew, operator: Actor) -> None:
    """On SQLite the row after a rollback has the id of the one that never was."""

    def set_hours(session: Session, text: str) -> None:
        hours = [text] * 5 + ["", ""]
        known = facts_of(session, DEPARTMENT)
        set_facts(
            session,
            DEPARTMENT,
            phones=known.phones,
            emails=known.emails,
            hours=hours,
            source="letter 17",
            by=operator,
            now=crew.now,
        )

    def fails(session: Session) -> None:
        set_hours(session, "08:00-12:00")
        assert len(calendar(session).of(DEPARTMENT).weekly[0]) == 1
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        crew.do(fails)
    crew.do(lambda s: set_hours(s, "10:00-13:00, 14:00-16:00"))
    with crew.database.reading() as session:
        assert calendar(session).of(DEPARTMENT).weekly == facts_of(session, DEPARTMENT).weekly
