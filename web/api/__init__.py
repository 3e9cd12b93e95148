"""The HTTP API, version 1: every command of the workflow, for programs and our own pages; never a rule of its own."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response

from web.api import bags, commands, deadlines, events, news, packets, papers, places, results, scans, status
from web.api.shapes import Problem
from web.problems import MEDIA_TYPE


def api() -> APIRouter:
    """Return all addresses of the API and of its description."""
    router = APIRouter()
    router.add_api_route("/api/openapi.json", _described, include_in_schema=False)
    for part in (scans, packets, commands, deadlines, results, bags, papers, news, events, places, status):
        router.include_router(part.router)
    return router


def _described(request: Request) -> Response:
    app: FastAPI = request.app
    if app.openapi_schema is None:
        app.openapi_schema = _describe(app)
    return JSONResponse(app.openapi_schema, headers={"Cache-Control": "public, max-age=300"})


def _describe(app: FastAPI) -> dict[str, Any]:
    described = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    # Errors have one form of ours; the framework's own is never sent.
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schemas["Problem"].pop("$defs", {})
    answer = {
        "description": "What went wrong and what to do, as problem details (RFC 9457).",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for address in described["paths"].values():
        for operation in address.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = answer
    return described
