"""The rule: when a window is tested, and which statistic alarms."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget, Decision, categories_reference_error, reference_error
from driftgauge.drift.measure import Counts, Measurement
from driftgauge.drift.reach import rows_needed
from driftgauge.drift.result import DriftTest, DriftTestResult
from driftgauge.drift.statistics.chi_square import homogeneity_p_value, pooled_variation
from driftgauge.drift.statistics.correction import Correction, p_value_thresholds
from driftgauge.drift.statistics.p_value import PValueSource

_ROUNDING = 1e-12
"""A threshold that is as near to the greatest statistic as this is beyond it: the difference is rounding, and a window
with the greatest statistic must not alarm by it."""

_STEPS = 40
"""Halvings of the interval that holds a threshold of shares: it is found to 1e-12."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a window is tested, and when a feature counts as drifted.

    Args:
        alpha: Significance level in (0, 1) of the decision by p-value.
        correction: How alpha is shared over the tests of a window.
        min_rows: Fewest rows of a window, and fewest values of a feature, that are tested; at least 1.
        budget: The false-alarm budget; `None` decides by p-value.
        beside: P-values of tests of other things that share alpha with those of the features.
    """

    alpha: float
    correction: Correction
    min_rows: int
    budget: Budget | None = None
    beside: tuple[float, ...] = ()

    @property
    def decision(self) -> Decision:
        """What decides whether a test alarms."""
        return Decision.P_VALUE if self.budget is None else Decision.BUDGET


def judge(
    measurements: Sequence[Measurement], features: int, rule: Rule, p_values: PValueSource
) -> Iterator[DriftTestResult]:
    """The verdict on each test of one window, in order; each is computed when the caller asks for it.

    Args:
        measurements: The tests of all features.
        features: Features that are tested together, at least 1.
        rule: What decides.
        p_values: Turns KS statistics into p-values; used by one thread at a time.
    """
    each = _p_values(measurements, p_values)
    levels = p_value_thresholds(np.append(each, rule.beside), rule.alpha, rule.correction)[: each.size]
    for one, p_value, level in zip(measurements, each.tolist(), levels.tolist(), strict=True):
        if rule.budget is None:
            drift = p_value < level
            threshold = _threshold_by_p_value(one, level, p_values, drift=drift)
            alarms = partial(_alarms_by_p_value, level=level, p_values=p_values)
        else:
            threshold = _threshold_by_budget(one, features, rule.budget)
            drift = one.statistic > threshold or (
                one.raised and one.statistic > _clearing_threshold(one, features, rule.budget)
            )
            alarms = partial(_alarms_by_budget, features=features, budget=rule.budget)
        yield DriftTestResult(
            test=one.test,
            statistic=one.statistic,
            p_value=p_value,
            threshold=threshold if threshold <= 1 else math.inf,
            drift=drift,
            reference_error=_reference_error(one, features, rule.budget),
            rows_needed=rows_needed(one, alarms) if _may_be_out_of_reach(one, threshold, rule, drift=drift) else None,
            pooled=0.0 if drift or rule.budget is not None else _pooled(one),
        )


def _pooled(one: Measurement) -> float:
    """The part of a distance of shares that its p-value leaves out."""
    if one.test is not DriftTest.TV or one.counts is None:
        return 0.0
    return pooled_variation(*(one.category_counts or one.counts))


def _may_be_out_of_reach(one: Measurement, threshold: float, rule: Rule, *, drift: bool) -> bool:
    """Whether it is possible that no window of this size could alarm by the distance of its values.

    A finite threshold is within reach, with one exception: that of shares by p-value holds for changes in the direction
    of this one, and of any size between whole rows.
    """
    if drift or one.test is DriftTest.MISSING:
        return False
    return threshold > 1 or (one.test is DriftTest.TV and rule.budget is None)


def _clearing_threshold(one: Measurement, features: int, budget: Budget) -> float:
    """The statistic up to which a test that alarms has recovered: without half of what a window errs by chance.

    That part falls with the square root of the rows, so that it is half as large with four times as many. Where rows
    have become alike after a day in which they were not, nothing shows a recovery, and the alarm lasts.
    """
    if math.isinf(_threshold_by_budget(one, features, budget)):
        return 0.0 if one.kept else math.inf
    return _threshold_by_budget(replace(one, effective_rows=4 * one.effective_rows), features, budget)


def _alarms_by_budget(one: Measurement, *, features: int, budget: Budget) -> bool:
    return one.statistic > _threshold_by_budget(one, features, budget)


def _alarms_by_p_value(one: Measurement, *, level: float, p_values: PValueSource) -> bool:
    return bool(_p_values([one], p_values)[0] < level)


def _threshold_by_budget(one: Measurement, features: int, budget: Budget) -> float:
    """The statistic above which the budget alarms; infinity if no statistic can be."""
    reference_rows, greatest = one.reference_effective_rows or float(one.rows[0]), 1.0
    if one.counts is None:
        threshold = budget.ks_threshold(reference_rows, one.effective_rows, features)
    elif one.test is DriftTest.TV:
        threshold = budget.tv_threshold(
            one.counts[0] * (reference_rows / one.rows[0]), one.categories, one.effective_rows, features
        )
    else:
        reference, window = (float(side[-1] / side.sum()) for side in one.counts)
        threshold = budget.share_threshold(reference, window, reference_rows, one.effective_rows, features)
        greatest = reference if window < reference else 1 - reference
    return threshold if threshold < greatest - _ROUNDING else math.inf


def _reference_error(one: Measurement, features: int, budget: Budget | None) -> float | None:
    """How far the reference of a distance may lie from the truth: a distance; `None` without a budget."""
    if budget is None or one.test is DriftTest.MISSING:
        return None
    rows = one.reference_effective_rows or float(one.rows[0])
    if one.counts is None:
        return reference_error(rows, features)
    return categories_reference_error(one.counts[0] * (rows / one.rows[0]), one.categories, features)[0]


def _threshold_by_p_value(one: Measurement, level: float, p_values: PValueSource, *, drift: bool) -> float:
    """The smallest statistic whose p-value is below a level; `drift` says whether the measurement's own is."""
    if one.counts is None:
        return p_values.critical_statistic(*one.rows, level)
    return one.statistic * _critical_multiple(*(one.category_counts or one.counts), level, drift=drift)


