"""Parses a long message of numbers in slices, so that other threads get the interpreter's lock in between.

A JSON parser keeps the lock until it has finished. For a body of 4 MB, requests would wait for 30 ms. So the one long
list of a message is cut at commas, and each slice is parsed as a list of its own. If every slice is a valid list, each
cut was at a comma between two elements, and the whole list has the elements of all slices (RFC 8259, sections 4 and 5).
For example, `1, 2, 3, 4` may be cut into `1, 2` and `3, 4`. A message of any other form is parsed as a whole.
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeGuard

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import Kind
from driftgauge.protocol.batch import V1_ROWS, is_plain_v2, items_of
from driftgauge.protocol.json_text import as_exact_numbers, nested_array
from driftgauge.protocol.tensor import WIRE_DTYPES, Decoded, Tensor, from_json
from driftgauge.protocol.v2 import response_id

LONG_BYTES: Final = 32 * 1024
"""Longest body that is parsed in one call beside the event loop: at worst, the lock is kept for some 4 ms."""

_SLICE_BYTES: Final = 32 * 1024
_MAX_ROW_BYTES: Final = 64 * 1024
"""Longest row of a slice; a message with a longer one is not cut."""

_MAX_ENVELOPE_BYTES: Final = 4 * 1024
_BETWEEN_ROWS: Final = re.compile(rb"\][ \t\r\n]*,[ \t\r\n]*\[")
_DATA: Final = re.compile(rb'"data"[ \t\r\n]*:[ \t\r\n]*\[')


def decode_in_slices(raw: bytes, kind: Kind, slice_bytes: int = _SLICE_BYTES) -> Decoded | None:
    """The tensors of a message that is one long list of numbers: V1 rows by position, or one flat V2 tensor.

    Args:
        raw: The decompressed body.
        kind: The kind of the message.
        slice_bytes: A slice ends at the first possible cut after this many bytes.

    Returns:
        The same tensors as without slices; `None` if the message has another form, or an error.
    """
    try:
        return _v1(raw, kind, slice_bytes) if b'"data"' not in raw else _v2(raw, kind, slice_bytes)
    except (PayloadError, orjson.JSONDecodeError):
        return None


def _v1(raw: bytes, kind: Kind, slice_bytes: int) -> Decoded | None:
    start, end = raw.find(b"[") + 1, raw.rfind(b"]")
    if _envelope(raw, start, end) != {V1_ROWS[kind]: []}:
        return None
    data = _joined(
        _rows(raw, start, end, slice_bytes), lambda values: as_exact_numbers(nested_array(values, "the rows"))
    )
    return None if data is None else Decoded((Tensor("", data),))


def _v2(raw: bytes, kind: Kind, slice_bytes: int) -> Decoded | None:
    at = raw.find(b'"data"')
    found = _DATA.match(raw, at)
    if found is None or raw.find(b'"data"', at + 1) >= 0:
        return None
    start = found.end()
    end = raw.find(b"]", start)
    message = _envelope(raw, start, end)
    if not is_plain_v2(message):
        return None
    items = items_of(message, kind)
    item = items[0] if isinstance(items, list) and len(items) == 1 else None
    if not isinstance(item, dict) or item.get("data") != [] or item.get("datatype") not in WIRE_DTYPES:
        return None
    name, datatype, shape = item.get("name"), item["datatype"], item.get("shape")
    if not isinstance(name, str) or not name or not _is_shape(shape):
        return None
    data = _joined(_numbers(raw, start, end, slice_bytes), lambda values: from_json(values, datatype, name))
    if data is None or data.ndim != 1 or data.size != math.prod(shape):
        return None
    return Decoded((Tensor(name, data.reshape(shape)),), response_id(message, kind))


def _is_shape(shape: object) -> TypeGuard[list[int]]:
    return isinstance(shape, list) and len(shape) in {1, 2} and all(type(size) is int and size > 0 for size in shape)


def _envelope(raw: bytes, start: int, end: int) -> Any:  # noqa: ANN401 - JSON holds any value
    """The message with an empty list in place of the long one; `None` if the rest is long too."""
    if not 0 < start < end or start + len(raw) - end > _MAX_ENVELOPE_BYTES:
        return None
    return orjson.loads(raw[:start] + raw[end:])


def _rows(raw: bytes, start: int, end: int, slice_bytes: int) -> Iterator[bytes]:
    """Slices that end between two rows, which are lists or numbers.

    Raises:
        PayloadError: `UNSUPPORTED` if a row is longer than a slice may be.
    """
    if not raw[start : start + slice_bytes].lstrip().startswith(b"["):
        yield from _numbers(raw, start, end, slice_bytes)
        return
    while end - start > slice_bytes:
        found = _BETWEEN_ROWS.search(raw, start + slice_bytes, start + slice_bytes + _MAX_ROW_BYTES)
        if found is None:
            break
        yield raw[start : found.start() + 1]
        start = found.end() - 1
    if end - start > slice_bytes + _MAX_ROW_BYTES:
        raise PayloadError(Reason.UNSUPPORTED, f"A row is longer than {_MAX_ROW_BYTES} bytes.")
    yield raw[start:end]


def _numbers(raw: bytes, start: int, end: int, slice_bytes: int) -> Iterator[bytes]:
    """Slices that end between two numbers."""
    while end - start > slice_bytes:
        comma = raw.find(b",", start + slice_bytes, end)
        if comma < 0:
            break
        yield raw[start:comma]
        start = comma + 1
    yield raw[start:end]


def _joined(slices: Iterator[bytes], convert: Callable[[list[Any]], NDArray[Any]]) -> NDArray[Any] | None:
    """The numbers of all slices; `None` if a slice is empty, or contains anything but numbers."""
    parts: list[NDArray[Any]] = []
    for piece in slices:
        part = convert(orjson.loads(b"[%b]" % piece))
        if part.dtype == object or not part.size or part.shape[1:] != (parts[0] if parts else part).shape[1:]:
            return None
        parts.append(part)
    return np.concatenate(parts)
