"""Which characters can be kept: what no keyboard types is refused before it reaches a database."""

import unicodedata


def storable(text: str) -> bool:
    """Tell whether `text` can be kept: it has no control characters but line ends and tabs, and no half characters."""
    return not any(
        unicodedata.category(character) in {"Cc", "Cs"} and character not in "\r\n\t" for character in text
    )
