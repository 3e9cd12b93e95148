import pytest

from workers.flower import FlowerAuthError, FlowerOpenError, people_of_flower, require_closed
from workers.worker import name_of


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "flower.example.org"])  # noqa: S104 - refused here
def test_it_opens_to_others_with_a_sign_in_only(host: str) -> None:
    with pytest.raises(FlowerOpenError):
        require_closed(host, [])
    require_closed(host, ["operator:password"])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_on_loopback_it_needs_none(host: str) -> None:
    require_closed(host, [])


def test_a_sign_in_has_a_name_and_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHABARMAN_FLOWER_AUTH", "one:first, two:second:part")
    assert people_of_flower() == ["one:first", "two:second:part"]
    for wrong in ("one", ":first", "one:", "one:first,two"):
        monkeypatch.setenv("SHABARMAN_FLOWER_AUTH", wrong)
        with pytest.raises(FlowerAuthError):
            people_of_flower()


def test_a_worker_has_the_name_of_its_office() -> None:
    assert name_of([]) == "worker"
    assert name_of(["department.aksu"]) == "department.aksu"
    assert name_of(["department.aksu", "centre.aksu", "akimat.aksu"]) == "department.aksu+2"
