"""People as operators and administrators keep them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from config.clock import utc_now
from config.errors import ShabarmanError
from config.offices import UnknownOfficeError, centre_of, department_of
from models import Change, SignIn, Staff, Token
from models.change import ChangeOf
from models.database import Database
from models.staff import Role
from workflow.changes import changes_of
from workflow.people import Actor, RoleError, actor
from workflow.staffing import (
    BadPersonError,
    KeeperError,
    LastAdministratorError,
    LoginTakenError,
    Particulars,
    ShortPasswordError,
    UnknownLoginError,
    add_person,
    change_person,
    give_password,
    new_token,
    switch,
)

OFFICE = centre_of("aksu").code
PERSON = Particulars(
    name="Inspector 1", office=OFFICE, roles=[Role.INSPECTOR, Role.ACCUMULATOR, Role.INSPECTOR]
)
PASSWORD = "a long enough password"


def enter(
    database: Database,
    login: str = "Inspector.One",
    *,
    person: Particulars = PERSON,
    password: str = PASSWORD,
    by: Actor | str = "root",
) -> None:
    with database.transaction() as session:
        add_person(session, login=login, person=person, password=password, by=by, now=utc_now())


def someone(database: Database, login: str, *roles: Role) -> Actor:
    enter(database, login, person=replace(PERSON, roles=roles))
    with database.reading() as session:
        return actor(session, login=login)


def kept(database: Database, login: str = "inspector.one") -> Staff:
    with database.reading() as session:
        return session.scalars(select(Staff).where(Staff.login == login)).one()


def test_a_person_is_kept_with_a_hash_and_in_lower_case(database: Database) -> None:
    enter(database)
    person = kept(database)
    assert person.roles == ["inspector", "accumulator"]
    assert person.password_hash is not None
    assert PasswordHasher().verify(person.password_hash, PASSWORD)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"login": "INSPECTOR.one"}, LoginTakenError),
        ({"login": "two words"}, BadPersonError),
        ({"login": ""}, BadPersonError),
        ({"login": "two", "person": replace(PERSON, name=" ")}, BadPersonError),
        ({"login": "two", "person": replace(PERSON, roles=[])}, BadPersonError),
        ({"login": "two", "person": replace(PERSON, language="de")}, BadPersonError),
        ({"login": "two", "person": replace(PERSON, email="nobody")}, BadPersonError),
        ({"login": "two", "person": replace(PERSON, deputy="two")}, BadPersonError),
        ({"login": "two", "person": replace(PERSON, deputy="nobody")}, BadPersonError),
        ({"login": "two", "password": "123456789"}, ShortPasswordError),
        ({"login": "two", "person": replace(PERSON, office="9999")}, UnknownOfficeError),
    ],
)
def test_who_cannot_be_entered_changes_nothing(
    database: Database, change: dict[str, object], error: type[ShabarmanError]
) -> None:
    enter(database)
    with pytest.raises(error):
        enter(database, **change)  # type: ignore[arg-type]
    with database.reading() as session:
        assert len(session.scalars(select(Staff)).all()) == 1
        assert len(session.scalars(select(Change)).all()) == 1


def test_each_change_is_kept_with_who_and_what(database: Database) -> None:
    enter(database)
    enter(database, "inspector.two")
    by = someone(database, "operator", Role.OPERATOR)
    away = replace(PERSON, name="Inspector 2", absent_until=date(2026, 12, 1), deputy="inspector.two")
    with database.transaction() as session:
        change_person(session, "inspector.one", person=away, by=by, now=utc_now())
    with database.reading() as session:
        changes = {change.field: change for change in changes_of(session, ChangeOf.PERSON, "inspector.one")}
    assert set(changes) == {"entered", "name", "absent_until", "deputy_id"}
    assert (changes["name"].before, changes["name"].after) == ("Inspector 1", "Inspector 2")
    assert changes["absent_until"].after == "2026-12-01"
    assert changes["entered"].by == "root"
    assert changes["name"].by == "operator"
    assert kept(database).deputy_id == kept(database, "inspector.two").id


def test_a_new_password_ends_what_was_signed_in_and_is_nowhere_to_be_read(database: Database) -> None:
    enter(database)
    now = utc_now()
    with database.transaction() as session:
        session.add(SignIn(key_hash="x" * 64, staff_id=kept(database).id, created_at=now, seen_at=now))
    with database.transaction() as session:
        password = give_password(session, "inspector.one", by="root", now=now)
    assert PasswordHasher().verify(kept(database).password_hash or "", password)
    with database.reading() as session:
        assert session.scalars(select(SignIn)).all() == []
        said = [(change.field, change.before, change.after) for change in session.scalars(select(Change))]
    assert ("password", None, "new") in said
    assert password not in str(said)


def test_who_is_switched_off_is_out_at_once_and_stays_in_the_list(database: Database) -> None:
    enter(database)
    now = utc_now()
    with database.transaction() as session:
        session.add(SignIn(key_hash="x" * 64, staff_id=kept(database).id, created_at=now, seen_at=now))
        new_token(session, login="inspector.one", now=now)
    with database.transaction() as session:
        switch(session, "inspector.one", active=False, by="root", now=now)
    with database.reading() as session:
        assert session.scalars(select(SignIn)).all() == []
        assert session.scalars(select(Token)).all() == []
    assert not kept(database).active
    with database.transaction() as session:
        switch(session, "inspector.one", active=True, by="root", now=now)
    assert kept(database).active


def test_an_operator_makes_no_operator_and_touches_none(database: Database) -> None:
    operator = someone(database, "operator", Role.OPERATOR)
    someone(database, "administrator", Role.ADMINISTRATOR)
    inspector = someone(database, "inspector", Role.INSPECTOR)
    enter(database, "two", by=operator)
    for role in (Role.OPERATOR, Role.ADMINISTRATOR):
        with pytest.raises(KeeperError):
            enter(database, "three", person=replace(PERSON, roles=[role]), by=operator)
        with pytest.raises(KeeperError), database.transaction() as session:
            change_person(session, "two", person=replace(PERSON, roles=[role]), by=operator, now=utc_now())
    with pytest.raises(KeeperError), database.transaction() as session:
        give_password(session, "administrator", by=operator, now=utc_now())
    with pytest.raises(KeeperError), database.transaction() as session:
        switch(session, "administrator", active=False, by=operator, now=utc_now())
    with pytest.raises(RoleError):
        enter(database, "three", by=inspector)


def test_one_administrator_is_always_left(database: Database) -> None:
    first = someone(database, "first", Role.ADMINISTRATOR)
    with pytest.raises(LastAdministratorError), database.transaction() as session:
        switch(session, "first", active=False, by=first, now=utc_now())
    with pytest.raises(LastAdministratorError), database.transaction() as session:
        change_person(session, "first", person=PERSON, by=first, now=utc_now())
    someone(database, "second", Role.ADMINISTRATOR)
    with database.transaction() as session:
        switch(session, "first", active=False, by=first, now=utc_now())
    with pytest.raises(LastAdministratorError), database.transaction() as session:
        switch(session, "second", active=False, by="root", now=utc_now())


def test_the_deputy_is_of_the_same_office(database: Database) -> None:
    enter(database)
    enter(database, "elsewhere", person=replace(PERSON, office=department_of("aksu").code))
    with pytest.raises(BadPersonError), database.transaction() as session:
        change_person(
            session, "inspector.one", person=replace(PERSON, deputy="elsewhere"), by="root", now=utc_now()
        )


def test_a_token_is_kept_as_a_hash_only(database: Database) -> None:
    enter(database)
    with database.transaction() as session:
        token = new_token(session, login="inspector.ONE", now=utc_now())
    with database.reading() as session:
        held = session.scalars(select(Token)).one()
    assert held.key_hash == hashlib.sha256(token.encode()).hexdigest()


def test_nobody_gets_a_token_for_somebody_unknown(database: Database) -> None:
    with pytest.raises(UnknownLoginError), database.transaction() as session:
        new_token(session, login="nobody", now=utc_now())
