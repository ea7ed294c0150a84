"""The rows of a response, with the columns of the reference's predictions, by name or derived from scores."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import decisions
from driftgauge.features.row_table import (
    CLASS,
    CONFIDENCE,
    as_floats,
    by_row,
    check_distinct,
    check_finite,
    common_rows,
    empty_rows,
    output_columns,
    output_name,
    width,
    with_known_name,
    wrong_width,
)
from driftgauge.protocol.missing_words import NO_WORDS
from driftgauge.protocol.tensor import Decoded, Tensor


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """The columns of one tensor that are needed, with their values, shape `(n, k)`."""

    tensor: Tensor
    columns: Sequence[str]
    values: NDArray[Any]


def extract_predictions(
    decoded: Decoded,
    columns: Sequence[str],
    kinds: Sequence[FeatureKind],
    missing_words: frozenset[str] = NO_WORDS,
) -> NDArray[np.float64]:
    """The rows of a response, in the order of the reference's predictions.

    Args:
        decoded: The response's tensors.
        columns: The names of the reference's predictions, at least one, as `extract_outputs` makes them.
        kinds: The kind of each.
        missing_words: Texts that are missing values, besides the empty one.

    Returns:
        Shape `(n, k)` with n >= 1, C-contiguous; finite or NaN. A categorical column contains codes, an ignored one
        only NaN. A single tensor without a name, as in V1, has the name of the columns if there are as many.
        `name_confidence` and `name_class` are derived from the class scores of `name` if the response has no such
        columns, and are NaN in rows that are no class scores.

    Raises:
        PayloadError: `WRONG_WIDTH` if a column that is not ignored is missing; `UNSUPPORTED` if two columns
            of the response have one name; `MALFORMED` if tensors differ in rows; `WRONG_TYPE`, `INFINITE`,
            `EMPTY` and `TOO_LARGE` as in `extract`.
    """
    positions = {name: index for index, name in enumerate(columns) if kinds[index] is not FeatureKind.IGNORED}
    decoded = with_known_name(decoded, columns)
    sources = _contained(decoded, positions)
    sources += _derived(decoded, positions.keys() - _names(sources))
    check_distinct([name for source in sources for name in source.columns])
    if positions.keys() != _names(sources):
        raise wrong_width(decoded, columns)
    used = [source.tensor for source in sources] or decoded.tensors[:1]
    rows = empty_rows(common_rows(used), len(columns))
    for source in sources:
        indices = [positions[name] for name in source.columns]
        source_kinds = [kinds[index] for index in indices]
        rows[:, indices] = as_floats(source.values, source.columns, source_kinds, missing_words)
    check_finite(rows, columns)
    return rows


def _names(sources: Sequence[_Source]) -> frozenset[str]:
    return frozenset(name for source in sources for name in source.columns)


def _contained(decoded: Decoded, wanted: Collection[str]) -> list[_Source]:
    """The needed columns that the response contains."""
    sources = []
    for tensor in decoded.tensors:
        given = output_columns(tensor) if _may_give(tensor, wanted) else ()
        indices = [index for index, name in enumerate(given) if name in wanted]
        if indices:
            sources.append(_Source(tensor, [given[index] for index in indices], by_row(tensor)[:, indices]))
    return sources


def _may_give(tensor: Tensor, wanted: Collection[str]) -> bool:
    """Whether a tensor may have needed columns. Avoids naming the thousands of columns of an embedding."""
    name = output_name(tensor)
    return name in wanted if width(tensor) == 1 else any(column.startswith(f"{name}_") for column in wanted)


def _derived(decoded: Decoded, wanted: Collection[str]) -> list[_Source]:
    """The needed columns that are derived from class scores."""
    sources = []
    for tensor in decoded.tensors:
        names = [output_name(tensor) + ending for ending in (CONFIDENCE, CLASS)]
        indices = [index for index, name in enumerate(names) if name in wanted]
        if indices and width(tensor) > 1:
            decided = decisions(_numbers(tensor))
            sources.append(_Source(tensor, [names[index] for index in indices], decided[:, indices]))
    return sources


def _numbers(tensor: Tensor) -> NDArray[np.float64]:
    columns = output_columns(tensor)
    return as_floats(by_row(tensor), columns, (FeatureKind.NUMERIC,) * len(columns))
