"""Words that stand for a missing value: the usual ones among numbers, and those that an operator sets."""

import csv
import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.protocol.category import code, text_of

NO_WORDS: Final[frozenset[str]] = frozenset()

_AMONG_NUMBERS: Final = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "null", "none"})
"""In lower case. They cannot be numbers, so that nothing is lost; as a category each of them may be meant."""


def split_words(text: str) -> frozenset[str]:
    """The words of a list with commas between them; a word with a comma, or with a space before it, is in quotes."""
    return frozenset(next(csv.reader([text], skipinitialspace=True), ())) - {""}


def is_missing_number(text: str, words: frozenset[str] = NO_WORDS) -> bool:
    """Whether a text in a column of numbers stands for a missing value.

    Args:
        text: The whole cell. The usual words count in any case, and with spaces around them.
        words: Words that an operator has set; they count exactly as they are written.
    """
    return text in words or text.strip().lower() in _AMONG_NUMBERS


def blank_numbers(values: NDArray[np.float64], words: frozenset[str]) -> NDArray[np.float64]:
    """Numbers, with NaN for those that a word names: the word `-999` stands for -999 and -999.0."""
    return _blank(values, _numbers(words)) if words else values


def blank_categories(values: NDArray[np.float64], words: frozenset[str]) -> NDArray[np.float64]:
    """Codes of categories, with NaN for those of the words."""
    return _blank(values, _codes(words)) if words else values


def _blank(values: NDArray[np.float64], missing: tuple[float, ...]) -> NDArray[np.float64]:
    return np.where(np.isin(values, missing), np.nan, values) if missing else values


@lru_cache(maxsize=64)
def _numbers(words: frozenset[str]) -> tuple[float, ...]:
    return tuple(value for word in words if math.isfinite(value := _number(word)))


def _number(word: str) -> float:
    try:
        return float(word) if word.isascii() and "_" not in word else math.nan
    except ValueError:
        return math.nan


@lru_cache(maxsize=64)
def _codes(words: frozenset[str]) -> tuple[float, ...]:
    return tuple(code(text) for word in words if (text := text_of(word)) is not None)
