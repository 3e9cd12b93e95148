"""Every symbol that is drawn is decoded back, also from bad pictures."""

import random
from itertools import groupby
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from barcodes.numbers import Command, command_code, manifest_number, packet_number
from barcodes.symbols import Symbology, UndrawableError, bars, dots_per_module, matrix, png, runs, svg
from tests.unit.barcodes.decoding import decoded, from_png, from_svg

NUMBERS = [
    packet_number("1001", 2026, 1),
    packet_number("8999", 2099, 999_999),
    manifest_number("1019", 2026, 42),
    *map(command_code, Command),
]
FORMATS = {Symbology.CODE128: "Code128", Symbology.QR: "QRCode"}
symbologies = pytest.mark.parametrize("symbology", list(Symbology))
numbers = pytest.mark.parametrize("number", NUMBERS)


@numbers
def test_bars_are_pure_set_c(number: str) -> None:
    modules = bars(number)
    assert len(modules) == 11 * (1 + len(number) // 2 + 1) + 13
    assert modules.startswith("11010011100")
    assert modules.endswith("1100011101011")
    assert bars(number) == modules


def test_the_known_symbol_of_fourteen_digits_is_112_modules_wide() -> None:
    assert len(bars(NUMBERS[0])) == 112
    assert {len(row) for row in matrix(NUMBERS[0])} == {21}
    assert len(matrix(NUMBERS[0])) == 21


@pytest.mark.parametrize("text", ["", "1", "123", "12a4", "9912345678", "٠١٢٣", "1234 ", "12" * 17, "½½"])
def test_what_has_no_symbol_is_refused(text: str) -> None:
    for draw in (bars, matrix, svg, png):
        with pytest.raises(UndrawableError, match="even count of digits"):
            draw(text)


def test_runs() -> None:
    assert runs("1101001") == [(0, 2), (3, 1), (6, 1)]
    assert runs("000") == []


@numbers
@symbologies
@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_png_decodes(number: str, symbology: Symbology, dpi: int) -> None:
    picture = from_png(png(number, symbology=symbology, dpi=dpi))
    assert decoded(picture) == {(FORMATS[symbology], number)}
    assert picture.info["dpi"] == pytest.approx((dpi, dpi), abs=0.05)


@numbers
@symbologies
@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_png_modules_are_whole_pixels_and_quiet_zones_white(
    number: str, symbology: Symbology, dpi: int
) -> None:
    picture = from_png(png(number, symbology=symbology, dpi=dpi))
    assert picture.mode == "1"
    is_qr = symbology is Symbology.QR
    dots = {203: 4 if is_qr else 3, 300: 6 if is_qr else 4, 600: 12 if is_qr else 9}[dpi]
    assert dots_per_module(dpi, 0.5 if is_qr else 0.375) == dots
    quiet = 4 if is_qr else 10
    rows = [
        "".join("0" if picture.getpixel((x, y)) else "1" for x in range(picture.width))
        for y in range(0, picture.height, 1 if is_qr else 40)
    ]
    drawn = [row for row in rows if "1" in row]
    assert drawn
    for row in drawn:
        assert all(len(list(same)) % dots == 0 for _, same in groupby(row))
        assert row.index("1") >= quiet * dots
        assert row[::-1].index("1") >= quiet * dots
    if is_qr:
        assert not any("1" in row for row in rows[: quiet * dots] + rows[-quiet * dots :])
        assert len(drawn) == 21 * dots
    else:
        assert len(set(rows)) == 1
        assert picture.height == round(12 * dpi / 25.4)


@numbers
@symbologies
@pytest.mark.parametrize("scale", [2, 3, 7])
def test_svg_decodes(number: str, symbology: Symbology, scale: int) -> None:
    drawn = svg(number, symbology=symbology)
    assert decoded(from_svg(drawn, scale=scale)) == {(FORMATS[symbology], number)}


def test_svg_has_a_view_box_true_sizes_and_no_prolog() -> None:
    drawn = svg(NUMBERS[0], module_mm=0.3, height_mm=8)
    assert drawn.startswith("<svg ")
    root = ET.fromstring(drawn)  # noqa: S314 - our own output
    assert root.get("viewBox") == "0 0 132 26.667"
    assert root.get("width") == "39.6mm"
    assert float(str(root.get("height")).removesuffix("mm")) == pytest.approx(8, abs=0.001)
    assert root.findtext("{*}title") == "1001 26 000001 59"


@settings(max_examples=40, deadline=None)
@given(st.integers(1000, 8999), st.integers(2000, 2099), st.integers(1, 999_999))
def test_any_number_decodes(office: int, year: int, serial: int) -> None:
    for make in (packet_number, manifest_number):
        number = make(str(office), year, serial)
        for symbology, name in FORMATS.items():
            assert decoded(from_png(png(number, symbology=symbology))) == {(name, number)}


def degraded(picture: Image.Image, *, angle: float, blur: float, noise: int, seed: int) -> Image.Image:
    """Return a picture as a phone takes it: on a bigger white ground, turned, out of focus, with grain."""
    ground = Image.new("L", (picture.width + 200, picture.height + 200), 235)
    ground.paste(picture.convert("L"), (100, 100))
    turned = ground.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=235)
    soft = turned.filter(ImageFilter.GaussianBlur(blur))
    grain = Image.frombytes("L", soft.size, random.Random(seed).randbytes(soft.width * soft.height))
    return Image.blend(soft, grain, noise / 100)


@symbologies
@pytest.mark.parametrize("dpi", [203, 300, 600])
@pytest.mark.parametrize("angle", [0, 4, -11, 93, 180])
def test_a_worn_picture_decodes_and_never_to_something_else(
    symbology: Symbology, dpi: int, angle: float
) -> None:
    read = 0
    for seed, number in enumerate(NUMBERS[:3]):
        picture = from_png(png(number, symbology=symbology, dpi=dpi))
        # The blur is a share of the module, so that each resolution is worn alike.
        module = dots_per_module(dpi, 0.375)
        found = decoded(degraded(picture, angle=angle, blur=0.3 * module, noise=10, seed=seed))
        assert found <= {(FORMATS[symbology], number)}
        read += bool(found)
    assert read == 3
