"""Sign-ins of people and keys of programs: made, found, and ended; the secret itself is never kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from threading import BoundedSemaphore

from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from config.errors import BadInputError, NotAllowedError, ShabarmanError
from config.language import Text
from models import SignIn, Staff, Token
from workflow.people import Actor, active, actor_of
from workflow.staffing import SHORTEST_PASSWORD, ShortPasswordError, hasher
from workflow.tries import Lasting

COOKIE = "shabarman_session"

TOUCH_EVERY = timedelta(minutes=1)
"""How stale `seen_at` may become: a write with every request would make readers of SQLite wait for writers."""

LONGEST_PASSWORD = 1024
"""Characters; a longer one is refused before any work is done for it."""

_at_once = BoundedSemaphore(4)  # Each check takes 19 MiB; forty at once would take the machine.


class SignInNeededError(ShabarmanError):
    """Nobody is signed in, or the sign-in has run out."""

    code = "sign_in_needed"
    status = 401
    text = Text("Sign in first. A program sends its token: `Authorization: Bearer …`.")


class WrongPasswordError(ShabarmanError):
    """Login and password do not go together; it is not said which of them is wrong."""

    code = "wrong_password"
    status = 401
    text = Text("The login or the password is wrong. Check the keyboard layout and type both again.")


class PasswordGivenError(NotAllowedError):
    """Somebody else knows the password of this person; nothing is done with it before it is changed."""

    code = "password_given"
    text = Text("Choose a password of your own first: the present one was given to you by somebody else.")


class LongPasswordError(BadInputError):
    """The password is too long. Fact: `most` characters."""

    code = "long_password"
    text = Text("The password may have {most} characters at most.")


class SamePasswordError(BadInputError):
    """The new password is the old one, or the login."""

    code = "same_password"
    text = Text("The new password must differ from the present one and from the login.")


class UnlikePasswordsError(BadInputError):
    """A password was typed twice, not the same."""

    code = "unlike_passwords"
    text = Text("The two new passwords differ. Type the same one twice.")


class LockedOutError(ShabarmanError):
    """Too many failures. Fact: `minutes` to wait."""

    code = "locked_out"
    status = 429
    text = Text(
        "Too many tries. Wait {minutes} minute, or ask the operator for a new password.",
        "Too many tries. Wait {minutes} minutes, or ask the operator for a new password.",
        "minutes",
    )


def fingerprint(key: str) -> str:
    """Return what is kept of a key: its SHA-256, in hex."""
    return hashlib.sha256(key.encode()).hexdigest()


def csrf_token(key: str) -> str:
    """Return the token that forms of the session with this key must carry; it does not give the key away."""
    return hmac.new(key.encode(), b"shabarman form", hashlib.sha256).hexdigest()


def password_hash(session: Session, login: str) -> tuple[int, str] | None:
    """Return the id of the active person with this login and what is kept of the password; None when there is none."""
    found = session.execute(
        select(Staff.id, Staff.password_hash).where(
            Staff.login == login, Staff.active, Staff.password_hash.is_not(None)
        )
    ).one_or_none()
    return None if found is None else (found.id, found.password_hash)


def require_password(kept: str | None, password: str) -> None:
    """Raise WrongPasswordError unless `password` is the one of which `kept` is kept.

    Where nothing is kept it takes as long as for a wrong password, so that nobody learns which logins exist.
    """
    if len(password) > LONGEST_PASSWORD:
        raise WrongPasswordError
    try:
        with _at_once:
            hasher.verify(kept or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        raise WrongPasswordError from None
    if kept is None:
        raise WrongPasswordError


def new_hash(password: str) -> str:
    """Return what is kept of a password that somebody chose; raise ShortPasswordError or LongPasswordError."""
    if len(password) < SHORTEST_PASSWORD:
        raise ShortPasswordError(least=SHORTEST_PASSWORD)
    if len(password) > LONGEST_PASSWORD:
        raise LongPasswordError(most=LONGEST_PASSWORD)
    with _at_once:
        return hasher.hash(password)


def begin(session: Session, *, staff_id: int, now: datetime, lasting: Lasting) -> str:
    """Begin a sign-in and return its key; sign-ins of this person that have run out are removed."""
    key = secrets.token_urlsafe(32)
    session.execute(delete(SignIn).where(SignIn.staff_id == staff_id, lasting.over(now)))
    session.add(SignIn(key_hash=fingerprint(key), staff_id=staff_id, created_at=now, seen_at=now))
    return key


def end(session: Session, key: str) -> None:
    """End the sign-in with this key, if there is one."""
    session.execute(delete(SignIn).where(SignIn.key_hash == fingerprint(key)))


def end_all(session: Session, *, staff_id: int) -> None:
    """End every sign-in of a person, wherever it is."""
    session.execute(delete(SignIn).where(SignIn.staff_id == staff_id))


def count(session: Session, *, staff_id: int, now: datetime, lasting: Lasting) -> int:
    """Return how many sign-ins of a person are open."""
    opened = select(func.count()).where(SignIn.staff_id == staff_id, ~lasting.over(now))
    return session.scalar(opened) or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A sign-in that is open."""

    by: Actor
    stale: bool
    """Whether `touch` is due."""
    password_given: bool
    """Whether somebody else knows the password: it is to be changed first of all."""


def find(session: Session, key: str, *, now: datetime, lasting: Lasting) -> Found:
    """Return who signed in with `key`.

    Raises SignInNeededError when there is no such sign-in, it has run out, or the person may no longer sign in.
    """
    row = session.execute(
        active(SignIn.seen_at, Staff.password_given)
        .join(SignIn, SignIn.staff_id == Staff.id)
        .where(SignIn.key_hash == fingerprint(key), ~lasting.over(now))
    ).one_or_none()
    if row is None:
        raise SignInNeededError
    return Found(
        by=actor_of(row),
        stale=now - row.seen_at > TOUCH_EVERY,
        password_given=row.password_given,
    )


def touch(session: Session, key: str, *, now: datetime) -> None:
    """Note that the sign-in with `key` was used."""
    session.execute(update(SignIn).where(SignIn.key_hash == fingerprint(key)).values(seen_at=now))


def find_program(session: Session, token: str) -> Actor:
    """Return the person for whom a program acts; raise SignInNeededError for an unknown token."""
    row = session.execute(
        active().join(Token, Token.staff_id == Staff.id).where(Token.key_hash == fingerprint(token))
    ).one_or_none()
    if row is None:
        raise SignInNeededError
    return actor_of(row)


@cache
def _nobodys_hash() -> str:
    return hasher.hash(secrets.token_urlsafe(16))