def _critical_multiple(reference: Counts, window: Counts, level: float, *, drift: bool) -> float:
    """The factor by which a change of shares must grow for its p-value to fall below a level; infinity for none.

    The test statistic of shares has no lattice of values to search, so the change that was measured is scaled: its
    direction stays, its size is bisected. As it grows, cells are pooled differently (by what is expected in them), so
    that the p-value does not fall everywhere. The verdict on the change itself decides on which side of 1 to search:
    below 1 if it alarms, else between 1 and the multiple at which the first share reaches 0. So verdict and threshold
    always agree: a test drifts exactly if its statistic reaches its threshold.
    """
    shares, rows = reference / reference.sum(), window.sum()
    change = window / rows - shares
    low, high = 0.0, 1.0
    if not drift:
        falls = change < 0
        low, high = 1.0, float(np.min(shares[falls] / -change[falls], initial=np.inf))
        if not math.isfinite(high) or homogeneity_p_value(reference, _scaled(shares, change, high, rows)) >= level:
            return math.inf
    for _ in range(_STEPS):
        middle = (low + high) / 2
        below = homogeneity_p_value(reference, _scaled(shares, change, middle, rows)) < level
        low, high = (low, middle) if below else (middle, high)
    return high


def _scaled(shares: Counts, change: Counts, multiple: float, rows: float) -> Counts:
    """The window's rows in each cell, were the change of shares so many times as large."""
    scaled: Counts = rows * np.maximum(shares + multiple * change, 0.0)
    return scaled


def _p_values(measurements: Sequence[Measurement], p_values: PValueSource) -> NDArray[np.float64]:
    """The p-values of all tests; those of KS tests of equal sample sizes are computed in one call."""
    result = np.empty(len(measurements))
    groups: dict[tuple[int, int], list[int]] = {}
    for index, one in enumerate(measurements):
        if one.counts is None:
            groups.setdefault(one.rows, []).append(index)
        else:
            result[index] = homogeneity_p_value(*(one.category_counts or one.counts))
    for (m, n), indices in groups.items():
        statistics = np.array([measurements[index].statistic for index in indices])
        result[indices] = p_values.p_values(m, n, statistics)
    return result
