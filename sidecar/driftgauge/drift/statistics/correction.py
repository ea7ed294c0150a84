"""Correction for testing many features at once: the level that each feature's p-value must be below.

This room is pure: numpy in, numbers out.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Correction(StrEnum):
    """How the level alpha is shared over the features of one window.

    `holm` and `bonferroni` keep the chance of any false alarm in a window at or below alpha, however the features
    depend on each other. `bh` keeps the expected share of false alarms among the alarms at or below
    alpha, if the features are independent or positively dependent. `none` tests each feature at alpha,
    so that 1 - (1 - alpha)^d of the windows of d independent features alarm without drift.
    """

    HOLM = "holm"
    BH = "bh"
    BONFERRONI = "bonferroni"
    NONE = "none"


def p_value_thresholds(p_values: Floats, alpha: float, method: Correction) -> Floats:
    """The level of each feature, given the p-values of the others: it is rejected exactly if p < level.

    Args:
        p_values: Shape `(d,)`, float64, in [0, 1].
        alpha: Significance level of the window, in (0, 1).
        method: How alpha is shared.

    Returns:
        Shape `(d,)`, float64, in (0, alpha]. A feature's own p-value has no influence on its level.

    Notes:
        O(d log d). The comparisons are strict, so that "none" is the rule `p_value < alpha`.

    Source:
        S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
        Statistics 6(2), 1979. Y. Benjamini, Y. Hochberg, "Controlling the False Discovery Rate",
        Journal of the Royal Statistical Society B 57(1), 1995.
    """
    count = p_values.size
    if count == 0:
        return np.empty(0)
    if method == Correction.HOLM:
        return _holm(p_values, alpha)
    if method == Correction.BH:
        return _bh(p_values, alpha)
    return np.full(count, alpha / count if method == Correction.BONFERRONI else alpha)


def _holm(p_values: Floats, alpha: float) -> Floats:
    """The levels alpha / (d - K), with K the rejections that the step-down makes among the other features alone.

    The feature of rank r leaves a gap: the ones before it keep their place, those after it move up by
    one. So K is r where the step-down stops at once after the gap, or as far as the shifted run goes.
    """
    count = p_values.size
    order = np.argsort(p_values, kind="stable")
    ordered = p_values[order]
    levels = alpha / (count - np.arange(count))
    ranks = np.arange(count)
    first_fault = int(np.argmin([*(ordered < levels), False]))
    moved_fault = np.where([*(ordered[1:] < levels[:-1]), False], count - 1, ranks)
    next_fault = np.minimum.accumulate(moved_fault[::-1])[::-1]
    rejected = np.where(ranks <= first_fault, next_fault, first_fault)
    result = np.empty(count)
    result[order] = levels[rejected]
    return result


def _bh(p_values: Floats, alpha: float) -> Floats:
    """The levels alpha R / d, with R the rejections that the step-up makes when the feature's own p-value is 0.

    With a 0 in front, the feature that stood before it moves up by one place; those after keep theirs.
    """
    count = p_values.size
    order = np.argsort(p_values, kind="stable")
    ordered = p_values[order]
    levels = alpha / (count / np.arange(1, count + 1))  # so written, rounding keeps the order with the other methods
    stays = np.flatnonzero(ordered < levels)
    last_stay = int(stays[-1]) if stays.size else -1
    moved = np.where(ordered[:-1] < levels[1:], np.arange(1, count), 0)
    last_moved = np.maximum.accumulate(np.append(0, moved))
    rejected = np.where(last_stay > np.arange(count), last_stay, last_moved)
    result = np.empty(count)
    result[order] = levels[rejected]
    return result
