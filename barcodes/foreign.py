"""Numbers that lie on the same desk but are not ours: IIN and BIN (12 digits), postal S10 (13 characters)."""

import re

_IIN_WEIGHTS = (
    (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2),
)
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_S10_FORM = re.compile(r"[A-Z]{2}([0-9]{8})([0-9])[A-Z]{2}")
_IIN_FORM = re.compile(r"[0-9]{12}")
_IIN_WITHIN = re.compile(r"(?<![0-9])(?:[0-9][ .-]?){11}[0-9](?![0-9])")
_NO_DIGIT = re.compile("[^0-9]")
HIDDEN = "•" * 12
"""What stands in the place of an IIN."""


def iin_check(text: str) -> bool:
    """Tell whether 12 digits are an IIN or BIN by their check digit, and by nothing else.

    The link to the date of birth and the sex was removed (decree 853 of 2013), so neither is looked at.
    """
    # Twelve zeros satisfy the sum, and are what one types to get past a field: nobody has that number.
    if _IIN_FORM.fullmatch(text) is None or text == "0" * 12:
        return False
    digits = [int(digit) for digit in text]
    for weights in _IIN_WEIGHTS:
        remainder = sum(weight * digit for weight, digit in zip(weights, digits[:11], strict=True)) % 11
        if remainder < 10:
            return remainder == digits[11]
    return False


def s10_check(text: str) -> bool:
    """Tell whether `text` is a postal number such as `RR473124829KZ` of any country (UPU standard S10)."""
    form = _S10_FORM.fullmatch(text)
    if form is None:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, form[1], strict=True))
    return {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11) == int(form[2])


def without_iin(text: str) -> str:
    """Return `text` with every IIN in it blotted out, fit to be logged and kept."""
    return _IIN_WITHIN.sub(lambda found: HIDDEN if iin_check(_NO_DIGIT.sub("", found[0])) else found[0], text)
