"""A TCP proxy of our own: what goes wrong between two machines, without touching either."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

PIECE = 65_536


@dataclass(eq=False, slots=True)
class _Wire:
    """One connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    dead: bool = False
    """Half-open: whatever is sent is swallowed, in both directions, for good."""


class Proxy:
    """Carries bytes from a port of its own to a server, from a thread of its own."""

    def __init__(self, target: int, *, tap: Callable[[object, bytes], None] | None = None) -> None:
        """Listen on a free loopback port for the server at the loopback port `target`.

        `tap` is called with a key of the connection and what the client sent, before it is passed on.
        """
        self._target = target
        self._tap = tap
        self._wires: set[_Wire] = set()
        self._refusing = False
        self._silent = False
        self._delay = 0.0
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._socket.close()

    def cut(self, *, share: float, dice: random.Random) -> None:
        """Reset that share of the connections at once."""
        self._do(self._cut(share, dice))

    def refuse(self, *, yes: bool) -> None:
        """Refuse new connections, or take them again."""
        self._refusing = yes

    def half_open(self, *, share: float, dice: random.Random) -> None:
        """Let that share of the connections die without a word; they never come back."""
        self._do(self._deafen(share, dice))

    def silence(self, *, yes: bool) -> None:
        """Let new connections die without a word as well, or take them again."""
        self._silent = yes

    def delay(self, seconds: float) -> None:
        """Hold every piece back for `seconds`; 0 ends it."""
        self._delay = seconds

    def heal(self) -> None:
        """Carry everything that comes from now on."""
        self._refusing = self._silent = False
        self._delay = 0.0

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        starting = asyncio.start_server(self._carry, sock=self._socket, limit=PIECE)
        server = self._loop.run_until_complete(starting)
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(_end_all())
        self._loop.close()

    async def _cut(self, share: float, dice: random.Random) -> None:
        for wire in list(self._wires):
            if dice.random() < share:
                _abort(wire.client)
                _abort(wire.server)

    async def _deafen(self, share: float, dice: random.Random) -> None:
        for wire in self._wires:
            if dice.random() < share:
                wire.dead = True

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            _abort(writer)
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target, limit=PIECE)
        except OSError:
            _abort(writer)
            return
        wire = _Wire(writer, back, dead=self._silent)
        self._wires.add(wire)
        try:
            done = asyncio.ensure_future(self._pump(reader, back, wire, sent=True))
            other = asyncio.ensure_future(self._pump(there, writer, wire, sent=False))
            await asyncio.wait({done, other}, return_when=asyncio.FIRST_COMPLETED)
            if wire.dead and not done.done():
                # The server gave up; nobody can tell the client.
                await done
            for one in (done, other):
                one.cancel()
        except asyncio.CancelledError:
            pass  # The proxy ends, and all of its connections with it.
        finally:
            self._wires.discard(wire)
            # What was sent before the end still arrives.
            writer.close()
            back.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: _Wire, *, sent: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(PIECE):
                if self._delay:
                    await asyncio.sleep(self._delay)
                if wire.dead:
                    continue
                if sent and self._tap is not None:
                    self._tap(wire, data)
                writer.write(data)
                await writer.drain()


async def _end_all() -> None:
    """End all connections, also those that have only just come."""
    for _ in range(3):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def _abort(writer: asyncio.StreamWriter) -> None:
    """Reset a connection: the other side gets an error, and not an ordinary end."""
    own = writer.get_extra_info("socket")
    with suppress(OSError):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
