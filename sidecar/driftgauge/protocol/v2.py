"""Messages of the Open Inference Protocol (V2): JSON, with or without binary tensors after it."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import Kind
from driftgauge.protocol.tensor import BF16, BOOL, BYTES, WIRE_DTYPES, Decoded, Tensor, from_json, is_known, widen_bf16

V2_MEMBERS: Final = {Kind.REQUEST: "inputs", Kind.RESPONSE: "outputs"}
"""The member that holds the tensors."""

MAX_DIMENSIONS: Final = 64
"""Most dimensions of a numpy array (NPY_MAXDIMS of numpy 2)."""

_LENGTH: Final = struct.Struct("<I")
"""A value of BYTES starts with its length, an unsigned 32-bit integer."""


def is_v2(message: Mapping[str, Any], kind: Kind) -> bool:
    """Whether a message is V2: an item of `inputs` (of a response, `outputs`) has a datatype and a shape.

    The name alone does not decide, since V1 requests may have `inputs` too.
    """
    items = message.get(V2_MEMBERS[kind])
    return isinstance(items, list) and any(
        isinstance(item, dict) and "datatype" in item and "shape" in item for item in items
    )


def binary_size(message: Mapping[str, Any], kind: Kind) -> int:
    """The bytes of binary tensors that a V2 message announces; 0 if it announces none, or none validly."""
    items = message.get(V2_MEMBERS[kind])
    announced = [_announced(item) for item in items] if isinstance(items, list) else []
    return sum(size for size in announced if size is not None)


def decode_v2(message: Mapping[str, Any], kind: Kind, tail: memoryview) -> Decoded:
    """The tensors of a V2 message.

    Args:
        message: The JSON part, for which `is_v2` holds.
        kind: `inputs` are read of a request, `outputs` of a response.
        tail: The bytes after the JSON part: binary tensors, in the order of the items that announce a size.

    Returns:
        The tensors, in wire order and with their declared shapes.

    Raises:
        PayloadError: `MALFORMED` if a member is missing or contradicts another, or bytes are left over;
            `UNSUPPORTED` for an unknown datatype and for data in shared memory; `EMPTY` if a tensor has no values.

    Source:
        Open Inference Protocol, REST, "Inference Request JSON Object" and "Response"; Triton and KServe,
        "Binary Tensor Data Extension".
    """
    tensors: dict[str, Tensor] = {}
    start = 0
    for item in message[V2_MEMBERS[kind]]:
        header = _read_header(item)
        end = start + (header.size or 0)
        if header.name in tensors:
            raise _malformed(header.name, "it is there twice")
        tensors[header.name] = _read_tensor(header, tail[start:end])
        start = end
    if start != len(tail):
        message_text = f"{len(tail)} bytes follow the JSON part, but its tensors announce {start}."
        raise PayloadError(Reason.MALFORMED, message_text)
    return Decoded(tuple(tensors.values()))


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    datatype: str
    shape: tuple[int, ...]
    size: int | None
    data: object


def _read_header(item: object) -> _Header:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not item["name"]:
        raise PayloadError(Reason.MALFORMED, "A tensor of the message has no name.")
    name, datatype = item["name"], item.get("datatype")
    if not isinstance(datatype, str):
        raise _malformed(name, "it has no datatype")
    if not is_known(datatype):
        message = f"Tensor {name!r:.80} has the datatype {datatype!r:.40}, which the protocol does not know."
        raise PayloadError(Reason.UNSUPPORTED, message)
    return _Header(name, datatype, _read_shape(item.get("shape"), name), _announced(item), item.get("data"))


def _read_shape(shape: object, name: str) -> tuple[int, ...]:
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(map(_is_size, shape)):
        raise _malformed(name, "its shape must be a list of at most 64 integers, none negative")
    if 0 in shape:
        raise PayloadError(Reason.EMPTY, f"Tensor {name!r:.80} has no values.")
    return tuple(shape)


def _read_tensor(header: _Header, chunk: memoryview) -> Tensor:
    count = math.prod(header.shape)
    if header.size is not None:
        if len(chunk) != header.size:
            cause = f"it announces {header.size} bytes, but only {len(chunk)} of them are there"
            raise _malformed(header.name, cause)
        data = from_binary(chunk, header.datatype, count, header.name)
    elif isinstance(header.data, list):
        data = from_json(header.data, header.datatype, header.name)
    elif header.data is None:
        message = f"Tensor {header.name!r:.80} has neither data nor binary_data_size (it may be in shared memory)."
        raise PayloadError(Reason.UNSUPPORTED, message)
    else:
        raise _malformed(header.name, "its data must be a list")
    if data.size != count:
        raise _malformed(header.name, f"its shape says {count} values, but it has {data.size}")
    return Tensor(header.name, data.reshape(header.shape))


def _announced(item: object) -> int | None:
    """The size in bytes of a binary tensor; `None` if it announces none, or has its data in the JSON part."""
    if not isinstance(item, dict) or item.get("data") is not None:
        return None
    parameters = item.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    return size if _is_size(size) else None


def _is_size(value: object) -> bool:
    return type(value) is int and value >= 0


def from_binary(chunk: memoryview, datatype: str, count: int, name: str) -> NDArray[Any]:
    """The values of a binary tensor.

    Args:
        chunk: The bytes of the tensor, row-major and little-endian.
        datatype: A datatype for which `is_known` holds.
        count: The number of values of its shape, at least 1.
        name: The name of the tensor, for error messages.

    Returns:
        Shape `(count,)`. A read-only view of `chunk` where the datatype allows it; BOOL is bool, BF16
        is float64 (numpy has no such type: see `widen_bf16`), BYTES are objects (bytes).

    Raises:
        PayloadError: `MALFORMED` if `chunk` does not have the size of `count` values.

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
