"""Shifted Legendre polynomials of a value's rank in the reference: the scores of location, scale and skewness.

The rank u is a share in [0, 1], averaged over each cell. Degree 1 rises with u (location), degree 2 is high at both
ends and low in the middle (scale), and degree 3 differs between the ends (skewness). Under the reference u is uniform,
and all means are 0.
"""

import math

import numpy as np
from numpy.typing import NDArray

DEGREES = 3
"""Polynomials of degree 1 to 3: location, scale and skewness."""

VARIATIONS = (2 * math.sqrt(3), 3 * math.sqrt(5), 4 * math.sqrt(7) * (0.5 + 1 / math.sqrt(5)))
"""The total variation of each polynomial on [0, 1]: its mean moves by at most this times D (Hlawka, Koksma)."""

GREATEST = (math.sqrt(3), math.sqrt(5), math.sqrt(7))
"""The greatest magnitude of each polynomial on [0, 1], at its ends."""


def cell_scores(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each polynomial over the ranks that a cell takes.

    Args:
        shares: Shape `(k,)`, at least 0, sums to 1: the reference's share of each cell, in the order of their values.

    Returns:
        Shape `(k, 3)`, float64. Under the reference each column has mean 0 and a variance of at most 1. A cell of
        share 0 has the polynomial's value at its rank.

    Source:
        NIST Digital Library of Mathematical Functions, section 18.3, https://dlmf.nist.gov/18.3, shifted Legendre
        polynomials, here of norm 1. The mean over a cell is that of ranks drawn at random within it.
    """
    upper = np.minimum(np.cumsum(shares), 1.0)
    lower = np.concatenate([[0.0], upper[:-1]])
    width = upper - lower
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (_integrals(upper) - _integrals(lower)) / width[:, np.newaxis]
    return np.where(width[:, np.newaxis] > 0, means, _values(upper))


def remainders(distance: float) -> tuple[float, float, float]:
    """Bounds on the part of each polynomial's mean that is not linear in the error of the ranks.

    Args:
        distance: The largest distance between the distribution function of the sample that gives the ranks, and the
            true one.

    Notes:
        The Taylor series of g(F + error) around g(F) ends with the degree; its terms from the second on are bounded by
        powers of the distance, times half of the mean of |g''| and a sixth of that of |g'''|.
    """
    second, third = distance**2, distance**3
    return 0.0, 6 * math.sqrt(5) * second, 15 * math.sqrt(7) * second + 20 * math.sqrt(7) * third


def _values(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """The value of each polynomial at u."""
    return np.stack(
        [
            math.sqrt(3) * (2 * u - 1),
            math.sqrt(5) * (6 * u**2 - 6 * u + 1),
            math.sqrt(7) * (20 * u**3 - 30 * u**2 + 12 * u - 1),
        ],
        axis=-1,
    )


def _integrals(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """The integral of each polynomial from 0 to u."""
    return np.stack(
        [
            math.sqrt(3) * (u**2 - u),
            math.sqrt(5) * (2 * u**3 - 3 * u**2 + u),
            math.sqrt(7) * (5 * u**4 - 10 * u**3 + 6 * u**2 - u),
        ],
        axis=-1,
    )
