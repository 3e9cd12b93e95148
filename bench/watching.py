"""Watching from outside when something is told: by the database for everybody, by the live events of pages for ours."""

from __future__ import annotations

import json
import selectors
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

LOOK_SECONDS = 0.002
"""Between two looks; what is seen is late by as much at most."""

MOST_MISSING = 500
"""How far behind the newest id those are still looked for that are not there: a smaller one may be committed later."""


class Seen:
    """When each number was first seen, by the clock of the machine."""

    def __init__(self) -> None:
        """Begin with none."""
        self.at: dict[str, float] = {}

    def note(self, number: str) -> None:
        """Note that `number` is told by now."""
        self.at.setdefault(number, time.time())


@contextmanager
def notices(url: str) -> Iterator[Seen]:
    """Note the subject of each notice that is committed during a block, whoever writes it."""
    seen, stop = Seen(), threading.Event()

    def look() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            last = (connection.execute("SELECT coalesce(max(id), 0) FROM notices").fetchone() or (0,))[0]
            missing: set[int] = set()
            while not stop.wait(LOOK_SECONDS):
                rows = connection.execute(
                    "SELECT id, subject FROM notices WHERE id > %s OR id = ANY(%s)", [last, list(missing)]
                ).fetchall()
                if not rows:
                    continue
                for _, subject in rows:
                    seen.note(subject)
                newest = max(last, *(id_ for id_, _ in rows))
                missing |= set(range(last + 1, newest))
                missing -= {id_ for id_, _ in rows}
                missing = {id_ for id_ in missing if id_ > newest - MOST_MISSING}
                last = newest

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


@contextmanager
def live_events(port: int, cookies: Mapping[str, str]) -> Iterator[Seen]:
    """Listen as the pages of one person in each office do (`cookies` by office), over HTTP."""
    seen, stop, chosen = Seen(), threading.Event(), selectors.DefaultSelector()
    opened = []
    for cookie in cookies.values():
        line = socket.create_connection(("127.0.0.1", port))
        line.sendall(
            f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Cookie: shabarman_session={cookie}\r\n\r\n".encode()
        )
        said = b""
        while b": listening" not in said:
            said += line.recv(65536)
        assert said.startswith(b"HTTP/1.1 200"), said
        chosen.register(line, selectors.EVENT_READ, [b""])
        opened.append(line)

    def listen() -> None:
        while not stop.is_set():
            for key, _ in chosen.select(0.1):
                held: list[bytes] = key.data
                said = key.fileobj.recv(65536)  # type: ignore[union-attr]
                assert said, "a page was hung up on"
                *lines, held[0] = (held[0] + said).split(b"\n")
                for line in lines:
                    if line.startswith(b"data: "):
                        told: dict[str, Any] = json.loads(line[6:])
                        seen.note(told["subject"])

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        yield seen
    finally:
        stop.set()
        listener.join()
        for line in opened:
            line.close()
