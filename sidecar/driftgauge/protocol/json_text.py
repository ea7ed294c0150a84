"""JSON text to values and back, and nested lists of values to arrays."""

import base64
import json
from types import NoneType
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.errors import PayloadError, Reason

_NUMBERS: Final = frozenset({bool, int, float, NoneType})

_PLAIN_NUMBERS: Final = frozenset({int, float, NoneType})

LARGEST_EXACT: Final = 2**53
"""All whole numbers up to this one are exact in float64."""

_BASE64_CHARS: Final = 256 * 1024
"""Characters that are decoded in one call, a multiple of 4: other threads may run after each."""

_BLANK: Final = " \t\n\r"
"""The white space of JSON (RFC 8259, section 2)."""


MAX_PARSE_COST: Final = 64 * 1024
"""Limit of the cost of one JSON text that is parsed in one call: some 10 ms.

A parser keeps the interpreter's lock until it ends, so that a thread does not help. Without a limit, 4 MB of `[],[],`
keep the lock for 0.3 s.
"""

_COSTLY: Final = (b",", b"[", b"{", b"\\")
_FREE_BYTES: Final = 100


def check_parse_cost(text: bytes, limit: int) -> None:
    """Refuse a JSON text that takes long to parse, by counting bytes, which takes 1 ms for 4 MB.

    Each value but the first of its list or object follows a comma, and each list or object has one opening bracket. So
    commas and brackets together are at least as many as the values. An escape in a string costs about as much as a
    value, and so do 100 bytes of plain text.

    Args:
        text: Any bytes.
        limit: The most values that the text may have.

    Raises:
        PayloadError: `TOO_COMPLEX`.
    """
    if len(text) <= limit // 2:
        return
    cost = len(text) // _FREE_BYTES + sum(map(text.count, _COSTLY))
    if cost > limit:
        message = f"The JSON text takes too long to parse: as long as {cost} values, {limit} at most."
        raise PayloadError(Reason.TOO_COMPLEX, message)


def parse(text: bytes) -> Any:  # noqa: ANN401 - JSON holds any value
    """The value of a JSON text.

    Args:
        text: UTF-8, with or without a byte order mark. `NaN`, `Infinity` and `-Infinity` are accepted, since Python's
            `json` writes them, although RFC 8259 has no such literals.

    Returns:
        dict, list, str, int, float, bool or None; every str can be encoded as UTF-8. A number beyond the
        range of a double is an exact int or an infinity.

    Raises:
        PayloadError: `MALFORMED` if it is not JSON, is nested too deeply, or contains a lone surrogate or an integer of
            more digits than Python reads (4300).
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _parse_leniently(text)


def object_end(text: bytes) -> int:
    """The end, as an offset in bytes, of the JSON value at the start of a body with binary data after it.

    Raises:
        PayloadError: `MALFORMED` if the body does not start with a JSON value.
    """
    characters = text.decode("latin-1")  # one character for each byte, so that the offset counts bytes
    start = len(characters) - len(characters.lstrip(_BLANK))
    try:
        return json.JSONDecoder().raw_decode(characters, start)[1]
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from error


def from_base64(value: object) -> bytes:
    """The bytes of a JSON string in base64 (RFC 4648, section 4).

    Raises:
        PayloadError: `MALFORMED` if it is not a string of base64.
    """
    text = value if isinstance(value, str) else "!"
    if "=" in text[:-2]:
        text = "!"  # padding belongs to the end of the text, not to that of a piece
    try:
        pieces = [
            base64.b64decode(text[start : start + _BASE64_CHARS], validate=True)
            for start in range(0, len(text), _BASE64_CHARS)
        ]
    except ValueError as error:
        raise PayloadError(Reason.MALFORMED, "A member that must be base64 is not.") from error
    return b"".join(pieces)


def decode_base64(text: str | bytes) -> str | bytes:
    """The bytes of a text in base64 (RFC 4648, section 4); the text itself if it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text


