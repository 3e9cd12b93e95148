"""Who asks: the person behind a request, found by cookie or token, and the language to answer in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from hmac import compare_digest
from itertools import chain
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from config.errors import NotAllowedError, ShabarmanError
from config.language import LANGUAGES, Text, best_language
from models.database import Database
from models.staff import Role
from web import access, sessions
from web.characters import storable
from web.installation import Installation, installation
from workflow.people import Actor, RoleError

LANGUAGE_COOKIE = "shabarman_language"
CSRF_HEADER = "x-csrf-token"
SCANS = "/api/v1/scans"
"""Where scans are sent: the one address whose speed people feel."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class ForgedRequestError(NotAllowedError):
    """A request that changes something came from another site, or from a page of an earlier sign-in."""

    code = "forged_request"
    text = Text("This page is out of date. Load it again, then repeat what you did.")


class UnstorableError(ShabarmanError):
    """A value has a character that no database can hold, or that nobody types."""

    code = "unstorable"
    text = Text("A value has a form that cannot be kept. Remove unusual characters and send again.")


class _Kind(Enum):
    PROGRAM = auto()
    PERSON = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The person behind a request, and the moment of the request."""

    by: Actor
    language: str
    now: datetime
    database: Database
    csrf: str = ""
    """Token for the forms of the pages; empty for programs."""
    password_given: bool = False
    """Whether the person signed in with a password that somebody else knows."""

    def may(self, *roles: Role) -> bool:
        """Tell whether the person has any of `roles`."""
        return self.by.role_among(frozenset(roles)) is not None

    def require(self, *roles: Role) -> None:
        """Raise RoleError unless the person has any of `roles`."""
        if not self.may(*roles):
            raise RoleError(roles=", ".join(sorted(roles)))


def language_of_request(request: Request) -> str:
    """Return the language for somebody who is not known: cookie, else `Accept-Language`, else Kazakh."""
    return _chosen(request) or best_language(request.headers.get("accept-language", ""))


def _chosen(request: Request) -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else ""


def require_same_origin(request: Request) -> None:
    """Raise ForgedRequestError when a browser says that another site made this request.

    Programs send neither header; what they send is held to its token.
    """
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise ForgedRequestError
    if origin is None and site is not None and site not in {"same-origin", "none"}:
        raise ForgedRequestError


async def guard(request: Request) -> None:
    """Stand before every route: let nobody in whom its rule does not let in, and nobody at all without a rule.

    Raises SignInNeededError, PasswordGivenError, RoleError, NoRuleError, UnstorableError, and ForgedRequestError for
    what another site sent.
    """
    house = installation(request)
    request.state.language = language_of_request(request)
    rule = access.rule_of(request)
    if request.path_params or request.scope["query_string"]:
        _require_storable(request.path_params.values(), request.query_params.values())
    if request.method not in _SAFE:
        require_same_origin(request)
    if not rule.public:
        # Who was recognised a moment ago need not be looked up, and so no thread is needed.
        asking = _scanning(request, house)
        if asking is None:
            asking = await run_in_threadpool(known, request, house)
        if asking.password_given and not rule.with_given_password:
            raise sessions.PasswordGivenError
        access.admit(rule, asking.by)


def may_change_people(method: str, path: str) -> bool:
    """Tell whether such a request may end a sign-in or change a person, so that all must be looked up again."""
    return method not in _SAFE and path != SCANS


def known(request: Request, house: Installation) -> Asking:
    """Return who asks, found once for each request; raise SignInNeededError when that is not known.

    A program is known by its token, a page by its cookie. What a page asks of the API and what changes something must
    carry the token of its forms, too: raises ForgedRequestError.
    """
    found: Asking | None = getattr(request.state, "asking", None)
    if found is None:
        credentials = _credentials(request)
        found = _let_through(request, house, credentials, _look_up(house, *credentials))
    return found


def _scanning(request: Request, house: Installation) -> Asking | None:
    """Return who sends scans, as `known`, where that was found a moment ago; None for everybody else."""
    if request.scope["path"] != SCANS:
        return None
    credentials = _credentials(request)
    found = house.recognised.find(credentials)
    return None if found is None else _let_through(request, house, credentials, found)


def _look_up(house: Installation, kind: _Kind, key: str) -> sessions.Found:
    """Ask the database whose key it is; raise SignInNeededError when it is nobody's."""
    forgotten = house.recognised.forgotten
    if kind is _Kind.PROGRAM:
        with house.database.reading() as session:
            by = sessions.find_program(session, key)
        found = sessions.Found(by=by, stale=False, password_given=False)
    elif key:
        now = house.clock()
        with house.database.reading() as session:
            found = sessions.find(session, key, now=now, lasting=house.lasting)
        if found.stale:
            house.database.transact(lambda session: sessions.touch(session, key, now=now))
    else:
        raise sessions.SignInNeededError
    house.recognised.keep((kind, key), found, forgotten=forgotten)
    return found


