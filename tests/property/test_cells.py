"""Laws of cells: every value is in one, and D computed from them is nearly that of the values."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.profile import NUMERIC_CELLS, category_cells, numeric_cells
from driftgauge.drift.statistics.ks import sorted_ks_statistic

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

few = st.integers(-3, 3).map(float)
reals = st.floats(allow_nan=False, allow_infinity=False)
samples = st.one_of(
    arrays.arrays(np.float64, st.integers(1, 400), elements=few),
    arrays.arrays(np.float64, st.integers(1, 400), elements=st.one_of(few, reals)),
).map(np.sort)
codes = arrays.arrays(np.float64, st.integers(1, 400), elements=st.integers(0, 150).map(float)).map(np.sort)


@settings(deadline=None)
@given(reference=samples, window=samples)
def test_every_value_is_between_the_bounds_of_its_cell(reference: Floats, window: Floats) -> None:
    """A value is above the bound before its cell and not above the cell's own, so it is in exactly one cell."""
    cells = numeric_cells(reference)
    bounds = np.concatenate([[-np.inf], cells.bounds, [np.inf]])
    found = cells.index(window)

    assert np.all((bounds[found] < window) & (window <= bounds[found + 1]))
    assert [int(((bounds[i] < window) & (window <= bounds[i + 1])).sum()) for i in range(bounds.size - 1)] == (
        cells.count(window).tolist()
    )


@settings(deadline=None)
@given(reference=samples)
def test_shares_are_the_references_counts(reference: Floats) -> None:
    """The reference counted by its own cells gives the shares, and none of its values is outside."""
    cells = numeric_cells(reference)

    assert (cells.count(reference) / reference.size).tolist() == cells.shares.tolist()
    assert [0.0, 0.0] == cells.shares[[0, -1]].tolist()
    assert cells.bounds.size <= 2 * NUMERIC_CELLS


@settings(deadline=None)
@given(reference=samples)
def test_frequent_values_are_alone(reference: Floats) -> None:
    """A value that is frequent enough to fill a cell shares it with no other number."""
    cells = numeric_cells(reference)
    values, counts = np.unique(reference, return_counts=True)
    frequent = values[counts * NUMERIC_CELLS >= reference.size]
    frequent = frequent[frequent > -np.finfo(np.float64).max]
    found = cells.index(frequent)

    assert np.all(cells.index(np.nextafter(frequent, -np.inf)) == found - 1)
    assert (counts[np.isin(values, frequent)] / reference.size).tolist() == cells.shares[found].tolist()


@settings(deadline=None)
@given(reference=samples, window=samples)
def test_distance_is_nearly_that_of_the_values(reference: Floats, window: Floats) -> None:
    """D computed from cells is never too large, and too small by at most the share of a cell of several values."""
    cells = numeric_cells(reference)
    by_cells = float(np.abs(np.cumsum(cells.shares) - np.cumsum(cells.count(window)) / window.size).max())
    distance = sorted_ks_statistic(reference, window)
    values, counts = np.unique(reference, return_counts=True)
    infrequent = counts * NUMERIC_CELLS < reference.size
    shared = float(cells.shares[cells.index(values[infrequent])].max()) if infrequent.any() else 0.0

    assert by_cells <= distance + 1e-9
    assert distance <= by_cells + shared + 1e-9
    assert shared <= 2 / NUMERIC_CELLS + 1 / reference.size


@settings(deadline=None)
@given(reference=codes, window=codes)
def test_categories_are_counted_by_their_code(reference: Floats, window: Floats) -> None:
    """Each category's count is the number of its codes; rare and unknown ones are the rest."""
    cells = category_cells(reference)
    counts = cells.count(window)
    known = np.isin(window, reference)

    assert [int((window == code).sum()) for code in cells.codes] == counts[:-2].tolist()
    assert (int(known.sum()), int((~known).sum())) == (counts[:-1].sum(), counts[-1])
    assert (cells.count(reference) / reference.size).tolist() == pytest.approx(cells.shares.tolist())
    assert sorted(cells.shares[:-2].tolist(), reverse=True) == cells.shares[:-2].tolist()
