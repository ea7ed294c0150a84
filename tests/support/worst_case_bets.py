"""The worst mean of bets under tolerated distributions: exact expectations, without sampling."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def worst_of_numbers(factors: Floats, chances: Floats, tolerance: float) -> Floats:
    """The greatest mean of each factor over all distributions within a KS distance, or slightly more.

    Args:
        factors: Shape `(k, b)`: the factors of each cell, in order.
        chances: Shape `(k,)`: the true chance of each cell.
        tolerance: The distance.

    Notes:
        The mean is linear in the distribution function at each border between cells, and each of these values is moved
        as far as the distance allows. The result may not ascend, as a distribution function must; this can only make
        the mean greater.
    """
    rises = np.diff(factors, axis=0)
    reached = np.cumsum(chances)[:-1, np.newaxis] - np.sign(rises) * tolerance
    worst: Floats = factors[-1] - (np.clip(reached, 0.0, 1.0) * rises).sum(axis=0)
    return worst


def worst_of_categories(factors: Floats, chances: Floats, tolerance: float) -> Floats:
    """The greatest mean of each factor over all distributions within a total variation.

    The mass that may move goes from the cells with the least factors to the cell with the greatest.
    """
    order = np.argsort(factors, axis=0)
    ascending, shares = np.take_along_axis(factors, order, axis=0), chances[order]
    moved = np.clip(tolerance - (np.cumsum(shares, axis=0) - shares), 0.0, shares)
    worst: Floats = chances @ factors + (moved * (ascending[-1] - ascending)).sum(axis=0)
    return worst
