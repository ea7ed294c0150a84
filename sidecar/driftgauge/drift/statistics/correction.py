"""Correction for testing many features at once: the level that each feature's p-value must be below."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Correction(StrEnum):
    """How the level alpha is shared over the features of one window.

    `holm` and `bonferroni` keep the chance of any false alarm in a window at or below alpha, however the features
    depend on each other. `bh` keeps the expected share of false alarms among the alarms at or below alpha, if the
    features are independent or positively dependent. `none` tests each feature at alpha, so that 1 - (1 - alpha)^d of
    the windows of d independent features alarm without drift.
    """

    HOLM = "holm"
    BH = "bh"
    BONFERRONI = "bonferroni"
    NONE = "none"


def p_value_thresholds(p_values: Floats, alpha: float, method: Correction) -> Floats:
    """The level of each feature, given the p-values of the others: a feature is rejected exactly if p < level.

    Args:
        p_values: Shape `(d,)`, float64, in [0, 1].
        alpha: Significance level of the window, in (0, 1).
        method: How alpha is shared.

    Returns:
        Shape `(d,)`, float64, in (0, alpha]. A feature's own p-value has no influence on its level.

    Notes:
        Textbooks give the set of rejected features. A level for each feature says more: how far it is from the verdict,
        which the metrics show as a threshold. O(d log d). The comparisons are strict, so that `none` is the rule
        `p_value < alpha`.

    Source:
        S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6(2),
        1979. Y. Benjamini, Y. Hochberg, "Controlling the False Discovery Rate", Journal of the Royal Statistical
        Society B 57(1), 1995.
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

    Holm's step-down goes through the p-values in ascending order, compares the k-th (from 0) with alpha / (d - k), and
    stops at the first that is not below. Let it run over the others of a feature, and stop after K of them.

    - If p < alpha / (d - K), the feature's place is among the first K + 1 of all: the next of the others is not below
      alpha / (d - K), and p is. Those before it pass as they did without it. The feature passes as well: in the last of
      these places because p is below that level, in an earlier one because the other that stood there is no smaller
      than p and was below the level of that place.
    - If p >= alpha / (d - K), it is not below any level of the first K + 1 places. So it does not come before the K
      that pass, and after them either it or the next of the others stops the run.

    Example: p = 0.005, 0.01, 0.03, 0.04, alpha = 0.05; the levels of the places are 0.0125, 0.0167, 0.025, 0.05. The
    others of 0.03 are 0.005, 0.01, 0.04: two are below the level of their place, the third is not. So K = 2, the level
    is 0.05 / 2, and 0.03 is not rejected. The others of 0.01 are 0.005, 0.03, 0.04: K = 1, the level is 0.05 / 3, and
    0.01 is rejected.

    To do this for all features at once, note that leaving out the feature of rank r moves those behind it up by one
    place and leaves those before it where they are. So the run stops at the first fault of the original order if that
    lies before r; else at the first fault of the shifted order from r on.
    """
    count = p_values.size
    order = np.argsort(p_values, kind="stable")
    ordered = p_values[order]
    levels = alpha / (count - np.arange(count))
    ranks = np.arange(count)
    first_fault = int(np.argmin([*(ordered < levels), False]))
    shifted_fault = np.where([*(ordered[1:] < levels[:-1]), False], count - 1, ranks)
    next_fault = np.minimum.accumulate(shifted_fault[::-1])[::-1]
    rejected = np.where(ranks <= first_fault, next_fault, first_fault)
    result = np.empty(count)
    result[order] = levels[rejected]
    return result


def _bh(p_values: Floats, alpha: float) -> Floats:
    """The levels alpha R / d, with R the rejections that the step-up makes when the feature's own p-value is 0.

    The step-up of Benjamini and Hochberg rejects the k smallest p-values, k being the largest number whose k-th
    smallest is below alpha k / d. If a feature is among the rejected ones, setting its p-value to 0 keeps their number;
    hence R = k and p < alpha R / d. Conversely, let p < alpha R / d. The R - 1 others that are rejected beside the 0
    are below alpha R / d too. So at least R p-values are, at least R features are rejected, and this one is among them.

    Example: p = 0.005, 0.01, 0.03, 0.04, alpha = 0.05; the steps alpha k / d are 0.0125, 0.025, 0.0375, 0.05. With 0 in
    place of 0.03 the order is 0, 0.005, 0.01, 0.04. The fourth is below the fourth step, so R = 4, the level is 0.05,
    and 0.03 is rejected.

    With the 0 in front, the features that were before rank r move down by one place, those behind it stay. So the last
    one that is below its step is one that stays, or else one of those that moved, or else the 0 itself.
    """
    count = p_values.size
    order = np.argsort(p_values, kind="stable")
    ordered = p_values[order]
    levels = alpha / (count / np.arange(1, count + 1))  # in this form, rounding keeps the order with the other methods
    stays = np.flatnonzero(ordered < levels)
    last_stay = int(stays[-1]) if stays.size else -1
    moved = np.where(ordered[:-1] < levels[1:], np.arange(1, count), 0)
    last_moved = np.maximum.accumulate(np.append(0, moved))
    rejected = np.where(last_stay > np.arange(count), last_stay, last_moved)
    result = np.empty(count)
    result[order] = levels[rejected]
    return result
