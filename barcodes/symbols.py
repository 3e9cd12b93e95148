"""The two symbols of a number: Code 128 set C (bars) and QR version 1-M, as modules, SVG and PNG.

python-barcode and segno say which modules are dark; every picture is drawn here, so that a module is always a whole
number of dots. Quiet zones (10 modules beside bars, 4 around a QR) belong to the picture.
"""

from enum import StrEnum
from functools import lru_cache
from io import BytesIO
from itertools import groupby
from xml.sax.saxutils import escape

from barcodes.numbers import grouped
from config.errors import BadInputError
from config.language import Text

BARS_QUIET = 10
QR_QUIET = 4
BARS_MODULE_MM = 0.375
"""Decoded in every scenario tried but skew; 0.25 mm fell to 79 % and 0 % on a phone."""
QR_MODULE_MM = 0.5
BARS_HEIGHT_MM = 12.0
MM_PER_INCH = 25.4

_START_C = "11010011100"
_LONGEST = 32


class Symbology(StrEnum):
    """Which of the two symbols."""

    CODE128 = "code128"
    QR = "qr"


class UndrawableError(BadInputError):
    """A text that has no symbol here; `number` says which."""

    code = "undrawable"
    text = Text(
        "{number} cannot be drawn as a barcode: it takes an even count of digits, not starting with 99."
    )


def bars(number: str) -> str:
    """Return the modules of `number` in Code 128 set C, `1` dark, without quiet zones: 112 for 14 digits.

    Raise `UndrawableError` unless it is an even count of digits that does not start with 99.
    """
    require_drawable(number)
    # Imported here: whoever only checks a number draws nothing.
    from barcode.codex import Code128  # noqa: PLC0415

    # A new object each time: its second `build()` can give another symbol.
    modules = str(Code128(number).build()[0])
    if not modules.startswith(_START_C) or len(modules) != 11 * (len(number) // 2 + 2) + 13:
        raise UndrawableError(number=number)
    return modules


@lru_cache(maxsize=1024)
def matrix(number: str) -> tuple[str, ...]:
    """Return the 21 rows of `number` as QR version 1, correction M, `1` dark, without quiet zone."""
    require_drawable(number)
    import segno  # noqa: PLC0415

    code = segno.make(number, version=1, error="m", mode="numeric", micro=False, boost_error=False)
    return tuple("".join(map(str, row)) for row in code.matrix)


def runs(modules: str) -> list[tuple[int, int]]:
    """Return where each dark run of a row of modules begins and how many modules wide it is."""
    found, place = [], 0
    for module, same in groupby(modules):
        width = len(list(same))
        if module == "1":
            found.append((place, width))
        place += width
    return found


def dots_per_module(dpi: int, module_mm: float) -> int:
    """Return the whole number of printer dots nearest to `module_mm`, at least one."""
    return max(1, round(module_mm * dpi / MM_PER_INCH))


def svg(
    number: str,
    *,
    symbology: Symbology = Symbology.CODE128,
    module_mm: float | None = None,
    height_mm: float = BARS_HEIGHT_MM,
) -> str:
    """Return the symbol as an SVG element with a viewBox in modules, fit to stand in a page (no XML prolog).

    `height_mm` is the height of the bars; a QR is square and does without it.
    """
    rows, quiet, module = _plan(number, symbology=symbology, module_mm=module_mm)
    width = len(rows[0]) + 2 * quiet
    if symbology is Symbology.QR:
        height: float = width
        path = "".join(
            f"M{quiet + x} {quiet + y}h{length}v1h-{length}z"
            for y, row in enumerate(rows)
            for x, length in runs(row)
        )
    else:
        height = round(height_mm / module, 3)
        path = "".join(f"M{quiet + x} 0h{length}v{height:g}h-{length}z" for x, length in runs(rows[0]))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" width="{width * module:g}mm" '
        f'height="{height * module:g}mm" shape-rendering="crispEdges" role="img">'
        f"<title>{escape(grouped(number))}</title>"
        f'<path fill="#fff" d="M0 0h{width}v{height:g}H0z"/><path d="{path}"/></svg>'
    )


def png(
    number: str,
    *,
    symbology: Symbology = Symbology.CODE128,
    dpi: int = 203,
    module_mm: float | None = None,
    height_mm: float = BARS_HEIGHT_MM,
) -> bytes:
    """Return the symbol as a black-and-white PNG of `dpi` with a whole number of pixels in every module."""
    from PIL import Image  # noqa: PLC0415

    rows, quiet, module = _plan(number, symbology=symbology, module_mm=module_mm)
    dots = dots_per_module(dpi, module)
    width = (len(rows[0]) + 2 * quiet) * dots
    margin = "0" * quiet
    lines = [_packed(margin + row + margin, dots) for row in rows]
    if symbology is Symbology.QR:
        blank = _packed("0" * (len(rows[0]) + 2 * quiet), dots)
        lines = [blank] * quiet + lines + [blank] * quiet
        data = b"".join(line * dots for line in lines)
    else:
        data = lines[0] * max(1, round(height_mm * dpi / MM_PER_INCH))
    picture = Image.frombytes("1", (width, len(data) // len(lines[0])), data)
    out = BytesIO()
    picture.save(out, "PNG", dpi=(dpi, dpi))
    return out.getvalue()


def _plan(
    number: str, *, symbology: Symbology, module_mm: float | None
) -> tuple[tuple[str, ...], int, float]:
    if symbology is Symbology.QR:
        return matrix(number), QR_QUIET, module_mm or QR_MODULE_MM
    return (bars(number),), BARS_QUIET, module_mm or BARS_MODULE_MM


def _packed(modules: str, dots: int) -> bytes:
    """Return one row of pixels, eight to a byte, a set bit white."""
    white = "".join(("0" if module == "1" else "1") * dots for module in modules)
    white += "1" * (-len(white) % 8)
    return int(white, 2).to_bytes(len(white) // 8, "big")


def require_drawable(number: str) -> None:
    """Raise `UndrawableError` unless `number` is an even count of digits that does not start with 99."""
    # python-barcode drops a leading 99, fails on an empty text, and leaves set C for anything but pairs of digits.
    fits = number.isascii() and number.isdigit() and len(number) % 2 == 0 and len(number) <= _LONGEST
    if not fits or number.startswith("99"):
        raise UndrawableError(number=number)