def _let_through(
    request: Request, house: Installation, credentials: tuple[_Kind, str], found: sessions.Found
) -> Asking:
    """Keep with the request who asks; raise ForgedRequestError where a page changes something without its token."""
    kind, key = credentials
    asking = _program(request, house, found) if kind is _Kind.PROGRAM else _person(request, house, key, found)
    if kind is _Kind.PERSON and _is_api(request) and request.method not in _SAFE:
        _require_token(request.headers.get(CSRF_HEADER, ""), asking)
    request.state.language = asking.language
    request.state.asking = asking
    return asking


async def for_api(
    request: Request,
    _bearer: Annotated[
        HTTPAuthorizationCredentials | None,
        Security(HTTPBearer(auto_error=False, description="A token printed by `shabarman token LOGIN`.")),
    ],
    _cookie: Annotated[
        str | None,
        Security(
            APIKeyCookie(
                name=sessions.COOKIE,
                auto_error=False,
                description="Our own pages; requests that change something also carry X-CSRF-Token.",
            )
        ),
    ],
) -> Asking:
    """Return who asks the API: a program by its token, or a page by its cookie and form token."""
    return _let_in(request)


async def for_page(request: Request) -> Asking:
    """Return who looks at a page."""
    return _let_in(request)


async def for_form(request: Request, csrf: Annotated[str, Form()] = "") -> Asking:
    """Return who sent a form of a page; raise ForgedRequestError unless the form is from our page for this sign-in."""
    asking = _let_in(request)
    _require_token(csrf, asking)
    # What was uploaded in the place of a text is refused by the route, which knows its fields.
    _require_storable(text for text in (await request.form()).values() if isinstance(text, str))
    return asking


def _let_in(request: Request) -> Asking:
    # A route whose rule says that it is public has no business with who asks.
    found: Asking = request.state.asking
    return found


def _is_api(request: Request) -> bool:
    path: str = request.scope["path"]
    return path.startswith("/api/")


def _credentials(request: Request) -> tuple[_Kind, str]:
    """Return by what somebody is to be known: the token of a program, or the cookie of a person, perhaps empty."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if _is_api(request) and scheme.lower() == "bearer":
        return _Kind.PROGRAM, token.strip()
    return _Kind.PERSON, request.cookies.get(sessions.COOKIE, "")


def _program(request: Request, house: Installation, found: sessions.Found) -> Asking:
    accepted = request.headers.get("accept-language")
    language = best_language(accepted) if accepted and accepted != "*" else found.by.language
    return Asking(by=found.by, language=language, now=house.clock(), database=house.database)


def _person(request: Request, house: Installation, key: str, found: sessions.Found) -> Asking:
    return Asking(
        by=found.by,
        # The language of the page, and not of the browser: an event stream cannot choose its headers.
        language=_chosen(request) or found.by.language,
        now=house.clock(),
        database=house.database,
        csrf=sessions.csrf_token(key),
        password_given=found.password_given,
    )


def _require_storable(*texts: Iterable[object]) -> None:
    if not all(storable(str(text)) for text in chain(*texts)):
        raise UnstorableError


def _require_token(given: str, asking: Asking) -> None:
    if not (asking.csrf and compare_digest(given.encode(), asking.csrf.encode())):
        raise ForgedRequestError


AskingApi = Annotated[Asking, Depends(for_api)]
AskingPage = Annotated[Asking, Depends(for_page)]
AskingForm = Annotated[Asking, Depends(for_form)]
