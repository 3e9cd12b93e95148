"""Whatever a scanner or a person types, the number that was meant comes back, or nothing does."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from barcodes.foreign import s10_check, without_iin
from barcodes.numbers import (
    OURS,
    Command,
    Kind,
    command_code,
    is_valid,
    kind_of,
    manifest_number,
    packet_number,
)
from barcodes.typed import ADVICE, NOTHING, TOO_LONG, UNKNOWN_COMMAND, iin_check, read

US = "1234567890-"
LAYOUTS = {
    "kk": '"әіңғ,.үұқө',
    "kk+shift": "!ӘІҢҒ;:ҮҰҚӨ",
    "kk+caps": '"ӘІҢҒ,.ҮҰҚӨ',
    "kk_latin": '"áíńǵ,.úýóś',
    "kk_latin+caps": '"ÁÍŃǴ,.ÚÝÓŚ',
}
# Vectors from the field's own documents; none belongs to a person of ours.
IINS = ["990101300013", "850315500120", "610316987653", "950240400009", "123456789013"]
PACKET = packet_number("1001", 2026, 1)

codes = st.one_of(
    st.builds(
        packet_number, st.integers(1000, 8999).map(str), st.integers(2000, 2099), st.integers(1, 999_999)
    ),
    st.builds(
        manifest_number, st.integers(1000, 8999).map(str), st.integers(2000, 2099), st.integers(1, 999_999)
    ),
    st.sampled_from(Command).map(command_code),
)


def typed(code: str, layout: str) -> str:
    return code.translate(str.maketrans(US, LAYOUTS[layout]))


def iin(stem: str) -> str | None:
    """Return the 12 digits of an 11-digit stem by the published sum, or None where it is not issued."""
    for first in (1, 3):
        total = sum(((first - 1 + place) % 11 + 1) * int(digit) for place, digit in enumerate(stem)) % 11
        if total < 10:
            return f"{stem}{total}"
    return None


@given(codes)
def test_a_number_comes_through_as_it_is(code: str) -> None:
    reading = read(code)
    assert (reading.kind, reading.code, reading.raw, reading.repair) == (kind_of(code), code, code, "none")


@given(codes, st.sampled_from(sorted(LAYOUTS)), st.sampled_from(["", "\r", "\n", "\r\n", "\t"]))
def test_a_number_comes_through_every_layout(code: str, layout: str, suffix: str) -> None:
    reading = read(typed(code, layout) + suffix)
    assert (reading.kind, reading.code) == (kind_of(code), code)
    # A number of 1, 6 and 7 alone looks the same under both Kazakh layouts.
    assert reading.repair in {"kk", layout.split("+", maxsplit=1)[0]}


@given(
    codes, st.lists(st.sampled_from([" ", "\u00a0", "\u202f", "\u2009", "-", "–", "−", ".", ""]), min_size=17)
)
def test_typed_numbers_may_be_separated(code: str, separators: list[str]) -> None:
    text = "".join(digit + between for digit, between in zip(code, separators, strict=False))
    assert read(f" {text} ").code == code


@given(codes, st.sampled_from(["]C0", "]C1", "]Q1", "]d1", "]d2"]))
def test_aim_prefixes_are_stripped(code: str, prefix: str) -> None:
    assert (read(prefix + code).code, read(prefix + code).repair) == (code, "aim")
    # The bracket and the letters lie on Cyrillic keys, the digit in the number row.
    cyrillic = prefix.translate(str.maketrans("]CQd", "ъСЙв"))
    assert read(cyrillic + code).code == code
    kazakh = cyrillic[:2] + typed(prefix[2] + code, "kk")
    assert (read(kazakh).code, read(kazakh).repair) == (code, "aim+kk")


@given(codes, st.sampled_from(sorted(LAYOUTS)))
def test_a_dash_of_the_layout_is_a_dash(code: str, layout: str) -> None:
    assert read(typed(f"{code[:4]}-{code[4:]}", layout)).code == code


def test_accents_may_arrive_taken_apart() -> None:
    assert read(typed(PACKET, "kk_latin").replace("ó", "o\u0301").replace("á", "a\u0301")).code == PACKET


def test_pasted_text_may_carry_invisible_characters() -> None:
    assert read(f"\ufeff\u200e{PACKET[:4]}\u200b{PACKET[4:]}\u2069").code == PACKET


@given(st.text(max_size=260))
def test_no_text_raises_or_yields_a_code_that_fails_its_check(raw: str) -> None:
    reading = read(raw)
    assert (reading.code is not None) == (reading.kind in OURS)
    assert reading.code is None or (is_valid(reading.code) and kind_of(reading.code) is reading.kind)
    assert len(reading.raw) <= 200
    assert reading.advice.render("en")


@given(
    st.text(
        alphabet=[*US, *"".join(LAYOUTS.values()), *" \u00a0\r\n\x1d]CQdъСЙв", "\ud800", "\x00", "\x85"],
        max_size=40,
    )
)
def test_no_text_of_likely_keys_raises_or_yields_a_wrong_code(raw: str) -> None:
    reading = read(raw)
    assert reading.code is None or is_valid(reading.code)
    # Storable in PostgreSQL and in a log line.
    assert "\x00" not in reading.raw
    assert reading.raw.isprintable() or set(reading.raw) & set("\u00a0")
    reading.raw.encode()


@given(codes, st.data())
def test_a_wrong_digit_is_refused_on_every_layout(code: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(code) - 1))
    digit = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != code[place]]))
    wrong = code[:place] + digit + code[place + 1 :]
    for text in (wrong, *(typed(wrong, layout) for layout in LAYOUTS)):
        reading = read(text)
        assert (reading.kind, reading.code, reading.raw) == (Kind.BAD_CHECK, None, text)
        assert "type the number under the bars" in reading.advice.render("en")


def test_layouts_are_never_mixed() -> None:
    """Digits beside commas and quotes are a text or a telephone, not a number under a Kazakh layout."""
    assert read(PACKET[:7] + typed(PACKET[7:], "kk")).code is None
    assert read(PACKET.replace("6", ",")).code is None
    assert read(typed(PACKET[:7], "kk") + typed(PACKET[7:], "kk_latin")).code is None


def test_two_scans_that_ran_together_are_refused() -> None:
    assert read(f"{PACKET}\r{PACKET}\r").code is None
    assert read(f"{PACKET[:7]}\r{PACKET[7:]}").code is None


@pytest.mark.parametrize("vector", IINS)
def test_an_iin_is_called_so_and_never_repeated(vector: str) -> None:
    assert iin_check(vector)
    spoken = f"{vector[:6]} {vector[6:]}"
    for text in (vector, spoken, f"]C1{vector}\r", *(typed(vector, layout) for layout in LAYOUTS)):
        reading = read(text)
        assert (reading.kind, reading.code) == (Kind.IIN, None)
        assert vector not in repr(reading)
        assert text not in repr(reading)
    assert "This is an IIN" in ADVICE[Kind.IIN].render("en")


@pytest.mark.parametrize("vector", IINS)
def test_an_iin_inside_other_text_is_blotted_out(vector: str) -> None:
    for text in (f"ИИН {vector}.", f"x{vector[:6]} {vector[6:]}y", "z" * 195 + vector, "z" * 300 + vector):
        reading = read(text)
        assert reading.kind is Kind.UNKNOWN
        assert vector[:11] not in reading.raw.replace(" ", "")
        assert not any(character.isdigit() for character in reading.raw)
    assert without_iin("order 123456789012 of 2026") == "order 123456789012 of 2026"


def test_iin_check_digits() -> None:
    dice = random.Random(12)
    issued = 0
    for _ in range(5_000):
        stem = f"{dice.randrange(10**11):011d}"
        expected = iin(stem)
        issued += expected is not None
        assert [f"{stem}{n}" for n in range(10) if iin_check(f"{stem}{n}")] == (
            [expected] if expected else []
        )
    assert 0.95 < issued / 5_000 < 1
    for text in (
        "",
        "99010130001",
        "9901013000133",
        "99010130001x",
        "٩٩٠١٠١٣٠٠٠١٣",
        "990101 300013",
        "0" * 12,
    ):
        assert not iin_check(text)


@given(st.integers(0, 10**11 - 1))
def test_an_iin_is_never_taken_for_a_packet(stem: int) -> None:
    number = iin(f"{stem:011d}")
    if number is not None and stem:
        assert read(number).kind is Kind.IIN
        for layout in LAYOUTS:
            assert read(typed(number, layout)).kind is Kind.IIN


@given(st.integers(0, 10**8 - 1), st.sampled_from(["RR", "CP", "EE"]), st.sampled_from(["KZ", "RU", "CN"]))
def test_a_postal_number_is_never_taken_for_a_packet(serial: int, service: str, country: str) -> None:
    right = [
        f"{service}{serial:08d}{digit}{country}"
        for digit in range(10)
        if s10_check(f"{service}{serial:08d}{digit}{country}")
    ]
    assert len(right) == 1
    for text in (right[0], right[0].lower(), f"{right[0][:2]} {right[0][2:5]} {right[0][5:]}"):
        assert (read(text).kind, read(text).code, read(text).raw) == (Kind.POSTAL, None, text)


def test_postal_check_digits() -> None:
    # The worked example of the standard.
    assert s10_check("RR473124829GB")
    # A remainder of 0 gives 5, one of 1 (4 × 3 = 12) gives 0.
    assert s10_check("RR000000005KZ")
    assert s10_check("RR003000000KZ")
    assert not s10_check("RR473124828GB")
    assert not s10_check("RR47312482GB")
    assert read("RR473124828KZ").kind is Kind.UNKNOWN


def test_what_is_unknown_says_why() -> None:
    assert read("").advice == NOTHING
    assert read(" \r\n").advice == NOTHING
    assert read("7" * 201).advice == TOO_LONG
    assert read("4006381333931").kind is Kind.UNKNOWN
    newer = next(f"98000099{n:02d}" for n in range(2, 99) if int(f"98000099{n:02d}") % 97 == 1)
    assert (read(newer).kind, read(newer).advice) == (Kind.COMMAND, UNKNOWN_COMMAND)


def test_control_characters_are_shown_not_kept() -> None:
    assert read(f"\x02{PACKET}\x03\r").raw == f"␂{PACKET}␃␍"
    assert read(f"\x02{PACKET}\x03\r").code == PACKET
    assert read("a\x7f\ud83d\u2028b").raw == "a␡\ufffd\ufffdb"
