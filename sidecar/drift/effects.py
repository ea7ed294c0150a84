"""Effect sizes: how large a difference is, whatever the number of rows.

This room is pure: numpy in, numbers out.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sidecar.drift.result import Bin, Effects

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
    held = p > 0
    return float((p[held] * np.log(p[held] / q[held])).sum())
