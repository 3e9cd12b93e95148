"""A web application on an empty database with the people of two districts, and visitors who use it.

Some come over HTTP as programs do, others with a real browser.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright
from sqlalchemy import update

from config.settings import Settings
from models import Staff
from models.database import Database
from tests.functional.web.browsing import CHROMIUM, FLAGS, PATIENCE, leave
from tests.functional.web.serving import Serving, serving
from tests.functional.web.visitors import PASSWORD, Program, Visitor
from tests.integration.conftest import database, database_url, postgresql, sqlite_files
from tests.integration.servers import SqliteFiles, missing
from tests.integration.workflow.crew import Crew
from web.app import create_app

expect.set_options(timeout=PATIENCE)

__all__ = ["database", "database_url", "postgresql", "sqlite_files"]


@pytest.fixture(scope="session")
def password_hash() -> str:
    # Quick on purpose: how slow it is belongs to the tests of people.
    return PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)


@pytest.fixture
def crew(database: Database, password_hash: str) -> Crew:
    """Give everybody of two districts a password."""
    crew = Crew.of(database)
    with database.transaction() as session:
        session.execute(update(Staff).values(password_hash=password_hash, language="en"))
    return crew


@pytest.fixture
def app(crew: Crew, database: Database, tmp_path: Path) -> FastAPI:
    """Return the application, whose clock is that of the crew."""
    settings = Settings(home=tmp_path, broker_url=None)
    return create_app(settings, clock=lambda: crew.now, database=database)


@pytest.fixture
def program(app: FastAPI, crew: Crew) -> Callable[[str], Program]:
    """Return a maker of programs that act for a person by a token."""
    return lambda login: Program(app, crew, login)


@pytest.fixture
def visitor(app: FastAPI) -> Callable[[str], Visitor]:
    """Return a maker of people who have signed in at the pages."""

    def sign_in(login: str) -> Visitor:
        made = Visitor(app)
        made.sign_in(login)
        return made

    return sign_in


@pytest.fixture
def served(tmp_path: Path, request: pytest.FixtureRequest, password_hash: str) -> Iterator[Serving]:
    """Serve an application on SQLite over a real socket, with the real clock."""
    files = request.getfixturevalue("sqlite_files")
    with serving(files.fresh(tmp_path), home=tmp_path, password_hash=password_hash) as running:
        yield running


@pytest.fixture(scope="module")
def served_here(
    tmp_path_factory: pytest.TempPathFactory, sqlite_files: SqliteFiles, password_hash: str
) -> Iterator[Serving]:
    """Serve one application for all tests of a file."""
    home = tmp_path_factory.mktemp("served")
    with serving(sqlite_files.fresh(home), home=home, password_hash=password_hash) as running:
        yield running


@pytest.fixture(scope="module")
def flags() -> tuple[str, ...]:
    """Return what the browser of a file is started with beside the usual."""
    return ()


@pytest.fixture(scope="module")
def browser(flags: tuple[str, ...]) -> Iterator[Browser]:
    """Start a browser for all tests of a file; longer it would leave its event loop to the tests of other files."""
    if not CHROMIUM.exists():
        missing(f"Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *flags])
        yield started
        started.close()


@pytest.fixture(scope="module")
def signed_in() -> dict[str, StorageState]:
    """Keep the cookies of everybody who has signed in at the browser of a file."""
    return {}


@pytest.fixture
def sign_in(
    browser: Browser, served_here: Serving, signed_in: dict[str, StorageState]
) -> Iterator[Callable[..., Page]]:
    """Return a maker of pages on which somebody has signed in; what a page complains of fails the test."""
    complaints: list[str] = []
    contexts = []

    def opened(login: str, *, width: int = 1920, scheme: str = "light", then: str = "/") -> Page:
        context = browser.new_context(
            base_url=served_here.address,
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            storage_state=signed_in.get(login),
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None
        )
        if login in signed_in:
            page.goto(then)
        else:
            page.goto(f"/sign-in?next={then}")
            page.fill("[name=login]", login)
            page.fill("[name=password]", PASSWORD)
            page.press("[name=password]", "Enter")
        expect(page.locator("header .place")).to_be_visible()
        signed_in[login] = {**context.storage_state(), "origins": []}
        return page

    yield opened
    for context in contexts:
        leave(context)
    assert complaints == []
