"""Effect sizes: how large a difference is, whatever the number of rows."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.result import Bin, Effects

LEVELS = ("0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1")
"""Levels of the quantiles, as label values: the least value, nine deciles, the greatest value."""

_HALF_A_ROW = 0.5
"""An empty bin counts as half a row, or PSI would be infinite."""


def deciles(values: NDArray[np.float64]) -> tuple[float, ...]:
    """The quantiles of a sample at `LEVELS`, by nearest rank.

    Args:
        values: Shape `(n,)`, n at least 1, float64, finite, sorted ascending.

    Returns:
        One value for each level, ascending; each is a value of the sample.

    Notes:
        The quantile at level q is the value of rank ceil(q n), or of rank 1 at level 0. Nothing is interpolated, so the
        quantiles of integers are integers.

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


def effects(bins: Sequence[Bin], rows: tuple[int, int], wasserstein: float | None) -> Effects:
    """The effect sizes of one feature.

    Args:
        bins: Its histogram.
        rows: Rows of the reference, at least 1, and of the window; those without a value included.
        wasserstein: The Wasserstein distance of its values, if there is one.

    Returns:
        All finite; 0 for a window without rows.
    """
    if rows[1] == 0:
        return Effects(psi=0.0, jensen_shannon=0.0, wasserstein=None)
    reference = np.array([one.reference for one in bins])
    window = np.array([one.window for one in bins])
    return Effects(
        psi=_psi(reference, window, *rows), jensen_shannon=_jensen_shannon(reference, window), wasserstein=wasserstein
    )


def _psi(reference: NDArray[np.float64], window: NDArray[np.float64], reference_rows: int, rows: int) -> float:
    """The sum of both relative entropies, in nats.

    Source:
        S. Siddiqi, "Credit Risk Scorecards", 2006, chapter 9.
    """
    filled = (reference > 0) | (window > 0)
    before = np.maximum(reference[filled], _HALF_A_ROW / reference_rows)
    now = np.maximum(window[filled], _HALF_A_ROW / rows)
    return float(((now - before) * np.log(now / before)).sum())


def _jensen_shannon(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    """The square root of the mean relative entropy of both sides from their middle, base 2.

    Source:
        J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Transactions on Information Theory 37(1), 1991.
    """
    middle = (reference + window) / 2
    divergence = (_relative_entropy(reference, middle) + _relative_entropy(window, middle)) / 2
    return math.sqrt(min(1.0, max(0.0, divergence / math.log(2))))


def _relative_entropy(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """The relative entropy of p from q, in nats; q is positive where p is."""
    filled = p > 0
    return float((p[filled] * np.log(p[filled] / q[filled])).sum())
