"""The dependence of rows: the estimated factors are those of the processes that made the rows."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from driftgauge.drift.detector.dependence import FEW_REQUESTS, dependence_factors

Floats = NDArray[np.float64]


def autoregressive(rho: float, rows: int, columns: int = 200) -> Floats:
    """Stationary Gaussian series whose neighbours correlate by rho."""
    noise = np.random.default_rng(7).standard_normal((rows, columns))
    noise[1:] *= math.sqrt(1 - rho**2)
    series: Floats = lfilter([1.0], [1.0, -rho], noise, axis=0)
    return series


def in_requests(size: int, icc: float, rows: int, columns: int = 200) -> tuple[Floats, NDArray[np.int64]]:
    """Requests of equal size whose rows correlate by `icc`, and the request of each row."""
    generator = np.random.default_rng(8)
    of = np.arange(rows) // size
    shared = generator.standard_normal((of[-1] + 1, columns))[of]
    return math.sqrt(icc) * shared + math.sqrt(1 - icc) * generator.standard_normal((rows, columns)), of


def quantiles(factors: Floats) -> tuple[float, float, float]:
    """The 5 % quantile, the median and the 95 % quantile."""
    low, median, high = np.quantile(factors, [0.05, 0.5, 0.95]).tolist()
    return low, median, high


def test_independent_rows_are_worth_themselves() -> None:
    """The median factor of independent rows is below 1.1, and 19 of 20 are below 1.3."""
    _, median, high = quantiles(dependence_factors(autoregressive(0.0, 1000), np.arange(1000)))

    assert 1.0 <= median < 1.1
    assert high < 1.3


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
def test_rows_that_correlate_with_their_neighbours(rho: float) -> None:
    """The median factor of 2000 rows lies within an eighth of the true one, (1 + rho) / (1 - rho)."""
    low, median, high = quantiles(dependence_factors(autoregressive(rho, 2000), np.arange(2000)))
    truth = (1 + rho) / (1 - rho)

    assert truth == pytest.approx(median, rel=0.125)
    assert truth * 0.6 < low < high < truth * 1.7


@pytest.mark.parametrize(("size", "icc"), [(8, 0.5), (8, 1.0), (32, 0.5)])
def test_rows_that_correlate_within_requests(size: int, icc: float) -> None:
    """The median factor lies within a third of the true one, 1 + (b - 1) icc."""
    _, median, _ = quantiles(dependence_factors(*in_requests(size, icc, 2048)))

    assert 1 + (size - 1) * icc == pytest.approx(median, rel=0.35)


def test_rows_that_do_not_correlate_within_requests() -> None:
    """The median factor of requests of 8 independent rows is below 1.1."""
    _, median, high = quantiles(dependence_factors(*in_requests(8, 0.0, 2048)))

    assert median < 1.1
    assert high < 1.5


@pytest.mark.parametrize("at", [100, 500, 1000])
@pytest.mark.parametrize("shift", [0.3, 3.0])
def test_a_change_of_level_is_no_dependence(at: int, shift: float) -> None:
    """Independent rows whose mean jumps within the window have a factor as if it did not."""
    rows = autoregressive(0.0, 2000)
    rows[at:] += shift
    _, median, high = quantiles(dependence_factors(rows, np.arange(2000)))

    assert median < 1.1
    assert high < 1.3


def test_negatively_correlated_rows_count_as_independent() -> None:
    """They could be worth more than independent ones, but the factor is at least 1."""
    assert 1.0 == np.median(dependence_factors(autoregressive(-0.6, 1000), np.arange(1000)))


def test_one_row() -> None:
    """A single row is worth one row."""
    assert [1.0, 1.0] == dependence_factors(np.array([[0.3, -0.2]]), np.array([5])).tolist()


def test_few_requests_of_unequal_size() -> None:
    """A request of 1000 rows and 18 requests of one row have the factor (1000^2 + 18) / 1018."""
    of = np.concatenate([np.zeros(1000, dtype=np.int64), np.arange(1, 19)])
    scores = np.random.default_rng(9).standard_normal((of.size, 1))

    assert [(1000**2 + 18) / 1018] == dependence_factors(scores, of).tolist()


def test_twenty_requests_are_enough_for_an_estimate() -> None:
    """With twenty requests the factor is estimated; with nineteen it is that of wholly alike rows."""
    scores = autoregressive(0.0, 5 * FEW_REQUESTS, columns=50)
    of = np.arange(5 * FEW_REQUESTS) // 5

    assert np.median(dependence_factors(scores, of)) < 3
    assert (dependence_factors(scores[5:], of[5:]) == 5).all()


def test_a_constant_score() -> None:
    """A constant score has exactly the factor 1, and the others keep theirs."""
    rows = autoregressive(0.6, 500, columns=3)
    expected = dependence_factors(rows, np.arange(500))
    rows[:, 1] = 0.1

    assert [expected[0], 1.0, expected[2]] == dependence_factors(rows, np.arange(500)).tolist()


def test_gaps_in_the_numbers_of_requests() -> None:
    """Only whether rows have the same number matters."""
    scores, of = in_requests(8, 0.5, 400, columns=2)

    assert dependence_factors(scores, of).tolist() == dependence_factors(scores, 1000 + 37 * of).tolist()


def test_weights_of_one_change_nothing() -> None:
    """The factor is that of unweighted rows, to the precision of floats."""
    scores, of = in_requests(8, 0.5, 2048)
    expected = dependence_factors(scores, of)

    np.testing.assert_allclose(dependence_factors(scores, of, np.ones(scores.shape)), expected, rtol=1e-9)


@pytest.mark.parametrize(("size", "icc"), [(8, 0.1), (8, 0.5), (32, 0.5), (32, 1.0)])
def test_weights_by_the_correlation_within_requests_leave_no_dependence(size: int, icc: float) -> None:
    """Rows that count by their weight are worth their sum, if the requests are independent."""
    scores, of = in_requests(size, icc, 250 * size)
    _, median, high = quantiles(dependence_factors(scores, of, np.full(scores.shape, 1 / (1 + (size - 1) * icc))))

    assert 1.0 <= median < 1.2
    assert high < 1.5


def test_few_weighted_requests_are_taken_to_be_independent() -> None:
    """Their weights allow for the rows within each."""
    scores, of = in_requests(128, 0.5, 1280)

    assert (dependence_factors(scores, of, np.full(scores.shape, 0.1)) == 1).all()
