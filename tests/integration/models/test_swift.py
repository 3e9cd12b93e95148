"""The swift way: the same rows and the same errors as by SQLAlchemy, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import IntegrityError

from config.clock import utc_now
from models import Staff, swift
from models.database import Database
from models.staff import Role
from models.swift import Question, among
from models.writes import Writes
from tests.integration.servers import PostgresqlDatabase

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


@pytest.mark.parametrize("count", [1, 3])
def test_writes_happen_in_their_order(database: Database, count: int) -> None:
    """People give logins away that are unique, and others get them, in one statement."""
    before, after = ([f"{name}{place}" for place in range(count)] for name in ("first", "second"))
    with database.transaction() as session:
        writes = Writes()
        writes.insert(STAFF, [person(login) for login in before])
        writes.send(session)
        ids = [row[0] for row in Question(select(STAFF.c.id).order_by(STAFF.c.id)).ask(session)]
        writes = Writes()
        writes.update(STAFF, [{"id": id_, "login": login} for id_, login in zip(ids, after, strict=True)])
        writes.insert(STAFF, [person(login) for login in before])
        writes.send(session)
        assert [row[0] for row in NAMED.ask(session, logins=before + after)] == after + before


def test_to_wait_for_the_write_before_costs_a_row_nothing(
    postgresql: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[dict[str, Any]] = []
    execute = swift.execute

    def explained(connection: Any, statement: str, values: Any, **how: Any) -> Any:
        cursor = execute(connection, f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values, **how)
        plans.append(cursor.fetchone()[0][0]["Plan"])
        return cursor

    database = Database(postgresql.url)
    with database.transaction() as session:
        writes = Writes()
        writes.insert(STAFF, [person(f"p{place}") for place in range(20)])
        writes.send(session)
        there = Question(select(STAFF.c.id, STAFF.c.login)).ask(session)
        writes = Writes()
        writes.insert(STAFF, [person(f"q{place}") for place in range(20)])
        # The server expects few rows to be as they were, and looked for what comes before beside each of them.
        changes = [{"id": id_, "login": f"r{id_}", "was_login": login} for id_, login in there]
        writes.update(STAFF, changes, was=("login",))
        with monkeypatch.context() as patch:
            patch.setattr(swift, "execute", explained)
            writes.send(session)
    counted = [node for plan in plans for node in parts(plan) if node["Node Type"] == "CTE Scan"]
    database.close()
    assert {(node["CTE Name"], node["Actual Loops"]) for node in counted} == {("w0", 1), ("w1", 1)}


def parts(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a part of a plan and all below it."""
    yield node
    for below in node.get("Plans", ()):
        yield from parts(below)


def test_a_row_that_is_there_is_left_or_written_anew(database: Database) -> None:
    with database.transaction() as session:
        for again, office in (((), "1001"), ((), "1001"), (("office",), "1002")):
            writes = Writes()
            writes.insert(STAFF, [person("one", office=office)], key=("login",), again=again)
            writes.send(session)
        assert Question(select(STAFF.c.office)).ask(session) == [("1002",)]


@pytest.mark.parametrize("count", [1, 3])
def test_a_moment_without_a_zone_is_refused(database: Database, count: int) -> None:
    rows = [person(f"p{place}") for place in range(count)]
    rows[-1]["created_at"] = datetime(2026, 11, 26, 10, 0)  # noqa: DTZ001 - that is the matter
    writes = Writes()
    writes.insert(STAFF, rows)
    with pytest.raises(ValueError, match="without a time zone"), database.transaction() as session:
        writes.send(session)


@pytest.mark.parametrize("count", [1, 3])
def test_moments_and_texts_of_all_kinds_come_back_as_they_were(database: Database, count: int) -> None:
    moments = [
        utc_now(),
        datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Almaty")),
        datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ]
    names = ["Әбдіқадыр Ұлпан", "\"quoted\" \\ 'and' \u2028 \U0001f4e8", " "]
    rows = [
        person(f"p{place}") | {"created_at": moments[place], "name": names[place], "roles": [names[place]]}
        for place in range(count)
    ]
    with database.transaction() as session:
        writes = Writes()
        writes.insert(STAFF, rows)
        writes.send(session)
    with database.reading() as session:
        found = session.execute(
            select(STAFF.c.created_at, STAFF.c.name, STAFF.c.roles).order_by(STAFF.c.login)
        )
        assert [tuple(row) for row in found] == [
            (row["created_at"], row["name"], row["roles"]) for row in rows
        ]


def test_errors_are_those_of_sqlalchemy(database: Database) -> None:
    writes = Writes()
    writes.insert(STAFF, [person("one"), person("one")])
    with pytest.raises(IntegrityError) as caught, database.transaction() as session:
        writes.send(session)
    # What people typed never gets into a log by the way of an error's text.
    assert "Somebody" not in str(caught.value)
