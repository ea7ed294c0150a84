"""Bounds on the error of a sample that hold for every distribution and every sample size."""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

CACHE_SIZE = 4096
"""Cached bounds on shares of references: each evaluation needs the same ones again."""

_STEPS = 60
"""Halvings of an interval within [0, 1]: enough for the last bit of a float64."""


def distribution_error(rows: float, risk: float) -> float:
    """A bound on the KS distance of a sample from its distribution, exceeded with a chance of at most `risk`.

    Args:
        rows: Independent rows, above 0.
        risk: In (0, 1).

    Source:
        P. Massart, "The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality", Annals of Probability 18(3),
        1990.
    """
    return math.sqrt(math.log(2 / risk) / (2 * rows))


def cells_error(rows: float, cells: int, risk: float) -> float:
    """A bound on the total variation of a sample from its distribution, exceeded with a chance of at most `risk`.

    Args:
        rows: Independent rows, above 0.
        cells: At least 1; cells that were not chosen by the sample itself.
        risk: In (0, 1).

    Source:
        The lower of two bounds. T. Weissman et al., "Inequalities for the L1 Deviation of the Empirical
        Distribution", HP Labs HPL-2003-97, theorem 2.1, lower for few cells. C. McDiarmid, "On the Method of Bounded
        Differences", 1989, around a mean of at most sqrt((k - 1) / n) / 2, lower for many cells.
    """
    allowed = math.log(1 / risk)
    weissman = math.sqrt((cells * math.log(2) + allowed) / (2 * rows))
    mcdiarmid = math.sqrt((cells - 1) / rows) / 2 + math.sqrt(allowed / (2 * rows))
    return min(weissman, mcdiarmid)


def categories_error(own: NDArray[np.float64], pooled: tuple[int, float], risk: float) -> tuple[float, float]:
    """A bound on the error of a sample's shares, where only the sample shows which categories there are.

    Args:
        own: Rows of each category that is counted by itself, above 0.
        pooled: How many further categories are known, and their rows together.
        risk: In (0, 1): the chance of a sample for which one of the two bounds does not hold.

    Returns:
        The total variation over all categories, and the true share of those that are not in the sample. The first is a
        bound for every grouping of categories too, even for one that was chosen by the counts.

    Notes:
        The lower of two bounds, each with half of the risk.

        The first is `cells_error` of the categories that are frequent enough to be in the sample almost surely, plus
        the share of all rarer ones. It is low if few categories are rare.

        The second holds however many are rare. A count N with mean n p contributes E |N - n p| / 2n to the mean of the
        total variation. By De Moivre's formula that is at most E g(N) / n, g(0) = 0 and g(N) = max(1, sqrt(N) / 2). So
        with S the sum of g over the categories in the sample, the mean of the total variation is at most E S / n. The
        sum S is known, its mean is not; but leaving out one row lowers S by at most 1, and for such sums the chance of
        S <= E S - t is at most exp(-t^2 / (2 E S)). Solved for E S this is `_bound_on_mean`. The total variation itself
        exceeds its mean by more than sqrt(ln(1 / r) / 2n) with a chance of at most r (McDiarmid).

    Source:
        S. Boucheron, G. Lugosi, P. Massart, "A Sharp Concentration Inequality with Applications", Random
        Structures & Algorithms 16(3), 2000, theorem 1, for S. D. Cohen, A. Kontorovich, G. Wolfer,
        "Learning Discrete Distributions with Infinite Support", NeurIPS 2020, for the idea.
    """
    further, further_rows = pooled
    rows = float(own.sum()) + further_rows
    frequent = math.e * math.log(8 * rows / risk)
    rare = (float(own[own < frequent].sum()) + further_rows) / rows
    few_rare = cells_error(rows, own.size + further + 1, risk / 8) + rare
    allowed = math.log(4 / risk)
    many_rare = _bound_on_mean(own, pooled, allowed) + math.sqrt(allowed / (2 * rows))
    total = min(few_rare, many_rare, 1.0)
    return total, min(total, upper_bound_true_share(rare, rows, risk / 8))


@lru_cache(maxsize=CACHE_SIZE)
def upper_bound_true_share(found: float, rows: float, risk: float) -> float:
    """The greatest true share under which so low a sample share still has a chance of `risk`, by Chernoff's bound.

    Args:
        found: The sample's share, in [0, 1].
        rows: Independent rows of the sample, above 0.
        risk: In (0, 1).

    Notes:
        With a true share q above it, a sample share of at most s has a chance of at most exp(-n KL(s, q)), KL being the
        relative entropy of two coins, which rises with q. So the bound is the q at which n KL(s, q) = ln(1 / risk). For
        s = 0 it is exact: KL(0, q) = -ln(1 - q), and (1 - q)^n = risk.

    Source:
        W. Hoeffding, "Probability Inequalities for Sums of Bounded Random Variables", JASA 58, 1963, theorem 1.
    """
    allowed = math.log(1 / risk) / rows
    return _greatest(lambda true: _relative_entropy(found, true) <= allowed, found)


def upper_bound_sample_share(true: float, rows: float, risk: float) -> float:
    """The least share that a sample of a true share exceeds with a chance of at most `risk`, by Chernoff's bound.

    Args:
        true: The true share, in [0, 1].
        rows: Independent rows of the sample, above 0.
        risk: In (0, 1).
    """
    allowed = math.log(1 / risk) / rows
    return _greatest(lambda found: _relative_entropy(found, true) <= allowed, true)


def _bound_on_mean(own: NDArray[np.float64], pooled: tuple[int, float], allowed: float) -> float:
    """A bound on the mean total variation that fails with a chance of exp(-allowed); see `categories_error`."""
    further, further_rows = pooled
    known = float(np.maximum(1.0, np.sqrt(own) / 2).sum())
    if further:
        # Of pooled categories only the total is known. sqrt(N + 3) / 2 is at least g(N) and concave, so that equal
        # counts give the greatest sum.
        known += further * math.sqrt(further_rows / further + 3) / 2
    mean = (math.sqrt(known + allowed / 2) + math.sqrt(allowed / 2)) ** 2
    return mean / (float(own.sum()) + further_rows)


def _relative_entropy(p: float, q: float) -> float:
    """The relative entropy of a coin of chance p from one of chance q, in nats."""
    if q in {0.0, 1.0}:
        return 0.0 if p == q else math.inf
    heads = p * math.log(p / q) if p > 0 else 0.0
    tails = (1 - p) * math.log((1 - p) / (1 - q)) if p < 1 else 0.0
    return heads + tails


def _greatest(holds: Callable[[float], bool], low: float) -> float:
    """The greatest number up to 1 at which a condition holds that holds at `low` and, once false, stays false."""
    high = 1.0
    if holds(high):
        return high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
