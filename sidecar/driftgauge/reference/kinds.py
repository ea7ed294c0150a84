"""Converts columns of a window to the kinds of the reference."""

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code, text_of
from driftgauge.reference.column import shortened
from driftgauge.reference.formats.text_columns import number
from driftgauge.reference.table import Table


def as_kind(table: Table, index: int, kind: FeatureKind) -> NDArray[np.float64]:
    """A column's values, converted to another kind.

    Args:
        table: The dataset under test.
        index: Index of the column.
        kind: The kind of the column in the reference.

    Returns:
        Shape `(n,)`: numbers, codes of categories, or NaN throughout for an ignored one.

    Raises:
        ReferenceDataError: The column cannot be converted; the sentence names the file, column and value.
    """
    found, values = table.kinds[index], table.values[:, index]
    if found is kind:
        return values
    if kind is FeatureKind.IGNORED:
        return np.full(values.size, np.nan)
    if found is FeatureKind.IGNORED:
        name = table.columns[index]
        why = table.left_out.get(name, "is left out").partition(":")[0]
        raise ReferenceDataError(f"{table.path}: column {shortened(name)} {why}, the reference does not leave it out")
    return _as_codes(values) if kind is FeatureKind.CATEGORICAL else _as_numbers(table, index)


def _as_codes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers as categories."""
    distinct, places = np.unique(values, return_inverse=True)
    texts = [text_of(value) for value in distinct.tolist()]
    return np.array([np.nan if text is None else code(text) for text in texts])[places]


def _as_numbers(table: Table, index: int) -> NDArray[np.float64]:
    """Categories as numbers, if each is one."""
    distinct, places = np.unique(table.values[:, index], return_inverse=True)
    texts = ["" if np.isnan(one) else table.categories.get(one, "text") for one in distinct.tolist()]
    numbers = [number(text) for text in texts]
    wrong = np.array([value is None or np.isinf(value) for value in numbers])[places]
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ReferenceDataError(
            f"{table.path}: row {row + 1}, column {shortened(table.columns[index])}: "
            f"{shortened(texts[places[row]])} is not a number, the reference holds numbers there"
        )
    return np.array(numbers, dtype=np.float64)[places]
