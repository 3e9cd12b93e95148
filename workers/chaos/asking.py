"""A person at a page: asks over HTTP, and asks again with the same id until somebody answers."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

PATIENCE = 10.0
"""Seconds that a page waits for an answer."""

PAUSE = 0.5
"""Seconds before a page asks again."""

_ASK_AGAIN = frozenset({429, 500, 502, 503, 504})


class UnansweredError(Exception):
    """Nobody answered before the time of the trial was over."""


class Person:
    """One client of the pages with the key of one person; for one thread."""

    def __init__(self, port: int, token: str, *, deadline: list[float]) -> None:
        """Ask at the loopback port `port`, until the moment `deadline[0]` on the monotonic clock."""
        self._port, self._token, self._deadline = port, token, deadline
        self._connection: http.client.HTTPConnection | None = None
        self.again = 0
        """Requests that were sent again."""
        self.mistakes: list[str] = []
        """Answers with the status 500."""

    def post(self, path: str, given: object) -> tuple[int, Any]:
        """Send `given` until it is answered; return status and JSON. Raises UnansweredError."""
        return self._until_answered("POST", path, given)

    def get(self, path: str) -> tuple[int, Any]:
        """Ask until it is answered; return status and JSON. Raises UnansweredError."""
        return self._until_answered("GET", path, None)

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _until_answered(self, method: str, path: str, given: object) -> tuple[int, Any]:
        while True:
            try:
                status, answer = self._once(method, path, given)
            except (OSError, http.client.HTTPException, ValueError):
                self.close()
            else:
                if status not in _ASK_AGAIN:
                    return status, answer
                if status == 500:
                    self.mistakes.append(f"{method} {path}")
            if time.monotonic() > self._deadline[0]:
                raise UnansweredError(f"{method} {path}")
            self.again += 1
            time.sleep(PAUSE)

    def _once(self, method: str, path: str, given: object) -> tuple[int, Any]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        body = None if given is None else json.dumps(given)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self._connection.request(method, path, body=body, headers=headers)
        answer = self._connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None
