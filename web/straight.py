"""Straight: a route that goes from a request to its function and back without a search for dependencies.

For each request the framework resolves every dependency anew and opens three stacks for what they may leave to close:
half of what a scan costs the process of the pages. A straight route is declared, described, guarded and checked like
any other, by the framework's own fields; only the way to its function is its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from inspect import signature
from typing import Any

from fastapi import Request
from fastapi.dependencies.utils import request_body_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic_core import PydanticUndefined
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from web.asking import guard
from web.installation import installation


class Straight(APIRoute):
    """A route of one coroutine function that takes one body, `asking` and `house`, and returns what it declares."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:  # noqa: ANN401 - the framework's
        """Declare it as the framework does."""
        super().__init__(path, endpoint, **more)
        # What is asked for otherwise would be left out without a word.
        assert list(signature(endpoint).parameters)[1:] == ["asking", "house"]
        assert [asked.dependency for asked in self.dependencies] == [guard]
        self.app = self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; errors go to the handlers of the application, as from any other route."""
        request = Request(scope, receive, send)
        sent = await _sent(request)
        await guard(request)
        given, errors = await request_body_to_args(
            self.dependant.body_params, sent, embed_body_fields=self._embed_body_fields
        )
        if errors:
            raise RequestValidationError(errors)
        answer = await self.endpoint(**given, asking=request.state.asking, house=installation(request))
        assert self.response_field is not None
        response = Response(self.response_field.serialize_json(answer), media_type="application/json")
        await response(scope, receive, send)


async def _sent(request: Request) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON that was sent, or the bytes as they are where they are not said to be JSON.

    Raise RequestValidationError for what is no JSON, HTTPException for what cannot be read at all.
    """
    try:
        body = await request.body()
        if not body:
            return PydanticUndefined
        return json.loads(body) if _is_json(request.headers.get("content-type", "")) else body
    except json.JSONDecodeError as error:
        raise RequestValidationError([{"type": "json_invalid", "loc": ("body", error.pos)}]) from None
    except HTTPException:
        raise
    except Exception as error:
        raise HTTPException(400) from error


def _is_json(media_type: str) -> bool:
    kind, _, subtype = media_type.partition(";")[0].strip().lower().partition("/")
    return kind == "application" and (subtype == "json" or subtype.endswith("+json"))