def serialise(value: Any) -> bytes:  # noqa: ANN401 - JSON holds any value
    """The JSON text of a value that `parse` returned; `parse` of it returns an equal value.

    Raises:
        PayloadError: `MALFORMED` if the value is nested too deeply.
    """
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _serialise_leniently(value)
    # orjson writes NaN and the infinities as null; the standard library writes them as literals.
    return _serialise_leniently(value) if b"null" in text else text


def nested_array(values: list[Any], name: str) -> NDArray[Any]:
    """The values of nested lists as one array, each value as on the wire.

    Args:
        values: Lists of equal length at each depth, at most 64 deep.
        name: The name of the lists in an error message.

    Returns:
        dtype object; each item is a str, a number, a bool, a dict or None.

    Raises:
        PayloadError: `MALFORMED` if the lists are ragged or too deep.
    """
    # With dtype object, numpy converts neither numbers to text nor text to numbers. Ragged lists, and lists that are
    # nested more than 64 deep, stay lists in it.
    block = np.array(values, dtype=object)
    if list in types_in(block):
        raise PayloadError(Reason.MALFORMED, f"The lists of {name} are ragged or nested too deeply.")
    return block


def types_in(block: NDArray[Any]) -> set[type]:
    """The Python types of the items of an array of dtype object."""
    return set(map(type, block.ravel().tolist()))


def is_numeric(block: NDArray[Any]) -> bool:
    """Whether every item is a number, a bool or missing. Text never is, even if it contains a number."""
    return block.dtype.kind in "biuf" or (block.dtype == object and types_in(block) <= _NUMBERS)


def as_numbers(block: NDArray[Any]) -> NDArray[Any]:
    """The array as float64, with NaN for null and 0 or 1 for a bool.

    It is returned unchanged if it contains text, objects, or an integer beyond the range of a double.
    """
    if not is_numeric(block):
        return block
    try:
        return block.astype(np.float64)
    except OverflowError:
        return block


def as_exact_numbers(block: NDArray[Any]) -> NDArray[Any]:
    """The array as float64 if that loses nothing, with NaN for null.

    It is returned unchanged if it contains text, objects, bools, or integers that float64 would round. For example, a
    category `true` differs from a category `1`, and 9007199254740993 from 9007199254740992.

    Args:
        block: dtype object, values of JSON.
    """
    types = types_in(block)
    if not types <= _PLAIN_NUMBERS:
        return block
    if int not in types:
        return block.astype(np.float64)
    try:
        numbers = block.astype(np.float64)
    except OverflowError:
        return block
    return block if bool((np.abs(numbers) >= LARGEST_EXACT).any()) and _has_large_integer(block) else numbers


def _has_large_integer(block: NDArray[Any]) -> bool:
    return any(type(item) is int and abs(item) > LARGEST_EXACT for item in block.ravel().tolist())


def _serialise_leniently(value: Any) -> bytes:  # noqa: ANN401 - JSON holds any value
    try:
        return json.dumps(value, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from error


def _parse_leniently(text: bytes) -> Any:  # noqa: ANN401 - JSON holds any value
    try:
        characters = text.decode("utf-8-sig")
        value = json.loads(characters)
        if "\\ud" in characters.lower():  # may be a lone surrogate, which UTF-8 cannot encode
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from error
    return value


def _malformed(error: Exception) -> PayloadError:
    if isinstance(error, RecursionError):
        cause = "it is nested too deeply"
    elif isinstance(error, json.JSONDecodeError):  # some messages quote a character after a colon
        cause = f"{error.msg.partition(':')[0]}: line {error.lineno} column {error.colno} (char {error.pos})"
    else:
        cause = "its text is not Unicode" if isinstance(error, UnicodeError) else "it has a number that is too long"
    return PayloadError(Reason.MALFORMED, f"The body is not JSON: {cause}.")
