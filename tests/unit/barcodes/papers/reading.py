"""What tests of papers share: a PDF as poppler reads it, in words and in pixels."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import unescape
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image, ImageFilter

CODE128, QR = "Code128", "QRCode"


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} of poppler-utils is not installed")
    return found


def words(pdf: bytes) -> str:
    """Return the text of all pages in the order in which it was written, every run of white one space."""
    done = subprocess.run(
        [_program("pdftotext"), "-raw", "-enc", "UTF-8", "-", "-"], input=pdf, capture_output=True, check=True
    )
    assert not done.stderr, done.stderr
    return " ".join(done.stdout.decode().split())


def boxes(pdf: bytes) -> list[list[tuple[str, float, float, float, float]]]:
    """Return for each page its words with their places in points: left, top, right, bottom."""
    done = subprocess.run(
        [_program("pdftotext"), "-bbox", "-enc", "UTF-8", "-", "-"],
        input=pdf,
        capture_output=True,
        check=True,
    )
    pages = done.stdout.decode().split("<page ")[1:]
    pattern = re.compile(
        r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>'
    )
    return [
        [(unescape(text), *map(float, place)) for *place, text in pattern.findall(page)]  # type: ignore[misc]
        for page in pages
    ]


def pixels(pdf: bytes, *, dpi: int, page: int = 1, down_to: float = 300.0) -> Image.Image:
    """Return one page, or its upper `down_to` mm, as a printer of `dpi` has it: black and white, hard edges."""
    done = subprocess.run(
        [
            _program("pdftoppm"),
            "-r",
            str(dpi),
            "-mono",
            "-H",
            str(round(down_to / 25.4 * dpi)),
            "-f",
            str(page),
            "-l",
            str(page),
            "-",
        ],
        input=pdf,
        capture_output=True,
        check=True,
    )
    return Image.open(BytesIO(done.stdout)).convert("L")


def degraded(picture: Image.Image, *, dpi: int) -> Image.Image:
    """Return a page as a scanner finds it: toner spread, a little turned, blurred, grey paper."""
    grey = picture.point(lambda value: 40 if value < 128 else 215)
    turned = grey.rotate(1.3, Image.Resampling.BICUBIC, expand=True, fillcolor=215)
    return turned.filter(ImageFilter.GaussianBlur(0.4 + dpi / 500))


def symbols(picture: Image.Image) -> set[tuple[str, str]]:
    """Return the format and text of every symbol that zxing-cpp finds."""
    return {(result.format.name, result.text) for result in zxingcpp.read_barcodes(picture)}


def both(*numbers: str) -> set[tuple[str, str]]:
    """Return what a page with both symbols of `numbers` must decode to."""
    return {(name, number) for number in numbers for name in (CODE128, QR)}


def only_bars(*numbers: str) -> set[tuple[str, str]]:
    """Return what the rows of `numbers` must decode to."""
    return {(CODE128, number) for number in numbers}
