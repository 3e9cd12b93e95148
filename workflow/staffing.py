"""People as operators and administrators keep them: entered, changed, switched off; never deleted.

Whoever acts is an Actor in the pages, and the system user at the command line, who may do everything.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.errors import BadInputError, ConflictError, NotAllowedError, NotFoundError
from config.language import LANGUAGES, Text
from config.offices import office as office_of
from models.change import ChangeOf
from models.staff import Role, SignIn, Staff, Token
from workflow.changes import note_changes
from workflow.people import Actor, require_role

SHORTEST_PASSWORD = 10
"""Characters of a password; length is all that is asked for (NIST SP 800-63B asks for 8 and no rules of kind)."""

KEEPERS = frozenset({Role.OPERATOR, Role.ADMINISTRATOR})
"""Roles that keep the list of people; only administrators may give or take one of these."""

# The second recommendation of RFC 9106, scaled to a small server: 19 MiB, two passes, one lane (OWASP).
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

_WITHOUT_LOOKALIKES = "abcdefghjkmnpqrstuvwxyz23456789"


class LoginTakenError(ConflictError):
    """Somebody has this login already; `login` says which."""

    code = "login_taken"
    text = Text("Somebody signs in as {login} already. Choose another login.")


class UnknownLoginError(NotFoundError):
    """Nobody who may sign in has this login; `login` says which."""

    code = "unknown_login"
    text = Text("Nobody signs in as {login}. `shabarman staff list` shows who does.")


class ShortPasswordError(BadInputError):
    """The password is too short; `least` says how many characters it needs."""

    code = "short_password"
    text = Text("The password must have at least {least} characters.")


class BadPersonError(BadInputError):
    """A person cannot be entered as given; `what` says why."""

    code = "bad_person"
    text = Text("The person cannot be entered: {what}.")


class KeeperError(NotAllowedError):
    """Somebody who is no administrator would change an operator or an administrator, or make one."""

    code = "keepers_by_administrators"
    text = Text("Only an administrator may give, take or change the roles operator and administrator.")


class LastAdministratorError(ConflictError):
    """Nobody could give rights to anybody any more."""

    code = "last_administrator"
    text = Text("This is the last administrator. Make somebody else an administrator first.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What is kept of a person besides the login and the password."""

    name: str
    office: str
    roles: Sequence[Role]
    email: str | None = None
    language: str = "kk"
    absent_until: date | None = None
    """Last day of an absence, date of Almaty."""
    deputy: str | None = None
    """Login of who works in this person's place meanwhile."""


def add_person(
    session: Session,
    *,
    login: str,
    person: Particulars,
    password: str,
    by: Actor | str,
    now: datetime,
) -> Staff:
    """Enter a person and return the row.

    Raises RoleError, KeeperError, UnknownOfficeError, LoginTakenError, ShortPasswordError, and BadPersonError for no
    role, an empty login or name, or a language other than kk, ru, en.
    """
    _require_keeper(by, person.roles)
    login = login.strip().lower()
    if not login or len(login) > 64 or any(character.isspace() for character in login):
        raise BadPersonError(what=Text("the login has 1 to 64 characters and no spaces"))
    if len(password) < SHORTEST_PASSWORD:
        raise ShortPasswordError(least=SHORTEST_PASSWORD)
    values = _checked(session, person, login=login)
    if session.scalar(select(Staff.id).where(Staff.login == login)) is not None:
        raise LoginTakenError(login=login)
    made = Staff(
        login=login,
        password_hash=hasher.hash(password),
        password_given=True,
        active=True,
        created_at=now,
        **values,
    )
    session.add(made)
    note_changes(
        session,
        ChangeOf.PERSON,
        login,
        changed={"entered": (None, [values["office"], *values["roles"]])},
        by=_name(by),
        now=now,
    )
    return made


def change_person(
    session: Session, login: str, *, person: Particulars, by: Actor | str, now: datetime
) -> None:
    """Change what is kept of a person.

    Raises RoleError, KeeperError, UnknownLoginError, UnknownOfficeError, BadPersonError and LastAdministratorError.
    """
    kept = _kept(session, login)
    _require_keeper(by, {*person.roles, *map(Role, kept.roles)})
    values = _checked(session, person, login=kept.login)
    if Role.ADMINISTRATOR not in values["roles"]:
        _require_another_administrator(session, kept)
    changed = {field: (getattr(kept, field), value) for field, value in values.items()}
    note_changes(session, ChangeOf.PERSON, kept.login, changed=changed, by=_name(by), now=now)
    for field, value in values.items():
        setattr(kept, field, value)


def give_password(session: Session, login: str, *, by: Actor | str, now: datetime) -> str:
    """Give a person a new password, end the sign-ins with the old one, and return it: nobody can read it again."""
    kept = _kept(session, login)
    _require_keeper(by, map(Role, kept.roles))
    password = new_password()
    kept.password_hash, kept.password_given = hasher.hash(password), True
    _end_sign_ins(session, kept)
    note_changes(
        session, ChangeOf.PERSON, kept.login, changed={"password": (None, "new")}, by=_name(by), now=now
    )
    return password


