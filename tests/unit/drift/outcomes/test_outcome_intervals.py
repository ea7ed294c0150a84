"""Intervals of metrics: published values, effective rows of requests, and how often they hold the truth."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from driftgauge.drift.detector.request_correlation import row_weights
from driftgauge.drift.outcomes.outcome_columns import Floats
from driftgauge.drift.outcomes.outcome_intervals import (
    bootstrap_intervals,
    effective_rows,
    mean_interval,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("right", "rows", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals_are_the_published_ones(right: int, rows: int, lower: float, upper: float) -> None:
    """R. G. Newcombe, "Two-sided Confidence Intervals for the Single Proportion", Statistics in Medicine 17, 1998."""
    found = wilson_interval(right / rows, rows)

    np.testing.assert_allclose(found, (lower, upper), atol=5e-5)


@pytest.mark.parametrize("right", [0, 1, 17, 40])
def test_wilson_intervals_are_those_of_scipy(right: int) -> None:
    """To 1e-12 for whole numbers of rows, both ends included."""
    expected = stats.binomtest(right, 40).proportion_ci(method="wilson")

    np.testing.assert_allclose(wilson_interval(right / 40, 40.0), (expected.low, expected.high), atol=1e-12)


def test_the_interval_of_a_mean_is_normal() -> None:
    """By hand: the values 1, 2, 3 have the standard deviation 1; one value alone has no interval."""
    found = mean_interval(np.array([1.0, 2.0, 3.0]), 4.0)

    assert found is not None
    np.testing.assert_allclose(found, (2 - 0.98, 2 + 0.98), atol=1e-4)
    assert mean_interval(np.array([1.0]), 1.0) is None


@pytest.mark.parametrize(("correlation", "expected"), [(0.0, 40.0), (1.0, 40**2 / 310), (0.5, 40**2 / 175)])
def test_effective_rows_are_those_of_the_plain_mean(correlation: float, expected: float) -> None:
    """Ten requests of one row and three of ten: n^2 / sum of k (1 + (k - 1) rho)."""
    lengths = np.repeat([1, 10], [10, 3])
    weights = np.repeat(row_weights(lengths, np.array([correlation]))[:, 0], lengths)

    assert math.isclose(expected, effective_rows(40, weights), rel_tol=1e-12)
    assert math.isclose(expected / 2, effective_rows(40, weights, 2.0), rel_tol=1e-12)


def test_no_rows_are_worth_none() -> None:
    """Also with weights."""
    assert 0.0 == effective_rows(0)
    assert 7.0 == effective_rows(7)


def test_bootstrap_intervals_of_a_mean_are_close_to_normal_ones() -> None:
    """Of 2,000 rows, within a tenth of their width."""
    values = np.random.default_rng(1).normal(size=2_000)
    found = bootstrap_intervals(lambda weights: {"mean": float(weights @ values / weights.sum())}, 2_000)["mean"]
    expected = mean_interval(values, 2_000.0)

    assert expected is not None
    np.testing.assert_allclose(found, expected, atol=0.1 * (expected[1] - expected[0]))


def test_requests_are_drawn_as_a_whole() -> None:
    """Requests of 25 equal rows: the interval is five times as wide as that of single rows."""
    level = np.random.default_rng(2).normal(size=200)
    values, requests = np.repeat(level, 25), np.repeat(np.arange(200), 25)

    def width(requests: NDArray[np.int64] | None) -> float:
        lower, upper = bootstrap_intervals(
            lambda weights: {"mean": float(weights @ values / weights.sum())}, values.size, requests
        )["mean"]
        return upper - lower

    assert 4 < width(requests) / width(None) < 6


def test_intervals_are_the_same_at_each_call() -> None:
    """The draws are seeded, so that replicas and evaluations agree."""
    values = np.random.default_rng(3).normal(size=50)

    def metrics(weights: Floats) -> dict[str, float]:
        return {"mean": float(weights @ values / weights.sum())}

    assert bootstrap_intervals(metrics, 50) == bootstrap_intervals(metrics, 50)


def test_a_metric_that_is_hardly_ever_defined_has_no_interval() -> None:
    """Nor has any without draws or rows."""
    assert {} == bootstrap_intervals(lambda _: {"nothing": math.nan}, 10)
    assert {} == bootstrap_intervals(lambda _: {"one": 1.0}, 10, draws=0)
    assert {} == bootstrap_intervals(lambda _: {"one": 1.0}, 0)


def test_a_biased_metric_has_an_interval_around_its_own_value() -> None:
    """The sum of absolute values is larger in draws than in the rows; it has no values below 0."""
    values = np.random.default_rng(4).normal(size=400)

    def metrics(weights: Floats) -> dict[str, float]:
        return {"gap": abs(float(weights @ values / weights.sum()))}

    own = metrics(np.ones(400))["gap"]
    lower, upper = bootstrap_intervals(metrics, 400, biased=["gap"])["gap"]
    assert 0.0 <= lower <= own <= upper


@pytest.mark.long
def test_intervals_hold_the_truth_in_about_95_of_100_samples() -> None:
    """Of 400 samples of 200 rows: the Wilson interval of a share, and the drawn one of a mean, in 91 to 99 of 100."""
    random = np.random.default_rng(5)
    wilson = drawn = 0
    for _ in range(400):
        values = (random.random(200) < 0.88).astype(np.float64)
        lower, upper = wilson_interval(float(values.mean()), 200.0)
        wilson += lower <= 0.88 <= upper
        lower, upper = bootstrap_intervals(
            lambda weights, values=values: {"mean": float(weights @ values / weights.sum())},  # type: ignore[misc] # its default is the loop's own
            200,
        )["mean"]
        drawn += lower <= 0.88 <= upper
    assert 0.91 < wilson / 400 < 0.99
    assert 0.91 < drawn / 400 < 0.99
