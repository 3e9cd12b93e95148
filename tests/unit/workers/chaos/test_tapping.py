"""Publications are found in what clients of RabbitMQ send, however it is cut into pieces."""

import struct

import amqp
import pytest

from workers.chaos.tapping import AmqpTap, Taken


def _frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, 1, len(payload)) + payload + b"\xce"


def _publication(queue: str, body: bytes) -> bytes:
    method = struct.pack(">HHHB", 60, 40, 0, 0) + bytes([len(queue)]) + queue.encode() + b"\0"
    message = amqp.Message(body, content_type="application/json", application_headers={"task": "x"})
    properties: bytes = message._serialize_properties()  # type: ignore[attr-defined]
    header = struct.pack(">HHQ", 60, 0, len(body)) + properties
    half = len(body) // 2
    return _frame(1, method) + _frame(2, header) + _frame(3, body[:half]) + _frame(3, body[half:])


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_publications_are_found_in_any_pieces(piece: int) -> None:
    sent = (
        b"AMQP\0\0\x09\x01"
        + _frame(1, struct.pack(">HH", 10, 11) + b"whatever")
        + _publication("upkeep", b"[[], {}, {}]")
        + _frame(8, b"")
        + _publication("shabarman.reply", b"not ours")
        + _publication("notices", b"[[[1]], {}, {}]")
    )
    tap = AmqpTap()
    for start in range(0, len(sent), piece):
        tap.hear("one", sent[start : start + piece])
    described = {"content_type": "application/json", "application_headers": {"task": "x"}}
    assert list(tap.taken) == [
        Taken(queue="upkeep", body=b"[[], {}, {}]", properties=described),
        Taken(queue="notices", body=b"[[[1]], {}, {}]", properties=described),
    ]


def test_a_connection_that_was_joined_in_the_middle_is_left_alone() -> None:
    tap = AmqpTap()
    tap.hear("one", _publication("upkeep", b"[[], {}, {}]"))
    assert not tap.taken
