"""Pearson's test of homogeneity, by hand and against scipy."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, fisher_exact

from driftgauge.drift.statistics.chi_square import homogeneity_p_value, pooled_variation

Floats = NDArray[np.float64]


def counts(*rows: float) -> Floats:
    """Rows in each cell."""
    return np.array(rows, dtype=np.float64)


def test_three_cells_by_hand() -> None:
    """Two degrees of freedom have the tail exp(-x / 2); 60, 30, 10 against 30, 40, 30 of 100 rows each give x."""
    statistic = 15**2 / 45 * 2 + 5**2 / 35 * 2 + 10**2 / 20 * 2

    assert math.exp(-statistic / 2) == pytest.approx(
        homogeneity_p_value(counts(60, 30, 10), counts(30, 40, 30)), rel=1e-12
    )


@pytest.mark.parametrize("cells", [2, 3, 5001])
def test_equal_shares_are_no_evidence(cells: int) -> None:
    """The p-value of the same shares on both sides is 1, whatever the degrees of freedom."""
    assert 1.0 == homogeneity_p_value(np.full(cells, 30.0), np.full(cells, 60.0))


@pytest.mark.parametrize("rows", [1e5, 1e12])
def test_an_enormous_difference_leaves_no_doubt(rows: float) -> None:
    """The p-value of disjoint samples of so many rows is 0."""
    assert 0.0 == homogeneity_p_value(counts(rows, 0), counts(0, rows))


@pytest.mark.parametrize("factor", [1.0, 1.02, 1.05, 1.1, 1.3, 2.0])
@pytest.mark.parametrize("cells", [3, 11, 102, 1001])
def test_p_value_over_its_whole_range_is_that_of_scipy(cells: int, factor: float) -> None:
    """To nine digits, from 1 down to the smallest floats."""
    reference = np.full(cells, 2000.0)
    window = np.where(np.arange(cells) % 2, reference * factor, reference)
    expected = float(chi2_contingency(np.stack([reference, window]), correction=False).pvalue)

    assert expected == pytest.approx(homogeneity_p_value(reference, window), rel=1e-9, abs=0.0)


@pytest.mark.parametrize("cells", [2, 3, 7, 40, 102])
@pytest.mark.parametrize(("reference_rows", "window_rows"), [(1000, 1000), (10_000, 2000), (300, 5000)])
def test_p_value_is_that_of_scipy(cells: int, reference_rows: int, window_rows: int) -> None:
    """The tables have enough rows in every cell; two cells have Yates' correction, as in scipy."""
    generator = np.random.default_rng(cells)
    shares = generator.dirichlet(np.full(cells, 20.0))
    table = np.stack([generator.multinomial(rows, shares) for rows in (reference_rows, window_rows)])
    expected = float(chi2_contingency(table, correction=cells == 2).pvalue)

    assert expected == pytest.approx(homogeneity_p_value(*table.astype(np.float64)), rel=1e-9)


def test_cells_that_are_empty_on_both_sides_do_not_count() -> None:
    """A category that neither side has is no degree of freedom."""
    expected = homogeneity_p_value(counts(40, 30, 30), counts(20, 30, 50))

    assert expected == homogeneity_p_value(counts(40, 0, 30, 30, 0), counts(20, 0, 30, 50, 0))


@pytest.mark.parametrize("window", [counts(7, 0), counts(1e9, 0)])
def test_one_cell_is_no_evidence(window: Floats) -> None:
    """If all rows of both sides are in one cell the p-value is 1."""
    assert 1.0 == homogeneity_p_value(counts(50, 0), window)


def test_small_cells_are_pooled() -> None:
    """Cells in which the window should have less than one row are pooled, with as few larger ones as needed."""
    expected = homogeneity_p_value(counts(900, 70, 12), counts(90, 5, 5))

    assert expected == homogeneity_p_value(counts(900, 70, 4, 3, 3, 2), counts(90, 5, 2, 1, 1, 1))
    assert homogeneity_p_value(counts(900, 73), counts(90, 10)) == (
        homogeneity_p_value(counts(900, 70, 3), counts(90, 5, 5))
    )


def test_two_cells_remain() -> None:
    """Two cells are left to compare, however few rows are expected in them."""
    pooled = homogeneity_p_value(counts(1000, 6), counts(10, 6))

    assert pooled == pytest.approx(homogeneity_p_value(counts(1000, 1, 2, 3), counts(10, 3, 2, 1)), rel=1e-9)
    assert pooled < 1e-6


@pytest.mark.parametrize(("missing", "parts"), [(1, 1.0), (2, 1.1), (3, 2.5), (4, 6.0)])
def test_a_few_rare_events_are_not_significant(missing: int, parts: float) -> None:
    """For a few missing values where the reference has none, the p-value is not far below Fisher's exact one."""
    exact = float(fisher_exact(np.array([[10_000, 0], [2000 - missing, missing]])).pvalue)

    assert homogeneity_p_value(counts(10_000, 0), counts(2000 - missing, missing)) >= exact / parts


def test_false_alarm_rate() -> None:
    """Without a change at most 5 % of tables have p below 0.05, up to chance, with seldom and rare categories too.

    2000 tables: at a rate of 5 % more than 139 have a chance of 5e-5.
    """
    generator = np.random.default_rng(7)
    shares = 1 / np.arange(1.0, 31.0) ** 2
    shares /= shares.sum()
    tables = [[generator.multinomial(rows, shares).astype(np.float64) for rows in (3000, 300)] for _ in range(2000)]
    alarms = sum(homogeneity_p_value(*table) < 0.05 for table in tables)

    assert 60 <= alarms <= 139


@pytest.mark.parametrize(
    ("reference", "window", "expected"),
    [
        ([50, 50], [30, 70], 0.0),
        ([50, 50, 0.4, 0], [50, 50, 0, 0.4], 0.4 / 100.4),
        ([1] * 300 + [0] * 300, [0] * 300 + [1] * 300, 1 - 1 / 300),
    ],
    ids=["nothing rare", "a rare one for another", "all rare"],
)
def test_changes_among_pooled_cells_are_left_out(reference: list[float], window: list[float], expected: float) -> None:
    """The total variation of the cells is larger than that of the pooled ones by what the test cannot see."""
    assert expected == pytest.approx(pooled_variation(np.array(reference, float), np.array(window, float)), abs=1e-3)
