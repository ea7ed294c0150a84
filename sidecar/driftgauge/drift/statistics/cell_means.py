"""How far the true mean of a score of ranks may lie above its mean in a sample, exactly, for every distribution."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_HALVINGS = 40
_NEWTON_STEPS = 60
_ENOUGH = 1e-12


def upper_bound_true_mean(scores: Floats, rows: Floats, risk: float) -> float:
    """A bound on the true mean of a score, exceeded with a chance of at most `risk`.

    Args:
        scores: Shape `(k,)`, finite: the score of each cell. The cells lie between values of the sample itself, of
            ranks that were fixed before it was drawn; in the order of the values, the last one without an upper end.
        rows: Shape `(k,)`, above 0: independent rows of the sample in each cell.
        risk: In (0, 1).

    Notes:
        The true chances of the cells are gaps between order statistics of uniform numbers: they have a Dirichlet
        distribution, whose parameters are the rows of each cell and one more for the last. So they are ratios of
        independent gamma variables G_c, and the mean is above a if sum (s_c - a) G_c is above 0. By Chernoff's bound
        the chance of that is at most the product of (1 - h (s_c - a))^(-rows_c), for every h at which it is finite. The
        bound is the a at which the best h gives the risk. Where values are tied the chance of lying above one of them
        is smaller still, so that it holds for scores that rise with the cell; other scores need distinct values.

    Source:
        H. Chernoff, Annals of Mathematical Statistics 23(4), 1952. H. A. David, H. N. Nagaraja, "Order Statistics",
        third edition, 2003, section 2.5, for the gaps.
    """
    spacings = rows.copy()
    spacings[-1] += 1
    low, high = float(scores @ spacings / spacings.sum()), float(scores.max())
    if not _exceeds(scores - high, spacings, risk):
        return high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _exceeds(scores - middle, spacings, risk) else (middle, high)
    return high


def _exceeds(distances: Floats, rows: Floats, risk: float) -> bool:
    """Whether Chernoff's bound on the chance that the mean distance is above 0 is at most the risk.

    Args:
        distances: Shape `(k,)`: the score of each cell, less the mean in question.
        rows: Shape `(k,)`: the parameters of the Dirichlet distribution.
        risk: In (0, 1).
    """
    allowed, greatest = math.log(1 / risk), float(distances.max())
    if greatest <= 0:
        return True
    low, high = 0.0, 1 / greatest
    for _ in range(_NEWTON_STEPS):
        step = (low + high) / 2
        inside = 1 - step * distances
        if float(rows @ np.log(inside)) >= allowed:
            return True
        low, high = (step, high) if float(rows @ (-distances / inside)) > 0 else (low, step)
        if high - low < _ENOUGH * high:
            break
    return False
