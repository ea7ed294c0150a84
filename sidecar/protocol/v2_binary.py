"""Raw tensor bytes of the Open Inference Protocol's binary extension -> arrays. This room does no I/O."""

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import PayloadError, Reason
from sidecar.protocol.datatypes import BF16, BOOL, BYTES, WIRE_DTYPES
from sidecar.protocol.widening import widen_bf16

_LENGTH: Final = struct.Struct("<I")
"""A BYTES element begins with its length, an unsigned 32-bit integer."""


def from_binary(chunk: memoryview, datatype: str, count: int, name: str) -> NDArray[Any]:
    """The values of one tensor.

    Args:
        chunk: Its bytes, row-major and little-endian.
        datatype: A known one.
        count: How many values its shape says, at least 1.
        name: The tensor's, for the sentence of an error.

    Returns:
        Shape `(count,)`. A read-only view of `chunk` where the datatype allows it; BOOL is bool, BF16
        is float64 (numpy has no such type: see `widen_bf16`), BYTES are objects (bytes).

    Raises:
        PayloadError: `MALFORMED` if the bytes are not as many as `count` values take.

    Source:
        "Binary Tensor Data Extension" of KServe and Triton.
    """
    if datatype == BYTES:
        return _texts(chunk, count, name)
    dtype = WIRE_DTYPES[datatype]
    if len(chunk) != count * dtype.itemsize:
        expected = f"{count} values of {datatype} take {count * dtype.itemsize} bytes"
        raise _malformed(name, f"{expected}, not {len(chunk)}")
    values: NDArray[Any] = np.frombuffer(chunk, dtype=dtype)
    if datatype == BOOL:
        return values.astype(np.bool_)
    if datatype == BF16:
        return widen_bf16(values)
    return values


def _texts(chunk: memoryview, count: int, name: str) -> NDArray[Any]:
    if count * _LENGTH.size > len(chunk):
        raise _malformed(name, f"{count} values of BYTES do not fit in {len(chunk)} bytes")
    texts = np.empty(count, dtype=object)
    start = 0
    for index in range(count):
        end = _text_end(chunk, start)
        if end > len(chunk):
            raise _malformed(name, f"value {index} of BYTES ends beyond its {len(chunk)} bytes")
        texts[index] = bytes(chunk[start + _LENGTH.size : end])
        start = end
    if start != len(chunk):
        raise _malformed(name, f"{len(chunk) - start} bytes follow its last value")
    return texts


def _text_end(chunk: memoryview, start: int) -> int:
    if start + _LENGTH.size > len(chunk):
        return len(chunk) + 1
    length: int = _LENGTH.unpack_from(chunk, start)[0]
    return start + _LENGTH.size + length


def _malformed(name: str, cause: str) -> PayloadError:
    return PayloadError(Reason.MALFORMED, f"Tensor {name!r:.80}: {cause}.")
