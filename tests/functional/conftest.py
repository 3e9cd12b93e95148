"""Installations for the functional tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.installation import Installation, eventually


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Give a test a home folder and free ports of its own; nothing runs there yet."""
    return Installation(tmp_path / "home")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Run `shabarman up` for all tests of a module."""
    made = Installation(tmp_path_factory.mktemp("up") / "home")
    with made.start("up") as process:
        eventually(lambda: made.all_ready() or process.poll() is not None)
        assert process.poll() is None, made.said()
        yield made
