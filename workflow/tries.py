"""How often somebody may try to sign in, so that passwords cannot be guessed; counted in the database, for all of us.

Three counters, each with some free tries and then pauses that double: a login at one address, an address whatever the
login, and a login wherever it is tried. A stranger must not be able to lock out whom they name: where a login has
signed in before, only its own failures at that address count. So a guesser from elsewhere holds nobody up at the usual
place, nor does one who sits behind the same address as a whole office.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import cast

from sqlalchemy import ColumnElement, Table, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import SignIn, SignInTry

FREE_TRIES = 5
"""Failures of one login at one address before the first pause."""

FREE_TRIES_OF_ADDRESS = 40
"""Failures from one address, whatever the login: one person who tries many logins. A whole office may share one."""

FREE_TRIES_OF_LOGIN = 20
"""Failures of one login from all addresses where it never signed in: many who guess one password together."""

FIRST_PAUSE = timedelta(minutes=1)
"""Doubles with each further failure, up to `LONGEST_PAUSE`."""

LONGEST_PAUSE = timedelta(minutes=15)

FORGIVEN_AFTER = 2 * LONGEST_PAUSE
"""Without any try for so long, counting begins anew."""

KNOWN_FOR = timedelta(days=90)
"""How long it is remembered that a login has signed in at an address."""

TRIES = cast("Table", SignInTry.__table__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    key: str
    free: int


def take_try(session: Session, *, login: str, address: str, now: datetime) -> timedelta | None:
    """Count a try and return None, or, uncounted, how long this login must still wait at this address.

    A try counts as failed until `succeeded` is called: many at once get no more tries than one after the other.
    """
    pair, *others = _counters(login, address)
    rows = _locked(session, [pair, *others], now=now)
    known = rows[pair.key].known_at
    counted = [pair] if known is not None and now - known <= KNOWN_FOR else [pair, *others]
    waits = [_pause(rows[counter.key], counter, now=now) for counter in counted]
    longest = max(waits)
    if longest > timedelta(0):
        return longest
    for counter in counted:
        row = rows[counter.key]
        row.failures = 1 if now - row.last_at > FORGIVEN_AFTER else row.failures + 1
        row.last_at = now
    return None


def succeeded(session: Session, *, login: str, address: str, now: datetime) -> None:
    """Take back the last try of this login at this address, and remember that it is known here."""
    pair, *others = _counters(login, address)
    rows = _locked(session, [pair, *others], now=now)
    if rows[pair.key].known_at is None:
        for counter in others:
            rows[counter.key].failures = max(0, rows[counter.key].failures - 1)
    rows[pair.key].failures = 0
    rows[pair.key].known_at = now


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """How long sign-ins last, in minutes."""

    idle: int
    """Without any request."""
    longest: int
    """However much it is used."""

    def over(self, now: datetime) -> ColumnElement[bool]:
        """Tell which sign-ins have run out by `now`."""
        return or_(
            SignIn.seen_at < now - timedelta(minutes=self.idle),
            SignIn.created_at < now - timedelta(minutes=self.longest),
        )


def clear(session: Session, *, now: datetime, lasting: Lasting) -> int:
    """Delete the counters that say nothing any more and the sign-ins that have run out; return how many."""
    tries = delete(SignInTry).where(
        SignInTry.last_at < now - FORGIVEN_AFTER,
        or_(SignInTry.known_at.is_(None), SignInTry.known_at < now - KNOWN_FOR),
    )
    ended = delete(SignIn).where(lasting.over(now))
    return sum(
        len(session.execute(statement).all())
        for statement in (tries.returning(SignInTry.key_hash), ended.returning(SignIn.key_hash))
    )


def _counters(login: str, address: str) -> tuple[_Counted, _Counted, _Counted]:
    place = _network(address)
    return (
        _Counted(key=_key("pair", login, place), free=FREE_TRIES),
        _Counted(key=_key("address", place), free=FREE_TRIES_OF_ADDRESS),
        _Counted(key=_key("login", login), free=FREE_TRIES_OF_LOGIN),
    )


def _key(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()


def _network(address: str) -> str:
    """Return what one customer of a provider has: an IPv4 address, or 64 bits of an IPv6 one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or int(parsed) >> 64)
    return str(parsed)


def _locked(session: Session, counters: list[_Counted], *, now: datetime) -> dict[str, SignInTry]:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    keys = sorted(counter.key for counter in counters)
    fresh = [{"key_hash": key, "failures": 0, "last_at": now} for key in keys]
    session.execute(insert(TRIES).values(fresh).on_conflict_do_nothing())
    # In one order for all, so that two who try at once wait for each other instead of dying.
    found = session.scalars(
        select(SignInTry).where(SignInTry.key_hash.in_(keys)).order_by(SignInTry.key_hash).with_for_update()
    )
    return {row.key_hash: row for row in found}


def _pause(row: SignInTry, counter: _Counted, *, now: datetime) -> timedelta:
    if row.failures < counter.free:
        return timedelta(0)
    # The exponent is capped, so that a patient guesser cannot make the number grow for ever.
    doublings = min(row.failures - counter.free, 10)
    pause = min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
    return row.last_at + pause - now
