import errno

import pytest
from kombu.exceptions import OperationalError
from pydantic import ValidationError
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from config.errors import ShabarmanError
from config.settings import Settings
from workers.faults import expected, say, setting_fault


def test_a_file_fault_names_the_file() -> None:
    told = expected(PermissionError(errno.EACCES, "Permission denied", "/srv/x"))
    assert told is not None
    assert "/srv/x" in told.sentence()
    assert "Permission denied" in told.sentence()
    assert told.exit_code == 2


@pytest.mark.parametrize("fault", [OperationalError("refused\nmore"), RedisConnectionError("refused\nmore")])
def test_a_broker_that_is_down_is_unavailable(fault: Exception) -> None:
    told = expected(fault)
    assert told is not None
    assert (told.code, told.exit_code) == ("broker_down", 3)
    assert "\n" not in told.sentence()


def test_an_address_of_no_database_names_the_variable() -> None:
    with pytest.raises(ArgumentError) as fault:
        make_url("nonsense")
    told = expected(fault.value)
    assert told is not None
    assert "SHABARMAN_DATABASE_URL" in told.sentence()


@pytest.mark.parametrize("fault", [KeyError("x"), ValueError("x"), OSError("no file is named")])
def test_our_own_faults_are_not_dressed_up(fault: Exception) -> None:
    assert expected(fault) is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SHABARMAN_PORT", "0"), ("SHABARMAN_LEASE_SECONDS", "soon"), ("SHABARMAN_RUN_TIMES", "")],
)
def test_a_setting_fault_names_the_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError) as fault:
        Settings()
    assert variable in setting_fault(fault.value).sentence()


def test_a_sentence_goes_to_stderr_and_the_code_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert say(ShabarmanError()) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
