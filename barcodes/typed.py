r"""What a scanner or a person typed, brought back to the number that was meant, or refused with what to do.

A scanner presses the keys of a US keyboard; under a Kazakh layout `1001` arrives as `"ққ"`. In this order:

1. control characters at both ends and the AIM prefix of the scanner (`]C1`) go;
2. digits with spaces, dashes or dots between them are taken as typed by a person;
3. a text made wholly of the number row of the Kazakh layout is mapped back, then of the Kazakh Latin one.

The dot and the comma are digits (7, 6) under a Kazakh layout, and the dot is a separator in a typed number.
The steps never mix the two: a text with a digit in it is read as in step 2, one without as in step 3. What
comes out is taken only when it passes its check; otherwise the text is kept and nothing is guessed.
"""

import re
import unicodedata
from dataclasses import dataclass, replace

from barcodes.foreign import HIDDEN, iin_check, s10_check, without_iin
from barcodes.numbers import OURS, Kind, command_of, kind_of
from config.language import Text

__all__ = ["Kind", "Reading", "iin_check", "read"]

LONGEST = 200
"""Characters of a text that are kept; a longer one is never read as a number."""

_IGNORED_ENDS = "".join(map(chr, (*range(0x21), *range(0x7F, 0xA1)))) + "\u2028\u2029"
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_SEPARATORS = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000.\\-\u2010-\u2015\u2212]")
_AIM = re.compile(
    # The keys of ]C0 ]C1 ]Q1 ]d1 ]d2 as they arrive under the US, RU and KK layouts.
    r"[]ъЪ](?:[CcСс][01!\"қҚ]|[QqЙй][1!\"]|[DdВв][12!\"әӘ])"
)
_KAZAKH = str.maketrans(
    {key: digit for row in ('"әіңғ,.үұқ', "!ӘІҢҒ;:ҮҰҚ") for key, digit in zip(row, "1234567890", strict=True)}
    | dict.fromkeys("өӨ", "-")
)
_KAZAKH_LATIN = str.maketrans(
    {key: digit for row in ('"áíńǵ,.úýó', '"ÁÍŃǴ,.ÚÝÓ') for key, digit in zip(row, "1234567890", strict=True)}
    | dict.fromkeys("śŚ", "-")
)
_LAYOUTS = (("kk", _KAZAKH), ("kk_latin", _KAZAKH_LATIN))
_DIGIT = re.compile("[0-9]")

ADVICE = {
    Kind.PACKET: Text("Packet number. Nothing more to type."),
    Kind.MANIFEST: Text("Manifest number. Nothing more to type."),
    Kind.COMMAND: Text("Command code. Nothing more to type."),
    Kind.IIN: Text("This is an IIN or BIN, not a packet number. Scan the barcode on the packet."),
    Kind.POSTAL: Text("This is a number of the post, not a packet number. Scan our label on the packet."),
    Kind.BAD_CHECK: Text(
        "The check digits do not agree: a digit was misread or mistyped. "
        "Scan again or type the number under the bars."
    ),
    Kind.UNKNOWN: Text(
        "This is no number of ours. A packet number has 14 digits, a manifest number 16. "
        "Scan the label on the packet or type the number under the bars."
    ),
}
"""What a person is told to do, by kind."""

UNKNOWN_COMMAND = Text("This command code is not known here. Print a new desk card.")
TOO_LONG = Text("Too much was read at once. Empty the field and scan one label at a time.")
NOTHING = Text("Nothing was read. Scan the label on the packet or type the number under the bars.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a typed text was taken for."""

    kind: Kind
    code: str | None
    """The number in digits alone; None unless it is ours and passes its check."""
    raw: str
    """The text as it came, fit to be stored: cut at 200, controls as pictures (U+2400), IINs blotted out."""
    repair: str
    """What was undone to read it: `none`, `aim`, `kk`, `kk_latin`, or `aim+kk` and the like."""
    advice: Text
    """What to do now."""


def read(raw: str) -> Reading:
    """Tell what `raw` is; never raise, never return a code that fails its check."""
    # Nearly every scan is this one.
    kind = kind_of(raw)
    if kind in OURS:
        return _reading(kind, raw, raw=raw, repairs=())
    # A little more than is kept, so that an IIN across the end is seen whole before it is cut.
    kept = without_iin(_storable(raw[: LONGEST + 24]))[:LONGEST]
    if len(raw) > LONGEST:
        return replace(_reading(Kind.UNKNOWN, None, raw=kept, repairs=()), advice=TOO_LONG)

    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", raw)).strip(_IGNORED_ENDS)
    if not text:
        return replace(_reading(Kind.UNKNOWN, None, raw=kept, repairs=()), advice=NOTHING)
    prefix = _AIM.match(text)
    aim = () if prefix is None else ("aim",)
    for repair, meant in _meanings(text[prefix.end() :] if prefix else text):
        kind = _kind(meant)
        if kind is not Kind.UNKNOWN:
            # A mapped IIN is a person's data in another alphabet.
            shown = HIDDEN if kind is Kind.IIN else kept
            return _reading(kind, meant, raw=shown, repairs=aim if repair is None else (*aim, repair))
    return _reading(Kind.UNKNOWN, None, raw=kept, repairs=aim)


def _meanings(text: str) -> list[tuple[str | None, str]]:
    """Return the ways to understand `text` as digits, each with its repair, the preferred one first."""
    if _DIGIT.search(text):
        return [(None, _SEPARATORS.sub("", text))]
    return [(name, _SEPARATORS.sub("", text.translate(layout))) for name, layout in _LAYOUTS]


def _kind(meant: str) -> Kind:
    kind = kind_of(meant)
    if kind is not Kind.UNKNOWN:
        return kind
    if iin_check(meant):
        return Kind.IIN
    return Kind.POSTAL if s10_check(meant.upper()) else Kind.UNKNOWN


def _reading(kind: Kind, code: str | None, *, raw: str, repairs: tuple[str, ...]) -> Reading:
    advice = ADVICE[kind]
    if kind is Kind.COMMAND and code is not None and command_of(code) is None:
        advice = UNKNOWN_COMMAND
    taken = code if kind in OURS else None
    return Reading(kind=kind, code=taken, raw=raw, repair="+".join(repairs) or "none", advice=advice)


def _storable(text: str) -> str:
    return "".join(map(_picture, text))


def _picture(character: str) -> str:
    """Return a character that a database, a log and a terminal can hold."""
    point = ord(character)
    if point < 0x20:
        return chr(0x2400 + point)
    if point == 0x7F:
        return "\u2421"
    # Lone surrogates cannot be encoded; C1 controls and line separators can falsify a log line.
    return "\ufffd" if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} else character
