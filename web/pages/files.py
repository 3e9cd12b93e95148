"""Style sheets, scripts and icons: a few files of our own and what npm brought, kept in memory.

An address carries a version made from the content, so that browsers may keep the file for ever. The version stands
in the path and is one for all of our files: what a module imports beside itself has the same version without being
told, and two versions never run together.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from web.squeezing import squeeze, takes_gzip
from web.third_party import FOLDER as THIRD_PARTY

router = APIRouter()

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".wasm": "application/wasm",
}
_REMARK = {
    ".js": re.compile(rb"^[ \t]*//.*\n", re.MULTILINE),
    ".css": re.compile(rb"^[ \t]*/\*[^*\n]*\*/\n", re.MULTILINE),
}
"""Lines of our own files that only people read: a third of what hears the scanner would be such lines."""
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    content: bytes
    squeezed: bytes | None
    """The same as gzip; None where that is not shorter."""
    media_type: str
    version: str
    tag: str


@cache
def _kept() -> dict[str, _File]:
    contents = dict(_found(files("web") / "static"))
    # A megabyte that seldom changes is not sent again because a colour did.
    versions = {theirs: _version(contents, theirs=theirs) for theirs in (True, False)}
    return {
        name: _File(
            content=content,
            squeezed=_squeezed(content),
            media_type=_media_type(name),
            version=versions[_is_theirs(name)],
            tag=f'"{sha256(content).hexdigest()[:12]}"',
        )
        for name, content in contents.items()
    }


def _found(folder: Traversable, within: str = "") -> Iterator[tuple[str, bytes]]:
    for source in folder.iterdir():
        if source.is_dir():
            yield from _found(source, f"{within}{source.name}/")
        else:
            name = f"{within}{source.name}"
            yield name, _bare(name, source.read_bytes())


def _bare(name: str, content: bytes) -> bytes:
    remark = None if _is_theirs(name) else _REMARK.get(_suffix(name))
    return remark.sub(b"", content) if remark else content


def _squeezed(content: bytes) -> bytes | None:
    shorter = squeeze(content, level=9)
    return shorter if len(shorter) < len(content) else None


def _is_theirs(name: str) -> bool:
    return name.startswith(f"{THIRD_PARTY}/")


def _version(contents: dict[str, bytes], *, theirs: bool) -> str:
    digest = sha256()
    for name in sorted(name for name in contents if _is_theirs(name) is theirs):
        digest.update(f"{name}\0{len(contents[name])}\0".encode() + contents[name])
    return digest.hexdigest()[:12]


def _media_type(name: str) -> str:
    suffix = _suffix(name)
    return _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


def address(name: str) -> str:
    """Return the address of a file; it changes with the content, so that browsers may keep it for ever."""
    return f"/static/{_kept()[name].version}/{name}"


def is_here(name: str) -> bool:
    """Tell whether there is such a file; what npm brings is missing where nobody has run it."""
    return name in _kept()


def modules(folder: str) -> list[str]:
    """Return the addresses of the scripts in a folder, so that a page may ask for all of them at once."""
    return [
        address(name) for name in sorted(_kept()) if name.startswith(f"{folder}/") and name.endswith(".js")
    ]


def ours() -> list[str]:
    """Return the addresses of all style sheets and scripts of our own."""
    return [address(name) for name in sorted(_kept()) if not _is_theirs(name) and _suffix(name) in _REMARK]


@router.get("/static/{version}/{name:path}")
def file(version: str, name: str, request: Request) -> Response:
    """Give one file; under an old version the present one, which is then not kept."""
    kept = _kept().get(name)
    if kept is None:
        raise HTTPException(404)
    content, tag = kept.content, kept.tag
    headers = {
        "Cache-Control": FOR_EVER if version == kept.version else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if kept.squeezed is not None and takes_gzip(request):
        content, tag = kept.squeezed, f'{kept.tag[:-1]}-gzip"'
        headers["Content-Encoding"] = "gzip"
    headers["ETag"] = tag
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kept.media_type, headers=headers)
