"""Messages of the V1 protocol of TensorFlow Serving and KServe."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import Kind
from driftgauge.protocol.json_text import as_numbers, nested_array
from driftgauge.protocol.limits import Limits, check_names
from driftgauge.protocol.tensor import Decoded, Tensor

_MEMBERS: Final = {Kind.REQUEST: ("inputs", "instances"), Kind.RESPONSE: ("predictions", "outputs")}
"""Members that contain the rows. The first that is present is used, as in KServe's `get_predict_input`."""

_COLUMNAR: Final = frozenset({"inputs", "outputs"})
"""Members that may hold columns by name (TensorFlow Serving's column format)."""

Row = Mapping[str, Any]


def decode_v1(message: Mapping[str, Any], kind: Kind, limits: Limits) -> Decoded:
    """The tensors of a V1 message.

    Args:
        message: The JSON object.
        kind: Of a request, `inputs` or else `instances` is read; of a response, `predictions` or else `outputs`.
        limits: The limits of names, and of the cells of a table of named columns.

    Returns:
        One unnamed tensor for rows by position (a list of scalars has one row for each), or one tensor for each column
        of rows by name. Numbers are float64, with NaN for null and missing; a tensor with text or objects is dtype
        object.

    Raises:
        PayloadError: `UNSUPPORTED` if none of the members is present (an explanation, an error, another
            protocol); `EMPTY` without rows; `MALFORMED` if ragged; `TOO_LARGE` beyond the
            limit of cells, `TOO_COMPLEX` beyond that of names.

    Source:
        TensorFlow Serving, "RESTful API", row and column format; KServe, "V1 Inference Protocol".
    """
    member = next((name for name in _MEMBERS[kind] if name in message), None)
    if member is None:
        expected = " nor ".join(f"`{name}`" for name in _MEMBERS[kind])
        raise PayloadError(Reason.UNSUPPORTED, f"The {kind} has neither {expected}.")
    tensors = _read_member(member, message[member], kind, limits)
    if not any(tensor.data.size for tensor in tensors):
        raise PayloadError(Reason.EMPTY, f"The {kind} has no rows in `{member}`.")
    return Decoded(tensors)


def _read_member(member: str, value: object, kind: Kind, limits: Limits) -> tuple[Tensor, ...]:
    if value is None:
        return ()
    if isinstance(value, dict) and member in _COLUMNAR:
        check_names(len(value), limits.names)
        columns = {name: items if isinstance(items, list) else [items] for name, items in value.items()}
        return tuple(_tensor(name, items) for name, items in columns.items())
    if not isinstance(value, list):
        raise PayloadError(Reason.MALFORMED, f"`{member}` must be a list of rows.")
    rows = _joined(value)
    if all(map(_is_row, rows)):
        return _columns(rows, kind, limits)
    return (_tensor("", value),)


def _joined(value: list[Any]) -> list[Any]:
    """A list of lists of dicts as one list of dicts; any other list unchanged."""
    if all(isinstance(items, list) and all(map(_is_row, items)) for items in value):
        return [row for items in value for row in items]
    return value


def _is_row(value: object) -> bool:
    """Whether a value is a row by name: a dict, but not one value in base64, `{"b64": "..."}`."""
    return isinstance(value, dict) and not (value.keys() == {"b64"} and isinstance(value["b64"], str))


def _columns(rows: Sequence[Row], kind: Kind, limits: Limits) -> tuple[Tensor, ...]:
    names = dict.fromkeys(name for row in rows for name in row)
    check_names(len(names), limits.names)
    # KServe makes a DataFrame of each instance, so a list in it has several rows. A prediction is one row, and a list
    # in it is a vector.
    counts = [_count_rows(row) for row in rows] if kind is Kind.REQUEST else [1] * len(rows)
    _check_cells(len(names) * max(len(rows), sum(counts)), limits.cells)
    if kind is Kind.RESPONSE:
        return tuple(_tensor(name, _outputs(name, rows, limits.cells)) for name in names)
    return tuple(_tensor(name, _column(name, rows, counts)) for name in names)


def _check_cells(cells: int, limit_cells: int) -> None:
    if cells > limit_cells:
        message = f"Rows by name make a table of {cells} cells, more than {limit_cells}."
        raise PayloadError(Reason.TOO_LARGE, message)


def _outputs(name: str, rows: Sequence[Row], limit_cells: int) -> list[Any]:
    """One named value of each prediction. If the others are vectors, a missing one is a vector of missing values."""
    values = [row.get(name) for row in rows]
    lengths = {len(value) for value in values if isinstance(value, list)}
    if len(lengths) != 1 or None not in values:
        return values
    missing = [None] * lengths.pop()
    _check_cells(len(rows) * len(missing), limit_cells)
    return [missing if value is None else value for value in values]


def _count_rows(row: Row) -> int:
    """The number of rows of one instance."""
    lengths = {len(value) for value in row.values() if isinstance(value, list)}
    if len(lengths) > 1:
        raise PayloadError(Reason.MALFORMED, "The lists of one instance differ in length.")
    return lengths.pop() if lengths else 1


def _column(name: str, rows: Sequence[Row], counts: Sequence[int]) -> list[Any]:
    column: list[Any] = []
    for row, count in zip(rows, counts, strict=True):
        value = row.get(name)
        column.extend(value if isinstance(value, list) else [value] * count)
    return column


def _tensor(name: str, values: list[Any]) -> Tensor:
    what = f"column {name!r:.80}" if name else "the rows"
    return Tensor(name, as_numbers(nested_array(values, what)))