def change_password(session: Session, *, password_hash: str, by: Actor, now: datetime) -> None:
    """Give `by` the password that they chose, and end their sign-ins: whoever knew the old one is out."""
    kept = _kept(session, by.login)
    kept.password_hash, kept.password_given = password_hash, False
    _end_sign_ins(session, kept)
    note_changes(
        session, ChangeOf.PERSON, kept.login, changed={"password": (None, "own")}, by=by.login, now=now
    )


def switch(session: Session, login: str, *, active: bool, by: Actor | str, now: datetime) -> None:
    """Let a person sign in no more, or again. Sign-ins and tokens of who is switched off end at once.

    Raises RoleError, KeeperError, UnknownLoginError and LastAdministratorError.
    """
    kept = _kept(session, login)
    _require_keeper(by, map(Role, kept.roles))
    if not active:
        _require_another_administrator(session, kept)
        _end_sign_ins(session, kept)
        session.execute(delete(Token).where(Token.staff_id == kept.id))
    note_changes(
        session,
        ChangeOf.PERSON,
        kept.login,
        changed={"active": (kept.active, active)},
        by=_name(by),
        now=now,
    )
    kept.active = active


def new_password() -> str:
    """Return a password that can be read aloud: four groups of four, about 79 bits."""
    return "-".join("".join(secrets.choice(_WITHOUT_LOOKALIKES) for _ in range(4)) for _ in range(4))


def new_token(session: Session, *, login: str, now: datetime) -> str:
    """Return a fresh token for programs that act for a person; only its SHA-256 is kept. Raises UnknownLoginError."""
    staff_id = session.scalar(select(Staff.id).where(Staff.login == login.strip().lower(), Staff.active))
    if staff_id is None:
        raise UnknownLoginError(login=login)
    token = secrets.token_urlsafe(32)
    session.add(Token(key_hash=hashlib.sha256(token.encode()).hexdigest(), staff_id=staff_id, created_at=now))
    return token


def everybody(session: Session) -> list[Staff]:
    """Return all people, by login."""
    return list(session.scalars(select(Staff).order_by(Staff.login)))


def _kept(session: Session, login: str) -> Staff:
    kept = session.scalars(
        select(Staff).where(Staff.login == login.strip().lower()).with_for_update()
    ).one_or_none()
    if kept is None:
        raise UnknownLoginError(login=login)
    return kept


def _checked(session: Session, person: Particulars, *, login: str) -> dict[str, Any]:
    if not person.name.strip():
        raise BadPersonError(what=Text("the name is empty"))
    if not person.roles:
        raise BadPersonError(what=Text("at least one role is needed"))
    if person.language not in LANGUAGES:
        raise BadPersonError(what=Text("the language is one of kk, ru, en"))
    email = (person.email or "").strip() or None
    if email is not None and ("@" not in email or any(character.isspace() for character in email)):
        raise BadPersonError(what=Text("the e-mail address has no @, or a space in it"))
    return {
        "name": person.name.strip(),
        "office": office_of(person.office).code,
        "roles": [role.value for role in dict.fromkeys(person.roles)],
        "email": email,
        "language": person.language,
        "absent_until": person.absent_until,
        "deputy_id": _deputy(session, person, login=login),
    }


def _deputy(session: Session, person: Particulars, *, login: str) -> int | None:
    wanted = (person.deputy or "").strip().lower()
    if not wanted:
        return None
    if wanted == login:
        raise BadPersonError(what=Text("nobody is the own deputy"))
    found = session.scalar(
        select(Staff.id).where(Staff.login == wanted, Staff.office == person.office, Staff.active)
    )
    if found is None:
        raise BadPersonError(what=Text("the deputy works in the same office"))
    return found


def _require_keeper(by: Actor | str, roles: Collection[Role] | map[Role]) -> None:
    if isinstance(by, str):
        return
    require_role(by, *KEEPERS)
    if Role.ADMINISTRATOR not in by.roles and KEEPERS & set(roles):
        raise KeeperError


def _require_another_administrator(session: Session, kept: Staff) -> None:
    if Role.ADMINISTRATOR not in kept.roles or not kept.active:
        return
    # Locked, so that two administrators cannot switch each other off at the same moment.
    others = session.execute(
        select(Staff.roles).where(Staff.active, Staff.id != kept.id).order_by(Staff.id).with_for_update()
    )
    if not any(Role.ADMINISTRATOR in roles for (roles,) in others):
        raise LastAdministratorError


def _end_sign_ins(session: Session, kept: Staff) -> None:
    session.execute(delete(SignIn).where(SignIn.staff_id == kept.id))


def _name(by: Actor | str) -> str:
    return by if isinstance(by, str) else by.login
