"""Bounds on the errors of samples: the exact chance never exceeds the risk, and is not far below it."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from driftgauge.drift.statistics.concentration import (
    categories_error,
    cells_error,
    distribution_error,
    upper_bound_sample_share,
    upper_bound_true_share,
)

Floats = NDArray[np.float64]

ROWS = (1, 2, 7, 50, 1000)
RISKS = (0.2, 0.01, 1e-6)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("risk", RISKS)
def test_distribution_error_is_exceeded_seldom_enough(rows: int, risk: float) -> None:
    """The exact chance that a sample's distribution function lies further off is at most the risk."""
    exact = stats.kstwo.sf(min(1.0, distribution_error(rows, risk)), rows)

    assert exact <= risk


def test_distribution_error_by_hand() -> None:
    """Of 200 rows and a risk of 2 / e^4 it is sqrt(4 / 400)."""
    assert 0.1 == pytest.approx(distribution_error(200, 2 * math.exp(-4)), abs=1e-15)


@pytest.mark.parametrize("cells", [1, 2, 3, 40])
def test_cells_error_by_hand(cells: int) -> None:
    """It is the lower of Weissman's and McDiarmid's: the first for few cells, the second for many."""
    weissman = math.sqrt((cells * math.log(2) + 4) / 400)
    mcdiarmid = math.sqrt((cells - 1) / 200) / 2 + 0.1

    assert min(weissman, mcdiarmid) == pytest.approx(cells_error(200, cells, math.exp(-4)), abs=1e-15)


@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 0.9])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("risk", RISKS)
def test_two_cells_are_exceeded_seldom_enough(share: float, rows: int, risk: float) -> None:
    """The exact binomial chance that two cells lie further off is at most the risk."""
    error = cells_error(rows, 2, risk)
    counts = np.arange(rows + 1)
    exact = stats.binom.pmf(counts, rows, share)[np.abs(counts / rows - share) > error + 1e-12].sum()

    assert exact <= risk


@pytest.mark.parametrize("found", [0.0, 0.1, 0.5, 0.98])
@pytest.mark.parametrize("rows", [50, 1000])
@pytest.mark.parametrize("risk", RISKS)
def test_the_bound_on_the_true_share_is_wrong_seldom_enough(found: float, rows: int, risk: float) -> None:
    """If the true share were higher, the chance of so low a sample share would be at most the risk."""
    truth = upper_bound_true_share(found, rows, risk)

    assert found <= truth <= 1.0
    assert stats.binom.cdf(round(found * rows), rows, min(1.0, truth + 1e-9)) <= risk * (1 + 1e-4)


@pytest.mark.parametrize("true", [1e-6, 0.1, 0.5, 0.98])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("risk", RISKS)
def test_the_bound_on_the_sample_share_is_exceeded_seldom_enough(true: float, rows: int, risk: float) -> None:
    """The exact binomial chance of a higher sample share is at most the risk."""
    bound = upper_bound_sample_share(true, rows, risk)

    assert true <= bound <= 1.0
    assert stats.binom.sf(math.floor(bound * rows + 1e-9), rows, true) <= risk


def test_the_bound_for_a_share_of_zero_is_exact() -> None:
    """For a share of 0 in a hundred rows the bound p solves (1 - p)^100 = risk."""
    assert 1 - 1e-6 ** (1 / 100) == pytest.approx(upper_bound_true_share(0.0, 100, 1e-6), abs=1e-12)


def test_a_share_of_one_has_the_bound_one() -> None:
    """No true share is higher than 1."""
    assert 1.0 == upper_bound_true_share(1.0, 100, 1e-6)


@pytest.mark.parametrize("rows", [1, 2, 3, 10, 500])
def test_half_the_mean_deviation_of_a_count_is_below_the_mean_of_what_is_summed(rows: int) -> None:
    """E max(1, sqrt(N) / 2) over N above 0 is at least E |N - np| / 2: `categories_error` rests on it."""
    shares = np.linspace(0.0, 1.0, 401)[:, np.newaxis]
    counts = np.arange(rows + 1)
    chances = stats.binom.pmf(counts, rows, shares)
    summed = (chances * np.where(counts > 0, np.maximum(1.0, np.sqrt(counts) / 2), 0.0)).sum(axis=1)
    deviation = (chances * np.abs(counts - rows * shares)).sum(axis=1) / 2

    assert (deviation <= summed + 1e-12).all()


def draw(shares: Floats, rows: int, seed: int) -> tuple[Floats, float, float]:
    """Counts of the categories in a sample, the total variation of all, and the true share of the others."""
    counts = np.random.default_rng(seed).multinomial(rows, shares).astype(np.float64)
    return counts[counts > 0], float(np.abs(counts / rows - shares).sum() / 2), float(shares[counts == 0].sum())


ZIPF = 1 / np.arange(1, 5001)


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param(np.ones(2), id="two"),
        pytest.param(np.ones(60), id="sixty"),
        pytest.param(np.ones(20_000), id="nearly-all-once"),
        pytest.param(ZIPF, id="zipf"),
        pytest.param(np.append(np.ones(9), 1e-3), id="nine-and-a-rare-one"),
    ],
)
def test_categories_error_covers_unknown_categories(weights: Floats) -> None:
    """In 200 samples both bounds hold, however many categories are rare, and although only the sample's are known."""
    shares = weights / weights.sum()
    found = [draw(shares, 2000, seed) for seed in range(200)]
    allowed = [categories_error(own, (0, 0.0), 0.01) for own, _, _ in found]

    assert [] == [
        (distance, unmet)
        for (_, distance, unmet), (total, unknown) in zip(found, allowed, strict=True)
        if distance > total or unmet > unknown
    ]


def test_pooled_categories_have_wider_bounds() -> None:
    """If only the total of the rarer categories' rows is known, the bounds are at least as wide."""
    own, _, _ = draw(ZIPF / ZIPF.sum(), 2000, 1)
    own = -np.sort(-own)
    exact = categories_error(own, (0, 0.0), 0.01)
    pooled = categories_error(own[:100], (own.size - 100, float(own[100:].sum())), 0.01)

    assert exact[0] <= pooled[0] <= 1.0
    assert exact[1] <= pooled[1] <= 1.0


def test_well_known_categories_cost_little() -> None:
    """Five categories of a thousand rows each: the bound is that of five fixed cells, but for the logarithm of ten."""
    total, unknown = categories_error(np.full(5, 1000.0), (0, 0.0), 1e-4)

    assert cells_error(5000, 6, 1e-5) >= total
    assert unknown < 0.003
