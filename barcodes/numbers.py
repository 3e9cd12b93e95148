"""The numbers of packets, manifests and command codes: how they are made, checked, grouped and taken apart.

A packet is `OOOO YY SSSSSS KK` (14 digits), a manifest `80 OOOO YY SSSSSS KK` (16), a command code `98
CCCCCC KK` (10). KK is ISO/IEC 7064 MOD 97-10: a number is right when it leaves 1 after division by 97.
Digits only, because they survive every keyboard layout; an even count, because it is pure Code 128 set
C; never 12 digits (an IIN) or 13 (EAN). The number is guessable by design: what a citizen may look up
needs a token of its own.
"""

from dataclasses import dataclass
from enum import StrEnum

from config.errors import BadInputError
from config.language import Text

MANIFEST_PREFIX = "80"
COMMAND_PREFIX = "98"
PACKET_LENGTH = 14
MANIFEST_LENGTH = 16
COMMAND_LENGTH = 10
FIRST_YEAR = 2000
LAST_YEAR = 2099
LAST_SERIAL = 999_999


class Kind(StrEnum):
    """What a code is."""

    PACKET = "packet"
    MANIFEST = "manifest"
    COMMAND = "command"
    IIN = "iin"
    """An individual (IIN) or business (BIN) identification number: a person's data, never ours."""
    POSTAL = "postal"
    """A number of the post (UPU S10)."""
    BAD_CHECK = "bad_check"
    """The length of one of our numbers, but the check digits do not agree."""
    UNKNOWN = "unknown"


OURS = frozenset({Kind.PACKET, Kind.MANIFEST, Kind.COMMAND})
"""The kinds whose codes this module makes."""

_LENGTHS = {PACKET_LENGTH: Kind.PACKET, MANIFEST_LENGTH: Kind.MANIFEST, COMMAND_LENGTH: Kind.COMMAND}


class Command(StrEnum):
    """What a code of the printed desk card asks for."""

    CLOSE_BATCH = "close_batch"
    UNDO = "undo"
    YES = "yes"
    NO = "no"
    PRINT = "print"


_COMMAND_DIGITS = {
    # Printed on cards that lie on desks for years: a meaning may be added, never changed.
    Command.CLOSE_BATCH: "000001",
    Command.UNDO: "000002",
    Command.YES: "000003",
    Command.NO: "000004",
    Command.PRINT: "000005",
}
_COMMANDS = {digits: command for command, digits in _COMMAND_DIGITS.items()}


class BadNumberError(BadInputError):
    """A text that is no number of a packet or manifest."""

    code = "bad_number"
    text = Text(
        "This is not a number of a packet or a manifest. Scan it again or type the digits under the bars."
    )


class BadPartError(BadInputError):
    """A part from which a number cannot be made; `part` and `value` say which."""

    code = "bad_number_part"
    text = Text("The {part} {value} cannot stand in a number: {rule}.")


class SerialsExhaustedError(BadInputError):
    """The counter of an office has no six-digit serial left in this year; `office` and `year` say where."""

    code = "serials_exhausted"
    text = Text(
        "Office {office} has used all 999999 serials of {year}. "
        "Ask the operator to open a second office code for the rest of the year."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """The parts of the number of a packet or a manifest."""

    kind: Kind
    office: str
    """Four digits of the office register, the first 1-8."""
    year: int
    """All four digits: the two of the number mean 2000-2099."""
    serial: int
    check: str
    code: str
    """The number itself."""


def check_digits(digits: str) -> str:
    """Return the two ISO/IEC 7064 MOD 97-10 check digits (`02`-`98`) that belong behind `digits`."""
    # Imported here: the package costs more than this whole module, and checking a number does not need it.
    from stdnum.iso7064 import mod_97_10  # noqa: PLC0415

    return str(mod_97_10.calc_check_digits(digits))


def packet_number(office: str, year: int, serial: int) -> str:
    """Return the 14 digits of a packet from its office code, full year (2000-2099) and serial (1-999999).

    Raise `SerialsExhaustedError` when the serial needs more than six digits, `BadPartError` for other parts.
    """
    return _with_check(_stem(office, year, serial))


def manifest_number(office: str, year: int, serial: int) -> str:
    """Return the 16 digits of a manifest; the parts and errors are those of `packet_number`."""
    return _with_check(MANIFEST_PREFIX + _stem(office, year, serial))


def command_code(command: Command) -> str:
    """Return the 10 digits that stand for `command` on the desk card."""
    return _with_check(COMMAND_PREFIX + _COMMAND_DIGITS[command])


def command_of(code: str) -> Command | None:
    """Return what a command code asks for; None when it is none, or one that a newer version prints."""
    return _COMMANDS.get(code[2:8]) if kind_of(code) is Kind.COMMAND else None


def kind_of(code: str) -> Kind:
    """Return which of our numbers `code` (digits alone, without spaces) is, by form and check.

    `BAD_CHECK` has the length of one of ours, but its check digits disagree; everything else is `UNKNOWN`.
    Foreign numbers are told apart by `barcodes.typed`.
    """
    kind = _LENGTHS.get(len(code))
    # `isdigit` alone would let Arabic-Indic digits and superscripts in.
    if kind is None or not (code.isascii() and code.isdigit()):
        return Kind.UNKNOWN
    if int(code) % 97 != 1:
        return Kind.BAD_CHECK
    if kind is Kind.COMMAND:
        return kind if code.startswith(COMMAND_PREFIX) else Kind.UNKNOWN
    if kind is Kind.MANIFEST and not code.startswith(MANIFEST_PREFIX):
        return Kind.UNKNOWN
    first_of_office = code[0] if kind is Kind.PACKET else code[2]
    return kind if "1" <= first_of_office <= "8" else Kind.UNKNOWN


def is_valid(code: str) -> bool:
    """Tell whether `code` has the form of one of our numbers and passes its check."""
    return kind_of(code) in OURS


def parse(code: str) -> Number:
    """Take the number of a packet or manifest apart; raise `BadNumberError` for anything else."""
    kind = kind_of(code)
    if kind not in {Kind.PACKET, Kind.MANIFEST}:
        raise BadNumberError
    own = code[-PACKET_LENGTH:]
    return Number(
        kind=kind,
        office=own[:4],
        year=FIRST_YEAR + int(own[4:6]),
        serial=int(own[6:12]),
        check=own[12:],
        code=code,
    )


def grouped(code: str) -> str:
    """Return a number in the groups that people read, `1001 26 000001 37`; any other text unchanged."""
    if not (code.isascii() and code.isdigit()):
        return code
    if len(code) == PACKET_LENGTH:
        return f"{code[:4]} {code[4:6]} {code[6:12]} {code[12:]}"
    if len(code) == MANIFEST_LENGTH:
        return f"{code[:2]} {grouped(code[2:])}"
    if len(code) == COMMAND_LENGTH:
        return f"{code[:2]} {code[2:8]} {code[8:]}"
    return code


def _with_check(digits: str) -> str:
    return digits + check_digits(digits)


def _stem(office: str, year: int, serial: int) -> str:
    if not (len(office) == 4 and office.isascii() and office.isdigit() and "1" <= office[0] <= "8"):
        raise BadPartError(part=Text("office code"), value=office, rule=Text("four digits, the first 1-8"))
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadPartError(part=Text("year"), value=year, rule=Text("four digits, 2000-2099"))
    if serial > LAST_SERIAL:
        raise SerialsExhaustedError(office=office, year=year)
    if serial < 1:
        raise BadPartError(part=Text("serial"), value=serial, rule=Text("serials count from 1"))
    return f"{office}{year % 100:02d}{serial:06d}"
