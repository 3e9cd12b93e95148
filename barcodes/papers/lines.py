"""Breaking text into lines: at spaces, within a word only where it is wider than its place; nothing is cut off."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from barcodes.lettering import BOLD, LEADING, REGULAR
from barcodes.papers.faces import face

Piece = tuple[str, str]
"""A text and its face."""
Line = tuple[Piece, ...]
Words = str | Sequence[Piece]
"""What a paper says: plain text, or pieces in several faces."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a paragraph looks: `size` in points, `grey` from 0 (black) to 1 (white)."""

    size: float = 10
    face: str = REGULAR
    grey: float = 0
    leading: float = LEADING * 1.06
    """From baseline to baseline, in ems."""

    @property
    def step(self) -> float:
        """From baseline to baseline, in points."""
        return self.size * self.leading


BODY = Style()
STRONG = Style(face=BOLD)
SMALL = Style(size=8)
NOTE = Style(size=7.5, grey=0.35)


def bold(text: str) -> Piece:
    """Return `text` as a bold piece."""
    return (text, BOLD)


def plain(text: str) -> Piece:
    """Return `text` as a piece in the regular face."""
    return (text, REGULAR)


def clean(text: str) -> str:
    """Return `text` on one line, composed, without control characters; no-break spaces stay."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join(
        word
        for word in "".join(
            " " if letter in "\n\t\r" else "" if unicodedata.category(letter)[0] == "C" else letter
            for letter in composed
        ).split(" ")
        if word
    )


def wrapped(words: Words, *, style: Style, width: float) -> list[Line]:
    """Break `words` into lines of at most `width` points; always at least one line."""
    pieces = ((words, style.face),) if isinstance(words, str) else tuple(words)
    return list(_wrapped(pieces, style.size, width))


@lru_cache(maxsize=4096)
def _wrapped(pieces: tuple[Piece, ...], size: float, room: float) -> tuple[Line, ...]:
    lines: list[Line] = []
    current: list[Piece] = []
    reached = 0.0
    space = face(REGULAR).width(" ", size)
    for whole in _atoms(pieces):
        atom, across = whole, _width(whole, size)
        if current and reached + space + across > room:
            lines.append(_joined(current))
            current, reached = [], 0.0
        if across > room:
            *full, atom = _broken(atom, size, room)
            lines += full
            across = _width(atom, size)
        if current:
            current.append((" ", current[-1][1]))
            reached += space
        current += atom
        reached += across
    lines.append(_joined(current))
    return tuple(lines)


def _atoms(pieces: tuple[Piece, ...]) -> Iterator[Line]:
    """Yield what stays together: the text between two spaces, which may be of several faces."""
    held: list[Piece] = []
    for text, name in pieces:
        for place, word in enumerate(_marked(text).split(" ")):
            if place and held:
                yield tuple(held)
                held = []
            if word:
                held.append((word, name))
    if held:
        yield tuple(held)


def _marked(text: str) -> str:
    """Return `text` clean, with the spaces at its ends kept, because pieces meet there."""
    inner = clean(text)
    if not inner:
        return " " if text else ""
    return (" " if text[0] in " \n" else "") + inner + (" " if text[-1] in " \n" else "")


def _broken(atom: Line, size: float, room: float) -> list[Line]:
    """Break what is wider than a line: behind a hyphen, else between letters."""
    letters = [(letter, name) for text, name in atom for letter in text]
    widths = [face(name).widths[letter] * size / 1000 for letter, name in letters]
    found: list[Line] = []
    start = 0
    while sum(widths[start:]) > room:
        end, reached = start, 0.0
        while reached + widths[end] <= room:
            reached += widths[end]
            end += 1
        end = max(end, start + 1)
        hyphens = [place + 1 for place in range(start + 1, end) if letters[place][0] == "-"]
        end = hyphens[-1] if hyphens else end
        found.append(_joined(letters[start:end]))
        start = end
    found.append(_joined(letters[start:]))
    return found


def _width(line: Line, size: float) -> float:
    return sum(face(name).width(text, size) for text, name in line)


def _joined(pieces: list[Piece]) -> Line:
    """Return pieces with neighbours of one face put together."""
    found: list[Piece] = []
    for text, name in pieces:
        if found and found[-1][1] == name:
            found[-1] = (found[-1][0] + text, name)
        elif text:
            found.append((text, name))
    return tuple(found)


def width_of(line: Line, size: float) -> float:
    """Return how wide a line is, in points."""
    return _width(line, size)
