"""How far what a sample says may lie from the truth: bounds that hold for every distribution and every sample size.

This room is pure: numpy in, numbers out.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

CACHE_SIZE = 4096
"""Answers on shares of references that are remembered: they are asked for again at each look."""

_STEPS = 60
"""Halvings of a bracket in [0, 1]: to the last bit of a float64."""


def distribution_error(rows: float, risk: float) -> float:
    """The distance from its distribution function that a sample's exceeds with a chance of at most `risk`.

    Args:
        rows: Independent rows, above 0.
        risk: In (0, 1).

    Source:
        P. Massart, "The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality", Annals of Probability 18(3),
        1990.
    """
    return math.sqrt(math.log(2 / risk) / (2 * rows))


def cells_error(rows: float, cells: int, risk: float) -> float:
    """The total variation, over cells that the sample had no say in, that it exceeds with a chance of at most `risk`.

    Args:
        rows: Independent rows, above 0.
        cells: At least 1.
        risk: In (0, 1).

    Source:
        The lower of two bounds. T. Weissman et al., "Inequalities for the L1 Deviation of the Empirical
        Distribution", HP Labs HPL-2003-97, theorem 2.1. C. McDiarmid, "On the Method of Bounded Differences", 1989,
        about a mean of at most sqrt((k - 1) / n) / 2.
    """
    allowed = math.log(1 / risk)
    weissman = math.sqrt((cells * math.log(2) + allowed) / (2 * rows))
    mcdiarmid = math.sqrt((cells - 1) / rows) / 2 + math.sqrt(allowed / (2 * rows))
    return min(weissman, mcdiarmid)


def categories_error(own: NDArray[np.float64], pooled: tuple[int, float], risk: float) -> tuple[float, float]:
    """How far the shares of categories may lie from the truth, where only the sample tells which ones there are.

    Args:
        own: Rows of each category that is counted by itself, above 0.
        pooled: How many further categories are known, and their rows together.
        risk: In (0, 1): the chance of a sample for which one of the two bounds does not hold.

    Returns:
        The total variation over all categories, and the true share of those that the sample has not met. It bounds
        every grouping of categories too, even one that is chosen by the counts themselves.

    Notes:
        The lower of two bounds, each with half of the risk. One is `cells_error` for the categories that the
        sample was sure to meet, plus the share of those that are too rare to be sure of. The other holds
        however many are rare: the mean of the total variation is at most that of sum(g(n)) / rows, where
        g(n) = max(1, sqrt(n) / 2) (half the mean deviation of a count, by De Moivre), and this sum, which loses
        little when a row is left out, is seldom far below its mean.

    Source:
        S. Boucheron, G. Lugosi, P. Massart, "A Sharp Concentration Inequality with Applications", Random
        Structures & Algorithms 16(3), 2000, theorem 1, of the second. D. Cohen, A. Kontorovich, G. Wolfer,
        "Learning Discrete Distributions with Infinite Support", NeurIPS 2020, for the idea.
    """
    further, further_rows = pooled
    rows = float(own.sum()) + further_rows
    sure = math.e * math.log(8 * rows / risk)
    rare = (float(own[own < sure].sum()) + further_rows) / rows
    few = cells_error(rows, own.size + further + 1, risk / 8) + rare
    many = _mean_of_total_variation(own, pooled, math.log(4 / risk)) + math.sqrt(math.log(4 / risk) / (2 * rows))
    total = min(few, many, 1.0)
    return total, min(total, upper_bound_true_share(rare, rows, risk / 8))


@lru_cache(maxsize=CACHE_SIZE)
def upper_bound_true_share(found: float, rows: float, risk: float) -> float:
    """The greatest true share at which one as low as the one found is no less likely than `risk`.

    Args:
        found: The share found, in [0, 1].
        rows: In so many independent rows, above 0.
        risk: In (0, 1).

    Source:
        Chernoff's bound on binomial tails with the relative entropy: W. Hoeffding, "Probability Inequalities for
        Sums of Bounded Random Variables", JASA 58, 1963, theorem 1.
    """
    allowed = math.log(1 / risk) / rows
    return _greatest(lambda true: _relative_entropy(found, true) <= allowed, found)


def upper_bound_sample_share(true: float, rows: float, risk: float) -> float:
    """The greatest share that is missed with a probability below `risk` if this is the true one."""
    allowed = math.log(1 / risk) / rows
    return _greatest(lambda found: _relative_entropy(found, true) <= allowed, true)


def _mean_of_total_variation(own: NDArray[np.float64], pooled: tuple[int, float], allowed: float) -> float:
    """A bound on its mean that a sample misses with a chance of exp(-allowed)."""
    further, further_rows = pooled
    known = float(np.maximum(1.0, np.sqrt(own) / 2).sum())
    if further:  # sqrt(n + 3) / 2 is concave and at least g(n): equal counts are the worst
        known += further * math.sqrt(further_rows / further + 3) / 2
    mean = (math.sqrt(known + allowed / 2) + math.sqrt(allowed / 2)) ** 2
    return mean / (float(own.sum()) + further_rows)


def _relative_entropy(p: float, q: float) -> float:
    """Of a coin of chance p to one of chance q, in nats."""
    if q in {0.0, 1.0}:
        return 0.0 if p == q else math.inf
    heads = p * math.log(p / q) if p > 0 else 0.0
    tails = (1 - p) * math.log((1 - p) / (1 - q)) if p < 1 else 0.0
    return heads + tails


def _greatest(holds: Callable[[float], bool], low: float) -> float:
    """The greatest number up to 1 at which a condition that holds at `low` holds; it must hold up to there."""
    high = 1.0
    if holds(high):
        return high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
