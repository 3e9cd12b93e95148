"""An address of a broker that is never spoken to: unit tests open no socket."""

from collections.abc import Iterator

import pytest

from config.settings import settings


@pytest.fixture(autouse=True)
def broker_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("SHABARMAN_BROKER_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()
