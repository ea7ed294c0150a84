"""Bytes -> JSON values and back, with the literals that Python clients send. This room does no I/O."""

import base64
import json
from types import NoneType
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.errors import PayloadError, Reason

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


_BLANK: Final = " \t\n\r"
"""The white space of JSON (RFC 8259, section 2)."""


def parse(text: bytes) -> Any:  # noqa: ANN401 - JSON holds any value
    """The value that a JSON text holds.

    Args:
        text: UTF-8, perhaps with a byte order mark; `NaN`, `Infinity` and `-Infinity` are understood,
            since Python's `json` writes them, though RFC 8259 has no such literals.

    Returns:
        dict, list, str, int, float, bool or None; every str can be encoded as UTF-8. A number beyond the
        range of a double is an exact int or an infinity.

    Raises:
        PayloadError: `MALFORMED` if it is not JSON, is nested too deeply to be read, holds half a surrogate
            pair or an integer of more digits than Python reads (4300).
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _parse_leniently(text)


def object_end(text: bytes) -> int:
    """Where the JSON value at the head of a mixed body ends, as an offset in bytes.

    Raises:
        PayloadError: `MALFORMED` if no JSON value stands at the head.
    """
    characters = text.decode("latin-1")  # one character a byte, so that the offset counts bytes
    start = len(characters) - len(characters.lstrip(_BLANK))
    try:
        return json.JSONDecoder().raw_decode(characters, start)[1]
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from error


def from_base64(value: object) -> bytes:
    """The bytes that a JSON string holds in base64 (RFC 4648, section 4).

    Raises:
        PayloadError: `MALFORMED` if it is no string, or not base64.
    """
    try:
        return base64.b64decode(value if isinstance(value, str) else "!", validate=True)
    except ValueError as error:
        raise PayloadError(Reason.MALFORMED, "A member that must be base64 is not.") from error


def serialise(value: Any) -> bytes:  # noqa: ANN401 - JSON holds any value
    """The JSON text of a value from `parse`, such that `parse` gives an equal value.

    Raises:
        PayloadError: `MALFORMED` if it is nested too deeply to be written.
    """
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _serialise_leniently(value)
    # orjson writes NaN and the infinities as null, the standard library as themselves.
    return _serialise_leniently(value) if b"null" in text else text


def _serialise_leniently(value: Any) -> bytes:  # noqa: ANN401 - JSON holds any value
    try:
        return json.dumps(value, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from error


def _parse_leniently(text: bytes) -> Any:  # noqa: ANN401 - JSON holds any value
    try:
        characters = text.decode("utf-8-sig")
        value = json.loads(characters)
        if "\\ud" in characters.lower():  # perhaps half a surrogate pair, which no UTF-8 can hold
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from error
    return value


def _malformed(error: Exception) -> PayloadError:
    cause = "it is nested too deeply" if isinstance(error, RecursionError) else f"{error}"
    return PayloadError(Reason.MALFORMED, f"The body is not JSON: {cause}.")
