"""Cells of text as numbers."""

from typing import Final

MISSING: Final = frozenset({"", "nan", "na", "null"})
"""Cells, in lower case, that mean a missing value."""

_TRUTH: Final = {"true": 1.0, "false": 0.0}


def number(cell: str) -> float | None:
    """A cell as a number, NaN if it is missing, `None` if it is text."""
    word = cell.strip().lower()
    if word in MISSING:
        return float("nan")
    if word in _TRUTH:
        return _TRUTH[word]
    if "_" in word or not word.isascii():
        return None
    try:
        return float(word)
    except ValueError:
        return None
