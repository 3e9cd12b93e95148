"""What tests of pictures share: our own vector output turned into pixels, and pixels read by zxing-cpp."""

import base64
import re
import zlib
from io import BytesIO

import zxingcpp
from PIL import Image, ImageDraw

from barcodes import symbols

_RECTANGLE = re.compile(r"M(\d+) (\d+)h(\d+)v([\d.]+)h-(\d+)z")
_VIEW_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def decoded(picture: Image.Image) -> set[tuple[str, str]]:
    """Return the format and text of every symbol that zxing-cpp finds."""
    return {(result.format.name, result.text) for result in zxingcpp.read_barcodes(picture.convert("L"))}


def both(number: str) -> set[tuple[str, str]]:
    """Return what a picture with both our symbols of `number` must decode to, no more and no less."""
    return {("Code128", number), ("QRCode", number)}


def from_png(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def from_svg(data: str, *, scale: int) -> Image.Image:
    """Draw the rectangles of the paths of an SVG of ours, `scale` pixels to a unit."""
    box = _VIEW_BOX.search(data)
    assert box is not None
    picture = Image.new("L", (round(float(box[1]) * scale), round(float(box[2]) * scale)), 255)
    draw = ImageDraw.Draw(picture)
    for x, y, across, down, back in _RECTANGLE.findall(data):
        assert across == back
        draw.rectangle(
            (
                int(x) * scale,
                int(y) * scale,
                (int(x) + int(across)) * scale - 1,
                round((int(y) + float(down)) * scale) - 1,
            ),
            fill=0,
        )
    return picture


def pdf_streams(data: bytes) -> list[str]:
    """Return the streams of a reportlab PDF that are compressed text: the pages."""
    return [
        zlib.decompress(base64.a85decode(stream.strip(), adobe=False)).decode("latin-1")
        for stream in re.findall(
            rb"/ASCII85Decode /FlateDecode.*?stream\r?\n(.*?)~>\s*endstream", data, re.DOTALL
        )
    ]


def from_pdf(data: bytes, *, dpi: int) -> Image.Image:
    """Draw the filled rectangles of a one-page PDF of ours at `dpi`."""
    media = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", data)
    assert media is not None
    width, height = float(media[1]), float(media[2])
    picture = Image.new("L", (round(width * dpi / 72), round(height * dpi / 72)), 255)
    draw = ImageDraw.Draw(picture)
    (page,) = pdf_streams(data)
    for rectangle in re.findall(r"([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re", page):
        x, y, across, down = (float(value) * dpi / 72 for value in rectangle)
        top = height * dpi / 72 - y - down
        draw.rectangle((round(x), round(top), round(x + across) - 1, round(top + down) - 1), fill=0)
    return picture


def from_zpl(data: bytes) -> Image.Image:
    """Play a label printer for the commands that we send; anything else fails."""
    commands = re.findall(r"\^([A-Z]{2})([^^\n]*)", data.decode("ascii"))
    assert commands[0] == ("XA", "")
    assert commands[-1] == ("XZ", "")
    settings = dict(commands)
    picture = Image.new("1", (int(settings["PW"]), int(settings["LL"])), 1)
    draw = ImageDraw.Draw(picture)
    x = y = module = height = 0
    for command, arguments in commands:
        parts = arguments.split(",")
        match command:
            case "FO":
                x, y = map(int, parts)
            case "BY":
                module = int(parts[0])
            case "BC":
                # Normal orientation, no text lines, no check digit of UCC, automatic choice of the code set.
                assert (parts[0], parts[2:]) == ("N", ["N", "N", "N", "A"])
                height = int(parts[1])
            case "FD":
                for start, length in symbols.runs(symbols.bars(arguments)):
                    left = x + start * module
                    draw.rectangle((left, y, left + length * module - 1, y + height - 1), fill=0)
            case "GF":
                kind, sent, total, row, digits = parts
                assert (kind, sent) == ("A", total)
                bits = bytes.fromhex(digits)
                assert len(bits) == int(total)
                ink = Image.frombytes("1", (int(row) * 8, int(total) // int(row)), bits)
                picture.paste(0, (x, y), ink)
            case other:
                assert other in {"XA", "XZ", "PW", "LL", "LH", "FS"}
    return picture
