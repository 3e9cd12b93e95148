"""Squeezing: what browsers get is sent as gzip where they take it; on the slow line of a village that is seconds.

Pages carry the token of their forms, and compressed text tells by its length what it repeats. Who wants to use that
must make the browser of somebody else ask for pages with chosen words in them; the cookie of a sign-in never comes
with a request that another site made (`SameSite=Strict`), so such pages hold neither token nor data.
"""

from __future__ import annotations

import gzip

from fastapi import Request

LEAST = 1024
"""Bytes below which squeezing saves no packet of the network."""


def takes_gzip(request: Request) -> bool:
    """Tell whether whoever asks can read gzip."""
    for part in request.headers.get("accept-encoding", "").split(","):
        name, _, weight = part.strip().partition(";")
        if name.strip().lower() in {"gzip", "*"}:
            return weight.replace(" ", "").lower() not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def squeeze(content: bytes, *, level: int = 6) -> bytes:
    """Return `content` as gzip, the same each time."""
    return gzip.compress(content, compresslevel=level, mtime=0)
