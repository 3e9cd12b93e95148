"""Letters as careless people type them: Kazakh, Russian and look-alike Latin ones made equal."""

from __future__ import annotations

import re

# A letter that only one of the two alphabets has becomes its neighbour on the other keyboard; Latin letters that look
# the same become Cyrillic; pairs that change between Kazakh and Russian spelling of one name (ы/и, ш/ч/щ, е/э) meet.
_LETTERS = str.maketrans(
    {
        **dict(zip("әіғқңөұүһёйыэчщ", "аигкноуухеииешш", strict=True)),
        **dict(zip("aceikmoptxy", "асеикмортху", strict=True)),
        "ь": None,
        "ъ": None,
    }
)
_TWICE = re.compile(r"(.)\1+")
_WORDS = re.compile(r"[^\W_]+")


def evened(text: str) -> str:
    """Return `text` in small letters, those of one sound made one, and doubled ones single."""
    return singled(text.casefold().translate(_LETTERS))


def singled(text: str) -> str:
    """Return `text` with every doubled letter once."""
    return _TWICE.sub(r"\1", text)


def name_key(name: str) -> str:
    """Return the spelling under which a person's name is found; the key of its beginning begins the key of all of it.

    >>> name_key("Ахметова  Гүлнәр"), name_key("АХМЕТОВА-гу")
    ('ахметова гулнар', 'ахметова гу')
    """
    return " ".join(evened(word) for word in _WORDS.findall(name))
