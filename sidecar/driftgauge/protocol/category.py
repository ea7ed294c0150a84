"""Categories as numbers for the float64 cells of the ring: the same number in every process and release."""

import math
import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final

_BITS: Final = 53
"""Whole numbers up to 2**53 are exact in float64."""

MAX_TEXT_CHARS: Final = 200
"""Longest text of a category that is kept and shown. Longer texts get a number only."""


def code(text: str) -> float:
    """The number of a category.

    Args:
        text: The text of the category, as `text_of` returns it.

    Returns:
        A whole number in [0, 2**53), exact in float64. Among 10,000 categories, the probability that
        two share a number is about 6e-9.
    """
    return remembered(text) if len(text) <= MAX_TEXT_CHARS else _hashed(text)


def _hashed(text: str) -> float:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return float(int.from_bytes(digest) >> (64 - _BITS))


remembered = lru_cache(maxsize=65_536)(_hashed)
"""`code` of short texts. Long texts are not cached, since the size of the cache counts texts and not characters."""


_WHOLE: Final = re.compile(r"(-?(?:0|[1-9]\d{0,15}))\.0", re.ASCII)
"""A whole number as a float is written, up to 16 digits: those that are written without an exponent."""


def _without_point(text: str) -> str:
    if text.endswith(".0") and (whole := _WHOLE.fullmatch(text)):
        return str(int(whole[1]))
    return text


def text_of(value: object) -> str | None:
    """The text of a category, from a value of a payload or a file; `None` if missing (`None`, NaN, empty text).

    Args:
        value: A number becomes its shortest decimal, without a point if it is whole, and a bool `true` or `false`.
            UTF-8 bytes are decoded. Text is unchanged, except that `94103.0` becomes `94103`: a column of whole
            numbers becomes one of floats as soon as a value is missing, so that the same code has both forms.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if isinstance(value, str):
        return _without_point(value) or None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) or None
