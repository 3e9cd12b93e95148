"""People who scan over HTTP: `python -m bench.http_client`; each keeps one connection, as a page does.

It reads one JSON object from stdin (`host`, `port`, `warm`: how many lists of each person come before the measured
ones, and `people`: for each a cookie, a form token and the lists of numbers to scan), says `ready`, waits for a line,
sends the first lists, and answers with one line of JSON; then the same for the measured ones.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4


async def scan(host: str, port: int, person: dict[str, Any], lists: Sequence[Sequence[str]]) -> list[float]:
    """Send the lists of one person one after the other; return the seconds of each."""
    reader, writer = await asyncio.open_connection(host, port)
    head = (
        f"POST /api/v1/scans HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        f"Cookie: shabarman_session={person['cookie']}\r\nX-CSRF-Token: {person['token']}\r\n"
    )
    times = []
    for numbers in lists:
        at = datetime.now(UTC).isoformat()
        scans = [{"id": uuid4().hex, "raw": number, "station": "register", "at": at} for number in numbers]
        body = json.dumps(scans).encode()
        begun = time.perf_counter()
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        content = await reader.readexactly(length)
        times.append(time.perf_counter() - begun)
        assert answer.startswith(b"HTTP/1.1 200"), (answer, content)
        assert all(one["verdict"] == "taken" for one in json.loads(content)), content
    writer.close()
    return times


async def everybody(told: dict[str, Any], part: slice) -> list[float]:
    """Let all people send a part of their lists at once."""
    parts = await asyncio.gather(
        *(scan(told["host"], told["port"], person, person["lists"][part]) for person in told["people"])
    )
    return [seconds for part in parts for seconds in part]


def main() -> None:
    """Carry out what the parent asks for."""
    told = json.loads(sys.stdin.readline())
    print("ready", flush=True)
    for part in (slice(0, told["warm"]), slice(told["warm"], None)):
        sys.stdin.readline()
        cpu, begun = time.process_time(), time.time()
        times = asyncio.run(everybody(told, part))
        said = {"times": times, "seconds": time.time() - begun, "cpu": time.process_time() - cpu}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
