import stat
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from config.settings import Settings
from routing.envelope import Junk, announcement
from routing.seal import HEADER, WeakSecretError, check_seal, keys_of, seal

KEYS = (b"k" * 32, b"p" * 32)
BODY = b"[[[1,2]],{},{}]"


def envelope(key: bytes = KEYS[0]) -> dict[str, Any]:
    headers = announcement(task="packet.announce", task_id="t", ids=[1, 2], origin="relay@host")[1]
    headers[HEADER] = seal(key, queue="centre.aksu", headers=headers, body=BODY)
    return {"queue": "centre.aksu", "headers": headers, "body": BODY}


@pytest.mark.parametrize("key", KEYS)
def test_what_was_sealed_with_any_of_the_keys_is_ours(key: bytes) -> None:
    check_seal(KEYS, **envelope(key))


def test_the_text_of_a_body_and_its_bytes_are_the_same() -> None:
    for body in (BODY.decode(), bytearray(BODY), memoryview(BODY)):
        check_seal(KEYS, **envelope() | {"body": body})


def test_what_brokers_add_on_the_way_is_not_sealed() -> None:
    ours = envelope()
    ours["headers"] |= {"x-delivery-count": 2, "redelivered": True}
    check_seal(KEYS, **ours)


CHANGES: list[Callable[[dict[str, Any]], Any]] = [
    lambda one: one.update(queue="centre.ile"),
    lambda one: one.update(queue=None),
    lambda one: one.update(body=b"[[[1,3]],{},{}]"),
    lambda one: one.update(body=None),
    lambda one: one["headers"].update(task="notice.email"),
    lambda one: one["headers"].update(id="another"),
    lambda one: one["headers"].update(expires="2099-01-01T00:00:00+00:00"),
    lambda one: one["headers"].update(timelimit=[1, 1]),
    lambda one: one["headers"].update(argsrepr="([1, 3],)"),
    lambda one: one["headers"].pop("origin"),
    lambda one: one["headers"].pop(HEADER),
    lambda one: one["headers"].update({HEADER: None}),
    lambda one: one["headers"].update({HEADER: "0" * 64}),
    lambda one: one["headers"].update({HEADER: "ы" * 64}),
    lambda one: one["headers"].update({HEADER: one["headers"][HEADER].upper()}),
]


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_breaks_the_seal(change: Callable[[dict[str, Any]], Any]) -> None:
    """A body under another name, another id, a longer life, another queue: each is refused."""
    forged = envelope()
    change(forged)
    with pytest.raises(Junk, match="seal"):
        check_seal(KEYS, **forged)


def test_another_key_is_refused() -> None:
    with pytest.raises(Junk, match="does not fit"):
        check_seal((b"another" * 5,), **envelope())


def test_keys_are_changed_without_a_break(tmp_path: Path) -> None:
    """Three steps, a restart of everything after each: the new key is known, then signs, then is alone."""
    old, new = "o" * 32, "n" * 32
    steps = [old, f"{old},{new}", f"{new}, {old}", new]
    found = [keys_of(Settings(home=tmp_path, secret=SecretStr(one))) for one in steps]
    for before, after in pairwise(found):
        assert before[0] in after, "what was signed before the step is taken after it"
        assert after[0] in before, "what is signed after the step is taken by who has not restarted yet"
    assert not (tmp_path / "secret").exists()


def test_where_no_key_is_set_one_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found: list[tuple[bytes, ...]] = []
    threads = [
        threading.Thread(target=lambda: found.append(keys_of(Settings(home=home, secret=None))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert stat.S_IMODE((home / "secret").stat().st_mode) == 0o600
    assert [file.name for file in home.iterdir()] == ["secret"]
    # The file takes several as well, one a line.
    (home / "secret").write_text("n" * 32 + "\n" + (home / "secret").read_text())
    changed = keys_of(Settings(home=home, secret=None))
    assert changed[1:] == found[0]


@pytest.mark.parametrize("weak", ["", "short", "l" * 32 + ",short"])
def test_a_short_key_is_refused_with_advice(tmp_path: Path, weak: str) -> None:
    with pytest.raises(WeakSecretError, match="openssl rand"):
        keys_of(Settings(home=tmp_path, secret=SecretStr(weak)))
