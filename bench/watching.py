"""Watching from outside when something is told: by the database for everybody, by live events or a browser for ours."""

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
from playwright.sync_api import Page, sync_playwright

from tests.functional.web.browsing import CHROMIUM, FLAGS, leave
from web import sessions

LOOK_SECONDS = 0.002
"""Between two looks; what is seen is late by as much at most."""

MOST_MISSING = 500
"""How far behind the newest id those are still looked for that are not there: a smaller one may be committed later."""

PAINTED = """
    window.painted = {};
    addEventListener("DOMContentLoaded", () => {
        new MutationObserver((changes) => requestAnimationFrame(() => {
            for (const { addedNodes } of changes) {
                for (const { href } of addedNodes) if (href) painted[href.split("/").at(-1)] ??= Date.now();
            }
        })).observe(document.querySelector(".bell p"), { childList: true });
    });
"""
"""Runs in a page before its own scripts: notes what the bell shows in the frame that paints it."""


class Seen:
    """When each number was first seen, by the clock of the machine."""

    def __init__(self) -> None:
        """Begin with none."""
        self.at: dict[str, float] = {}

    def note(self, number: str) -> None:
        """Note that `number` is told by now."""
        self.at.setdefault(number, time.time())

    def look(self) -> None:
        """See what has not come by itself."""


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
        while b"event: listening" not in said:
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
                        if told:  # The event that begins a stream tells nothing.
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


class Painted(Seen):
    """When a page in a browser painted what its bell tells."""

    def __init__(self, page: Page) -> None:
        """Begin with none."""
        super().__init__()
        self._page = page

    def look(self) -> None:
        """Ask the page what it has painted by now."""
        self.at = {number: at / 1000 for number, at in self._page.evaluate("painted").items()}


@contextmanager
def browser(port: int, cookie: str) -> Iterator[Painted]:
    """Leave the first page of one person open in Chromium."""
    address = f"http://127.0.0.1:{port}"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        context = started.new_context()
        context.add_cookies([{"name": sessions.COOKIE, "value": cookie, "url": address}])
        context.add_init_script(PAINTED)
        page = context.new_page()
        with page.expect_response("**/api/v1/events*"):
            page.goto(address)
        yield Painted(page)
        leave(context)
        started.close()
