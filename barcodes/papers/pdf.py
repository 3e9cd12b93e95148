"""The file of a paper: pages, and the fonts that their texts need, written straight.

reportlab cuts the letters out of the font files; its own documents, made for everything that a PDF can be, cost ten
times what a label or a letter needs.
"""

from __future__ import annotations

from itertools import chain

from barcodes.lettering import BOLD, REGULAR
from barcodes.papers.faces import FIRST, FULL, SPACES, UnusualLetterError, escaped, face, stream

_FACES = (REGULAR, BOLD)
_NAMES = {REGULAR: "/F1", BOLD: "/F2"}
_OBJECTS_OF_A_FONT = 4
_CATALOG, _PAGES, _INFO = 1, 2, 3
_FIRST_FONT = 4
_FIRST_OWN = _FIRST_FONT + _OBJECTS_OF_A_FONT * len(_FACES)
_PACKING = 4
"""Of zlib: 6 makes a page 3 % smaller in twice the time."""


class Document:
    """A PDF under construction."""

    def __init__(self) -> None:
        self._pages: list[tuple[float, float, bytes]] = []
        self._unusual: dict[str, dict[str, int]] = {}

    def shown(self, text: str, name: str, size: float) -> str:
        """Return the operators that show `text` where the text position is, in the face called `name`."""
        try:
            return f"{_NAMES[name]} {size:g} Tf ({text.translate(face(name).codes)}) Tj"
        except UnusualLetterError:
            return " ".join(self._piecewise(text, name, size))

    def _piecewise(self, text: str, name: str, size: float) -> list[str]:
        """Show a text with letters beyond the common subset, each piece in the font that has it."""
        common, own = face(name).codes, self._unusual.setdefault(name, {})
        pieces: list[tuple[str, str]] = []
        for letter in text:
            if ord(letter) in common or letter in SPACES or not face(name).has(letter):
                # What the font lacks shows its empty box.
                font, code = _NAMES[name], common[ord(letter)] if ord(letter) in common else escaped(0)
            else:
                byte = own.setdefault(letter, FIRST + len(own))
                font, code = f"{_NAMES[name]}x", escaped(byte if byte < FULL else 0)
            if pieces and pieces[-1][0] == font:
                pieces[-1] = (font, pieces[-1][1] + code)
            else:
                pieces.append((font, code))
        return [f"{font} {size:g} Tf ({codes}) Tj" for font, codes in pieces]

    def add_page(self, content: str, *, width: float, height: float) -> None:
        """Add a page; `content` is its stream, sizes are points."""
        self._pages.append((width, height, stream(content.encode("latin-1"), level=_PACKING)))

    def save(self, title: str) -> bytes:
        """Return the file; the same content gives the same bytes."""
        fonts = {_NAMES[name]: _FIRST_FONT + _OBJECTS_OF_A_FONT * place for place, name in enumerate(_FACES)}
        objects = [
            b"",
            b"",
            b"<</Title<feff" + title.encode("utf-16-be").hex().encode() + b">/Producer(shabarman)>>",
            *chain.from_iterable(face(name).common_objects(fonts[_NAMES[name]]) for name in _FACES),
        ]
        for name, letters in self._unusual.items():
            if letters:
                fonts[f"{_NAMES[name]}x"] = first = len(objects) + 1
                subset = [0] * FIRST + [ord(letter) for letter in letters][: FULL - FIRST]
                objects += face(name).objects(subset, first=first, tag="OTHERS")
        kids = []
        for width, height, content in self._pages:
            kids.append(f"{len(objects) + 1} 0 R")
            objects.append(
                f"<</Type/Page/Parent {_PAGES} 0 R/MediaBox[0 0 {width:.3f} {height:.3f}]"
                f"/Contents {len(objects) + 2} 0 R>>".encode()
            )
            objects.append(content)
        named = "".join(f"{name} {number} 0 R" for name, number in fonts.items())
        # A viewer that "fits to page" changes the width of a module.
        objects[_CATALOG - 1] = (
            f"<</Type/Catalog/Pages {_PAGES} 0 R/Lang(kk)/ViewerPreferences<</PrintScaling/None"
            "/DisplayDocTitle true>>>>"
        ).encode()
        objects[_PAGES - 1] = (
            f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]/Resources<</Font<<{named}>>>>>>".encode()
        )
        return _file(objects)


def _file(objects: list[bytes]) -> bytes:
    parts = [b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n"]
    reached = len(parts[0])
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(reached)
        part = b"%d 0 obj\n%b\nendobj\n" % (number, body)
        parts.append(part)
        reached += len(part)
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    parts.append(
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<</Size {len(objects) + 1}/Root {_CATALOG} 0 R/Info {_INFO} 0 R>>\n"
        f"startxref\n{reached}\n%%EOF\n".encode()
    )
    return b"".join(parts)
