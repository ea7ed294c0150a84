"""Converts columns of a window to the kinds of the reference."""

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.category_encoder import numbers_as_categories, texts_as_numbers
from driftgauge.reference.column import shortened
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
    found, values, name = table.kinds[index], table.values[:, index], table.columns[index]
    if found is kind:
        return values
    if kind is FeatureKind.IGNORED:
        return np.full(values.size, np.nan)
    if found is FeatureKind.IGNORED:
        why = table.left_out.get(name, "is left out").partition(":")[0]
        raise ReferenceDataError(f"{table.path}: column {shortened(name)} {why}, the reference does not leave it out")
    if kind is FeatureKind.CATEGORICAL:
        return numbers_as_categories(table.path, name, values).values
    distinct, places = np.unique(values, return_inverse=True)
    texts = [None if np.isnan(one) else table.categories.get(one, "text") for one in distinct.tolist()]
    return texts_as_numbers(table.path, name, texts, places)
