"""The seal of an envelope: an HMAC over all of it, so that nobody without the key can make a worker do anything.

Celery's own signatures cover the body only: a body that is sent again under the name of another task is taken. Ours
covers the queue, every header and the body.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from config.errors import SettingsError
from config.language import Text
from config.settings import Settings
from routing.envelope import Junk

HEADER = "seal"
"""Name of the header that holds the seal: 64 hexadecimal digits."""

SECRET_FILE = "secret"  # noqa: S105 - a file's name
"""Under the home folder: one key a line, the first one signs."""

SHORTEST = 16
"""Characters of the shortest key."""

_PURPOSE = b"shabarman envelope 1"
_NOT_OURS = frozenset({HEADER, "redelivered"})


class WeakSecretError(SettingsError):
    """A key is too short to be one. Facts: `place`, `shortest`."""

    code = "weak_secret"
    text = Text(
        "A key in {place} is shorter than {shortest} characters. Make one with `openssl rand -hex 32`; the same for "
        "all machines of this installation."
    )


def keys_of(settings: Settings) -> tuple[bytes, ...]:
    """Return the keys of the installation: the first signs, each of them is accepted.

    Those of the setting, separated by commas; else those in the home folder, where one is made on first use, so
    that all processes of one machine have the same. Raises WeakSecretError, and OSError where the file cannot be
    read or made.
    """
    if settings.secret is not None:
        place, text = "SHABARMAN_SECRET", settings.secret.get_secret_value().replace(",", "\n")
    else:
        file = settings.home.absolute() / SECRET_FILE
        place, text = str(file), _kept(file)
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if not found or any(len(key) < SHORTEST for key in found):
        raise WeakSecretError(place=place, shortest=SHORTEST)
    # Not the secret itself: what else may be signed with it one day gets a key of its own.
    return tuple(hmac.digest(key.encode(), _PURPOSE, hashlib.sha256) for key in found)


def seal(key: bytes, *, queue: str, headers: Mapping[str, object], body: bytes) -> str:
    """Return the seal of an envelope for `queue`; the seal itself and what brokers add are left out of `headers`."""
    signed = {
        name: value
        for name, value in headers.items()
        # `x-…` is what RabbitMQ notes about deliveries, `redelivered` what kombu does.
        if name not in _NOT_OURS and not name.startswith("x-")
    }
    about = json.dumps([queue, signed], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.digest(key, about.encode("ascii") + b"\n" + body, hashlib.sha256).hex()


def check_seal(keys: Sequence[bytes], *, queue: object, headers: Mapping[str, object], body: object) -> None:
    """Raise Junk unless one of `keys` has sealed this envelope. Its shape must have been checked before."""
    found = headers.get(HEADER)
    if not isinstance(found, str):
        raise Junk("the envelope has no seal")
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else _bytes(body)
    if not isinstance(queue, str) or not found.isascii():
        raise Junk("the seal does not fit")
    for key in keys:
        if hmac.compare_digest(found, seal(key, queue=queue, headers=headers, body=raw)):
            return
    raise Junk("the seal does not fit")


def _bytes(body: object) -> bytes:
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b""


def _kept(file: Path) -> str:
    with suppress(FileNotFoundError):
        return file.read_text(encoding="ascii", errors="replace")
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_name(f"{SECRET_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        written.write(secrets.token_hex(32) + "\n")
    try:
        # A link is there whole or not at all, and never replaces the key that another process has just made.
        with suppress(FileExistsError):
            os.link(fresh, file)
    finally:
        fresh.unlink()
    return file.read_text(encoding="ascii")
