"""Which rows of a file are kept, and how far the kept ones may be from the file. This module is pure."""

import math

import numpy as np
from numpy.typing import NDArray

from sidecar.reference.raw import MAX_VALUES

MAX_KEPT_VALUES = MAX_VALUES // 2
"""Rows times columns of a sample: half of what a table may have, the texts of categories come to it."""

CONFIDENCE = 0.99
"""Of the sampling error, for one column."""


def drawn_rows(seen: int, kept: int, seed: int) -> NDArray[np.int64]:
    """The rows of a sample.

    Args:
        seen: Rows of the file.
        kept: Rows of the sample, at least 1.
        seed: Of the draw, at least 0.

    Returns:
        Positions from 0, ascending: all of them if there are no more than `kept`, else `kept` of them, drawn
        without replacement, every set of as many with equal chance.

    Notes:
        O(kept) memory, at most 160 bytes for each kept row, whatever `seen` is.
    """
    if seen <= kept:
        return np.arange(seen)
    return np.sort(np.random.default_rng(seed).choice(seen, kept, replace=False, shuffle=False))


def sampling_error(seen: int, kept: int) -> float:
    """How far a column's distribution in the sample may be from that in the file.

    Args:
        seen: Rows of the file.
        kept: Rows of the sample, at least 1.

    Returns:
        A KS distance that is exceeded with a chance of at most 1 %; 0 if all rows are kept.

    Notes:
        A draw without replacement is no farther from the whole than one with replacement.

    Source:
        P. Massart, "The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality", Annals of Probability
        18(3), 1990; W. Hoeffding, "Probability Inequalities for Sums of Bounded Random Variables", JASA 58,
        1963, section 6, on draws without replacement.
    """
    return 0.0 if seen <= kept else min(1.0, math.sqrt(math.log(2 / (1 - CONFIDENCE)) / (2 * kept)))
