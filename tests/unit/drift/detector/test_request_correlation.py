"""The correlation of rows of one request: its upper bound, and the weights of rows that follow from it."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.detector.request_correlation import (
    MEMORY_REQUESTS,
    SUMS,
    add_requests,
    correlation_bounds,
    no_sums,
    row_weights,
)

Floats = NDArray[np.float64]
SCORES = 20


def drawn(requests: int, rows: int, correlation: float, seed: int = 1) -> Floats:
    """Standard normal scores, shape `(requests, rows, SCORES)`; two rows of one request have this correlation."""
    rng = np.random.default_rng(seed)
    shared, own = rng.standard_normal((requests, 1, SCORES)), rng.standard_normal((requests, rows, SCORES))
    scores: Floats = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own
    return scores


def added(scores: Floats, sums: Floats | None = None) -> Floats:
    """The running sums with requests of equal length."""
    lengths = np.full(scores.shape[0], scores.shape[1])
    before = no_sums(scores.shape[2]) if sums is None else sums
    return add_requests(before, scores.sum(axis=1), np.square(scores).sum(axis=1), lengths)


@pytest.mark.parametrize("rows", [2, 8, 128])
@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.5, 0.9])
def test_the_bound_is_a_little_above_the_correlation(rows: int, correlation: float) -> None:
    """After 1,000 requests, for nearly all of 20 scores, and within a tenth of it."""
    bounds = correlation_bounds(added(drawn(1000, rows, correlation)))

    assert np.mean(bounds >= correlation) >= 0.9
    assert bounds.max() < correlation + 0.25 / math.sqrt(rows) + 0.1


def test_the_bound_falls_as_requests_come() -> None:
    """It is 1 while nothing is known, and each tenfold number of requests brings it nearer to the truth."""
    numbers = (1, 2, 10, 100, 1000)
    bounds = [float(np.median(correlation_bounds(added(drawn(number, 8, 0.1))))) for number in numbers]

    assert (correlation_bounds(no_sums(3)) == 1).all()
    assert sorted(bounds, reverse=True) == bounds
    assert [1.0, 1.0] == bounds[:2]


def test_a_change_of_level_is_no_correlation() -> None:
    """A step of half a standard deviation hardly raises the bound, and one of three does not hide itself."""
    scores = drawn(400, 32, 0.0)
    steady = correlation_bounds(added(scores))
    for size, most in ((0.5, 0.02), (3.0, 0.15)):
        scores[200:] += size
        stepped = correlation_bounds(added(scores))
        scores[200:] -= size

        assert np.median(stepped) < np.median(steady) + most


def test_wholly_equal_rows_have_the_bound_one() -> None:
    """Whatever their number."""
    assert (correlation_bounds(added(drawn(500, 5, 1.0))) > 0.99).all()


def test_a_score_that_never_varied_has_the_bound_one() -> None:
    """That no row of 500 requests was missing does not say whether missing rows come together."""
    assert (correlation_bounds(added(np.zeros((500, 8, SCORES)))) == 1).all()
    assert (correlation_bounds(added(np.full((500, 8, SCORES), 0.3))) == 1).all()
    assert (correlation_bounds(added(np.full((500, 7, SCORES), -0.0436))) == 1).all()


def test_requests_that_are_missing_as_a_whole_are_equal_rows() -> None:
    """A score that is one constant in most requests and another in a few: the bound is 1, from the first ones on."""
    scores = np.full((400, 7, SCORES), -0.0436)
    scores[50::20] = 1 - 0.0436
    for number in (50, 52, 100, 400):
        assert correlation_bounds(added(scores[:number])) == pytest.approx(np.ones(SCORES))


def test_a_score_that_seldom_varied_is_hardly_known() -> None:
    """Two rows that differ, of 16,000 in 500 requests, count as two requests, not as 500."""
    scores = np.zeros((500, 32, SCORES))
    scores[[100, 300], 0] = 1.0

    assert (correlation_bounds(added(scores)) > 0.4).all()


def test_requests_may_be_added_in_any_parts() -> None:
    """The sums over all requests are those that one after the other gives."""
    scores = drawn(30, 4, 0.3)
    together, apart = added(scores), no_sums(SCORES)
    for request in scores:
        apart = added(request[np.newaxis], apart)

    assert (SUMS, SCORES) == together.shape
    np.testing.assert_allclose(together, apart, rtol=1e-12)


def test_old_requests_are_forgotten() -> None:
    """After three times the memory the sums are those of the new traffic."""
    old, new = added(drawn(500, 8, 1.0)), drawn(3 * MEMORY_REQUESTS, 8, 0.0, seed=2)

    assert np.median(correlation_bounds(added(new, old))) < 0.1


def test_the_weight_of_a_row() -> None:
    """A single row has exactly the weight 1; equal rows share the weight of one."""
    weights = row_weights(np.array([1, 2, 250]), np.array([0.0, 0.5, 1.0, 0.1]))

    assert [1.0] * 4 == weights[0].tolist()
    assert [1.0, 1 / 1.5, 1 / 2, 1 / 1.1] == weights[1].tolist()
    assert [1.0, 1 / 125.5, 1 / 250] == weights[2, :3].tolist()
