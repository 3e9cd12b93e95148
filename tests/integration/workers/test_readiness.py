import socket
from pathlib import Path

import pytest

from tests.integration.servers import free_port
from workers.readiness import AddressError, PortTakenError, listen, tell_ready, when_ready


def test_systemd_is_told_once_the_work_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        tell_ready()
        assert systemd.recv(100) == b"READY=1"


def test_every_listener_is_told_once() -> None:
    told: list[int] = []
    when_ready(lambda: told.append(1))
    when_ready(lambda: told.append(2))
    tell_ready()
    tell_ready()
    assert sorted(told) == [1, 2]


def test_a_port_is_listened_on_and_then_taken() -> None:
    port = free_port()
    with listen("127.0.0.1", port, variable="SHABARMAN_PORT") as listening:
        assert listening.getsockname()[:2] == ("127.0.0.1", port)
        with pytest.raises(PortTakenError, match=f"127.0.0.1:{port} .* SHABARMAN_PORT={port + 1}"):
            listen("127.0.0.1", port, variable="SHABARMAN_PORT")


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_names_the_variable(host: str) -> None:
    with pytest.raises(AddressError, match="SHABARMAN"):
        listen(host, free_port(), variable="SHABARMAN_HOST")
