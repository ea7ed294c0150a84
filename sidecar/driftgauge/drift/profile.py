"""A partition of a feature's values into cells, and the reference's share of each.

This room is pure: numpy in, numbers out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

NUMERIC_CELLS = 128
"""Cells of a numeric column where no value is repeated much: D told from them is at most 1/128 too small."""

CATEGORY_CELLS = 100
"""Categories that get a cell of their own, the most frequent ones first; the others share one."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells and the reference's share of each.

    Args:
        bounds: Numeric: shape `(k - 1,)`, ascending; cell i holds the values above `bounds[i - 1]` up to and
            with `bounds[i]`. Categorical: the codes that the reference knows, ascending.
        cell_of: Categorical: the cell of each of these codes; empty for numeric.
        shares: Shape `(k,)`, float64, sums to 1. Categorical: the last cell is of codes that the reference
            does not know, its share is 0; the last but one is of rare codes that share a cell.
    """

    bounds: NDArray[np.float64]
    cell_of: NDArray[np.intp]
    shares: NDArray[np.float64]

    @property
    def is_categorical(self) -> bool:
        """Whether the values are codes, which have no order."""
        return self.cell_of.size > 0

    @property
    def codes(self) -> NDArray[np.float64]:
        """Categorical: the codes that have a cell of their own, in the order of the cells."""
        own = np.flatnonzero(self.cell_of < self.shares.size - 2)
        return self.bounds[own[np.argsort(self.cell_of[own])]]

    def index(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """The cell of each value; NaN must not be among them."""
        places = np.searchsorted(self.bounds, values, side="left")
        if not self.is_categorical:
            return places
        known = self.bounds[np.minimum(places, self.bounds.size - 1)] == values
        return np.where(known, self.cell_of[np.minimum(places, self.bounds.size - 1)], self.shares.size - 1)

    def count(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """How many of the values lie in each cell: shape `(k,)`."""
        return np.bincount(self.index(values), minlength=self.shares.size).astype(np.int64, copy=False)


def numeric_cells(values: NDArray[np.float64], cells: int = NUMERIC_CELLS) -> Cells:
    """Cells of about equal share, in which a value that fills one alone has that one to itself.

    The first and the last cell are of values below and above all that the reference has; their share is 0.

    Args:
        values: Shape `(m,)`, m at least 1, finite, sorted ascending.
        cells: How many between these two where no value is repeated much; up to twice as many where many are.
    """
    m = values.size
    ranks = np.arange(1, cells + 1) * m // cells
    cuts = np.unique(values[ranks[ranks > 0] - 1])
    counts = np.searchsorted(values, cuts, side="right") - np.searchsorted(values, cuts, side="left")
    alone = np.append(cuts[counts * cells >= m], values[0])
    with np.errstate(over="ignore"):  # below the least double is minus infinity
        before = np.nextafter(alone, -np.inf)  # not the value before it: a window may have others in between
    bounds = np.unique(np.concatenate([cuts, before]))
    counts = np.diff(np.searchsorted(values, bounds, side="right"), prepend=0, append=m)
    return Cells(bounds, np.empty(0, dtype=np.intp), counts / m)


def category_cells(values: NDArray[np.float64], cells: int = CATEGORY_CELLS) -> Cells:
    """A cell for each frequent code, one for the rare ones together, one for codes that are not known.

    Args:
        values: Shape `(m,)`, m at least 1, codes, sorted ascending.
        cells: Codes that get a cell of their own.
    """
    codes, counts = np.unique(values, return_counts=True)
    own = min(cells, codes.size)
    rank = np.empty(codes.size, dtype=np.intp)
    rank[np.argsort(-counts, kind="stable")] = np.arange(codes.size)
    cell_of = np.minimum(rank, own)
    shares = np.bincount(cell_of, weights=counts, minlength=own + 2) / values.size
    return Cells(codes, cell_of, shares)


def ignored_cells() -> Cells:
    """One cell for all values."""
    return Cells(np.empty(0), np.empty(0, dtype=np.intp), np.ones(1))


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
