"""The bound on the mean of a score of ranks, against exact distributions."""

import numpy as np
import pytest
from scipy import stats

from driftgauge.drift.statistics.cell_means import upper_bound_true_mean
from driftgauge.drift.statistics.concentration import distribution_error


@pytest.mark.parametrize(("below", "above"), [(90, 10), (500, 500), (10, 3)])
@pytest.mark.parametrize("risk", [0.01, 1e-6])
def test_the_mass_above_a_value_is_bounded_by_a_little_more_than_its_quantile(
    below: int, above: int, risk: float
) -> None:
    """The mass above a fixed order statistic is Beta(above + 1, below): the bound is at most half as far out again."""
    bound = upper_bound_true_mean(np.array([0.0, 1.0]), np.array([below, above], dtype=np.float64), risk)
    exact, centre = stats.beta.isf(risk, above + 1, below), (above + 1) / (below + above + 1)

    assert exact <= bound <= centre + 1.5 * (exact - centre)


def test_the_mean_rank_is_known_better_than_the_distribution() -> None:
    """Of 5,000 values: by the standard deviation of a rank, sqrt(1/12), and not by its range."""
    ranks, rows = (np.arange(16) + 0.5) / 16, np.full(16, 5_000 / 16)
    error = upper_bound_true_mean(ranks, rows, 0.001) - 0.5

    assert error == pytest.approx(np.sqrt(2 * np.log(1_000) / 12 / 5_000), rel=0.02)
    assert error < distribution_error(5_000, 0.001) * 0.7


def test_the_bound_holds_as_often_as_it_says() -> None:
    """Of 20,000 samples of 160 values each, fewer than 2 in 100 have a true mean above a bound of risk 0.02."""
    rng, scores = np.random.default_rng(1), np.array([0.0, 0.1, 0.4, 1.0])
    rows = np.full(4, 40.0)
    spacings = rng.dirichlet([40.0, 40.0, 40.0, 41.0], 20_000)

    assert np.mean(spacings @ scores > upper_bound_true_mean(scores, rows, 0.02)) < 0.02


def test_equal_scores_have_no_error() -> None:
    """A score that is the same in all cells is its own mean."""
    assert upper_bound_true_mean(np.full(3, 0.25), np.ones(3), 0.01) == 0.25
