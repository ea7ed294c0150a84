"""Profiles: the columns of a reference, each with its values sorted and partitioned into cells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.hour_buckets import HourBuckets
from driftgauge.drift.hours.hour_model import HourModel
from driftgauge.drift.hours.hour_shares import HourShares
from driftgauge.drift.sorted_values import SortedValues

NUMERIC_CELLS = 128
"""Cells of a numeric column in which no value is frequent: D computed from them is at most 1/128 too small."""

CATEGORY_CELLS = 100
"""Categories with a cell of their own, the most frequent ones; the others share one cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A partition of a column's values into `k` cells, and the reference's share of each.

    Args:
        bounds: Numeric: shape `(k - 1,)`, ascending; cell i has the values above `bounds[i - 1]` up to and including
            `bounds[i]`. Categorical: the codes that the reference knows, ascending.
        cell_of: Categorical: the cell of each of these codes. Numeric: empty.
        shares: Shape `(k,)`, float64, sums to 1. Categorical: the last cell has the codes that the reference does not
            know, with share 0; the last but one has all rare codes.
    """

    bounds: NDArray[np.float64]
    cell_of: NDArray[np.intp]
    shares: NDArray[np.float64]

    @property
    def is_categorical(self) -> bool:
        """Whether the values are codes of categories, which have no order."""
        return self.cell_of.size > 0

    @property
    def codes(self) -> NDArray[np.float64]:
        """Categorical: the codes with a cell of their own, in the order of the cells."""
        own = np.flatnonzero(self.cell_of < self.shares.size - 2)
        return self.bounds[own[np.argsort(self.cell_of[own])]]

    def index(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """The cell of each value; none may be NaN."""
        positions = np.searchsorted(self.bounds, values, side="left")
        if not self.is_categorical:
            return positions
        known = self.bounds[np.minimum(positions, self.bounds.size - 1)] == values
        return np.where(known, self.cell_of[np.minimum(positions, self.bounds.size - 1)], self.shares.size - 1)

    def count(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """The number of values in each cell: shape `(k,)`."""
        return np.bincount(self.index(values), minlength=self.shares.size).astype(np.int64, copy=False)


def numeric_cells(values: NDArray[np.float64], cells: int = NUMERIC_CELLS) -> Cells:
    """Cells of about equal share; a value that is frequent enough to fill a cell has one to itself.

    The first and the last cell are for values below and above the reference's range; their share is 0.

    Args:
        values: Shape `(m,)`, m at least 1, finite, sorted ascending.
        cells: Cells between these two if no value is frequent; up to twice as many if many are.
    """
    m = values.size
    ranks = np.arange(1, cells + 1) * m // cells
    cuts = np.unique(values[ranks[ranks > 0] - 1])
    counts = np.searchsorted(values, cuts, side="right") - np.searchsorted(values, cuts, side="left")
    alone = np.append(cuts[counts * cells >= m], values[0])
    # A frequent value v needs a bound just below it. The reference's next smaller value would not do: a window may have
    # values between the two, and they must not be counted as v.
    with np.errstate(over="ignore"):  # below the least double lies minus infinity
        before = np.nextafter(alone, -np.inf)
    bounds = np.unique(np.concatenate([cuts, before]))
    counts = np.diff(np.searchsorted(values, bounds, side="right"), prepend=0, append=m)
    return Cells(bounds, np.empty(0, dtype=np.intp), counts / m)


def category_cells(values: NDArray[np.float64], cells: int = CATEGORY_CELLS) -> Cells:
    """A cell for each frequent code, one for all rare codes, one for unknown codes.

    Args:
        values: Shape `(m,)`, m at least 1, codes, sorted ascending.
        cells: How many codes get a cell of their own, at most.
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
    """How a column is tested."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One column of a reference, immutable.

    Args:
        name: The column's name.
        kind: How it is tested.
        kept: The values that are present, finite: numbers, or the codes of categories. At least one, except for
            `IGNORED`, which has none.
        missing: Rows without a value.
        cells: The partition of the values.
        categories: The text of each code, the most frequent code first; empty unless `CATEGORICAL`.
        in_order: Shape `(rows,)`: the cell of each row in the order of time, the number of cells for a row that lacks
            the feature; `None` where the order of the rows is not known.
        requests: Shape `(rows,)`, int64, ascending: equal for rows of one time, which are taken for those of one
            request; `None` if each row is one.
        parameters: Parameters of the model of hours that the values were adjusted by, at least 1.
        hours: Numeric, of a reference with times: how the values depend on the hour. `values`, `cells` and `in_order`
            are those of adjusted values (`HourModel.adjust`); rows are adjusted by it before they are compared.
        shares_by_hour: Categorical, of a reference with times: the shares of the cells in buckets of like hours.
        missing_by_hour: Of a reference with times and missing values: the shares of rows with (cell 0) and without a
            value (cell 1) in buckets of like hours.
        buckets: Both together; `None` if neither depends on the hour. In `in_order` the cells of a row's bucket follow
            those of the buckets before.
    """

    name: str
    kind: FeatureKind
    kept: SortedValues
    missing: int
    cells: Cells
    categories: Mapping[float, str] = field(default_factory=dict)
    in_order: NDArray[np.uint16] | None = None
    requests: NDArray[np.int64] | None = None
    parameters: float = 1.0
    hours: HourModel | None = None
    shares_by_hour: HourShares | None = None
    missing_by_hour: HourShares | None = None
    buckets: HourBuckets | None = None

    @property
    def values(self) -> NDArray[np.float64]:
        """`kept`: sorted ascending, float64, read-only. Most are computed at each call."""
        return self.kept.all()

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.kept.size

    @property
    def rows(self) -> int:
        """Rows of the reference, those without a value of this column included."""
        return self.kept.size + self.missing

    def count_outside(self, values: NDArray[np.float64]) -> int:
        """How many values the reference does not have: unknown categories, numbers below or above its range.

        Args:
            values: Shape `(n,)`, sorted ascending, without NaN.
        """
        if self.kind is FeatureKind.CATEGORICAL:
            return int(self.cells.count(values)[-1])
        least, greatest = self.kept.ends()
        first = int(np.searchsorted(values, least, side="left"))
        end = int(np.searchsorted(values, greatest, side="right"))
        return values.size - (end - first)


def numeric_profile(name: str, values: NDArray[np.float64], missing: int = 0) -> Profile:
    """The profile of a column of numbers.

    Args:
        name: The column's name.
        values: Shape `(m,)`, m at least 1, finite, sorted ascending.
        missing: Rows without a value.
    """
    return Profile(name, FeatureKind.NUMERIC, SortedValues.of(values), missing, numeric_cells(values))


def categorical_profile(
    name: str, values: NDArray[np.float64], categories: Mapping[float, str], missing: int = 0
) -> Profile:
    """The profile of a column of categories.

    Args:
        name: The column's name.
        values: Shape `(m,)`, m at least 1, codes, sorted ascending.
        categories: The text of each code; may have codes that do not occur.
        missing: Rows without a value.
    """
    cells = category_cells(values)
    codes, counts = np.unique(values, return_counts=True)
    frequent = codes[np.argsort(-counts, kind="stable")].tolist()
    texts = {code: categories[code] for code in frequent if code in categories}
    return Profile(name, FeatureKind.CATEGORICAL, SortedValues.of(values), missing, cells, texts)


def ignored_profile(name: str, rows: int) -> Profile:
    """The profile of a column that is part of each row, but that no test looks at."""
    return Profile(name, FeatureKind.IGNORED, SortedValues.of(np.empty(0)), rows, ignored_cells())
