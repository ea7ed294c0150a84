"""Effect sizes: how large a difference is, whatever the number of rows.

This room is pure: numpy in, numbers out.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.result import Bin, Effects

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


HALF_A_ROW = 0.5
"""An empty bin counts as so many rows, or PSI would be infinite."""


def effects(bars: Sequence[Bin], rows: tuple[int, int], wasserstein: float | None) -> Effects:
    """The effect sizes of one feature.

    Args:
        bars: Its histogram.
        rows: Of the reference, at least 1, and of the window; those without a value included.
        wasserstein: The distance of its values, where there is one.

    Returns:
        All finite; 0 for a window without rows.
    """
    if rows[1] == 0:
        return Effects(psi=0.0, jensen_shannon=0.0, wasserstein=None)
    reference = np.array([one.reference for one in bars])
    found = np.array([one.window for one in bars])
    return Effects(
        psi=_psi(reference, found, *rows), jensen_shannon=_jensen_shannon(reference, found), wasserstein=wasserstein
    )


def _psi(reference: NDArray[np.float64], window: NDArray[np.float64], reference_rows: int, rows: int) -> float:
    """Source: S. Siddiqi, "Credit Risk Scorecards", 2006, chapter 9; the symmetric sum of two relative entropies."""
    filled = (reference > 0) | (window > 0)
    before = np.maximum(reference[filled], HALF_A_ROW / reference_rows)
    now = np.maximum(window[filled], HALF_A_ROW / rows)
    return float(((now - before) * np.log(now / before)).sum())


def _jensen_shannon(reference: NDArray[np.float64], window: NDArray[np.float64]) -> float:
    """Source: J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Trans. Inf. Theory 37(1), 1991."""
    middle = (reference + window) / 2
    divergence = (_entropy_from(reference, middle) + _entropy_from(window, middle)) / 2
    return math.sqrt(min(1.0, max(0.0, divergence / math.log(2))))


def _entropy_from(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    buffered = p > 0
    return float((p[buffered] * np.log(p[buffered] / q[buffered])).sum())
