"""The letters on labels and papers: Roboto, which has the Kazakh letters, measured before anything is drawn."""

import unicodedata
from functools import cache

import font_roboto
from PIL import ImageFont

REGULAR = "Roboto"
BOLD = "RobotoBold"
ELLIPSIS = "…"
LEADING = 1.17
"""From baseline to baseline, in ems, as Roboto itself asks."""
_REFERENCE = 1000


def path(face: str) -> str:
    """Return the file of a face."""
    return str(font_roboto.font_files[face])


@cache
def font(face: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a face at `size` pixels for Pillow; the basic layout, so that every machine measures alike."""
    return ImageFont.truetype(path(face), size, layout_engine=ImageFont.Layout.BASIC)


def width(text: str, face: str, size: int) -> float:
    """Return how wide `text` may become at `size` dots to the em, in dots.

    Small pixels round every letter's advance, so a line of pixels can be wider than the same line as vectors.
    """
    return max(font(face, size).getlength(text), font(face, _REFERENCE).getlength(text) * size / _REFERENCE)


def clean(text: str) -> str:
    """Return `text` on one line, composed, without control characters (which neither fonts nor XML carry)."""
    one_line = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(character for character in one_line if unicodedata.category(character)[0] != "C")


def shortened(text: str, face: str, size: int, room: float) -> str:
    """Return `text`, cut and ended with an ellipsis where it is wider than `room`."""
    if width(text, face, size) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width(text[:middle].rstrip() + ELLIPSIS, face, size) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip(" ,;-–(«") + ELLIPSIS


def wrapped(text: str, face: str, size: int, room: float, *, lines: int) -> list[str]:
    """Break `text` at spaces into at most `lines` lines of `room`; what is too long ends with an ellipsis."""
    words = text.split()
    found: list[str] = []
    while words:
        if len(found) == lines - 1:
            found.append(shortened(" ".join(words), face, size, room))
            break
        count = 1
        while count < len(words) and width(" ".join(words[: count + 1]), face, size) <= room:
            count += 1
        found.append(shortened(" ".join(words[:count]), face, size, room))
        words = words[count:]
    return found


def fitted(
    text: str, face: str, sizes: tuple[int, ...], room: float, *, heights: float
) -> tuple[int, list[str]]:
    """Return the largest of `sizes` in which `text` needs no ellipsis, and its lines; else the smallest.

    `heights` is the room from top to bottom, which sets how many lines there may be (always one).
    """
    best = (sizes[-1], [shortened(text, face, sizes[-1], room)])
    for size in sizes:
        lines = max(1, int(heights / (size * LEADING) + 1e-6))
        best = (size, wrapped(text, face, size, room, lines=lines))
        if not any(line.endswith(ELLIPSIS) for line in best[1]):
            break
    return best
