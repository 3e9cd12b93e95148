"""Who was recognised a moment ago is found, and nobody is who was looked up before all were forgotten."""

from typing import cast

import pytest

from web import recognised as module
from web.recognised import Recognised
from web.sessions import Found

SOMEBODY = cast("Found", object())


def test_who_was_looked_up_is_found_until_all_are_forgotten() -> None:
    recognised = Recognised()
    recognised.keep("key", SOMEBODY, forgotten=recognised.forgotten)
    assert recognised.find("key") is SOMEBODY
    assert recognised.find("another") is None
    recognised.forget_all()
    assert recognised.find("key") is None


def test_a_look_from_before_is_not_kept() -> None:
    """The database was asked, then somebody signed out, then its answer comes."""
    recognised = Recognised()
    before = recognised.forgotten
    recognised.forget_all()
    recognised.keep("key", SOMEBODY, forgotten=before)
    assert recognised.find("key") is None


def test_nobody_is_kept_for_longer_than_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    recognised = Recognised()
    monkeypatch.setattr(module, "SECONDS", 0.0)
    recognised.keep("key", SOMEBODY, forgotten=recognised.forgotten)
    assert recognised.find("key") is None
