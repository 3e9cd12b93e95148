"""What strangers, and a broker in trouble, may put into queues."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from routing.queues import names
from workers.chaos.kinds import Kind, NotDoneError, Trial
from workers.chaos.rabbitmq_node import RabbitmqNode
from workers.chaos.tapping import Taken

AT_ONCE = 20

TASKS = ("packet.announce", "manifest.announce", "result.announce", "notice.email", "runs.plan")

ODD_BODIES: tuple[bytes, ...] = (
    b"",
    b"\xff\xfe\x00",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"[[1]]",
    b"[[[1]], {}, null]",
    b'[["1"], {}, {}]',
    b"[[[0]], {}, {}]",
    b"[[[-1]], {}, {}]",
    b"[[[99999999999999999999]], {}, {}]",
    b'[[[1]], {"more": 1}, {}]',
    b'[[[1]], {}, {"chain": [{"task": "packet.announce"}]}]',
    b"[" * 5000,
    b"x" * 200_000,
)

ODD_HEADERS: tuple[dict[str, Any], ...] = (
    {},
    {"task": {"a": 1}, "id": "1"},
    {"task": "os.system", "id": "1"},
    {"task": "packet.announce"},
    {"task": "packet.announce", "id": "1", "timelimit": ["a", "b"]},
    {"task": "packet.announce", "id": "1", "eta": "never"},
    {"task": "packet.announce", "id": "1", "expires": "yesterday"},
    {"task": "packet.announce", "id": "1", "retries": "many"},
    {"task": "packet.announce", "id": "1", "chord": {"x": 1}},
)


def _doubled(trial: Trial) -> None:
    some = list(trial.world.broker.tap.taken)[-AT_ONCE:]
    _put(trial, [letter for letter in some for _ in range(2)])


def _reordered(trial: Trial) -> None:
    some = list(trial.world.broker.tap.taken)[-2 * AT_ONCE :]
    trial.dice.shuffle(some)
    _put(trial, some)


def _replayed(trial: Trial) -> None:
    kept = list(trial.world.broker.tap.taken)
    _put(trial, trial.dice.sample(kept, min(AT_ONCE, len(kept))))


def _forged(trial: Trial) -> None:
    """Ask for messages that exist, that do not, and that belong elsewhere, in the name of the relay."""
    ids = [trial.dice.choice((trial.dice.randint(1, 500), 10**12)) for _ in range(AT_ONCE)]
    letters = []
    for one in ids:
        task = trial.dice.choice(TASKS)
        arguments: list[object] = [] if task == "runs.plan" else [[one]]
        body = json.dumps(
            [arguments, {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
        )
        headers = {
            "task": task,
            "id": str(_fresh(trial)),
            "lang": "py",
            "retries": 0,
            "timelimit": [None, None],
        }
        letters.append(_letter(trial, trial.dice.choice(names()), body.encode(), headers))
    # And what the relay wrote, laid into the queue of somebody else.
    letters += [
        Taken(queue=trial.dice.choice(names()), body=letter.body, properties=letter.properties)
        for letter in list(trial.world.broker.tap.taken)[-5:]
    ]
    _put(trial, letters)


def _malformed(trial: Trial) -> None:
    good = {"task": "packet.announce", "id": "1", "lang": "py"}
    letters = []
    for _ in range(AT_ONCE):
        queue = trial.dice.choice(names())
        body = trial.dice.choice(ODD_BODIES)
        letters.append(_letter(trial, queue, body, good))
        letters.append(_letter(trial, queue, b"[[[1]], {}, {}]", trial.dice.choice(ODD_HEADERS)))
        if not isinstance(trial.world.broker, RabbitmqNode):
            letters.append(Taken(queue=queue, body=body))  # No envelope at all.
    _put(trial, letters)


def _letter(trial: Trial, queue: str, body: bytes, headers: dict[str, Any]) -> Taken:
    if isinstance(trial.world.broker, RabbitmqNode):
        described = {"content_type": "application/json", "content_encoding": "utf-8", "delivery_mode": 2}
        return Taken(queue=queue, body=body, properties={**described, "application_headers": headers})
    outer = {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": {
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": queue},
            "delivery_mode": 2,
            "delivery_tag": str(_fresh(trial)),
            "priority": 0,
        },
    }
    return Taken(queue=queue, body=json.dumps(outer).encode())


def _fresh(trial: Trial) -> UUID:
    return UUID(int=trial.dice.getrandbits(128), version=4)


def _put(trial: Trial, letters: list[Taken]) -> None:
    try:
        trial.world.broker.put(letters)
    except Exception as error:
        # A broker that is away takes nothing.
        raise NotDoneError from error
    if not letters:
        raise NotDoneError


def _kind(name: str, cause: Callable[[Trial], None]) -> Kind:
    return Kind(name=name, targets=("letters",), cause=cause)


KINDS = [
    _kind("doubled_messages", _doubled),
    _kind("reordered_messages", _reordered),
    _kind("replayed_messages", _replayed),
    _kind("forged_messages", _forged),
    _kind("malformed_messages", _malformed),
]
