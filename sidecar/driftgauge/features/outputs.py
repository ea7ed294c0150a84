"""The columns of a response that no reference tells of: numbers, class labels, and what follows from scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import PayloadError, Reason
from driftgauge.features.class_scores import CLASS, CONFIDENCE, are_scores, are_scores_of_each, decisions
from driftgauge.features.row_table import (
    by_row,
    check_distinct,
    check_finite,
    check_size,
    common_rows,
    output_columns,
    output_name,
    width,
)
from driftgauge.features.values import MAX_CATEGORIES, as_floats, category_texts, is_scalar
from driftgauge.protocol.category import text_of
from driftgauge.protocol.json_text import is_numeric, types_in
from driftgauge.protocol.tensor import Decoded, Tensor

MAX_OUTPUT_COLUMNS: Final = 1000
"""The most columns of a response: beyond it stand embeddings and images, not predictions."""

_NONE_KNOWN: Final[Mapping[str, FeatureKind]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What one response gave.

    Args:
        columns: The names, at least one.
        kinds: The kind of each column, numeric or categorical.
        values: Shape `(n, k)` with n >= 1, C-contiguous; finite or NaN. Categories are codes.
        categories: The texts of codes that occur, at most 1000.
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    values: NDArray[np.float64]
    categories: Mapping[float, str]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The columns of one tensor that can be kept, with their values as on the wire, shape `(n, k)`."""

    tensor: Tensor
    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    values: NDArray[Any]


def extract_outputs(decoded: Decoded, known: Mapping[str, FeatureKind] = _NONE_KNOWN) -> Outputs:
    """The outputs of a response, with a name and a kind for each column.

    Args:
        decoded: The response's tensors.
        known: The columns of the model's earlier responses, for what this one alone cannot tell.

    Returns:
        A tensor of one value per row gives a column of its name, a wider one `name_0` to `name_k`; the name
        of unnamed rows is `prediction`. A column that holds text is categorical; columns that hold objects and
        tensors of text with more than 1000 values per row are left out. A tensor that holds scores in every
        row gives two columns more: `name_confidence`, the largest, and `name_class`, the index of its class.

    Raises:
        PayloadError: `UNSUPPORTED` if there is no such column, if there are more than 1000 or two of one
            name; `MALFORMED` if tensors differ in rows; `INFINITE` for an infinity; `EMPTY` without rows;
            `TOO_LARGE` beyond 2**22 cells.

    Notes:
        Rows of responses that differ in their columns do not mix, so that the columns must not hang on chance.
        A column that has no value keeps its known kind, and known scores stay scores where all are missing.
        Numbers that are no probabilities may look like such in one short response; a tensor that is known
        without the two columns does not get them again.
    """
    parts = [part for tensor in decoded.tensors if (part := _part(tensor, known)).columns]
    columns = [name for part in parts for name in part.columns]
    if not 1 <= len(columns) <= MAX_OUTPUT_COLUMNS:
        message = f"The response has {len(columns)} columns of numbers or text; 1 to {MAX_OUTPUT_COLUMNS} can be kept."
        raise PayloadError(Reason.UNSUPPORTED, message)
    check_distinct(columns)
    check_size(common_rows([part.tensor for part in parts]), len(columns))
    outputs: list[Outputs] = []
    for part in parts:
        given = _outputs(part.columns, part.kinds, part.values)
        outputs.append(given)
        outputs += _decided(part, given.values, known, columns)
    return _joined(outputs)


def are_alike(decoded: Decoded, counts: NDArray[np.int64]) -> bool:
    """Whether responses whose rows stand in one table give together what each by itself would give.

    Args:
        decoded: The tensors.
        counts: Shape `(k,)`: how many of the rows each response had, in their order.

    Returns:
        False wherever the columns of one response could hang on what only that response holds: on a value that is
        missing, on numbers beside text, on rows that are scores in one response and none in another.
    """
    return all(_is_alike(by_row(tensor), counts) for tensor in decoded.tensors)


def _is_alike(values: NDArray[Any], counts: NDArray[np.int64]) -> bool:
    if values.dtype == object:
        return types_in(values) == {str}
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
    """The kind of each column of a tensor; ignored is what cannot be kept."""
    if values.dtype != object and FeatureKind.CATEGORICAL not in known.values():
        return (FeatureKind.NUMERIC,) * len(columns)
    if len(columns) > MAX_OUTPUT_COLUMNS:
        return (FeatureKind.NUMERIC if is_numeric(values) else FeatureKind.IGNORED,) * len(columns)
    return tuple(_kind(values[:, index], known.get(column)) for index, column in enumerate(columns))


def _kind(values: NDArray[Any], known: FeatureKind | None) -> FeatureKind:
    if not is_numeric(values):
        return FeatureKind.CATEGORICAL if is_scalar(values) else FeatureKind.IGNORED
    if known is FeatureKind.CATEGORICAL and all(text_of(item) is None for item in values.tolist()):
        return known
    return FeatureKind.NUMERIC


def _outputs(columns: tuple[str, ...], kinds: tuple[FeatureKind, ...], values: NDArray[Any]) -> Outputs:
    rows = as_floats(values, columns, kinds)
    check_finite(rows, columns)
    texts: dict[float, str] = {}
    for index, kind in enumerate(kinds):
        if kind is FeatureKind.CATEGORICAL:
            texts |= category_texts(values[:, index], columns[index])
    return Outputs(columns, kinds, rows, texts)


def _decided(
    part: _Part, rows: NDArray[np.float64], known: Mapping[str, FeatureKind], columns: Sequence[str]
) -> list[Outputs]:
    """The two columns that follow from a tensor of scores, if it is one and their names are free."""
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
