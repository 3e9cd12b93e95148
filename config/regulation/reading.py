"""Read the files of the regulation and refuse a wrong entry with its file, its place and the reason."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from config.errors import SettingsError
from config.language import Text

_ = Text
Made = TypeVar("Made")

OWN_FOLDER = "SHABARMAN_REGULATION"
"""Environment variable: a folder whose files stand in place of those of the same name in the package."""


class RegulationError(SettingsError):
    """A file of the regulation cannot be used as it is.

    Facts: `file` (its name), `entry` (which one of it), `reason`.
    """

    code = "regulation"
    text = _("{file}, {entry}: {reason}. Correct the entry and start again.")


def own_folder() -> Path | None:
    """Return the operator's own folder, or None where `SHABARMAN_REGULATION` is not set."""
    named = os.environ.get(OWN_FOLDER, "").strip()
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise RegulationError(file=named, entry=OWN_FOLDER, reason="there is no such folder")
    return folder


def source(name: str, *, own: Path | None = None) -> Traversable:
    """Return the file `name`: the one in the folder `own` where it has one, else that of the package."""
    if own is not None and (own / name).is_file():
        return own / name
    return files("config.regulation").joinpath(name)


def toml_sources(folder: str, *, own: Path | None = None) -> list[tuple[str, Traversable]]:
    """Return (name, file) of all TOML files in `folder` of the package and of `own`, by name."""
    packaged: list[Traversable] = list(files("config.regulation").joinpath(folder).iterdir())
    added: list[Traversable] = (
        list((own / folder).iterdir()) if own is not None and (own / folder).is_dir() else []
    )
    found = {f"{folder}/{file.name}": file for file in [*packaged, *added] if file.name.endswith(".toml")}
    return sorted(found.items())


def read_json(name: str, *, own: Path | None = None) -> object:
    """Return the content of the JSON file `name`; raise `RegulationError` with the line that cannot be read."""
    return _parsed(name, _text(name, source(name, own=own)), json.loads)


def read_toml(name: str, file: Traversable) -> Entry:
    """Return the TOML `file` as one entry that knows its lines; raise `RegulationError` with the line that is wrong."""
    text = _text(name, file)
    return Entry(_parsed(name, text, tomllib.loads), file=name, place="the file", text=text)


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """Return the line of a TOML text on which the field or entry at `path` begins; None where it has none.

    It is the last line of the shortest beginning of the text that has it: no grammar of our own is needed.
    """
    lines = text.splitlines(keepends=True)
    for count in range(1, len(lines) + 1):
        with suppress(tomllib.TOMLDecodeError):  # The beginning ends in the middle of a value.
            found: Any = tomllib.loads("".join(lines[:count]))
            with suppress(KeyError, IndexError):
                for step in path:
                    found = found[step]
                return count
    return None


def _text(name: str, file: Traversable) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RegulationError(file=name, entry="the file", reason=f"it cannot be read ({error})") from error


def _parsed(name: str, text: str, parse: Callable[[str], object]) -> object:
    try:
        return parse(text)
    except ValueError as error:  # both parsers name the line and the column
        raise RegulationError(file=name, entry="the file", reason=f"it is no valid data ({error})") from error


class Entry:
    """One entry of a file: hands out its fields by type and knows where it stands.

    Every field must be asked for: `done()` refuses what nobody asked for, so that a misspelt name is not lost.
    """

    __slots__ = ("_asked", "_data", "_path", "_text", "file", "place")

    def __init__(
        self, data: object, *, file: str, place: str, text: str = "", path: tuple[str | int, ...] = ()
    ) -> None:
        """Take `data` of a file; with the `text` of a TOML file, errors name the line of what is at `path`."""
        self.file = file
        self.place = place
        self._text, self._path = text, path
        self._asked: set[str] = set()
        if not isinstance(data, Mapping):
            raise self.wrong("an entry with named fields is expected")
        self._data: Mapping[str, object] = data

    def wrong(self, reason: str, *, field: str | None = None) -> RegulationError:
        """Return the error that names this entry, and its line, or that of its `field`, where lines are known."""
        path = self._path if field is None else (*self._path, field)
        line = line_of(self._text, path) if path and self._text else None
        return RegulationError(
            file=self.file if line is None else f"{self.file}, line {line}", entry=self.place, reason=reason
        )

    def _get(self, name: str, kind: type[Made], needed: str) -> Made:
        self._asked.add(name)
        if name not in self._data:
            raise self.wrong(f'the field "{name}" is missing')
        value = self._data[name]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(f'the field "{name}" must be {needed}', field=name)
        return value

    def has(self, name: str) -> bool:
        """Say whether the entry has the field `name`."""
        return name in self._data

    def text_or_none(self, name: str) -> str | None:
        """Return a text, or None where the field holds null; the field itself must be there."""
        if self._data.get(name, "") is None:
            self._asked.add(name)
            return None
        return self.text(name)

    def text(self, name: str) -> str:
        """Return a text that is not blank."""
        value = self._get(name, str, "a text")
        if not value.strip():
            raise self.wrong(f'the field "{name}" is blank', field=name)
        return value

    def any_text(self, name: str) -> str:
        """Return a text that may be empty; empty where the field is missing."""
        return self._get(name, str, "a text") if self.has(name) else ""

    def number(self, name: str) -> int:
        """Return a whole number from 1."""
        value = self._get(name, int, "a whole number")
        if value < 1:
            raise self.wrong(f'the field "{name}" must be 1 or more', field=name)
        return value

    def yes_or_no(self, name: str) -> bool:
        """Return true or false."""
        return self._get(name, bool, "true or false")

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str:
        """Return a text out of `allowed`."""
        value = self.text(name)
        if value not in allowed:
            raise self.wrong(f'"{value}" is no {name}; use one of {", ".join(allowed)}', field=name)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts that are not blank; empty where the field is missing."""
        if not self.has(name):
            return ()
        values = self._get(name, list, "a list of texts")
        if not all(isinstance(value, str) and value.strip() for value in values):
            raise self.wrong(f'the field "{name}" must be a list of texts', field=name)
        return tuple(values)

    def entry(self, name: str) -> Entry:
        """Return the entry inside the field `name`."""
        return self._inner(self._get(name, dict, "an entry"), name, path=(*self._path, name))

    def entries(self, name: str) -> Iterator[Entry]:
        """Yield the entries of a list, numbered from 1; none where the field is missing."""
        for place, data in enumerate(self._get(name, list, "a list") if self.has(name) else []):
            yield self._inner(data, f"{name} {place + 1}", path=(*self._path, name, place))

    def _inner(self, data: object, name: str, *, path: tuple[str | int, ...]) -> Entry:
        return Entry(data, file=self.file, place=f"{self.place}, {name}", text=self._text, path=path)

    def names(self) -> tuple[str, ...]:
        """Return the names of the fields and count them as asked for."""
        self._asked.update(self._data)
        return tuple(self._data)

    def done(self) -> None:
        """Refuse fields that nobody asked for."""
        unknown = sorted(set(self._data) - self._asked)
        if unknown:
            raise self.wrong(f'the field "{unknown[0]}" is not known', field=unknown[0])


def listed(name: str, content: object) -> list[object]:
    """Return `content` as the list that the file `name` must hold."""
    if not isinstance(content, list):
        raise RegulationError(file=name, entry="the file", reason="a list of entries is expected")
    return content
