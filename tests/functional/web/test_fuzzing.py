"""The API against its own description: whatever fits it, and much that does not, gets an answer that it promises."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as searching
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.settings import Settings
from models import Staff, Token
from models.database import Database
from models.staff import Role
from tests.functional.web.world import OFFICES, OWN_DEPARTMENT, Forgetful, World, world
from tests.integration.workflow.crew import START
from web.api import events
from web.app import create_app

TOKEN = "fuzz"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 6
"""Requests of each kind to each address."""


@pytest.fixture
def made(database: Database) -> World:
    made = world(database)
    with database.transaction() as session:
        person = Staff(
            login="everything",
            name="Everything",
            office=OFFICES[OWN_DEPARTMENT],
            roles=[role.value for role in Role],
            created_at=START,
        )
        session.add(person)
        session.flush()  # The token names the person by id.
        key = hashlib.sha256(TOKEN.encode()).hexdigest()
        session.add(Token(key_hash=key, staff_id=person.id, created_at=START))
    return made


@pytest.fixture
def described(
    database: Database, made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BaseSchema]:
    """Describe an application that forgets what is done to it, so that every request meets the same world."""
    monkeypatch.setattr(events, "LONGEST_SECONDS", 0)
    forgetful = Forgetful(database.engine.url.render_as_string(hide_password=False))
    app = create_app(
        Settings(home=tmp_path, broker_url=None), clock=lambda: made.crew.now, database=forgetful
    )
    yield schemathesis.openapi.from_asgi("/api/openapi.json", app)
    forgetful.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_one_that_the_description_promises(
    described: BaseSchema, made: World, mode: GenerationMode
) -> None:
    numbers = sorted({*made.packets.values(), *made.manifests.values()})
    wrong = []
    for found in described.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @searching(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), number=st.sampled_from(["", *numbers]))
        def ask(case: Case[Any], number: str) -> None:
            # Most texts are no number: then nothing behind the first check would ever be asked.
            if number and "number" in (case.path_parameters or {}):
                case.path_parameters["number"] = number
            case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, checks=CHECKS)

        try:
            ask()
        except Unsatisfiable:
            # Nothing of this address can be wrong: it takes neither words nor a body.
            assert mode is GenerationMode.NEGATIVE
        except AssertionError as error:
            wrong.append(f"{operation.label}: {error}")
        except BaseExceptionGroup as error:
            wrong.append(f"{operation.label}: {_first(error)}")
    assert wrong == [], "\n\n".join(wrong)


def _first(error: BaseException) -> Any:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
