"""Pages for people: each shows what the workflow knows, and turns a form into one call of it."""

from fastapi import APIRouter, FastAPI

from web.pages import (
    accept,
    board,
    calendar,
    courier,
    dead_letters,
    desk,
    entrance,
    files,
    find,
    hand_out,
    home,
    manifest,
    offices,
    packet,
    papers,
    password,
    people,
    scan,
    scan_log,
    scanner,
    status,
)


def install(app: FastAPI) -> None:
    """Add all pages to `app`."""
    router = APIRouter(include_in_schema=False)
    for part in (files, entrance, password, status):
        router.include_router(part.router)
    for part in (home, find, accept, packet, manifest, papers, desk, hand_out):
        router.include_router(part.router)
    for part in (courier, scanner, scan):
        router.include_router(part.router)
    for part in (board, dead_letters, scan_log, people, offices, calendar):
        router.include_router(part.router)
    app.include_router(router)
