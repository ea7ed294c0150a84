"""Deciles of a sample: enough to draw a distribution, few enough for a scrape.

This room is pure: numpy in, numbers out.
"""

import numpy as np
from numpy.typing import NDArray

LEVELS = ("0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1")
"""Levels of the quantiles, as label values: the least value, nine deciles, the greatest value."""


def deciles(values: NDArray[np.float64]) -> tuple[float, ...]:
    """The quantiles of a sample at `LEVELS`, by nearest rank.

    Args:
        values: Shape `(n,)`, n at least 1, float64, finite, sorted ascending.

    Returns:
        One value for each level, ascending; each is a value of the sample.

    Notes:
        The quantile at level q is the value of rank ceil(q n), of rank 1 at level 0. Nothing is interpolated,
        so a feature of whole numbers has whole quantiles.

    Source:
        R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50(4),
        1996, definition 1.
    """
    (found,) = deciles_of_each(values[np.newaxis])
    return found


def deciles_of_each(samples: NDArray[np.float64]) -> list[tuple[float, ...]]:
    """`deciles` of many samples of the same size: shape `(g, n)`, each line sorted ascending."""
    steps = len(LEVELS) - 1
    ranks = [max(1, -(-step * samples.shape[1] // steps)) for step in range(len(LEVELS))]
    return [tuple(line) for line in samples[:, [rank - 1 for rank in ranks]].tolist()]
