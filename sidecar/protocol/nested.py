"""Nested lists of JSON values -> arrays, in which text stays text. This room does no I/O."""

from types import NoneType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import PayloadError, Reason

_NUMBERS: Final = frozenset({bool, int, float, NoneType})


def nested_array(values: list[Any], name: str) -> NDArray[Any]:
    """The values of nested lists in one block, each one as it was on the wire.

    Args:
        values: Lists of equal length at each depth, at most 64 deep.
        name: What the sentence of an error calls them.

    Returns:
        dtype object; each item is a str, a number, a bool, a dict or None.

    Raises:
        PayloadError: `MALFORMED` if the lists are ragged or too deep.
    """
    # With dtype object numpy never makes text of a number or a number of text, and what is ragged or
    # deeper than 64 is left in it as lists.
    block = np.array(values, dtype=object)
    if list in types_in(block):
        raise PayloadError(Reason.MALFORMED, f"The lists of {name} are ragged or nested too deeply.")
    return block


def types_in(block: NDArray[Any]) -> set[type]:
    """The Python types of the items of a block of dtype object."""
    return set(map(type, block.ravel().tolist()))


def is_numeric(block: NDArray[Any]) -> bool:
    """Whether every item is a number, a bool or missing; text is none of these, whatever it spells."""
    return block.dtype.kind in "biuf" or (block.dtype == object and types_in(block) <= _NUMBERS)


def as_numbers(block: NDArray[Any]) -> NDArray[Any]:
    """The block as float64 (null -> NaN, bool -> 0 or 1), or as it is if it cannot be that.

    It cannot if it holds text or objects, or an integer beyond the range of a double.
    """
    if not is_numeric(block):
        return block
    try:
        return block.astype(np.float64)
    except OverflowError:
        return block
