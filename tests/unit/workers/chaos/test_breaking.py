"""Which faults come when: all of it from the seed."""

from itertools import pairwise

from workers.chaos.breaking import plan
from workers.chaos.kinds import Kind, all_kinds


def _planned(seed: int, seconds: float = 400) -> list[tuple[float, str, int]]:
    found = plan(all_kinds(), seconds=seconds, spacing=4, seed=seed)
    return [(fault.at, fault.kind.name, fault.seed) for fault in found]


def test_the_same_seed_breaks_the_same_things_at_the_same_times() -> None:
    assert _planned(7) == _planned(7)
    assert _planned(7) != _planned(8)


def test_a_longer_trial_begins_as_a_shorter_one() -> None:
    short = _planned(3, seconds=100)
    assert _planned(3)[: len(short)] == short


def test_every_kind_comes_before_any_comes_again() -> None:
    count = len(all_kinds())
    names = [name for _, name, _ in _planned(1)]
    assert len(set(names[:count])) == count


def test_faults_come_in_the_time_that_was_given() -> None:
    times = [at for at, _, _ in _planned(2)]
    assert times[-1] < 400
    assert all(0 < later - earlier <= 6.5 for earlier, later in pairwise(times))
    assert 80 <= len(times) <= 120


def test_there_are_many_kinds_and_each_has_its_own_name() -> None:
    kinds: list[Kind] = all_kinds()
    names = {kind.name for kind in kinds}
    assert len(names) == len(kinds) >= 30
