"""Decodes many small messages of one shape in one step, so that the fixed cost of a message is paid once.

Messages to a model usually have the same shape. The texts of many are parsed together, their rows go into one array,
and `counts` has the number of rows of each message. The result is the same as that of decoding each message alone.
Where that is not certain, `decode_batch` returns `None`, and the caller decodes the messages one by one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, Final, TypeGuard

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.errors import PayloadError
from driftgauge.inference.payload import Kind
from driftgauge.protocol.json_text import as_exact_numbers, nested_array, types_in
from driftgauge.protocol.tensor import BYTES, Decoded, Tensor, from_json, is_known
from driftgauge.protocol.v2 import MAX_DIMENSIONS, is_base64, response_id

V1_ROWS: Final = {Kind.REQUEST: "instances", Kind.RESPONSE: "predictions"}
_V2: Final = {Kind.REQUEST: "inputs", Kind.RESPONSE: "outputs"}
_BESIDE: Final = frozenset({"id", "model_name", "model_version", "parameters", "inputs", "outputs"})
"""Members of a V2 message that have no effect on its tensors. An unknown member might have one."""

_SINGLE_NUMBERS: Final = frozenset({bool, int, float, NoneType})

_TENSOR: Final = frozenset({"name", "datatype", "shape", "data"})


@dataclass(frozen=True, slots=True, eq=False)
class DecodedBatch:
    """The content of many messages.

    Args:
        decoded: The tensors, with the rows of all messages in order.
        counts: Shape `(k,)`, int64, each at least 1: the number of rows of each message.
        ids: The `response_id` of each message, as in `Decoded`; empty if none has one.
    """

    decoded: Decoded
    counts: NDArray[np.int64]
    ids: Sequence[str | None] = ()


def decode_batch(texts: Sequence[bytes], kind: Kind, separator: str) -> DecodedBatch | None:
    """The tensors of messages of plain JSON.

    Args:
        texts: The decompressed bodies, at least one.
        kind: The kind of all messages.
        separator: ASCII letters and digits that no sender can guess.

    Returns:
        `None` if one of the messages must be decoded alone: it is neither V1 with only rows nor V2 with data in JSON,
        its shape differs from the others, or it has an error.
    """
    messages = parse_batch(texts, separator)
    if messages is None:
        return None
    try:
        if all(isinstance(message, dict) and len(message) == 1 and V1_ROWS[kind] in message for message in messages):
            return _v1([message[V1_ROWS[kind]] for message in messages])
        decoded, counts = _v2([_items(message, kind) for message in messages])
    except (PayloadError, _NotInBatchError):
        return None
    ids = [response_id(message, kind) for message in messages] if kind is Kind.RESPONSE else []
    return DecodedBatch(decoded, counts, ids if any(ids) else ())


def parse_batch(texts: Sequence[bytes], separator: str) -> list[Any] | None:
    """The value of each JSON text; `None` if one of the texts is not JSON.

    Notes:
        The texts are parsed as one array, `["<separator>", text, "<separator>", text, ...]`. A text may fit
        into the array without being JSON itself: `1, 2`, or `[1` before a text `2]`. Then the array has another number
        of elements, or another value in place of a separator. No text contains the separator, since it is random.
    """
    between = f'"{separator}"'.encode()
    try:
        values = orjson.loads(b"[%b,%b]" % (between, (b",%b," % between).join(texts)))
    except orjson.JSONDecodeError:
        return None
    whole = len(values) == 2 * len(texts) and all(value == separator for value in values[::2])
    return values[1::2] if whole else None


class _NotInBatchError(Exception):
    """A message must be decoded alone."""


def _v1(rows_of_each: Sequence[object]) -> DecodedBatch:
    rows: list[Any] = []
    counts = []
    for own in rows_of_each:
        if not isinstance(own, list) or not own:
            raise _NotInBatchError
        counts.append(len(own))
        rows += own
    if isinstance(rows[0], dict):
        return DecodedBatch(Decoded(_named_columns(rows, counts)), np.array(counts))
    data = _exact(nested_array(rows, "the rows"), counts)
    if not data.size:
        raise _NotInBatchError
    return DecodedBatch(Decoded((Tensor("", data),)), np.array(counts))


def _named_columns(rows: Sequence[Any], counts: Sequence[int]) -> tuple[Tensor, ...]:
    """The columns of rows by name. All rows must have the same names, and single values."""
    names = tuple(rows[0])
    if not names or not all(isinstance(row, dict) and tuple(row) == names for row in rows):
        raise _NotInBatchError
    block = nested_array([list(row.values()) for row in rows], "the rows")
    if block.ndim != 2 or not types_in(block) <= _SINGLE_NUMBERS:  # noqa: PLR2004 - rows and columns
        raise _NotInBatchError
    data = as_exact_numbers(block)
    columns = data.T if data.dtype != object else [_exact(column, counts) for column in data.T]
    return tuple(Tensor(name, np.ascontiguousarray(column)) for name, column in zip(names, columns, strict=True))


def _exact(block: NDArray[Any], counts: Sequence[int]) -> NDArray[Any]:
    """The rows of all messages as float64, or as objects if each message alone would be objects.

    A message of only numbers is float64. Its numbers would be other categories among the objects of other messages.
    """
    data = as_exact_numbers(block)
    if data.dtype == object:
        parts = np.split(block, np.cumsum(counts)[:-1])
        if any(as_exact_numbers(part).dtype != object for part in parts):
            raise _NotInBatchError
    return data


def is_plain_v2(message: object) -> TypeGuard[dict[str, Any]]:
    """Whether a message only has members that V2 defines."""
    return isinstance(message, dict) and message.keys() <= _BESIDE


def items_of(message: Mapping[str, Any], kind: Kind) -> object:
    """The value of the member that contains the tensors."""
    return message.get(_V2[kind])


def _items(message: object, kind: Kind) -> list[Mapping[str, Any]]:
    if not is_plain_v2(message):
        raise _NotInBatchError
    items = items_of(message, kind)
    if not isinstance(items, list) or not items or not all(_is_tensor(item) for item in items):
        raise _NotInBatchError
    return items


def _is_tensor(item: object) -> bool:
    """Whether an item is a tensor with its data in JSON, as many as its shape has."""
    if not isinstance(item, dict) or not item.keys() >= _TENSOR or is_base64(item):
        return False
    shape, data = item["shape"], item["data"]
    if not isinstance(shape, list) or not 1 <= len(shape) <= MAX_DIMENSIONS:
        return False
    if not all(type(size) is int and size > 0 for size in shape):
        return False
    return isinstance(data, list) and len(data) == (shape[0] if _is_nested(data) else math.prod(shape))


def _is_nested(data: Sequence[object]) -> bool:
    return bool(data) and isinstance(data[0], list)


def _v2(items_of_each: Sequence[list[Mapping[str, Any]]]) -> tuple[Decoded, NDArray[np.int64]]:
    counts = [items[0]["shape"][0] for items in items_of_each]
    shapes = _shapes(items_of_each[0])
    for items, count in zip(items_of_each, counts, strict=True):
        if _shapes(items) != shapes or any(item["shape"][0] != count for item in items):
            raise _NotInBatchError
    if len({name for name, *_ in shapes}) < len(shapes):
        raise _NotInBatchError
    columns = zip(*items_of_each, strict=True)
    return Decoded(tuple(_tensor(column, sum(counts)) for column in columns)), np.array(counts)


def _shapes(items: Sequence[Mapping[str, Any]]) -> list[tuple[object, ...]]:
    """What all messages must share: the name, datatype and shape, without the number of rows, of each tensor."""
    return [(item["name"], item["datatype"], item["shape"][1:], _is_nested(item["data"])) for item in items]


def _tensor(parts: Sequence[Mapping[str, Any]], rows: int) -> Tensor:
    first = parts[0]
    name, datatype, rest = first["name"], first["datatype"], first["shape"][1:]
    if not isinstance(name, str) or not name or not isinstance(datatype, str) or not is_known(datatype):
        raise _NotInBatchError
    values: list[Any] = []
    for part in parts:
        values += part["data"]
    data = from_json(values, datatype, name)
    if data.dtype == object and datatype != BYTES:
        raise _NotInBatchError  # a null among integers makes objects of them, also in the other messages
    shape = (rows, *rest)
    if data.shape != (shape if _is_nested(values) else (math.prod(shape),)):
        raise _NotInBatchError
    return Tensor(name, data.reshape(shape))
