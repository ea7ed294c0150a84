"""Decodes the body of one request or response, of any protocol.

The protocol is detected from the body. The content type is not used, since KServe's agent sends a response with the
content type of the request.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import Kind
from driftgauge.protocol.chunked_json import LONG_BYTES, decode_in_slices
from driftgauge.protocol.compression import unpack
from driftgauge.protocol.json_text import from_base64, object_end, parse
from driftgauge.protocol.limits import Limits, check_content, check_names
from driftgauge.protocol.named_rows import NO_COLUMNS
from driftgauge.protocol.tensor import BYTES, Decoded
from driftgauge.protocol.v1 import decode_v1
from driftgauge.protocol.v2 import V2_MEMBERS, binary_size, decode_v2, is_v2

_CELLS_A_BYTE: Final = 8
"""Most cells for each byte of a body. Rows by name that lack most columns make a table that is larger than the body."""

_FEW_CELLS: Final = 2**14
"""Cells that a body of any length may make."""


def decode(
    body: bytes, kind: Kind, *, json_length: int | None, limits: Limits, columns: frozenset[str] = NO_COLUMNS
) -> Decoded:
    """The tensors of one body: V1, V2 in JSON, or V2 with binary tensors; possibly in gzip, or in a CloudEvent.

    Args:
        body: The bytes as on the wire.
        kind: Whether the members of a request or of a response are read.
        json_length: Length in bytes of the JSON part, from `Inference-Header-Content-Length`; `None` to detect it.
        limits: The limits. Rows by name have at most eight cells for each byte of the body, too.
        columns: The columns of the reference; empty if they are unknown. They decide how rows by name are read.

    Returns:
        At least one tensor.

    Raises:
        PayloadError: The body cannot be decoded, for its `reason`. No other error is raised, for any bytes.

    Source:
        TensorFlow Serving, "RESTful API"; Open Inference Protocol, REST; Triton and KServe, "Binary Tensor
        Data Extension"; CloudEvents JSON format 1.0.2, section 3.
    """
    raw = unpack(body, limits.unpacked_bytes)
    found = decode_quickly(raw, kind, json_length=json_length) if len(raw) > LONG_BYTES else None
    if found is not None:
        return found
    return decode_unpacked(raw, kind, json_length=json_length, limits=limits, columns=columns)


def decode_quickly(raw: bytes, kind: Kind, *, json_length: int | None) -> Decoded | None:
    """The tensors of a long body that needs no long call into the JSON parser: numbers in slices, or in binary tensors.

    Args:
        raw: The decompressed body.
        kind: As in `decode`.
        json_length: As in `decode`.

    Returns:
        `None` if the body has another form, or an error.
    """
    if json_length is None:
        return decode_in_slices(raw, kind)
    if json_length > LONG_BYTES or BYTES.encode() in raw[:json_length]:
        return None
    try:
        return decode_unpacked(raw, kind, json_length=json_length, limits=Limits(len(raw)))
    except PayloadError:
        return None


def decode_unpacked(
    raw: bytes, kind: Kind, *, json_length: int | None, limits: Limits, columns: frozenset[str] = NO_COLUMNS
) -> Decoded:
    """The tensors of a decompressed body, whose JSON part is parsed in one call.

    Args:
        raw: The decompressed body.
        kind: As in `decode`.
        json_length: As in `decode`.
        limits: As in `decode`.
        columns: As in `decode`.

    Raises:
        PayloadError: As in `decode`.
    """
    limits = replace(limits, cells=min(limits.cells, max(_FEW_CELLS, _CELLS_A_BYTE * len(raw))))
    check_content(raw if json_length is None else raw[:json_length])
    message, tail = _split(raw, kind, json_length)
    if tail or "specversion" not in message:
        return _dispatch(message, kind, tail, limits, columns)
    data = _event_data(message)
    if isinstance(data, dict):
        return _dispatch(data, kind, memoryview(b""), limits, columns)
    if not isinstance(data, bytes):
        raise PayloadError(Reason.MALFORMED, "The CloudEvent holds neither an object nor bytes as its data.")
    inner = unpack(data, limits.unpacked_bytes)
    check_content(inner)
    message, tail = _split(inner, kind, None)
    return _dispatch(message, kind, tail, limits, columns)


def _dispatch(
    message: Mapping[str, Any], kind: Kind, tail: memoryview, limits: Limits, columns: frozenset[str]
) -> Decoded:
    if is_v2(message, kind):
        check_names(len(message[V2_MEMBERS[kind]]), limits.names)
        return decode_v2(message, kind, tail)
    if tail:
        text = f"{len(tail)} bytes follow the JSON part of a message that is not V2."
        raise PayloadError(Reason.MALFORMED, text)
    return decode_v1(message, kind, limits, columns)


def _split(raw: bytes, kind: Kind, json_length: int | None) -> tuple[dict[str, Any], memoryview]:
    """The JSON object at the start of a body, and the bytes of binary tensors after it."""
    if not raw.strip():
        raise PayloadError(Reason.EMPTY, "The body is empty.")
    if json_length is not None:
        return _split_at(raw, json_length)
    try:
        message = _object(parse(raw))
    except PayloadError:
        if not raw.lstrip().startswith(b"{"):
            raise
    else:
        if binary_size(message, kind) == 0:  # else the JSON part ends earlier: the tensors are white space
            return message, memoryview(b"")
    return _split_unmarked(raw, kind)


def _split_at(raw: bytes, json_length: int) -> tuple[dict[str, Any], memoryview]:
    if not 0 < json_length <= len(raw):
        message = f"The JSON part cannot be {json_length} bytes of a body of {len(raw)}."
        raise PayloadError(Reason.MALFORMED, message)
    return _object(parse(raw[:json_length])), memoryview(raw)[json_length:]


def _split_unmarked(raw: bytes, kind: Kind) -> tuple[dict[str, Any], memoryview]:
    end = object_end(raw)
    message = _object(parse(raw[:end]))
    start = len(raw) - binary_size(message, kind)
    if start < end or raw[end:start].strip():
        text = f"{len(raw) - end} bytes follow the JSON part, but its tensors announce {len(raw) - start}."
        raise PayloadError(Reason.MALFORMED, text)
    return message, memoryview(raw)[start:]


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PayloadError(Reason.MALFORMED, "The body is JSON, but not an object.")
    return value


def _event_data(event: Mapping[str, Any]) -> object:
    packed = event.get("data_base64")
    if packed is None:
        data = event.get("data")
        return data.encode() if isinstance(data, str) else data
    return from_base64(packed)
