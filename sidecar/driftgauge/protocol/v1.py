"""Messages of the V1 protocol of TensorFlow Serving and KServe."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import Kind
from driftgauge.protocol.json_text import as_exact_numbers, nested_array
from driftgauge.protocol.limits import Limits, check_names
from driftgauge.protocol.named_rows import NO_COLUMNS, Columns, Row, is_row, request_columns, response_columns
from driftgauge.protocol.tensor import Decoded, Tensor

_MEMBERS: Final = {Kind.REQUEST: ("inputs", "instances"), Kind.RESPONSE: ("predictions", "outputs")}
"""Members that contain the rows. The first that is present is used, as in KServe's `get_predict_input`."""

_COLUMNAR: Final = frozenset({"inputs", "outputs"})
"""Members that may hold columns by name (TensorFlow Serving's column format)."""


def decode_v1(message: Mapping[str, Any], kind: Kind, limits: Limits, columns: frozenset[str] = NO_COLUMNS) -> Decoded:
    """The tensors of a V1 message.

    Args:
        message: The JSON object.
        kind: Of a request, `inputs` or else `instances` is read; of a response, `predictions` or else `outputs`.
        limits: The limits of names, and of the cells of a table of named columns.
        columns: The columns of the reference, as in `request_columns`; empty if they are unknown.

    Returns:
        One unnamed tensor for rows by position (a list of scalars has one row for each), or one tensor for each column
        of rows by name. Numbers are float64, with NaN for null and missing; a tensor with text, objects, bools, or
        integers that float64 would round, is dtype object.

    Raises:
        PayloadError: `UNSUPPORTED` if none of the members is present (an explanation, an error, another
            protocol); `EMPTY` without rows; `MALFORMED` if the rows of a
            request are ragged (those of a response are objects); `TOO_LARGE` beyond the
            limit of cells, `TOO_COMPLEX` beyond that of names.

    Source:
        TensorFlow Serving, "RESTful API", row and column format; KServe, "V1 Inference Protocol".
    """
    member = next((name for name in _MEMBERS[kind] if name in message), None)
    if member is None:
        expected = " nor ".join(f"`{name}`" for name in _MEMBERS[kind])
        raise PayloadError(Reason.UNSUPPORTED, f"The {kind} has neither {expected}.")
    tensors = _read_member(member, message[member], kind, limits, columns)
    if not any(tensor.data.size for tensor in tensors):
        raise PayloadError(Reason.EMPTY, f"The {kind} has no rows in `{member}`.")
    return Decoded(tensors)


def _read_member(member: str, value: object, kind: Kind, limits: Limits, columns: frozenset[str]) -> tuple[Tensor, ...]:
    if value is None:
        return ()
    if isinstance(value, dict) and member in _COLUMNAR:
        if not any(map(is_row, value.values())):
            return _tensors(_columnar(value, limits))
        value = [value]  # a DataFrame as pandas' `to_dict` writes it
    if not isinstance(value, list):
        raise PayloadError(Reason.MALFORMED, f"`{member}` must be a list of rows.")
    rows = _joined(value)
    if not all(map(is_row, rows)):
        return (_tensor("", value, kind),)
    if kind is Kind.RESPONSE:
        return tuple(_tensor(name, values, kind) for name, values in response_columns(rows, limits).items())
    return _tensors(request_columns(rows, columns, limits))


def _columnar(value: Row, limits: Limits) -> Columns:
    check_names(len(value), limits.names)
    return {name: items if isinstance(items, list) else [items] for name, items in value.items()}


def _joined(value: list[Any]) -> list[Any]:
    """A list of lists of dicts as one list of dicts; any other list unchanged."""
    if all(isinstance(items, list) and all(map(is_row, items)) for items in value):
        return [row for items in value for row in items]
    return value


def _tensors(columns: Columns) -> tuple[Tensor, ...]:
    return tuple(_tensor(name, values) for name, values in columns.items())


def _tensor(name: str, values: list[Any], kind: Kind = Kind.REQUEST) -> Tensor:
    what = f"column {name!r:.80}" if name else "the rows"
    try:
        block = nested_array(values, what)
    except PayloadError:
        if kind is Kind.REQUEST:
            raise
        return Tensor(name, _uneven(values))  # one output of many, maybe: the others can be used
    return Tensor(name, as_exact_numbers(block))


def _uneven(values: list[Any]) -> NDArray[Any]:
    """Lists of different lengths, each as one object."""
    block = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        block[index] = value
    return block
