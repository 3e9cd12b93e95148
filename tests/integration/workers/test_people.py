from argon2 import PasswordHasher
from sqlalchemy import select

from config.clock import utc_now
from config.offices import centre_of
from models import Change
from models.database import Database
from models.staff import Role, Staff
from workers.people import add_first_people
from workflow.staffing import Particulars, add_person


def test_the_first_people_are_entered_once(database: Database) -> None:
    with database.transaction() as session:
        made = add_first_people(session, now=utc_now())
    with database.transaction() as session:
        assert add_first_people(session, now=utc_now()) == []
        people = {person.login: person for person in session.scalars(select(Staff))}
        by = set(session.scalars(select(Change.by)))
    assert {login for login, _, _ in made} == set(people)
    assert by == {"setup"}
    assert people["head.aksu"].office != people["inspector.aksu"].office
    login, password, _ = made[0]
    assert PasswordHasher().verify(people[login].password_hash or "", password)


def test_nobody_is_added_to_a_house_that_has_people(database: Database) -> None:
    with database.transaction() as session:
        add_person(
            session,
            login="one",
            person=Particulars(name="One", office=centre_of("aksu").code, roles=[Role.COURIER]),
            password="a long enough password",
            by="root",
            now=utc_now(),
        )
    with database.transaction() as session:
        assert add_first_people(session, now=utc_now()) == []
