"""The thread through the processes: by what a message is found again in logs and traces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from config import tracing


class Threaded(Protocol):
    """What is known of a message on its way."""

    @property
    def id(self) -> int: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def request(self) -> str | None: ...  # noqa: D102
    @property
    def trace(self) -> str | None: ...  # noqa: D102


def thread(messages: Sequence[Threaded]) -> dict[str, Any]:
    """Return the facts of a log line about messages: their numbers, of which packets, and from which requests."""
    return {
        "messages": [message.id for message in messages],
        "packets": list(dict.fromkeys(message.subject for message in messages)),
        "requests": list(dict.fromkeys(message.request for message in messages if message.request)),
    }


@contextmanager
def spans(name: str, messages: Sequence[Threaded]) -> Iterator[None]:
    """Trace a block that is about several messages: one stretch in the trace of each; nothing where none is made."""
    if not tracing.is_on():
        yield
        return
    with ExitStack() as held:
        for message in messages:
            if message.trace:
                held.enter_context(
                    tracing.span(name, parent=message.trace, message=message.id, packet=message.subject)
                )
        yield
