"""A category as a number: text in the ring's float64 cells, the same number in every process and for ever.

This room is pure.
"""

import math
from functools import lru_cache
from hashlib import blake2b

_BITS = 53
"""Whole numbers up to 2**53 are exact in float64."""


MAX_TEXT_CHARS = 200
"""Longer texts are no names: they get a number, but are neither kept nor shown whole."""


def code(text: str) -> float:
    """The number that stands for a category.

    Args:
        text: The category as `text_of` writes it.

    Returns:
        A whole number in [0, 2**53), exact in float64. Among 10,000 categories two share a number with a
        chance of about 6e-9.
    """
    return remembered(text) if len(text) <= MAX_TEXT_CHARS else _hashed(text)


def _hashed(text: str) -> float:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return float(int.from_bytes(digest) >> (64 - _BITS))


remembered = lru_cache(maxsize=65_536)(_hashed)
"""`code` of texts that are short: the cache counts texts and not their characters, so long ones are kept out of it."""


def text_of(value: object) -> str | None:
    """A value of the wire or of a file as a category's text; `None` if it is missing (`None`, NaN, empty text).

    Args:
        value: Text as it is, UTF-8 bytes decoded, a bool as `true` or `false`, a number in its shortest
            decimal form, whole ones without a point: 3 and 3.0 are one category.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape") or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) or None
