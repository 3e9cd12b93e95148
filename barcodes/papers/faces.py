"""Roboto as papers use it: how wide a text is, and which bytes of a PDF's font stand for its letters.

Every paper carries the same subset of the font, the letters of Kazakh, Russian and English: it is cut out and packed
once in the life of a process, and a text becomes bytes by one look-up in a table. Letters beyond it get a subset of
their own in the document that needs them (`barcodes.papers.pdf`).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from threading import Lock

from reportlab.pdfbase.ttfonts import TTFontFile, makeToUnicodeCMap

from barcodes import lettering

FIRST, LAST = 32, 126
"""Of the codes that mean themselves."""
FULL = 256
"""Codes of one font."""
SPACES = "\u00a0\u2007\u2009\u202f"
_CYRILLIC = "".join(map(chr, range(0x410, 0x450))) + "ЁёӘәҒғҚқҢңӨөҰұҮүҺһІі"
_SIGNS = "«»„“”‘’–—…№•·°§©×±₸"
_LETTERS = "".join(map(chr, range(FIRST, LAST + 1))) + _CYRILLIC + _SIGNS
_SYMBOLIC, _NONSYMBOLIC = 4, 32
"""Flags of a font descriptor; ours is symbolic, because the codes are ours."""


class UnusualLetterError(Exception):
    """A letter beyond the common subset; no LookupError, which `str.translate` would swallow."""


class _Codes(dict[int, str]):
    """Letter → its byte in the common subset, escaped for a PDF string."""

    def __missing__(self, code: int) -> str:
        raise UnusualLetterError


class _Widths(dict[str, float]):
    """Letter → advance in thousandths of the em."""

    def __init__(self, file: TTFontFile) -> None:
        super().__init__()
        self._file = file

    def __missing__(self, letter: str) -> float:
        code = FIRST if letter in SPACES else ord(letter)
        width = float(self._file.charWidths.get(code, self._file.defaultWidth))
        self[letter] = width
        return width


class Face:
    """One face of the font."""

    def __init__(self, name: str) -> None:
        """Read the face called `name` in `barcodes.lettering`."""
        self._file = TTFontFile(lettering.path(name))
        self._reading = Lock()
        self.widths = _Widths(self._file)
        self.common = [0] * FIRST + [ord(letter) for letter in _LETTERS if self.has(letter)]
        self.codes = _Codes(
            {code: escaped(byte) for byte, code in enumerate(self.common) if code}
            | {ord(space): " " for space in SPACES}
        )
        self._common_objects: dict[int, list[bytes]] = {}

    def has(self, letter: str) -> bool:
        """Tell whether the font can show a letter."""
        return ord(letter) in self._file.charToGlyph

    def width(self, text: str, size: float) -> float:
        """Return how wide `text` is at `size` points to the em, in points."""
        return sum(map(self.widths.__getitem__, text)) * size / 1000

    def common_objects(self, first: int) -> list[bytes]:
        """Return the four objects of the common subset in a PDF where they are numbered from `first`."""
        if first not in self._common_objects:
            self._common_objects[first] = self.objects(self.common, first=first, tag="KZRUEN")
        return self._common_objects[first]

    def objects(self, subset: Sequence[int], *, first: int, tag: str) -> list[bytes]:
        """Return a font of a PDF whose code `i` shows the letter `subset[i]`: font, descriptor, file, to Unicode."""
        file = self._file
        with self._reading:
            # reportlab reads a font file from one shared position.
            program = file.makeSubset(list(subset))
        called = f"/{tag}+{file.name.decode()}"
        widths = " ".join(
            f"{file.charWidths.get(code, file.defaultWidth) if code else file.defaultWidth:.0f}"
            for code in subset
        )
        flags = file.flags & ~_NONSYMBOLIC | _SYMBOLIC
        box = " ".join(f"{side:.0f}" for side in file.bbox)
        return [
            f"<</Type/Font/Subtype/TrueType/BaseFont{called}/FirstChar 0/LastChar {len(subset) - 1}"
            f"/Widths[{widths}]/FontDescriptor {first + 1} 0 R/ToUnicode {first + 3} 0 R>>".encode(),
            f"<</Type/FontDescriptor/FontName{called}/Flags {flags}/FontBBox[{box}]"
            f"/ItalicAngle {file.italicAngle:g}/Ascent {file.ascent:.0f}/Descent {file.descent:.0f}"
            f"/CapHeight {file.capHeight:.0f}/StemV {file.stemV:.0f}/FontFile2 {first + 2} 0 R>>".encode(),
            stream(program, f"/Length1 {len(program)}", level=9),
            stream(makeToUnicodeCMap(called[1:], list(subset)).encode("latin-1"), level=9),
        ]


@cache
def face(name: str) -> Face:
    """Return a face of `barcodes.lettering` by its name."""
    return Face(name)


def stream(data: bytes, entries: str = "", *, level: int) -> bytes:
    """Return a stream object of a PDF, packed."""
    packed = zlib.compress(data, level)
    head = f"<</Length {len(packed)}/Filter/FlateDecode{entries}>>"
    return head.encode() + b"stream\n" + packed + b"\nendstream"


def escaped(byte: int) -> str:
    """Return a byte as a PDF string has it."""
    letter = chr(byte)
    return f"\\{letter}" if letter in "()\\" else f"\\{byte:03o}" if byte < FIRST else letter
