"""The rows of a request: the columns of the reference, by name or by position."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.features.row_table import (
    MAX_CELLS,
    as_column,
    as_floats,
    by_row,
    check_finite,
    check_size,
    common_rows,
    empty_rows,
    width,
    wrong_width,
)
from driftgauge.protocol.missing_words import NO_WORDS
from driftgauge.protocol.tensor import Decoded, Tensor


def extract(
    decoded: Decoded,
    columns: Sequence[str],
    kinds: Sequence[FeatureKind],
    limit_cells: int = MAX_CELLS,
    missing_words: frozenset[str] = NO_WORDS,
) -> NDArray[np.float64]:
    """The rows of a request, in the order of the reference's columns.

    Args:
        decoded: The request's tensors.
        columns: The reference's names, at least one, ignored ones included.
        kinds: The kind of each column.
        limit_cells: The most cells that the rows may have.
        missing_words: Texts that are missing values, besides the empty one.

    Returns:
        Shape `(n, d)` with n >= 1, C-contiguous; finite or NaN. A categorical column contains codes, an ignored one
        only NaN. Tensors of one value per row that are named like columns are used by name, and a column without a
        tensor is NaN. Otherwise one tensor with as many values per row as there are columns, ignored ones included,
        is used by position.

    Raises:
        PayloadError: `WRONG_WIDTH` if the tensors fit neither by name nor by position; `MALFORMED` if the
            named ones differ in rows; `WRONG_TYPE` if a numeric column holds text or objects or a categorical
            one objects; `INFINITE` if a numeric one holds an infinity; `EMPTY` without rows; `TOO_LARGE`
            beyond `limit_cells`.
    """
    named = _named(decoded, columns, kinds)
    only = decoded.tensors[0]
    if named and all(width(tensor) == 1 for tensor in named.values()):
        rows = empty_rows(common_rows(list(named.values())), len(columns), limit_cells)
        for index, column in enumerate(columns):
            if column in named:
                rows[:, index] = as_column(named[column].data.reshape(-1), column, kinds[index], missing_words)
    elif len(decoded.tensors) == 1 and width(only) == len(columns):
        check_size(only.rows, len(columns), limit_cells)
        rows = np.ascontiguousarray(as_floats(by_row(only), columns, kinds, missing_words))
    else:
        raise wrong_width(decoded, columns)
    check_finite(rows, columns)
    return rows


def _named(decoded: Decoded, columns: Sequence[str], kinds: Sequence[FeatureKind]) -> dict[str, Tensor]:
    """The tensors that are named like columns; those of ignored columns only if there are no others."""
    wanted = frozenset(columns)
    named = {tensor.name: tensor for tensor in decoded.tensors if tensor.name in wanted}
    if not named or FeatureKind.IGNORED not in kinds:
        return named
    ignored = {column for column, kind in zip(columns, kinds, strict=True) if kind is FeatureKind.IGNORED}
    return {name: tensor for name, tensor in named.items() if name not in ignored} or named
