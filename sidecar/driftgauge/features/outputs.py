"""The columns of a response without predictions in a reference: numbers, labels, and columns derived from scores."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import PayloadError, Reason
from driftgauge.features.output_columns import (
    NOT_SCALAR,
    ROWS_DIFFER,
    are_scores,
    are_scores_of_each,
    decisions,
)
from driftgauge.features.row_table import (
    CLASS,
    CONFIDENCE,
    MAX_CATEGORIES,
    as_floats,
    by_row,
    category_texts,
    check_distinct,
    check_finite,
    check_size,
    is_scalar,
    output_columns,
    output_name,
    width,
    with_known_name,
)
from driftgauge.protocol.category import text_of
from driftgauge.protocol.json_text import is_numeric, types_in
from driftgauge.protocol.missing_words import is_missing_number
from driftgauge.protocol.tensor import Decoded, Tensor

MAX_OUTPUT_COLUMNS: Final = 1000
"""Most columns of a response. More columns are embeddings or images, and no predictions."""

_NONE_KNOWN: Final[Mapping[str, FeatureKind]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """The columns and rows of one response.

    Args:
        columns: The names, at least one.
        kinds: The kind of each column, numeric or categorical.
        values: Shape `(n, k)` with n >= 1, C-contiguous; finite or NaN. Categories are codes.
        categories: The texts of codes that occur, at most 1000.
        widths: The values per row of each output that has columns.
        left_out: Why other outputs have none.
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    values: NDArray[np.float64]
    categories: Mapping[float, str]
    widths: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The usable columns of one tensor, with their values as on the wire, shape `(n, k)`."""

    tensor: Tensor
    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    values: NDArray[Any]


def extract_outputs(
    decoded: Decoded, known: Mapping[str, FeatureKind] = _NONE_KNOWN, unstable: frozenset[str] = frozenset()
) -> Outputs:
    """Extract the columns of a response, with their names and kinds.

    Args:
        decoded: The response's tensors.
        known: The columns of the model's earlier responses, for what one response alone does not show.
        unstable: Outputs that are left out.

    Returns:
        A tensor of one value per row has one column of its name, a wider one the columns `name_0` to `name_k`; unnamed
        rows are called as before if they fit, else `prediction`. A column with text is categorical, unless all texts
        stand for missing numbers. Columns with objects, and tensors of text with more than 1000 values per row, are
        left out. Of tensors that differ in rows, those with the number of rows that most of them have are kept, and the
        larger number of two that are as frequent. A tensor with class scores in every row has two more columns:
        `name_confidence`, the largest score, and `name_class`, the index of its class.

    Raises:
        PayloadError: `UNSUPPORTED` if there is no such column, if there are more than 1000 or two of one
            name; `INFINITE` for an infinity; `EMPTY` without rows;
            `TOO_LARGE` beyond 2**22 cells.

    Notes:
        A window only has rows with the same columns, so the columns must not depend on chance. A column without any
        value keeps its known kind, and known scores stay scores if all are missing. Numbers that are no probabilities
        may look like class scores in one short response; a tensor that is known without the two columns does not get
        them later.
    """
    decoded = with_known_name(decoded, known)
    every = [_part(tensor, known) for tensor in decoded.tensors if output_name(tensor) not in unstable]
    usable = [part for part in every if part.columns]
    parts = _of_one_length(usable)
    columns = [name for part in parts for name in part.columns]
    if unstable and not every:
        raise PayloadError(Reason.UNSUPPORTED, "No output of the response has a fixed width and number of rows.")
    if not 1 <= len(columns) <= MAX_OUTPUT_COLUMNS:
        message = f"The response has {len(columns)} columns of numbers or text; 1 to {MAX_OUTPUT_COLUMNS} can be kept."
        raise PayloadError(Reason.UNSUPPORTED, message)
    check_distinct(columns)
    check_size(parts[0].tensor.rows, len(columns))
    outputs: list[Outputs] = []
    for part in parts:
        given = _outputs(part.columns, part.kinds, part.values)
        outputs.append(given)
        outputs += _derived(part, given.values, known, columns)
    left_out = {output_name(part.tensor): NOT_SCALAR for part in every if part not in usable}
    left_out |= {output_name(part.tensor): ROWS_DIFFER for part in usable if part not in parts}
    widths = {output_name(part.tensor): width(part.tensor) for part in parts}
    return replace(_joined(outputs), widths=widths, left_out=left_out)


def _of_one_length(parts: Sequence[_Part]) -> list[_Part]:
    """The parts with the most frequent number of rows, the larger one of two that are as frequent."""
    lengths = Counter(part.tensor.rows for part in parts)
    chosen = max(lengths, key=lambda rows: (lengths[rows], rows), default=0)
    return [part for part in parts if part.tensor.rows == chosen]


def are_alike(decoded: Decoded, counts: NDArray[np.int64]) -> bool:
    """Whether a batch of responses has the same columns as each response alone.

    Args:
        decoded: The tensors.
        counts: Shape `(k,)`: the number of rows of each response.

    Returns:
        False if the columns of one response could depend on its own values: a missing value or a word for one, numbers
        beside text, or rows that are class scores in one response only.
    """
    return all(_is_alike(by_row(tensor), counts) for tensor in decoded.tensors)


def _is_alike(values: NDArray[Any], counts: NDArray[np.int64]) -> bool:
    if values.dtype == object:
        return types_in(values) == {str} and not any(map(is_missing_number, values.ravel().tolist()))
    if values.dtype.kind == "f" and np.isnan(values).any():
        return False
    scores = are_scores_of_each(values, counts)
    return bool(scores.all() or not scores.any())


def _part(tensor: Tensor, known: Mapping[str, FeatureKind]) -> _Part:
    columns, values = output_columns(tensor), by_row(tensor)
    kinds = _kinds(values, columns, known)
    if FeatureKind.IGNORED not in kinds:
        return _Part(tensor, columns, kinds, values)
    kept = [index for index, kind in enumerate(kinds) if kind is not FeatureKind.IGNORED]
    return _Part(tensor, tuple(columns[i] for i in kept), tuple(kinds[i] for i in kept), values[:, kept])


def _kinds(values: NDArray[Any], columns: Sequence[str], known: Mapping[str, FeatureKind]) -> tuple[FeatureKind, ...]:
    """The kind of each column of a tensor; ignored if it is not usable."""
    if values.dtype != object and FeatureKind.CATEGORICAL not in known.values():
        return (FeatureKind.NUMERIC,) * len(columns)
    if len(columns) > MAX_OUTPUT_COLUMNS:
        return (FeatureKind.NUMERIC if is_numeric(values) else FeatureKind.IGNORED,) * len(columns)
    return tuple(_kind(values[:, index], known.get(column)) for index, column in enumerate(columns))


def _kind(values: NDArray[Any], known: FeatureKind | None) -> FeatureKind:
    if not is_numeric(values):
        if not is_scalar(values):
            return FeatureKind.IGNORED
        return FeatureKind.NUMERIC if _are_numbers(values.tolist(), known) else FeatureKind.CATEGORICAL
    if known is FeatureKind.CATEGORICAL and all(text_of(item) is None for item in values.tolist()):
        return known
    return FeatureKind.NUMERIC


def _are_numbers(items: Sequence[object], known: FeatureKind | None) -> bool:
    """Whether values with text among them are numbers: each text stands for a missing one, as `NaN` does."""
    if known is FeatureKind.CATEGORICAL or (known is None and not any(isinstance(item, int | float) for item in items)):
        return False
    return all(is_missing_number(text_of(item) or "") for item in items if isinstance(item, str | bytes))


def _outputs(columns: tuple[str, ...], kinds: tuple[FeatureKind, ...], values: NDArray[Any]) -> Outputs:
    rows = as_floats(values, columns, kinds)
    check_finite(rows, columns)
    texts: dict[float, str] = {}
    for index, kind in enumerate(kinds):
        if kind is FeatureKind.CATEGORICAL:
            texts |= category_texts(values[:, index], columns[index])
    return Outputs(columns, kinds, rows, texts)


def _derived(
    part: _Part, rows: NDArray[np.float64], known: Mapping[str, FeatureKind], columns: Sequence[str]
) -> list[Outputs]:
    """The two derived columns of a tensor, if it has class scores and their names are free."""
    name = output_name(part.tensor)
    decided = (name + CONFIDENCE, name + CLASS)
    if not set(decided).isdisjoint(columns) or _is_known_without(decided, part.columns, known):
        return []
    if part.kinds.count(FeatureKind.NUMERIC) < width(part.tensor):
        return []
    found = are_scores(rows)
    if found is False or (found is None and decided[0] not in known):
        return []
    return [_outputs(decided, (FeatureKind.NUMERIC, FeatureKind.CATEGORICAL), decisions(rows))]


def _is_known_without(decided: Sequence[str], columns: Sequence[str], known: Mapping[str, FeatureKind]) -> bool:
    return bool(known) and known.keys().isdisjoint(decided) and known.keys() >= set(columns)


def _joined(outputs: Sequence[Outputs]) -> Outputs:
    texts: dict[float, str] = {}
    for given in outputs:
        texts |= given.categories
    return Outputs(
        columns=tuple(name for given in outputs for name in given.columns),
        kinds=tuple(kind for given in outputs for kind in given.kinds),
        values=np.ascontiguousarray(np.concatenate([given.values for given in outputs], axis=1)),
        categories=dict(islice(texts.items(), MAX_CATEGORIES)),
    )
