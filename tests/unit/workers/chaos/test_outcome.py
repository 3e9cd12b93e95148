"""What a trial says in the end, and when it has failed."""

import pytest

from workers.chaos.outcome import Outcome
from workers.chaos.trial import covered


def _outcome(**found: object) -> Outcome:
    whole = {"verified": True, "recoveries": {"kill_web": [1.0, 4.0, 2.0]}} | found
    return Outcome(seconds=60, seed=1, database="sqlite", broker="embedded", **whole)  # type: ignore[arg-type]


def test_a_trial_in_which_everything_held_is_in_order() -> None:
    outcome = _outcome()
    assert outcome.ok
    assert outcome.as_json()["faults"] == {"kill_web": {"times": 3, "median_s": 2.0, "longest_s": 4.0}}
    assert outcome.as_json()["longest_recovery_s"] == 4.0
    assert (outcome.as_json()["faults_total"], outcome.as_json()["kinds"]) == (3, 1)


@pytest.mark.parametrize(
    "found",
    [
        {"lost": 1},
        {"doubled": 1},
        {"late": 1},
        {"misrouted": 1},
        {"dead": 1},
        {"unanswered": 1},
        {"surprises": 1},
        {"unrecovered": 1},
        {"verified": False},
        {"recoveries": {"kill_web": [60.0]}},
    ],
)
def test_whatever_did_not_hold_fails_the_trial(found: dict[str, object]) -> None:
    assert not _outcome(**found).ok


def test_time_that_was_broken_twice_counts_once() -> None:
    causes = [(10.0, 20.0), (15.0, 30.0), (16.0, 17.0), (50.0, 60.0), (90.0, 99.0)]
    assert covered(causes, 12.0, 55.0) == 18.0 + 5.0
    assert covered(causes, 0.0, 5.0) == 0.0
