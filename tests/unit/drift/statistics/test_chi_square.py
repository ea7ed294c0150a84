"""Pearson's test of homogeneity and its distribution, against scipy."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2, chi2_contingency, fisher_exact

from driftgauge.drift.statistics.chi_square import homogeneity_p_value, survival

Floats = NDArray[np.float64]

DEGREES = [1, 2, 3, 5, 10, 22, 101, 1000, 5000]
PLACES = [1e-12, 1e-3, 0.1, 0.5, 0.9, 0.99, 1.0, 1.01, 1.1, 1.5, 2.0, 4.0]
"""In units of the degrees of freedom, which are the mean."""


def counts(*rows: float) -> Floats:
    """Rows in each cell."""
    return np.array(rows, dtype=np.float64)


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("place", PLACES)
def test_survival_is_that_of_scipy(degrees: int, place: float) -> None:
    """To ten digits, on both sides of the mean, where series and fraction meet too."""
    assert float(chi2.sf(place * degrees, degrees)) == pytest.approx(survival(place * degrees, degrees), rel=1e-10)


@pytest.mark.parametrize(
    ("statistic", "degrees", "expected"),
    [(3.841, 1, 0.05), (6.635, 1, 0.01), (5.991, 2, 0.05), (18.307, 10, 0.05), (124.342, 100, 0.05)],
)
def test_survival_in_print(statistic: float, degrees: int, expected: float) -> None:
    """The points of the usual tables (R. A. Fisher, Statistical Methods for Research Workers, table III)."""
    assert expected == pytest.approx(survival(statistic, degrees), rel=1e-3)


def test_survival_of_two_degrees_is_an_exponential() -> None:
    """Q(1, x) = exp(-x), down to the least doubles."""
    for statistic in (1e-9, 1.0, 30.0, 1000.0, 1400.0):
        assert math.exp(-statistic / 2) == pytest.approx(survival(statistic, 2), rel=1e-12)


@pytest.mark.parametrize(("statistic", "expected"), [(0.0, 1.0), (1e6, 0.0), (1e300, 0.0)])
@pytest.mark.parametrize("degrees", [1, 2, 5000])
def test_survival_at_the_ends(statistic: float, expected: float, degrees: int) -> None:
    """No distance is no evidence, an enormous one leaves no doubt."""
    assert expected == survival(statistic, degrees)


@pytest.mark.parametrize("cells", [2, 3, 7, 40, 102])
@pytest.mark.parametrize(("reference_rows", "window_rows"), [(1000, 1000), (10_000, 2000), (300, 5000)])
def test_p_value_is_that_of_scipy(cells: int, reference_rows: int, window_rows: int) -> None:
    """Of tables in which enough is expected everywhere; of two cells with Yates' correction, as is scipy's rule."""
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
