"""The proxy carries bytes, and does to connections what networks do."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from workers.chaos.proxy import Proxy

DICE = random.Random(1)


@contextmanager
def _echo() -> Iterator[int]:
    """Run a server that says everything twice."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(1000):
                    connection.sendall(data * 2)
            except OSError:
                pass  # Cut.

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with _echo() as port, Proxy(port) as made:
        yield made


def _connected(proxy: Proxy) -> closing[socket.socket]:
    return closing(socket.create_connection(("127.0.0.1", proxy.port), timeout=5))


def _says(connection: socket.socket, word: bytes) -> bytes:
    connection.sendall(word)
    return connection.recv(1000)


def test_bytes_are_carried_both_ways(proxy: Proxy) -> None:
    with _connected(proxy) as one, _connected(proxy) as other:
        assert _says(one, b"a") == b"aa"
        assert _says(other, b"b") == b"bb"


def test_a_cut_is_heard_at_once_and_the_next_connection_works(proxy: Proxy) -> None:
    with _connected(proxy) as one:
        assert _says(one, b"a") == b"aa"
        proxy.cut(share=1, dice=DICE)
        with pytest.raises(ConnectionResetError):
            one.recv(1)
    with _connected(proxy) as next_one:
        assert _says(next_one, b"b") == b"bb"


def test_while_it_refuses_nobody_gets_through(proxy: Proxy) -> None:
    proxy.refuse(yes=True)
    # Either the connection is refused, or it ends before the first answer.
    with pytest.raises((OSError, AssertionError)), _connected(proxy) as one:
        assert _says(one, b"a") == b"aa"
    proxy.heal()
    with _connected(proxy) as one:
        assert _says(one, b"a") == b"aa"


def test_a_half_open_connection_says_nothing_for_ever_and_others_work(proxy: Proxy) -> None:
    with _connected(proxy) as dead:
        assert _says(dead, b"a") == b"aa"
        proxy.half_open(share=1, dice=DICE)
        dead.settimeout(0.3)
        with pytest.raises(TimeoutError):
            _says(dead, b"b")
        with _connected(proxy) as alive:
            assert _says(alive, b"c") == b"cc"
        with pytest.raises(TimeoutError):
            _says(dead, b"d")


def test_a_slow_link_is_slow(proxy: Proxy) -> None:
    with _connected(proxy) as one:
        assert _says(one, b"a") == b"aa"
        proxy.delay(0.2)
        began = time.monotonic()
        assert _says(one, b"b") == b"bb"
        assert time.monotonic() - began >= 0.4
