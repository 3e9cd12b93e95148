"""The way of a packet in a few steps."""

import pytest

from config.language import LANGUAGES
from models.packet import FINAL, State
from web.views.stages import BY_COURIER, DIRECT, stages
from web.words import short_office

LEFT_THE_WAY = {State.MISSING, State.WITHDRAWN, State.LOST}


def test_every_state_is_one_step_of_the_way() -> None:
    listed = [state for _name, states in BY_COURIER for state in states]
    assert sorted(listed) == sorted(set(State) - LEFT_THE_WAY)
    assert {state for _name, states in DIRECT for state in states} < set(listed)


@pytest.mark.parametrize("state", sorted(set(State) - LEFT_THE_WAY))
def test_what_comes_before_is_done(state: State) -> None:
    shown = stages(state, direct=False)
    here = next(place for place, stage in enumerate(shown) if stage.now)
    assert [stage.done for stage in shown[:here]] == [True] * here
    assert not any(stage.done for stage in shown[here + 1 :])
    assert shown[here].done == (state in FINAL)


def test_who_left_the_way_sees_none() -> None:
    assert all(stages(state, direct=False) == () for state in LEFT_THE_WAY)
    assert stages(State.IN_TRANSIT, direct=True) == ()


def test_offices_have_short_names() -> None:
    assert short_office("2002", "kk") == "Алакөл ауданы, жұмыспен қамту бөлімі"
    assert short_office("1001", "ru") == "Аксуский район, ЦОН"
    assert short_office("3101", "kk") == "Жансүгіров, әкімдік"
    assert (short_office("9999", "kk"), short_office(None, "ru")) == ("9999", "–")
    assert all(short_office("2001", language) for language in LANGUAGES)
