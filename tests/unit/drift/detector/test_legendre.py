"""Scores by rank: Legendre polynomials averaged over cells."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import eval_sh_legendre

from driftgauge.drift.detector.polynomials import DEGREES, GREATEST, VARIATIONS, cell_scores, remainders

Floats = NDArray[np.float64]

FINE = np.linspace(0.0, 1.0, 200_001)


def polynomial(degree: int, u: Floats) -> Floats:
    """The shifted Legendre polynomial of norm 1, from scipy."""
    values: Floats = math.sqrt(2 * degree + 1) * eval_sh_legendre(degree, u)
    return values


@pytest.mark.parametrize("degree", range(1, DEGREES + 1))
def test_constants_are_those_of_the_polynomials(degree: int) -> None:
    """Greatest magnitude and total variation are those on a fine grid."""
    values = polynomial(degree, FINE)

    assert GREATEST[degree - 1] == pytest.approx(np.abs(values).max(), rel=1e-9)
    assert VARIATIONS[degree - 1] == pytest.approx(np.abs(np.diff(values)).sum(), rel=1e-6)


@pytest.mark.parametrize("degree", range(1, DEGREES + 1))
def test_a_cell_has_the_mean_over_its_ranks(degree: int) -> None:
    """The score of a cell from 0.2 to 0.5 is the polynomial's mean there."""
    expected = polynomial(degree, np.linspace(0.2, 0.5, 100_001)).mean()

    assert expected == pytest.approx(cell_scores(np.array([0.2, 0.3, 0.5]))[1, degree - 1], abs=1e-4)


def test_empty_cells_have_the_value_at_their_rank() -> None:
    """An empty cell at either end has the polynomials' end values; by hand: -sqrt 3, sqrt 5, -sqrt 7."""
    actual = cell_scores(np.array([0.0, 1.0, 0.0]))

    assert [-math.sqrt(3), math.sqrt(5), -math.sqrt(7)] == pytest.approx(actual[0].tolist())
    assert [0.0, 0.0, 0.0] == pytest.approx(actual[1].tolist(), abs=1e-12)
    assert [math.sqrt(3), math.sqrt(5), math.sqrt(7)] == pytest.approx(actual[2].tolist())


def test_shares_whose_sum_is_rounded() -> None:
    """A thousand shares of 0.001, whose sum is not exactly 1, give scores within the polynomials' range."""
    scores = cell_scores(np.append(np.full(1000, 0.001), 0.0))

    assert (np.abs(scores) <= np.array(GREATEST) + 1e-9).all()


@pytest.mark.parametrize("degree", range(1, DEGREES + 1))
@pytest.mark.parametrize("distance", [0.01, 0.1])
def test_remainders_bound_the_part_that_is_not_linear(degree: int, distance: float) -> None:
    """For ranks with errors up to a distance, the mean differs from its linear part by at most the remainder."""
    u = np.linspace(0.0, 1.0, 20_001)
    slope = np.gradient(polynomial(degree, u), u)
    worst = []
    for wave in (1, 2, 3, 7):
        off = np.clip(u + distance * np.sin(2 * math.pi * wave * u), 0.0, 1.0) - u
        left = polynomial(degree, u + off) - polynomial(degree, u) - slope * off
        worst.append(abs(float(left.mean())))

    assert max(worst) <= remainders(distance)[degree - 1] + 1e-6
