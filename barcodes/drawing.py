"""A small paper laid out in whole printer dots, and the same paper as SVG, PNG, PDF and ZPL."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw

from barcodes import lettering, symbols

POINTS_PER_INCH = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A Code 128 symbol; places and sizes in dots, `module` dots to a module, quiet zones outside."""

    number: str
    x: int
    y: int
    module: int
    height: int

    def rectangles(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield x, y, width and height of each bar."""
        for start, length in symbols.runs(symbols.bars(self.number)):
            yield self.x + start * self.module, self.y, length * self.module, self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A QR symbol, in dots."""

    number: str
    x: int
    y: int
    module: int

    def rectangles(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield x, y, width and height of each dark run."""
        for row, modules in enumerate(symbols.matrix(self.number)):
            for start, length in symbols.runs(modules):
                yield (
                    self.x + start * self.module,
                    self.y + row * self.module,
                    length * self.module,
                    self.module,
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of text that begins at `x` on `baseline`; `size` is the em, in dots."""

    text: str
    x: int
    baseline: int
    size: int
    face: str = lettering.REGULAR

    @property
    def width(self) -> float:
        """How far the text reaches, in dots."""
        return lettering.width(self.text, self.face, self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One paper: its size in millimetres, and what stands on it in dots of `dpi`."""

    title: str
    width_mm: float
    height_mm: float
    dpi: int
    bars: Bars
    square: Square
    lines: tuple[Line, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in dots."""
        per_mm = self.dpi / symbols.MM_PER_INCH
        return round(self.width_mm * per_mm), round(self.height_mm * per_mm)


def svg(drawing: Drawing) -> bytes:
    """Return the paper as SVG: a viewBox in dots, no XML prolog, text as text."""
    width, height = drawing.size
    dark = "".join(
        f"M{x} {y}h{across}v{down}h-{across}z"
        for symbol in (drawing.bars, drawing.square)
        for x, y, across, down in symbol.rectangles()
    )
    # textLength keeps every line inside its place when Roboto is not there and another font steps in.
    texts = "".join(
        f'<text x="{line.x}" y="{line.baseline}" font-size="{line.size}"'
        f' font-weight="{700 if line.face == lettering.BOLD else 400}"'
        f' textLength="{line.width:.1f}" lengthAdjust="spacingAndGlyphs">{escape(line.text)}</text>'
        for line in drawing.lines
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{drawing.width_mm:g}mm" '
        f'height="{drawing.height_mm:g}mm" role="img"><title>{escape(drawing.title)}</title>'
        f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/>'
        f'<path d="{dark}" shape-rendering="crispEdges"/>'
        f"<g font-family=\"Roboto, 'Noto Sans', 'Segoe UI', Arial, sans-serif\">{texts}</g></svg>"
    ).encode()


def png(drawing: Drawing) -> bytes:
    """Return the paper as a black-and-white PNG, one pixel to a dot."""
    picture = Image.new("1", drawing.size, 1)
    draw = ImageDraw.Draw(picture)
    for symbol in (drawing.bars, drawing.square):
        _fill(draw, symbol.rectangles(), dx=0, dy=0)
    for line in drawing.lines:
        _write(draw, line, dx=0, dy=0)
    out = BytesIO()
    picture.save(out, "PNG", dpi=(drawing.dpi, drawing.dpi))
    return out.getvalue()


def pdf(drawing: Drawing) -> bytes:
    """Return the paper as a one-page PDF of its own size: bars as vector rectangles, Roboto embedded."""
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    _register_fonts()
    point = POINTS_PER_INCH / drawing.dpi
    points_per_mm = POINTS_PER_INCH / symbols.MM_PER_INCH
    page = (drawing.width_mm * points_per_mm, drawing.height_mm * points_per_mm)
    out = BytesIO()
    canvas = Canvas(out, pagesize=page, invariant=1)
    canvas.setTitle(drawing.title)
    # A viewer that "fits to page" changes the width of a module.
    canvas.setViewerPreference("PrintScaling", "None")
    dark = canvas.beginPath()
    for symbol in (drawing.bars, drawing.square):
        for x, y, across, down in symbol.rectangles():
            dark.rect(x * point, page[1] - (y + down) * point, across * point, down * point)
    canvas.drawPath(dark, stroke=0, fill=1)
    for line in drawing.lines:
        canvas.setFont(line.face, line.size * point)
        canvas.drawString(line.x * point, page[1] - line.baseline * point, line.text)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def zpl(drawing: Drawing) -> bytes:
    """Return the paper in the language of label printers: their own bars, text and QR as bitmaps.

    The printers' fonts lack the Kazakh letters, and their QR chooses version and mask by itself.
    """
    width, height = drawing.size
    bars = drawing.bars
    side = len(symbols.matrix(drawing.square.number)) * drawing.square.module
    square = Image.new("1", (side, side), 0)
    _fill(
        ImageDraw.Draw(square),
        drawing.square.rectangles(),
        dx=-drawing.square.x,
        dy=-drawing.square.y,
        ink=1,
    )
    fields = [
        "^XA",
        f"^PW{width}^LL{height}^LH0,0",
        f"^FO{bars.x},{bars.y}^BY{bars.module}^BCN,{bars.height},N,N,N,A^FD{bars.number}^FS",
        _graphic(square, x=drawing.square.x, y=drawing.square.y),
    ]
    for line in drawing.lines:
        ascent, descent = lettering.font(line.face, line.size).getmetrics()
        picture = Image.new("1", (width, ascent + descent), 0)
        _write(ImageDraw.Draw(picture), line, dx=0, dy=ascent - line.baseline, ink=1)
        inked = picture.getbbox()
        if inked is not None:
            fields.append(_graphic(picture.crop(inked), x=inked[0], y=line.baseline - ascent + inked[1]))
    return "\n".join([*fields, "^XZ", ""]).encode("ascii")


def _fill(
    draw: ImageDraw.ImageDraw,
    rectangles: Iterator[tuple[int, int, int, int]],
    *,
    dx: int,
    dy: int,
    ink: int = 0,
) -> None:
    for x, y, across, down in rectangles:
        draw.rectangle((x + dx, y + dy, x + dx + across - 1, y + dy + down - 1), fill=ink)


def _write(draw: ImageDraw.ImageDraw, line: Line, *, dx: int, dy: int, ink: int = 0) -> None:
    place = (line.x + dx, line.baseline + dy)
    draw.text(place, line.text, font=lettering.font(line.face, line.size), fill=ink, anchor="ls")


def _graphic(picture: Image.Image, *, x: int, y: int) -> str:
    """Return a bitmap (set bits are ink) as a ZPL graphic field."""
    row = (picture.width + 7) // 8
    data = picture.tobytes()
    return f"^FO{x},{y}^GFA,{len(data)},{len(data)},{row},{data.hex().upper()}^FS"


@cache
def _register_fonts() -> None:
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415

    for face in (lettering.REGULAR, lettering.BOLD):
        pdfmetrics.registerFont(TTFont(face, lettering.path(face)))
