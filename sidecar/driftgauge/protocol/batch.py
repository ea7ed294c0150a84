"""Many small messages of one shape read as one, so that what is paid for each message is paid once. No I/O here.

Traffic to a model is one shape of message again and again. The texts of many are parsed in one go, their rows stand in
one array, and each message's rows are known by their number. What comes of it is what each message alone would give;
where that cannot be vouched for, nothing is answered, and the messages are to be read one by one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.errors import PayloadError
from driftgauge.inference.payload import Kind
from driftgauge.protocol.json_text import as_numbers, is_numeric, nested_array
from driftgauge.protocol.tensor import BYTES, Decoded, Tensor, from_json, is_known
from driftgauge.protocol.v2 import MAX_DIMENSIONS

V1_ROWS: Final = {Kind.REQUEST: "instances", Kind.RESPONSE: "predictions"}
_V2: Final = {Kind.REQUEST: "inputs", Kind.RESPONSE: "outputs"}
_BESIDE: Final = frozenset({"id", "model_name", "model_version", "parameters", "inputs", "outputs"})
"""Members of a V2 message. None but the tensors has a say in what they hold; one that is not here might."""

_TENSOR: Final = frozenset({"name", "datatype", "shape", "data"})


@dataclass(frozen=True, slots=True, eq=False)
class DecodedBatch:
    """What many messages held.

    Args:
        decoded: Their tensors, row after row.
        counts: Shape `(k,)`, int64, each at least 1: how many of the rows each message had, in their order.
    """

    decoded: Decoded
    counts: NDArray[np.int64]


def decode_batch(texts: Sequence[bytes], kind: Kind, mark: str) -> DecodedBatch | None:
    """The tensors of some messages that are plain JSON.

    Args:
        texts: The bodies, unpacked, at least one.
        kind: Of all of them.
        mark: ASCII letters and digits that no sender can guess.

    Returns:
        `None` if any of them is not read here: it is not V1 with rows alone or V2 with data in JSON, has another shape
        than the others, or a fault.
    """
    messages = parse_batch(texts, mark)
    if messages is None:
        return None
    try:
        if all(isinstance(message, dict) and len(message) == 1 and V1_ROWS[kind] in message for message in messages):
            return _v1([message[V1_ROWS[kind]] for message in messages])
        return _v2([_items(message, kind) for message in messages])
    except (PayloadError, _OddError):
        return None


def parse_batch(texts: Sequence[bytes], mark: str) -> list[Any] | None:
    """The value that each of some JSON texts holds, `None` if any is not JSON of its own.

    Notes:
        The texts stand in one array with the mark between them. An element that is not whole in its own text would
        have a mark inside of it, so that one less would stand between elements; and no text has marks of its own.
    """
    between = f'"{mark}"'.encode()
    try:
        values = orjson.loads(b"[%b,%b]" % (between, (b",%b," % between).join(texts)))
    except orjson.JSONDecodeError:
        return None
    whole = len(values) == 2 * len(texts) and all(value == mark for value in values[::2])
    return values[1::2] if whole else None


class _OddError(Exception):
    """A message is not of the shape that is read here."""


def _v1(rows_of_each: Sequence[object]) -> DecodedBatch:
    rows: list[Any] = []
    counts = []
    for own in rows_of_each:
        if not isinstance(own, list) or not own:
            raise _OddError
        counts.append(len(own))
        rows += own
    if isinstance(rows[0], dict):
        return DecodedBatch(Decoded(_named_columns(rows)), np.array(counts))
    block = nested_array(rows, "the rows")
    data = as_numbers(block)
    if not data.size or (data.dtype == object and not _all_hold_text(block, counts)):
        raise _OddError
    return DecodedBatch(Decoded((Tensor("", data),)), np.array(counts))


def _named_columns(rows: Sequence[Any]) -> tuple[Tensor, ...]:
    """Columns of rows by name that all have the same names, and a number or nothing in each."""
    names = tuple(rows[0])
    if not names or not all(isinstance(row, dict) and tuple(row) == names for row in rows):
        raise _OddError
    data = as_numbers(nested_array([list(row.values()) for row in rows], "the rows"))
    if data.dtype == object or data.ndim != 2:  # noqa: PLR2004 - rows and columns
        raise _OddError
    return tuple(Tensor(name, np.ascontiguousarray(column)) for name, column in zip(names, data.T, strict=True))


def _all_hold_text(block: NDArray[Any], counts: Sequence[int]) -> bool:
    """Whether no message's rows are numbers alone: such would be doubles, in which large integers are rounded."""
    return not any(is_numeric(part) for part in np.split(block, np.cumsum(counts)[:-1]))


def is_plain_v2(message: object) -> TypeGuard[dict[str, Any]]:
    """Whether a message has no member that could make it something else than V2."""
    return isinstance(message, dict) and message.keys() <= _BESIDE


def items_of(message: Mapping[str, Any], kind: Kind) -> object:
    """What stands in place of the tensors."""
    return message.get(_V2[kind])


def _items(message: object, kind: Kind) -> list[Mapping[str, Any]]:
    if not is_plain_v2(message):
        raise _OddError
    items = items_of(message, kind)
    if not isinstance(items, list) or not items or not all(_is_tensor(item) for item in items):
        raise _OddError
    return items


def _is_tensor(item: object) -> bool:
    """Whether an item is a tensor with data in the JSON itself, of a size that its shape tells."""
    if not isinstance(item, dict) or not item.keys() >= _TENSOR:
        return False
    shape, data = item["shape"], item["data"]
    if not isinstance(shape, list) or not 1 <= len(shape) <= MAX_DIMENSIONS:
        return False
    if not all(type(size) is int and size > 0 for size in shape):
        return False
    return isinstance(data, list) and len(data) == (shape[0] if _is_nested(data) else math.prod(shape))


def _is_nested(data: Sequence[object]) -> bool:
    return bool(data) and isinstance(data[0], list)


def _v2(items_of_each: Sequence[list[Mapping[str, Any]]]) -> DecodedBatch:
    counts = [items[0]["shape"][0] for items in items_of_each]
    shapes = _shapes(items_of_each[0])
    for items, count in zip(items_of_each, counts, strict=True):
        if _shapes(items) != shapes or any(item["shape"][0] != count for item in items):
            raise _OddError
    if len({name for name, *_ in shapes}) < len(shapes):
        raise _OddError
    columns = zip(*items_of_each, strict=True)
    return DecodedBatch(Decoded(tuple(_tensor(column, sum(counts)) for column in columns)), np.array(counts))


def _shapes(items: Sequence[Mapping[str, Any]]) -> list[tuple[object, ...]]:
    """What must be the same in all messages: of each tensor the name, the datatype, all of the shape but the rows."""
    return [(item["name"], item["datatype"], item["shape"][1:], _is_nested(item["data"])) for item in items]


def _tensor(parts: Sequence[Mapping[str, Any]], rows: int) -> Tensor:
    first = parts[0]
    name, datatype, rest = first["name"], first["datatype"], first["shape"][1:]
    if not isinstance(name, str) or not name or not isinstance(datatype, str) or not is_known(datatype):
        raise _OddError
    values: list[Any] = []
    for part in parts:
        values += part["data"]
    data = from_json(values, datatype, name)
    if data.dtype == object and datatype != BYTES:
        raise _OddError  # a null among integers: those of other messages would stay as they were written
    shape = (rows, *rest)
    if data.shape != (shape if _is_nested(values) else (math.prod(shape),)):
        raise _OddError
    return Tensor(name, data.reshape(shape))
