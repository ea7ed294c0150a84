"""One column of a reference, made ready for every test: its values in order, and a fine partition of them.

This room is pure: numpy in, values out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sidecar.drift.cells import Cells, category_cells, ignored_cells, numeric_cells


class FeatureKind(StrEnum):
    """How a column is looked at."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One column of a reference, immutable.

    Args:
        name: The column's name.
        kind: How it is looked at.
        values: The values that are present, sorted ascending, float64, finite, read-only: numbers, or the
            codes of categories. At least one, but for `IGNORED`, which has none.
        missing: Rows in which it has no value.
        cells: The partition that counts are kept in; `cells.shares` are the reference's.
        categories: The text of each code, of the most frequent ones first; empty unless `CATEGORICAL`.
    """

    name: str
    kind: FeatureKind
    values: NDArray[np.float64]
    missing: int
    cells: Cells
    categories: Mapping[float, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of the reference, those without a value of this column included."""
        return self.values.size + self.missing


def numeric_profile(name: str, values: NDArray[np.float64], missing: int = 0) -> Profile:
    """The profile of a column of numbers.

    Args:
        name: The column's name.
        values: Shape `(m,)`, m at least 1, finite, sorted ascending.
        missing: Rows without a value.
    """
    return Profile(name, FeatureKind.NUMERIC, values, missing, numeric_cells(values))


def categorical_profile(
    name: str, values: NDArray[np.float64], categories: Mapping[float, str], missing: int = 0
) -> Profile:
    """The profile of a column of categories.

    Args:
        name: The column's name.
        values: Shape `(m,)`, m at least 1, codes, sorted ascending.
        categories: The text of each code, perhaps of more codes than there are.
        missing: Rows without a value.
    """
    cells = category_cells(values)
    codes, counts = np.unique(values, return_counts=True)
    frequent = codes[np.argsort(-counts, kind="stable")].tolist()
    texts = {code: categories[code] for code in frequent if code in categories}
    return Profile(name, FeatureKind.CATEGORICAL, values, missing, cells, texts)


def ignored_profile(name: str, rows: int) -> Profile:
    """A column that is left out of every test, but whose place in a row counts."""
    return Profile(name, FeatureKind.IGNORED, np.empty(0), rows, ignored_cells())
