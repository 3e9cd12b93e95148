"""Errors as answers: problem details (RFC 9457) for programs, a page that says what to do for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from config.errors import ShabarmanError
from config.language import Text
from web.asking import UnstorableError, language_of_request
from web.sessions import LockedOutError, PasswordGivenError, SignInNeededError
from web.words import spoken

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:shabarman:problem:"
"""Before the code; the codes are listed in docs/api.md."""

RETRY_SECONDS = 5

TITLES: dict[int, Text] = {
    400: Text("The request cannot be read"),
    401: Text("Sign in first"),
    403: Text("Not allowed"),
    404: Text("Not found"),
    405: Text("Not possible here"),
    409: Text("Not possible now"),
    413: Text("Too large"),
    415: Text("The request cannot be read"),
    422: Text("Something must be corrected"),
    429: Text("Too many tries"),
    500: Text("Our mistake"),
    503: Text("Not available at the moment"),
}
"""Short names of the kinds of errors, by HTTP status."""

_TITLES_OF_CODES: dict[str, Text] = {"wrong_password": Text("The password does not fit")}
"""Where the name of the status would mislead a person."""

_PLAIN: dict[int, tuple[str, Text]] = {
    400: (
        "unreadable",
        Text("The request cannot be read. Send it again as the description of the API says."),
    ),
    404: ("no_such_page", Text("There is no such page. Check the address, or begin at the first page.")),
    405: ("method", Text("This address does not take such a request. See the description of the API.")),
    413: ("too_large", Text("The request is too large. Send the list in parts.")),
}

_ON_PAGES: dict[int, Text] = {
    400: Text(
        "What this page has sent cannot be read. Go back, load the page again, then repeat what you did."
    ),
    405: Text("This address is a form of ours and no page. Begin at the first page."),
    413: Text("What was sent is too large. Send less at once."),
}
"""The same for people."""

BAD_FIELDS = Text("These fields cannot be used as they are: {fields}. Correct them and send again.")
_FIELD_TEXTS: dict[str, Text] = {
    "missing": Text("This field is needed."),
    "extra_forbidden": Text("This field is not known here."),
    "string_too_long": Text("Too long."),
    "string_too_short": Text("Too short or empty."),
    "too_long": Text("Too many entries."),
    "too_short": Text("At least one entry is needed."),
    "enum": Text("Not one of the known words."),
    "timezone_aware": Text("A moment needs its time zone, for instance 2026-11-23T09:30:00+05:00."),
    "json_invalid": Text("This is no valid JSON."),
}
_FIELD_TEXT = Text("This value cannot be used.")
_TAGS = frozenset({"one", "many"})
"""Marks of our own in the places of errors, where one or a list is taken."""


def install(app: FastAPI) -> None:
    """Make `app` answer every error in one form."""
    # None of them is a coroutine: the page of an error may have to ask the database who is there.
    app.add_exception_handler(ShabarmanError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_fields)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(DataError, _of_database)


def problem(error: ShabarmanError, *, language: str) -> dict[str, Any]:
    """Return the problem details of `error` as JSON values."""
    return {
        "type": TYPE + error.code,
        "title": title(error, language),
        "status": error.status,
        "detail": sentence(error, language),
        "code": error.code,
        "facts": {name: _plain(value, language) for name, value in error.facts.items()},
    }


def title(error: ShabarmanError, language: str) -> str:
    """Return the short name of the kind of `error`."""
    known = _TITLES_OF_CODES.get(error.code) or TITLES.get(error.status, TITLES[500])
    return known.render(language)


def sentence(error: ShabarmanError, language: str) -> str:
    """Return what to say to a person: the sentence of `error`, with codes of the field turned into words."""
    return error.text.render(language, **spoken(error.facts, language))


def wants_page(request: Request) -> bool:
    """Tell whether a person looks at this address, and not a program."""
    return not request.scope["path"].startswith(("/api/", "/health/", "/metrics"))


def respond(request: Request, error: ShabarmanError, **more: object) -> Response:
    """Return the answer to `error`."""
    language = getattr(request.state, "language", None) or language_of_request(request)
    headers = _headers(error)
    if wants_page(request):
        if isinstance(error, SignInNeededError):
            return RedirectResponse(f"/sign-in?next={_way_back(request)}", status_code=303)
        if isinstance(error, PasswordGivenError):
            return RedirectResponse("/password", status_code=303)
        from web.pages.showing import show_error  # noqa: PLC0415 - pages need this module

        return show_error(request, error, language=language, headers=headers)
    return JSONResponse(
        problem(error, language=language) | more, error.status, headers=headers, media_type=MEDIA_TYPE
    )


def _way_back(request: Request) -> str:
    if request.method not in {"GET", "HEAD"}:
        return "/"
    query = request.scope["query_string"].decode("ascii", "ignore")
    return quote(request.scope["path"] + (f"?{query}" if query else ""))


def bytes_of_problem(error: ShabarmanError, *, language: str = "en") -> bytes:
    """Return the body for an answer that is sent outside of the application."""
    return json.dumps(problem(error, language=language), ensure_ascii=False).encode()


def _headers(error: ShabarmanError) -> dict[str, str]:
    match error.status:
        case 401:
            return {"WWW-Authenticate": 'Bearer realm="shabarman"'}
        case 429 if isinstance(error, LockedOutError):
            return {"Retry-After": str(error.facts.get("seconds", 60))}
        case 503:
            return {"Retry-After": str(RETRY_SECONDS)}
    return {}


def _of_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ShabarmanError)
    return respond(request, error)


def _of_database(request: Request, _error: Exception) -> Response:
    return respond(request, UnstorableError())


def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, text = _PLAIN.get(error.status_code, ("http", ShabarmanError.text))
    ours = ShabarmanError(_ON_PAGES.get(error.status_code, text) if wants_page(request) else text)
    ours.code, ours.status = code, error.status_code
    answer = respond(request, ours)
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


def _of_fields(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    language = getattr(request.state, "language", None) or language_of_request(request)
    errors = [
        {
            "field": _field(found["loc"]),
            "pointer": "".join(f"/{part}" for part in _parts(found["loc"])),
            "detail": _FIELD_TEXTS.get(found["type"], _FIELD_TEXT).render(language),
            # What was sent is not repeated: it may be a person's data.
            "kind": found["type"],
        }
        for found in error.errors()[:20]
    ]
    ours = ShabarmanError(BAD_FIELDS, fields=", ".join(dict.fromkeys(str(row["field"]) for row in errors)))
    ours.code = "bad_fields"
    return respond(request, ours, errors=errors)


def _parts(place: tuple[int | str, ...]) -> list[int | str]:
    return [part for part in place[1:] if part not in _TAGS]


def _field(place: tuple[int | str, ...]) -> str:
    return ".".join(map(str, _parts(place))) or str(place[0])


def _plain(value: object, language: str) -> object:
    match value:
        case Text():
            return value.render(language)
        case Enum():
            return value.value
        case None | str() | int() | float() | bool():
            return value
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(name): _plain(item, language) for name, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item, language) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _plain(asdict(value), language)
        case _:
            return str(value)
