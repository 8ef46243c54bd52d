"""Case and accent folding as the search does it."""

import unicodedata

PLAIN = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "’": "'",
                       "\u200b": None, "\u00ad": None})


def fold(text):
    """Implements the contract's "in every script that has case, with and without accents" with Python's Unicode
    database."""
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    return text.translate(PLAIN)
