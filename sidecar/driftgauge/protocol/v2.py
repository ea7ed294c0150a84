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
from driftgauge.inference.request_ids import MAX_ID_CHARS
from driftgauge.protocol.json_text import decode_base64
from driftgauge.protocol.tensor import BF16, BOOL, BYTES, WIRE_DTYPES, Decoded, Tensor, from_json, is_known, widen_bf16

V2_MEMBERS: Final = {Kind.REQUEST: "inputs", Kind.RESPONSE: "outputs"}
"""The member that holds the tensors."""

MAX_DIMENSIONS: Final = 64
"""Most dimensions of a numpy array (NPY_MAXDIMS of numpy 2)."""

_LENGTH: Final = struct.Struct("<I")
"""A value of BYTES starts with its length, an unsigned 32-bit integer."""


MAX_TEXTS: Final = 400_000
"""Most values of BYTES in the binary tensors of a message. Each takes some 100 bytes of memory."""


def is_v2(message: Mapping[str, Any], kind: Kind) -> bool:
    """Whether a message is V2: an item of `inputs` (of a response, `outputs`) has a datatype and a shape.

    The name alone does not decide, since V1 requests may have `inputs` too.
    """
    items = message.get(V2_MEMBERS[kind])
    return isinstance(items, list) and any(
        isinstance(item, dict) and "datatype" in item and "shape" in item for item in items
    )


def response_id(message: Mapping[str, Any], kind: Kind) -> str | None:
    """The `id` of a response, at most `MAX_ID_CHARS` of it. `None` for a request, and where it is empty or no text.

    A server returns the id that it was sent, else it may make one (Open Inference Protocol, REST).
    """
    found = message.get("id") if kind is Kind.RESPONSE else None
    return found[:MAX_ID_CHARS] if isinstance(found, str) and found else None


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
        The tensors, in wire order and with their declared shapes. One size of a shape may be -1: it follows from the
        data, as in KServe and MLServer. Texts with the `content_type` `base64` are decoded, as in MLServer.

    Raises:
        PayloadError: `MALFORMED` if a member is missing or contradicts another, or bytes are left over;
            `TOO_COMPLEX` for too many binary texts; `UNSUPPORTED` for an unknown datatype and for data in shared
            memory; `EMPTY` if a tensor has no values.

    Source:
        Open Inference Protocol, REST, "Inference Request JSON Object" and "Response"; Triton and KServe,
        "Binary Tensor Data Extension".
    """
    tensors: dict[str, Tensor] = {}
    start = texts = 0
    for item in message[V2_MEMBERS[kind]]:
        header = _read_header(item)
        end = start + (header.size or 0)
        if header.name in tensors:
            raise _malformed(header.name, "it is there twice")
        tensors[header.name] = tensor = _read_tensor(header, tail[start:end])
        if header.datatype == BYTES and header.size is not None:
            texts += tensor.data.size
            _check_texts(texts)
        start = end
    if start != len(tail):
        message_text = f"{len(tail)} bytes follow the JSON part, but its tensors announce {start}."
        raise PayloadError(Reason.MALFORMED, message_text)
    return Decoded(tuple(tensors.values()), response_id(message, kind))


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    datatype: str
    shape: tuple[int, ...]
    size: int | None
    data: object
    is_base64: bool


def _read_header(item: object) -> _Header:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not item["name"]:
        raise PayloadError(Reason.MALFORMED, "A tensor of the message has no name.")
    name, datatype = item["name"], item.get("datatype")
    if not isinstance(datatype, str):
        raise _malformed(name, "it has no datatype")
    if not is_known(datatype):
        message = f"Tensor {name!r:.80} has a datatype that the protocol does not know."
        raise PayloadError(Reason.UNSUPPORTED, message)
    shape = _read_shape(item.get("shape"), name)
    return _Header(name, datatype, shape, _announced(item), item.get("data"), datatype == BYTES and is_base64(item))


def is_base64(item: Mapping[str, Any]) -> bool:
    """Whether the values of a tensor are texts in base64, as MLServer's `Base64Codec` writes them."""
    parameters = item.get("parameters")
    return isinstance(parameters, dict) and parameters.get("content_type") == "base64"


def _read_shape(shape: object, name: str) -> tuple[int, ...]:
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(map(_is_size, _without_minus_one(shape))):
        raise _malformed(name, "its shape must be a list of at most 64 integers, none negative but for one -1")
    if 0 in shape:
        raise PayloadError(Reason.EMPTY, f"Tensor {name!r:.80} has no values.")
    return tuple(shape)


def _without_minus_one(shape: list[object]) -> list[object]:
    """A shape without its first -1, a size that follows from the data, as in numpy's `reshape`."""
    at = next((index for index, size in enumerate(shape) if type(size) is int and size == -1), len(shape))
    return shape[:at] + shape[at + 1 :]


