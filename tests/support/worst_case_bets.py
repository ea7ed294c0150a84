"""The worst that a tolerated distribution can do to bets: exact expectations, nothing is sampled."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def worst_of_numbers(factors: Floats, chances: Floats, tolerance: float) -> Floats:
    """The greatest mean of each factor over all distributions of so small a KS distance, or a little more.

    Args:
        factors: Shape `(k, b)`: of each cell, in order.
        chances: Shape `(k,)`: the true chance of each cell.
        tolerance: The distance.

    Notes:
        The mean is linear in the distribution function at each border between cells; each is moved as far as it may.
        That the result may fall somewhere, as no distribution function does, only makes the mean greater.
    """
    rises = np.diff(factors, axis=0)
    reached = np.cumsum(chances)[:-1, np.newaxis] - np.sign(rises) * tolerance
    worst: Floats = factors[-1] - (np.clip(reached, 0.0, 1.0) * rises).sum(axis=0)
    return worst


def worst_of_categories(factors: Floats, chances: Floats, tolerance: float) -> Floats:
    """The greatest mean of each factor over all distributions of so small a total variation.

    What may be moved goes from the cells of the least factors to the one of the greatest.
    """
    worst = np.empty(factors.shape[1])
    for index, column in enumerate(factors.T):
        order = np.argsort(column)
        before = np.cumsum(chances[order]) - chances[order]
        moved = np.clip(tolerance - before, 0.0, chances[order])
        worst[index] = chances @ column + moved @ (column.max() - column[order])
    return worst
