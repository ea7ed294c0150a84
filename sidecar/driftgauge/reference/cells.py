"""Cells of text as numbers."""

from typing import Final

from driftgauge.protocol.missing_words import NO_WORDS, is_missing_number

_TRUTH: Final = {"true": 1.0, "false": 0.0}


def is_truth(cell: str) -> bool:
    """Whether a cell is `true` or `false`, in any case."""
    return cell.strip().lower() in _TRUTH


def number(cell: str, missing_words: frozenset[str] = NO_WORDS) -> float | None:
    """A cell as a number, NaN if it is missing (`is_missing_number`), `None` if it is text."""
    if is_missing_number(cell, missing_words):
        return float("nan")
    word = cell.strip().lower()
    if word in _TRUTH:
        return _TRUTH[word]
    if "_" in word or not word.isascii():
        return None
    try:
        return float(word)
    except ValueError:
        return None
