"""The swift way: the same rows and the same errors as by SQLAlchemy, on both databases."""

from typing import cast

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import IntegrityError

from config.clock import utc_now
from models import Staff
from models.database import Database
from models.staff import Role
from models.swift import Question, Writes, among

STAFF = cast("Table", Staff.__table__)
NAMED = Question(
    select(STAFF.c.login, STAFF.c.roles, STAFF.c.created_at)
    .where(among(STAFF.c.login, "logins"))
    .order_by(STAFF.c.id)
)


def person(login: str, *, office: str = "1001") -> dict[str, object]:
    return {
        "login": login,
        "name": "Somebody",
        "office": office,
        "roles": [Role.INSPECTOR.value],
        "language": "kk",
        "active": True,
        "password_given": False,
        "created_at": utc_now(),
    }


@pytest.mark.parametrize("count", [1, 3])
def test_what_is_written_is_read_in_the_types_of_the_tables(database: Database, count: int) -> None:
    rows = [person(f"p{place}") for place in range(count)]
    with database.transaction() as session:
        writes = Writes()
        writes.insert(STAFF, rows)
        writes.send(session)
    with database.reading() as session:
        found = NAMED.ask(session, logins=[row["login"] for row in rows])
        assert found == [(row["login"], row["roles"], row["created_at"]) for row in rows]
        assert NAMED.ask(session, logins=[]) == []


def test_writes_happen_in_their_order(database: Database) -> None:
    """Somebody gives a login away that is unique, and somebody else gets it, in one statement."""
    with database.transaction() as session:
        writes = Writes()
        writes.insert(STAFF, [person("first")])
        writes.send(session)
        ((id_,),) = Question(select(STAFF.c.id)).ask(session)
        writes = Writes()
        writes.update(STAFF, [{"id": id_, "login": "second"}])
        writes.insert(STAFF, [person("first")])
        writes.send(session)
        assert [row[0] for row in NAMED.ask(session, logins=["first", "second"])] == ["second", "first"]


def test_a_row_that_is_there_is_left_or_written_anew(database: Database) -> None:
    with database.transaction() as session:
        for again, office in (((), "1001"), ((), "1001"), (("office",), "1002")):
            writes = Writes()
            writes.insert(STAFF, [person("one", office=office)], key=("login",), again=again)
            writes.send(session)
        assert Question(select(STAFF.c.office)).ask(session) == [("1002",)]


def test_errors_are_those_of_sqlalchemy(database: Database) -> None:
    writes = Writes()
    writes.insert(STAFF, [person("one"), person("one")])
    with pytest.raises(IntegrityError) as caught, database.transaction() as session:
        writes.send(session)
    # What people typed never gets into a log by the way of an error's text.
    assert "Somebody" not in str(caught.value)