def _read_tensor(header: _Header, chunk: memoryview) -> Tensor:
    data = _read_data(header, chunk)
    if header.is_base64:
        data = _decode_base64(data)
    return Tensor(header.name, data.reshape(_full_shape(header, data.size)))


def _full_shape(header: _Header, count: int) -> tuple[int, ...]:
    """The shape, with its -1 replaced by the size that follows from the number of values."""
    product = math.prod(header.shape)
    if product < 0:
        missing, rest = divmod(count, -product)
        if rest:
            raise _malformed(header.name, f"{count} values do not fill its shape {list(header.shape)}")
        return tuple(missing if size == -1 else size for size in header.shape)
    if count != product:
        raise _malformed(header.name, f"its shape says {product} values, but it has {count}")
    return header.shape


def _read_data(header: _Header, chunk: memoryview) -> NDArray[Any]:
    """The values of a tensor, of any shape; at least one."""
    if header.size is not None:
        if len(chunk) != header.size:
            cause = f"it announces {header.size} bytes, but only {len(chunk)} of them are there"
            raise _malformed(header.name, cause)
        count = math.prod(header.shape)
        data = from_binary(chunk, header.datatype, count if count > 0 else None, header.name)
    elif isinstance(header.data, list):
        data = from_json(header.data, header.datatype, header.name)
    elif header.data is None:
        message = f"Tensor {header.name!r:.80} has neither data nor binary_data_size (it may be in shared memory)."
        raise PayloadError(Reason.UNSUPPORTED, message)
    else:
        raise _malformed(header.name, "its data must be a list")
    if not data.size:
        raise PayloadError(Reason.EMPTY, f"Tensor {header.name!r:.80} has no values.")
    return data


def _decode_base64(data: NDArray[Any]) -> NDArray[Any]:
    """Values of BYTES in base64 as bytes. A value that is not base64 stays as it is, as in MLServer."""
    items = [item if item is None else decode_base64(item) for item in data.ravel().tolist()]
    decoded = np.empty(len(items), dtype=object)
    decoded[:] = items
    return decoded


def _announced(item: object) -> int | None:
    """The size in bytes of a binary tensor; `None` if it announces none, or has its data in the JSON part."""
    if not isinstance(item, dict) or item.get("data") is not None:
        return None
    parameters = item.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    return size if _is_size(size) else None


def _is_size(value: object) -> bool:
    return type(value) is int and value >= 0


def from_binary(chunk: memoryview, datatype: str, count: int | None, name: str) -> NDArray[Any]:
    """The values of a binary tensor.

    Args:
        chunk: The bytes of the tensor, row-major and little-endian.
        datatype: A datatype for which `is_known` holds.
        count: The number of values of its shape, at least 1; `None` if it follows from the bytes.
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
    if count is None:
        count = len(chunk) // dtype.itemsize
    if len(chunk) != count * dtype.itemsize:
        expected = f"{count} values of {datatype} take {count * dtype.itemsize} bytes"
        raise _malformed(name, f"{expected}, not {len(chunk)}")
    values: NDArray[Any] = np.frombuffer(chunk, dtype=dtype)
    if datatype == BOOL:
        return values.astype(np.bool_)
    if datatype == BF16:
        return widen_bf16(values)
    return values


def _texts(chunk: memoryview, count: int | None, name: str) -> NDArray[Any]:
    if count is not None and count * _LENGTH.size > len(chunk):
        raise _malformed(name, f"{count} values of BYTES do not fit in {len(chunk)} bytes")
    _check_texts(count or 0)
    texts: list[bytes] = []
    start = 0
    while start < len(chunk) if count is None else len(texts) < count:
        end = _text_end(chunk, start)
        if end > len(chunk):
            raise _malformed(name, f"value {len(texts)} of BYTES ends beyond its {len(chunk)} bytes")
        texts.append(bytes(chunk[start + _LENGTH.size : end]))
        start = end
        if len(texts) > MAX_TEXTS:
            _check_texts(len(texts))
    if start != len(chunk):
        raise _malformed(name, f"{len(chunk) - start} bytes follow its last value")
    values = np.empty(len(texts), dtype=object)
    values[:] = texts
    return values


def _check_texts(number: int) -> None:
    if number > MAX_TEXTS:
        raise PayloadError(Reason.TOO_COMPLEX, f"The message has more than {MAX_TEXTS} values of BYTES.")


def _text_end(chunk: memoryview, start: int) -> int:
    if start + _LENGTH.size > len(chunk):
        return len(chunk) + 1
    length: int = _LENGTH.unpack_from(chunk, start)[0]
    return start + _LENGTH.size + length


def _malformed(name: str, cause: str) -> PayloadError:
    return PayloadError(Reason.MALFORMED, f"Tensor {name!r:.80}: {cause}.")
