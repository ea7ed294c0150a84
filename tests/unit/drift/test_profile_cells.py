"""Cells: which values are in which, and the reference's share of each."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.profile import CATEGORY_CELLS, NUMERIC_CELLS, category_cells, ignored_cells, numeric_cells

Floats = NDArray[np.float64]


def sample(*values: float) -> Floats:
    """Sorted values."""
    return np.sort(np.array(values, dtype=np.float64))


def test_distinct_values_have_cells_of_equal_share() -> None:
    """Each of the 128 cells has ten of 1280 distinct values; two more cells are for values outside the range."""
    cells = numeric_cells(np.arange(1280.0))

    assert [0.0, *[10 / 1280] * NUMERIC_CELLS, 0.0] == cells.shares.tolist()


def test_values_outside_are_in_the_first_and_the_last_cell() -> None:
    """Its ends are not outside the reference's range."""
    cells = numeric_cells(np.arange(1280.0))

    assert [0, 1, 128, 129] == cells.index(np.array([-0.5, 0.0, 1279.0, 1279.5])).tolist()


def test_a_frequent_value_has_its_own_cell() -> None:
    """Half of the values are 3: a neighbour, above or below, is in another cell."""
    cells = numeric_cells(np.sort(np.concatenate([np.full(500, 3.0), np.linspace(0, 10, 500)])))
    below, at, above = cells.index(np.array([np.nextafter(3.0, 0.0), 3.0, np.nextafter(3.0, 4.0)])).tolist()

    assert below < at < above
    assert cells.shares[at] == 0.5


def test_values_between_those_of_the_reference_have_another_cell() -> None:
    """Flags of 0 and 1 in the reference, scores of 0.5 in the window: no cell has both."""
    cells = numeric_cells(sample(*[0.0] * 10, *[1.0] * 90))

    assert 0.0 == cells.shares[cells.index(np.array([0.5]))[0]]


@pytest.mark.parametrize(
    "values",
    [[5.0], [5.0] * 300, [-1e308, 1e308], [5e-324, 1e-323], [0.0, -0.0, 1.0], list(range(127)), list(range(129))],
)
def test_any_reference_has_cells(values: list[float]) -> None:
    """One value, one repeated, the largest and the smallest floats, fewer values than cells: all have cells."""
    cells = numeric_cells(sample(*values))

    assert (0.0, 0.0) == (cells.shares[0], cells.shares[-1])
    assert 1.0 == pytest.approx(cells.shares.sum())
    assert cells.shares.size == cells.bounds.size + 1
    assert not cells.is_categorical


def test_frequent_categories_have_the_first_cells() -> None:
    """The most frequent code comes first, whatever the order of codes; nothing is rare, nothing unknown."""
    cells = category_cells(sample(10, 20, 20, 20, 30, 30))

    assert [20, 30, 10] == cells.codes.tolist()
    assert [3 / 6, 2 / 6, 1 / 6, 0.0, 0.0] == cells.shares.tolist()
    assert [3, 1, 0, 2, 3] == (cells.index(np.array([0.0, 30, 20, 10, 11])) - [1, 0, 0, 0, 1]).tolist()


@pytest.mark.parametrize(("known", "own"), [(1, 1), (100, 100), (101, 100), (250, 100)])
def test_rare_categories_share_a_cell(known: int, own: int) -> None:
    """A hundred codes have their own cells; all other known codes share one, unknown ones another."""
    cells = category_cells(np.arange(1.0, known + 1))

    assert (own, own + 2) == (cells.codes.size, cells.shares.size)
    assert (pytest.approx((known - own) / known), 0.0) == (cells.shares[-2], cells.shares[-1])
    assert own <= CATEGORY_CELLS


def test_unknown_codes_are_counted_last() -> None:
    """Codes below, between and above the known ones are in the last cell."""
    cells = category_cells(sample(10, 20))

    assert [0, 1, 0, 4] == cells.count(np.array([5.0, 15.0, 25.0, 20.0, 1e15])).tolist()


def test_an_empty_window_fills_no_cell() -> None:
    """All of its counts are 0."""
    cells = numeric_cells(np.arange(3.0))

    assert 0 == cells.count(np.empty(0)).sum()


def test_ignored_columns_have_one_cell() -> None:
    """Every value is in it."""
    cells = ignored_cells()

    assert ([1.0], [3]) == (cells.shares.tolist(), cells.count(np.array([1.0, 2.0, -1.0])).tolist())
